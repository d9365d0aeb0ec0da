"""Columns as small whole numbers, by bins and names that do not depend on the data, and back.

Bins of numbers are quarters of powers of two, bins of dates are months: they are the same for every data set, so
that choosing them tells nothing. Names of text come from a private release (see `measure`). The last code of every
coding is a missing value.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from unseen.data.number_column import as_numbers, is_number
from unseen.errors import DataError

OTHER: Final = "other"
_POWERS: Final = range(-20, 50)
_YEARS: Final = range(1900, 2101)

Codes = NDArray[np.int64]


class Coding(Protocol):
    """One column's codes, 0 to `size` - 1; the last stands for a missing value."""

    @property
    def size(self) -> int: ...
    @property
    def ordered(self) -> bool: ...
    def encode(self, values: pa.Array) -> Codes: ...
    def decode(self, codes: Codes, draw: np.random.Generator) -> pa.Array: ...


class Numbers:
    """Numbers in bins `[edge, next edge)`; decoded evenly within a bin, whole numbers as whole ones."""

    ordered = True

    def __init__(self, kind: pa.DataType) -> None:
        self._kind = kind
        self._whole = bool(pa.types.is_integer(kind))
        steps = [2.0**power * quarter for power in _POWERS for quarter in (1, 1.25, 1.5, 1.75)]
        positive = sorted({float(step) for step in steps if not self._whole or step == int(step)})
        self._edges = np.array(
            [*(-edge for edge in reversed(positive)), *([0.0] if self._whole else []), *positive]
        )

    @property
    def size(self) -> int:
        return len(self._edges) + 2

    def encode(self, values: pa.Array) -> Codes:
        numbers = as_numbers(values)
        found = np.searchsorted(self._edges, numbers, side="right")
        return np.where(np.isnan(numbers), self.size - 1, found)

    def decode(self, codes: Codes, draw: np.random.Generator) -> pa.Array:
        bounds = np.concatenate([self._edges[:1], self._edges, self._edges[-1:]])
        place = np.minimum(codes, self.size - 2)
        low, high = bounds[place], bounds[place + 1]
        middle = (low < 0) & (high > 0)  # the bin around nought stands for nought
        made = np.where(middle, 0.0, low + draw.random(len(codes)) * (high - low))
        made = np.floor(made) if self._whole else _short(made)
        if self._whole and self._kind.bit_width < 64:
            made = np.clip(made, *_range(self._kind))
        return pc.cast(pa.array(made, mask=codes == self.size - 1), self._kind, safe=False)


class Dates:
    """Dates and times by month; decoded evenly within it."""

    ordered = True

    def __init__(self, kind: pa.DataType) -> None:
        self._kind = kind
        months = [f"{year}-{month:02}" for year in _YEARS for month in range(1, 13)]
        self._edges = np.array(months, "datetime64[M]").astype("datetime64[D]").astype(np.int64)

    @property
    def size(self) -> int:
        return len(self._edges) + 2

    def encode(self, values: pa.Array) -> Codes:
        days = pc.cast(pc.cast(values, pa.date32(), safe=False), pa.int32())
        found = np.searchsorted(self._edges, np.asarray(pc.fill_null(days, 0)), side="right")
        return np.where(np.asarray(values.is_valid()), found, self.size - 1)

    def decode(self, codes: Codes, draw: np.random.Generator) -> pa.Array:
        place = np.clip(codes - 1, 0, len(self._edges) - 2)
        low, high = self._edges[place], self._edges[place + 1]
        days = (low + draw.random(len(codes)) * (high - low)).astype(np.int32)
        dates = pc.cast(pa.array(days, mask=codes == self.size - 1), pa.date32())
        return pc.cast(dates, self._kind, safe=False)


class Names:
    """Text and truth values by name; a name that is not listed is coded, and decoded, as `other`."""

    ordered = False

    def __init__(self, kind: pa.DataType, names: Sequence[str]) -> None:
        self._kind = kind
        self._names = pa.array([*names, OTHER], pa.string())

    @property
    def size(self) -> int:
        return len(self._names) + 1

    def encode(self, values: pa.Array) -> Codes:
        found = pc.index_in(pc.cast(values, pa.string()), value_set=self._names.slice(0, len(self._names) - 1))
        codes = np.asarray(pc.fill_null(found, len(self._names) - 1), np.int64)
        return np.where(np.asarray(values.is_valid()), codes, self.size - 1)

    def decode(self, codes: Codes, draw: np.random.Generator) -> pa.Array:
        gone = codes == self.size - 1
        if pa.types.is_boolean(self._kind):
            return pa.array(codes == 1, mask=gone | (codes > 1))
        return self._names.take(pa.array(np.minimum(codes, len(self._names) - 1), mask=gone))


TRUTHS: Final = ("false", "true")


def coding(kind: pa.DataType, names: Sequence[str] = ()) -> Coding:
    """The coding of a column of this type; `names` are those that a text column may show.

    Raises DataError for a type that has none.
    """
    if pa.types.is_boolean(kind):
        return Names(kind, TRUTHS)
    if is_number(kind):
        return Numbers(kind)
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        return Dates(kind)
    if is_text(kind):
        return Names(kind, names)
    raise DataError(f"a column of type {kind} has no synthetic copy; leave it out")


def is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _short(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rounded to four significant digits."""
    size = np.floor(np.log10(np.maximum(np.abs(values), 1e-300)))
    unit = 10.0 ** (3 - size)
    return np.asarray(np.where(values == 0, 0.0, np.round(values * unit) / unit), np.float64)


def _range(kind: pa.DataType) -> tuple[int, int]:
    info = np.iinfo(kind.to_pandas_dtype())
    return int(info.min), int(info.max)
