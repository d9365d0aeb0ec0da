"""Rows that a join can use, against a loop over Python's sets."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unseen.data.join_keys import join_keys
from unseen.errors import DataError

TOO_LONG = "x" * (64 * 1024 + 1)


@settings(deadline=None)
@given(st.lists(st.sampled_from(["a", "b", "c", "é", "", None, TOO_LONG]) | st.text(max_size=3), min_size=1))
def test_a_row_is_joined_if_its_key_is_there_fits_and_is_the_first(keys: list[str | None]) -> None:
    seen, expected = set(), []
    for row, key in enumerate(keys):
        if key and key != TOO_LONG and key not in seen:
            seen.add(key)
            expected.append(row)
    if not expected:
        with pytest.raises(DataError, match="no row"):
            join_keys(pa.array(keys, pa.string()), most_unfit=1.0)
        return
    found = join_keys(pa.array(keys, pa.string()), most_unfit=1.0)
    assert found.rows.tolist() == expected
    assert found.keys.to_pylist() == [keys[row] for row in expected]
    assert bool(found.warnings()) == (len(expected) < len(keys))


@pytest.mark.parametrize(
    ("unfit", "what"), [("", "empty"), (None, "empty"), ("k0", "repeated"), (TOO_LONG, "malformed")]
)
def test_above_the_tolerated_share_the_join_stops_and_below_it_warns(unfit: str | None, what: str) -> None:
    keys = pa.array([f"k{i}" for i in range(98)] + [unfit, "last"])
    with pytest.raises(DataError, match=rf"1.00% of the keys are {what}, and 0.50% are tolerated; mend"):
        join_keys(keys, most_unfit=0.005)
    found = join_keys(keys)
    assert found.warnings() == [
        f"1.00% of the keys are {what}",
        "1 of 100 rows are left out; of repeated keys the first stays",
    ]
    assert found.left_out == 1


def test_a_clean_column_is_joined_whole_and_without_a_word() -> None:
    found = join_keys(pa.array(["a", "b"]))
    assert (found.rows.tolist(), found.warnings()) == ([0, 1], [])
