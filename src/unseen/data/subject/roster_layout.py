"""How a roster lies in its folder, what it is named by, and which part of it holds a mark.

    FOLDER/<digest>.sealed          up to 2^20 persons: all marks, sorted
    FOLDER/<digest>/<part>.sealed   more: the marks with the same leading bits, sorted; parts in order of marks
    FOLDER/<digest>/index.sealed    the parts' digests one after another, 32 octets each

A digest is of the persons alone: neither the order of rows, nor how often a person was in them, changes it. That
of a roster in parts is over its index, so that no part of one roster can stand in another's place.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from unseen.data.subject.mark import Words
from unseen.encoding import digest_bytes
from unseen.errors import MisuseError

TAG: Final = "unseen/roster/v1"
INDEX_TAG: Final = "unseen/roster-parts/v1"
WHOLE: Final = "rosters"
PARTS: Final = "rosters/parts"
"""What files of rosters in one piece, and of those in parts, are bound to under their seal."""
INDEX: Final = "index"
DIGEST: Final = 32
_BITS: Final = 64
_LEAST: Final = -(1 << 63)


@dataclass(frozen=True)
class Layout:
    """How many persons lie in one piece, and into how many parts more are cut: a power of two."""

    whole: int = 1 << 20
    parts: int = 256

    def __post_init__(self) -> None:
        if self.parts < 1 or self.parts & (self.parts - 1) or self.whole < 0:
            raise MisuseError("a roster is cut into a power of two of parts")

    def cut(self, marks: Words) -> Iterator[Words]:
        """Sorted marks, part by part."""
        step = (1 << _BITS) // self.parts
        bounds = np.array([part * step + _LEAST for part in range(1, self.parts)], np.int64)
        yield from np.split(marks, np.searchsorted(marks, bounds))


def part_of(mark: int, parts: int) -> int:
    """The part that holds a signed mark, if any does."""
    return (mark - _LEAST) * parts >> _BITS


def digest_of(marks: bytes) -> str:
    """The digest of sorted marks, 8 octets each in little endian: of a whole roster or of a part."""
    return digest_bytes(TAG, marks)


def name_of_parts(index: bytes) -> str:
    """The digest of a roster in parts."""
    return digest_bytes(INDEX_TAG, index)
