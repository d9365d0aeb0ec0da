"""Marks in numbers: a part of a copy in any order names its recipient, and nothing else names anybody."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unseen.data.protect.secret import Secret
from unseen.data.watermark import MOST_FALSE, mark, trace
from unseen.errors import DataError

SECRET = Secret(bytes(range(32)))
RECIPIENTS = [f"partner-{number}" for number in range(20)]
DRAW = np.random.default_rng(7)
ROWS = 5000
TABLE = pa.table(
    {
        "id": [f"c{number}" for number in range(ROWS)],
        "balance": np.round(DRAW.lognormal(8, 1, ROWS), 2),
        "limit": pa.array(DRAW.integers(100, 100_000, ROWS), pa.int32()),
        "age": DRAW.integers(18, 40, ROWS),
        "rate": pa.array([None if place % 9 == 0 else value for place, value in enumerate(DRAW.random(ROWS))]),
    }
)


def test_a_copy_names_its_recipient_and_no_value_moves_by_more_than_a_unit() -> None:
    marked = mark(TABLE, SECRET, "partner-3")
    assert marked.columns == ("balance", "limit", "rate")  # ages are too few to name anyone
    assert marked.table.schema == TABLE.schema
    assert marked.table["rate"].null_count == TABLE["rate"].null_count
    for name, unit in (("balance", 0.01), ("limit", 1), ("rate", 1e-6)):
        moved = np.abs(marked.table[name].to_pandas() - TABLE[name].to_pandas()).max()
        assert 0 < moved < 1.5 * unit
    assert dict(zip(marked.columns, marked.changes, strict=True))["limit"] == 1
    findings = trace(marked.table, SECRET, RECIPIENTS)
    assert {finding.recipient for finding in findings} == {"partner-3"}
    assert {finding.column for finding in findings} == set(marked.columns)
    assert all(finding.agreeing == finding.values for finding in findings)


def test_what_was_not_marked_names_nobody() -> None:
    assert trace(TABLE, SECRET, RECIPIENTS) == []
    assert trace(mark(TABLE, SECRET, "partner-3").table, Secret(bytes(32)), RECIPIENTS) == []


@settings(deadline=None, max_examples=25)
@given(st.data())
def test_a_part_of_rows_and_columns_in_any_order_and_by_other_names_is_enough(data: st.DataObject) -> None:
    recipient = data.draw(st.sampled_from(RECIPIENTS))
    column = data.draw(st.sampled_from(["balance", "limit", "rate"]))
    rows = data.draw(st.integers(300, ROWS))
    order = np.random.default_rng(data.draw(st.integers(0, 1000))).permutation(ROWS)[:rows]
    leaked = mark(TABLE, SECRET, recipient).table.select([column]).take(order).rename_columns(["x"])
    findings = trace(leaked, SECRET, RECIPIENTS)
    assert [finding.recipient for finding in findings] == [recipient]
    assert findings[0].chance <= MOST_FALSE


def test_a_copy_of_which_half_the_values_were_changed_still_names_its_recipient() -> None:
    limits = np.array(mark(TABLE, SECRET, "partner-3").table["limit"], np.int64)
    limits[: ROWS // 2] = DRAW.integers(100, 100_000, ROWS // 2)
    assert {f.recipient for f in trace(pa.table({"limit": limits}), SECRET, RECIPIENTS)} == {"partner-3"}


def test_the_stated_chance_bounds_how_often_unmarked_columns_agree() -> None:
    """The bound against the exact tail of the binomial distribution, for all outcomes of 64 values."""
    from unseen.data.watermark import _chance

    for agreeing in range(65):
        exact = sum(math.comb(64, k) for k in range(agreeing, 65)) / 2**64
        assert _chance(agreeing, 64) >= exact * (1 - 1e-12)
    assert _chance(64, 64) == pytest.approx(2.0**-64)


def test_a_table_with_nothing_to_mark_is_refused() -> None:
    with pytest.raises(DataError, match="no column to mark"):
        mark(TABLE.select(["id", "age"]), SECRET, "partner-3")
