"""Columns of numbers: which types are such, and their values."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from unseen.errors import DataError


def is_number(kind: pa.DataType) -> bool:
    """Whether a type holds numbers; truth values are none."""
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def as_numbers(column: pa.Array | pa.ChunkedArray) -> NDArray[np.float64]:
    """The values (rows,), missing ones as NaN. Raises DataError for other types."""
    if not is_number(column.type):
        raise DataError(f"a column of type {column.type} is none of numbers")
    return np.asarray(pc.fill_null(pc.cast(column, pa.float64(), safe=False), math.nan), np.float64)
