"""A released column as numbers, for models that take no other."""

from __future__ import annotations

import pyarrow as pa

from unseen.computation.types import Real
from unseen.data.number_column import as_numbers, is_number
from unseen.errors import DataError


def numbers(table: pa.Table, name: str) -> Real:
    """A column (rows,), missing values as NaN. Raises DataError for another type."""
    column = table[name]
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.int8())
    elif not is_number(column.type):
        raise DataError(
            f"column {name!r} holds {column.type}, and this model takes numbers; make columns of zeros and ones "
            "of its levels at the source, or build a scorecard or trees, which bin them"
        )
    return as_numbers(column)
