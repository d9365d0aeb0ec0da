"""Columns of text as arrays of bytes, and back: what vectorised protections work on.

An Arrow string column is one run of bytes with offsets. These functions give it as NumPy arrays without a loop
over rows, whatever slice or chunking it came in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from unseen.errors import DataError

Bytes = NDArray[np.uint8]
Numbers = NDArray[np.int64]

_PAIRS: Final = np.frombuffer(bytes(range(256)).hex().encode(), np.uint16)


@dataclass(frozen=True)
class Text:
    """A text column: all bytes, offsets of rows (int64, one more than rows), and which rows are there."""

    data: Bytes
    offsets: Numbers
    valid: NDArray[np.bool_]

    @property
    def rows(self) -> int:
        return len(self.offsets) - 1

    @property
    def lengths(self) -> Numbers:
        return np.diff(self.offsets)

    def arrow(self) -> pa.Array:
        """The column as strings (large ones beyond 2 GiB); missing rows are missing."""
        small = len(self.data) < 1 << 31
        offsets = np.ascontiguousarray(self.offsets, np.int32 if small else np.int64)
        mask = pa.array(self.valid).buffers()[1] if not self.valid.all() else None
        buffers = [mask, pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(self.data))]
        return pa.Array.from_buffers(pa.string() if small else pa.large_string(), self.rows, buffers)


def read(values: pa.Array | pa.ChunkedArray) -> Text:
    """A column of any type as text (numbers in decimal, times as ISO 8601). Missing rows have no bytes."""
    whole = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    if pa.types.is_nested(whole.type):
        raise DataError(f"a column of type {whole.type} is no column of single values")
    text = pc.fill_null(pc.cast(whole, pa.large_string()), "")
    text = pa.concat_arrays([text]) if text.offset else text
    _, offsets, data = text.buffers()
    places = np.frombuffer(offsets, np.int64)[text.offset : text.offset + len(text) + 1]
    content = np.frombuffer(data, np.uint8) if data is not None else np.empty(0, np.uint8)
    start, stop = (int(places[0]), int(places[-1])) if len(places) else (0, 0)
    valid = np.asarray(whole.is_valid())
    return Text(content[start:stop], places - start if len(places) else np.zeros(1, np.int64), valid)


def fixed(characters: Bytes, valid: NDArray[np.bool_]) -> pa.Array:
    """A column from a matrix (rows, width) of ASCII characters."""
    rows, width = characters.shape
    offsets = np.arange(rows + 1, dtype=np.int64) * width
    return Text(np.ascontiguousarray(characters).reshape(-1), offsets, valid).arrow()


def hexadecimal(octets: Bytes) -> Bytes:
    """A matrix (rows, bytes) as one of hexadecimal digits, twice as wide."""
    return _PAIRS[octets].view(np.uint8)
