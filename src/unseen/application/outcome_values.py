"""Which values of a label mean 1, however the label's column is typed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from decimal import Decimal

import numpy as np

from unseen.computation.types import Real


def outcomes(values: Iterable[object], positive: Sequence[str | int | float | bool]) -> Real:
    """(n,) of 1 where a value is one of `positive`, else 0; 1, 1.0 and "1" are the same."""
    wanted = {_spelled(value) for value in positive}
    return np.array([float(_spelled(value) in wanted) for value in values])


def _spelled(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float | Decimal) and math.isfinite(value) and value == int(value):
        return str(int(value))
    return str(value)
