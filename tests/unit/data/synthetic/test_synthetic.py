"""Synthetic copies: what they cost by OpenDP's account, what they keep, and what they cannot tell."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unseen.data.synthetic.coding import Dates, Names, Numbers, coding
from unseen.data.synthetic.fidelity import fidelity, picture
from unseen.data.synthetic.measure import TOTAL_SHARE, Cost, Meter
from unseen.data.synthetic.model import synthesise
from unseen.errors import DataError, MisuseError

ROWS = 20_000
DRAW = np.random.default_rng(5)
AGE = DRAW.integers(18, 80, ROWS)
INCOME = np.where(AGE > 60, 900.0, 3000.0) * DRAW.lognormal(0, 0.2, ROWS)
TABLE = pa.table(
    {
        "id": [f"person-{number}" for number in range(ROWS)],
        "age": pa.array(AGE, pa.int16()),
        "income": pa.array(INCOME, mask=DRAW.random(ROWS) < 0.1),
        "town": ["Unique Village", *DRAW.choice(["Bonn", "Köln"], ROWS - 1).tolist()],
        "old": AGE > 60,
        "since": pa.array(np.datetime64("2015-01-01") + DRAW.integers(0, 700, ROWS)),
    }
)


@pytest.fixture(scope="module")
def copy() -> object:
    return synthesise(TABLE, Cost(3.0, 1e-6), identifiers=["id"])


def test_a_copy_has_the_types_and_about_the_figures_of_its_data_set(copy) -> None:  # type: ignore[no-untyped-def]
    made = copy.table
    assert made.schema.names == TABLE.schema.names
    for name in TABLE.schema.names[1:]:
        assert made.schema.field(name).type == TABLE.schema.field(name).type
    assert abs(made.num_rows - ROWS) < 0.01 * ROWS
    assert 0.05 < made["income"].null_count / made.num_rows < 0.15
    found = fidelity(TABLE, copy)
    assert max(found.columns.values()) < 0.1
    assert found.mean_pair < 0.2
    frame = made.to_pandas()
    means = frame.groupby("old")["income"].mean()
    assert means[True] < 0.6 * means[False]
    assert len(found.lines()) == 6


def test_a_value_of_one_person_is_never_named_and_identifiers_are_made_up(copy) -> None:  # type: ignore[no-untyped-def]
    assert set(copy.table["town"].to_pylist()) <= {"Bonn", "Köln", "other", None}
    assert copy.table["id"][0].as_py() == "id-00000001"
    assert not set(copy.table["id"].to_pylist()) & set(TABLE["id"].to_pylist())


@pytest.mark.parametrize("rows", [400, 1000])
def test_a_copy_has_about_as_many_rows_as_its_data_set_or_as_many_as_asked(rows: int) -> None:
    """In a small table noise alone fills hundreds of empty bins; it must not make rows."""
    small = TABLE.slice(0, rows)
    cost = Cost(1.0, 1e-6)
    spread = 1 / math.sqrt(2 * Meter(cost, texts=2, columns=5)._rho * TOTAL_SHARE)
    made = [synthesise(small, cost, identifiers=["id"]).table.num_rows for _ in range(3)]
    assert all(abs(count - rows) < 7 * spread for count in made)
    for asked in (1, 777):
        assert synthesise(small, cost, asked, identifiers=["id"]).table.num_rows == asked


def test_the_picture_shows_every_column(copy) -> None:  # type: ignore[no-untyped-def]
    drawn = picture(TABLE, copy)
    assert drawn.startswith("<?xml")
    assert "</svg>" in drawn


@pytest.mark.parametrize(("epsilon", "delta"), [(0.5, 1e-6), (3.0, 1e-8)])
def test_all_measurements_together_cost_what_was_allowed(epsilon: float, delta: float) -> None:
    """The Gaussian part by the bound of Bun & Steinke 2016 (proposition 1.3), the names by their own tail."""
    meter = Meter(Cost(epsilon, delta), texts=2, columns=4)
    rho = meter._rho
    loose = rho + 2 * math.sqrt(rho * math.log(2 / delta))
    assert (
        loose >= 0.8 * epsilon
    )  # what is allowed is used up: OpenDP's conversion is tighter, not looser, than this
    _, single_noise = meter.singles([np.zeros(10, np.int64)] * 4)
    _, pair_noise = meter.pairs([np.zeros((3, 3), np.int64)] * 6)
    meter.total(100)
    assert meter._used <= rho * (1 + 1e-6)
    assert 4 / (2 * single_noise**2) + 6 / (2 * pair_noise**2) <= (1 - TOTAL_SHARE) * rho * (1 + 1e-6)
    with pytest.raises(MisuseError, match="measured, not"):
        meter.pairs([np.zeros((3, 3), np.int64)])
    with pytest.raises(MisuseError, match="twice"):
        meter.singles([np.zeros(10, np.int64)] * 4)


def test_noise_has_the_spread_that_is_stated() -> None:
    meter = Meter(Cost(1.0, 1e-6), texts=0, columns=1)
    (noisy,), spread = meter.singles([np.full(4000, 1000, np.int64)])
    assert np.std(noisy) == pytest.approx(spread, rel=0.1)
    assert np.mean(noisy) == pytest.approx(1000, abs=spread * 0.1)


@pytest.mark.parametrize(("epsilon", "delta"), [(0, 1e-6), (1, 0), (1, 0.5), (1000, 1e-6)])
def test_costs_that_protect_nobody_are_refused(epsilon: float, delta: float) -> None:
    with pytest.raises(MisuseError, match="epsilon lies"):
        Cost(epsilon, delta)


@settings(deadline=None)
@given(st.lists(st.none() | st.integers(-(2**31), 2**31 - 1), min_size=1))
def test_whole_numbers_come_back_in_their_bin(values: list[int | None]) -> None:
    column = pa.array(values, pa.int32())
    code = Numbers(pa.int32())
    codes = code.encode(column)
    back = code.decode(codes, np.random.default_rng(1))
    assert back.type == pa.int32()
    assert (code.encode(back) == codes).all()
    for before, after in zip(values, back.to_pylist(), strict=True):
        assert (before is None) == (after is None)
        if before is not None:
            assert abs(after - before) <= abs(before) / 3


@settings(deadline=None)
@given(st.lists(st.none() | st.dates(), min_size=1))
def test_dates_come_back_in_their_month(values: list[object]) -> None:
    code = Dates(pa.date32())
    column = pa.array(values, pa.date32())
    back = code.decode(code.encode(column), np.random.default_rng(1))
    for before, after in zip(column.to_pylist(), back.to_pylist(), strict=True):
        assert (before is None) == (after is None)
        if before is not None and 1900 <= before.year < 2100:
            assert (before.year, before.month) == (after.year, after.month)


def test_names_and_truths() -> None:
    code = Names(pa.string(), ["a", "b"])
    column = pa.array(["b", "z", None, "a"])
    assert code.encode(column).tolist() == [1, 2, 3, 0]
    assert code.decode(code.encode(column), np.random.default_rng(1)).to_pylist() == ["b", "other", None, "a"]
    truth = coding(pa.bool_())
    column = pa.array([True, None, False])
    assert truth.decode(truth.encode(column), np.random.default_rng(1)).equals(column)
    with pytest.raises(DataError, match="no synthetic copy"):
        coding(pa.list_(pa.int64()))


def test_tables_that_have_no_copy() -> None:
    with pytest.raises(DataError, match="no rows"):
        synthesise(TABLE.slice(0, 0), Cost(1, 1e-6))
    with pytest.raises(MisuseError, match="beside identifiers"):
        synthesise(TABLE.select(["id"]), Cost(1, 1e-6), identifiers=["id"])
