"""A label's column as outcomes, 1 and 0, however it is typed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal

import numpy as np
import pyarrow as pa

from unseen.computation.types import Real
from unseen.errors import DataError


def outcomes(table: pa.Table, name: str, positive: Sequence[str | int | float | bool]) -> Real:
    """(rows,) of 1 where the column `name` holds one of `positive`, else 0; 1, 1.0 and "1" are the same.

    Raises DataError for missing labels.
    """
    values = table[name].to_pylist()
    if any(value is None or value != value for value in values):
        raise DataError(f"the label {name!r} is missing in some rows; leave these rows out at the source")
    wanted = {_spelled(value) for value in positive}
    return np.array([float(_spelled(value) in wanted) for value in values])


def require_both(
    found: Real,
    name: str,
    positive: Sequence[str | int | float | bool],
    rows: str = "common rows",
    meaning: str = "1",
) -> None:
    """Raises DataError where outcomes (n,) of these `rows` are all alike."""
    if not 0 < found.sum() < len(found):
        raise DataError(
            f"the label {name!r} has one class only among the {rows}; check the values that mean {meaning} "
            f"({', '.join(sorted(map(_spelled, positive)))})"
        )


def _spelled(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float | Decimal) and math.isfinite(value) and value == int(value):
        return str(int(value))
    return str(value)
