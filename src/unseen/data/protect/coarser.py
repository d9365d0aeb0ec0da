"""Less exact values: masked characters, first characters only, numbers in bins, moved dates, nothing at all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from unseen.data.number_column import as_numbers
from unseen.data.protect.cmac import ColumnMac
from unseen.data.protect.protection import Reason
from unseen.data.protect.secret import Secret
from unseen.data.protect.text import read
from unseen.errors import DataError, MisuseError


class Mask:
    """All but the first and last characters replaced by a sign; a value too short for that, wholly."""

    name: ClassVar[str] = "mask"

    def __init__(self, first: int = 0, last: int = 4, sign: str = "*") -> None:
        if first < 0 or last < 0 or len(sign) != 1:
            raise MisuseError("a mask keeps a number of first and last characters and has one sign")
        self._first, self._last, self._sign = first, last, sign

    def apply(self, values: pa.Array, subjects: pa.Array | None = None) -> pa.Array:
        """The masked column, as strings of the same length."""
        text = pc.cast(values, pa.string())
        length = pc.utf8_length(text)
        kept = self._first + self._last
        enough = pc.greater(length, kept)
        hidden = pc.if_else(enough, pc.subtract(length, kept), length)
        signs = pc.binary_repeat(pa.scalar(self._sign), hidden)
        parts = [signs]
        if self._first:
            parts.insert(0, pc.if_else(enough, pc.utf8_slice_codeunits(text, 0, self._first), ""))
        if self._last:
            parts.append(pc.if_else(enough, pc.utf8_slice_codeunits(text, -self._last), ""))
        return pc.binary_join_element_wise(*parts, "") if len(parts) > 1 else signs


class Truncate:
    """The first characters only, as of a postcode."""

    name: ClassVar[str] = "truncate"

    def __init__(self, characters: int) -> None:
        if characters < 1:
            raise MisuseError("keep at least one character, or suppress the column")
        self._characters = characters

    def apply(self, values: pa.Array, subjects: pa.Array | None = None) -> pa.Array:
        """The shortened column, as strings."""
        return pc.utf8_slice_codeunits(pc.cast(values, pa.string()), 0, self._characters)


class Bins:
    """Numbers as intervals between rising edges: `[a, b)`, with `< a` and `>= b` at the ends."""

    name: ClassVar[str] = "bins"

    def __init__(self, edges: Sequence[float]) -> None:
        self._edges = np.asarray(edges, np.float64)
        if not len(edges) or not np.isfinite(self._edges).all() or (np.diff(self._edges) <= 0).any():
            raise MisuseError("the edges of bins are numbers that rise")
        inner = [f"[{a:g}, {b:g})" for a, b in zip(self._edges[:-1], self._edges[1:], strict=True)]
        self._labels = pa.array([f"< {self._edges[0]:g}", *inner, f">= {self._edges[-1]:g}"])

    def apply(self, values: pa.Array, subjects: pa.Array | None = None) -> pa.Array:
        """The intervals, as strings; what is no number is missing. Raises DataError for text."""
        numbers = as_numbers(values)
        places = np.searchsorted(self._edges, numbers, side="right")
        return self._labels.take(pa.array(places, mask=np.isnan(numbers)))


class Suppress:
    """Nothing: every value missing, the column's type kept."""

    name: ClassVar[str] = "suppress"

    def apply(self, values: pa.Array, subjects: pa.Array | None = None) -> pa.Array:
        return pa.nulls(len(values), values.type)


_DAY: Final = {"s": 86_400, "ms": 86_400_000, "us": 86_400_000_000, "ns": 86_400_000_000_000}


class DateShift:
    """All dates of one person moved by the same number of days, up to `days` either way, by a key.

    Intervals between a person's dates stay exact. Source: the shift-and-truncate method of medical records.
    """

    name: ClassVar[str] = "date-shift"

    def __init__(self, secret: Secret, purpose: str, days: int) -> None:
        if not 1 <= days <= 36_500:
            raise MisuseError("dates move by 1 to 36500 days")
        self._mac = ColumnMac(secret.key(self.name, purpose))
        self._days = days

    def apply(self, values: pa.Array, subjects: pa.Array | None = None) -> pa.Array:
        """The moved dates, of the same type. Raises DataError without subjects or for other types."""
        return self._moved(values, subjects, 1)

    def reverse(self, values: pa.Array, reason: Reason, subjects: pa.Array | None = None) -> pa.Array:
        """The dates as they were."""
        reason.note(self.name, len(values))
        return self._moved(values, subjects, -1)

    def _moved(self, values: pa.Array, subjects: pa.Array | None, sign: int) -> pa.Array:
        if subjects is None or len(subjects) != len(values) or subjects.null_count:
            raise DataError("dates move with their person: every row needs its subject")
        if not (pa.types.is_date32(values.type) or pa.types.is_timestamp(values.type)):
            raise DataError(f"a column of type {values.type} is none of dates or times")
        tags = self._mac.tags(read(subjects))
        drawn = np.ascontiguousarray(tags[:, :8]).view("<u8")[:, 0] % np.uint64(2 * self._days + 1)
        days = sign * (drawn.astype(np.int64) - self._days)
        if pa.types.is_date32(values.type):
            moved = pc.add(pc.cast(values, pa.int32()), pa.array(days.astype(np.int32)))
            return pc.cast(moved, values.type)
        return pc.cast(pc.add(pc.cast(values, pa.int64()), pa.array(days * _DAY[values.type.unit])), values.type)
