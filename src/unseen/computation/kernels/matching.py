"""Finding equal tags in two lists, by a table of places with linear probing. Oracle: Python's dict."""

from __future__ import annotations

from typing import Final

import numpy as np

from unseen.computation.kernels import kernel
from unseen.computation.types import Array, Index, Words
from unseen.errors import MisuseError

MOST_ROWS: Final = 1 << 30


def matches(own: Words, theirs: Words) -> Index:
    """(n,) places in `theirs` of each row of `own`, -1 where there is none; both (…, 2) words, no row twice."""
    bits, table = _empty(len(theirs))
    found = np.full(len(own), -1, dtype=np.int64)
    _match(own, theirs, table, np.uint64(64 - bits), found)
    return found


def repeats(words: Words) -> bool:
    """Whether two rows of (n, 2 or more) words agree in their first two."""
    bits, table = _empty(len(words))
    return _repeat(words, table, np.uint64(64 - bits)) >= 0


def _empty(count: int) -> tuple[int, Array]:
    """A table that `count` rows fill by half at most, all places free, and the bits of a place."""
    if count > MOST_ROWS:
        raise MisuseError(f"at most {MOST_ROWS:,} rows are matched at once")
    bits = max(4, (2 * count - 1).bit_length())
    return bits, np.full(1 << bits, -1, dtype=np.int32)


@kernel
def _repeat(words: Words, table: Array, shift: np.uint64) -> int:
    mask = table.shape[0] - 1
    for i in range(words.shape[0]):
        place = np.int64(words[i, 0] >> shift)
        while table[place] >= 0:
            j = table[place]
            if words[j, 0] == words[i, 0] and words[j, 1] == words[i, 1]:
                return i
            place = (place + 1) & mask
        table[place] = i
    return -1


@kernel
def _match(own: Words, theirs: Words, table: Array, shift: np.uint64, found: Index) -> None:
    mask = table.shape[0] - 1
    for j in range(theirs.shape[0]):
        place = np.int64(theirs[j, 0] >> shift)
        while table[place] >= 0:
            place = (place + 1) & mask
        table[place] = j
    for i in range(own.shape[0]):
        place = np.int64(own[i, 0] >> shift)
        while table[place] >= 0:
            j = table[place]
            if theirs[j, 0] == own[i, 0] and theirs[j, 1] == own[i, 1]:
                found[i] = j
                break
            place = (place + 1) & mask
