"""A label's column as outcomes, however it is typed; what is no outcome is told."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from unseen.application.outcome_values import outcomes, require_both
from unseen.errors import DataError


@pytest.mark.parametrize(
    ("values", "positive"),
    [
        ([1, 0, 2], [1]),
        ([1.0, 0.0, 2.5], ["1"]),
        ([Decimal("1.00"), Decimal(0), Decimal("2.5")], [1.0]),
        (["1", "0", "two"], [1]),
        ([True, False, False], [True]),
        (["yes", "no", "perhaps"], ["yes"]),
    ],
)
def test_a_value_is_known_however_its_column_is_typed(values: list[Any], positive: list[Any]) -> None:
    assert outcomes(pa.table({"y": values}), "y", positive).tolist() == [1.0, 0.0, 0.0]


@pytest.mark.parametrize("missing", [None, float("nan")])
def test_a_missing_label_is_told_and_never_taken_for_zero(missing: Any) -> None:
    table = pa.table({"y": pa.array([1.0, 0.0, missing])})
    with pytest.raises(DataError, match="'y' is missing in some rows"):
        outcomes(table, "y", [1])


def test_outcomes_of_one_class_are_told_with_the_values_that_were_looked_for() -> None:
    found = outcomes(pa.table({"y": ["a", "b"]}), "y", ["bad", 1.0])
    with pytest.raises(DataError, match=r"one class only among the held-out rows.*mean bad \(1, bad\)"):
        require_both(found, "y", ["bad", 1.0], "held-out rows", "bad")
    require_both(outcomes(pa.table({"y": ["a", "b"]}), "y", ["b"]), "y", ["b"])
