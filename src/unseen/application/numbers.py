"""A released column as numbers, for models that take no other."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from unseen.computation.types import Real
from unseen.errors import DataError


def is_number(column: pa.ChunkedArray) -> bool:
    """Whether a column holds numbers; truth values are none."""
    kind = column.type
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def numbers(table: pa.Table, name: str) -> Real:
    """A column (rows,), missing values as NaN. Raises DataError for another type."""
    column = table[name]
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.int8())
    elif not is_number(column):
        raise DataError(
            f"column {name!r} holds {column.type}, and this model takes numbers; make columns of zeros and ones "
            "of its levels at the source, or build a scorecard or trees, which bin them"
        )
    return as_float(column)


def as_float(column: pa.ChunkedArray) -> Real:
    """A column of numbers (rows,), missing values as NaN."""
    return np.asarray(column.cast(pa.float64()).to_numpy(zero_copy_only=False), dtype=np.float64)
