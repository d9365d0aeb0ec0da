"""A released column as numbers, for models that take no other."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from unseen.computation.types import Real
from unseen.errors import DataError


def numbers(table: pa.Table, name: str) -> Real:
    """A column (rows,), missing values as NaN. Raises DataError for another type."""
    kind = table[name].type
    if pa.types.is_boolean(kind):
        return np.asarray(table[name].cast(pa.int8()).cast(pa.float64()).to_numpy(zero_copy_only=False))
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)):
        raise DataError(
            f"column {name!r} holds {kind}, and this model takes numbers; make columns of zeros and ones of its "
            "levels at the source, or build a scorecard or trees, which bin them"
        )
    return np.asarray(table[name].cast(pa.float64()).to_numpy(zero_copy_only=False), dtype=np.float64)
