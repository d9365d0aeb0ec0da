"""Join keys as one run of bytes with offsets, as Arrow holds them, and their records for the key-value store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from blake3 import blake3
from numpy.typing import NDArray

from unseen.computation.kernels import blake3 as kernels
from unseen.computation.kernels import strings
from unseen.computation.kernels.matching import repeats
from unseen.computation.types import Array, Index, Words
from unseen.errors import DataError, MisuseError


@dataclass(frozen=True, eq=False)
class Keys:
    """`data` (bytes,) uint8 and `offsets` (n + 1,) int64: key i is data[offsets[i]:offsets[i + 1]]."""

    data: NDArray[np.uint8]
    offsets: Index

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, row: int) -> bytes:
        return self.data[self.offsets[row] : self.offsets[row + 1]].tobytes()

    def take(self, rows: Index) -> list[bytes]:
        """Some keys, one by one."""
        return [self[int(row)] for row in rows]

    def chosen(self, rows: Index) -> Keys:
        """Some keys, in this order, copied."""
        offsets = np.zeros(len(rows) + 1, dtype=np.int64)
        np.cumsum(np.diff(self.offsets)[rows], out=offsets[1:])
        data = np.empty(int(offsets[-1]), dtype=np.uint8)
        strings.choose(self.data, self.offsets, rows, data)
        return Keys(data, offsets)

    def __repr__(self) -> str:
        return f"Keys({len(self)})"


def from_list(keys: Sequence[bytes]) -> Keys:
    """Keys that are Python objects."""
    offsets = np.zeros(len(keys) + 1, dtype=np.int64)
    np.cumsum(np.fromiter(map(len, keys), dtype=np.int64, count=len(keys)), out=offsets[1:])
    return Keys(np.frombuffer(b"".join(keys), dtype=np.uint8), offsets)


def from_arrow(array: Any) -> Keys:
    """An Arrow string or binary array without nulls, without a copy of its bytes. Raises DataError for nulls."""
    if array.null_count:
        raise DataError("some keys are empty; remove these rows at the source")
    wide = np.int64 if str(array.type).startswith("large") else np.int32
    _, offsets, data = array.buffers()
    places = np.frombuffer(offsets, dtype=wide)[array.offset : array.offset + len(array) + 1].astype(np.int64)
    return Keys(np.frombuffer(data or b"", dtype=np.uint8), places)


def subkey(seed: bytes, label: str) -> bytes:
    """32 bytes for one use of a run's seed."""
    return blake3(label.encode(), key=seed).digest()


def composite(columns: Sequence[Any]) -> Keys:
    """One key a row of several Arrow string columns, each part with its length before it: no two rows look alike
    that are not. A row with a null or an empty part has an empty key: it cannot be joined.

    Raises MisuseError for no columns or columns of different lengths.
    """
    if not columns or len({len(column) for column in columns}) != 1:
        raise MisuseError("a key is made of one or more columns of the same number of rows")
    parts = [from_arrow(column.fill_null("") if column.null_count else column) for column in columns]
    if len(parts) == 1:
        return parts[0]
    lengths = np.stack([np.diff(part.offsets) for part in parts])
    whole = np.asarray((lengths > 0).all(axis=0))
    offsets = np.zeros(len(whole) + 1, dtype=np.int64)
    np.cumsum(np.where(whole, (lengths + strings.LENGTH_BYTES).sum(axis=0), 0), out=offsets[1:])
    data, at = np.empty(int(offsets[-1]), dtype=np.uint8), offsets[:-1].copy()
    for part in parts:
        strings.append(part.data, part.offsets, at, whole, data)
    return Keys(data, offsets)


def hashed(keys: Keys, secret: bytes) -> Words:
    """(n, 4) words: BLAKE3 of each key, of any length, under a key of 32 bytes."""
    found = np.empty((len(keys), 8), dtype=np.uint32)
    if kernels.hash_short(keys.data, keys.offsets, np.frombuffer(secret, dtype="<u4"), found):
        for row in np.flatnonzero(np.diff(keys.offsets) > kernels.BLOCK):
            found[row] = np.frombuffer(blake3(keys[int(row)], key=secret).digest(), dtype="<u4")
    return found.view(np.uint64)


def hashed_rows(rows: Array, secret: bytes) -> Words:
    """(n, 4) words: BLAKE3 of each row of (n, width) words, width at most 8."""
    octets = np.ascontiguousarray(rows).view(np.uint8).reshape(-1)
    width = rows.shape[1] * rows.dtype.itemsize
    offsets = np.arange(len(rows) + 1, dtype=np.int64) * width
    return hashed(Keys(octets, offsets), secret)


def require_usable(keys: Keys, records: Words) -> None:
    """Raises DataError for empty or repeated keys; `records` are `hashed` ones."""
    if not len(keys):
        raise DataError("there are no keys to align on")
    if (np.diff(keys.offsets) == 0).any():
        raise DataError("some keys are empty; remove these rows at the source")
    if repeats(records):
        raise DataError("some keys occur twice; a join needs one row a person")
