"""What each party keeps of an alignment in buckets, so that a later run goes on where this one broke off.

A heading that both parties can compare (of which plan, the seed of the cut, sizes) with a digest of the own list,
and the hashes of the common keys of each bucket that is done, under the seed of the cut. A run goes on only if
both hold the same heading and each brings the list that it brought before, in whatever order: row numbers are
those of the list as it is read again. Whoever has the heading, the hashes and a list of identifiers can tell which
of these are common: what is kept is part of the result, and lies under the seal of results.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Self

import numpy as np
from blake3 import blake3

from unseen.computation.intersect.spool import MOST_BUCKETS, Spool
from unseen.computation.prg import SEED_BYTES
from unseen.computation.types import Words, octets
from unseen.errors import VerificationError

DIGEST_BYTES: Final = 32
_HEADING: Final = "heading"
_FOUND: Final = "found"
_MAGIC: Final = b"unseen/buckets/2"


@dataclass(frozen=True, eq=False)
class Heading:
    """`plan` is a digest of what was agreed, without what names a single job; `sizes` are by rank."""

    plan: bytes
    seed: bytes = field(repr=False)
    buckets: int
    sizes: tuple[int, int]
    own: bytes = field(repr=False)

    @property
    def name(self) -> Words:
        """Four words that are the same at both parties of one run, and of no other."""
        numbers = np.array([self.buckets, *self.sizes], dtype="<i8").tobytes()
        return np.frombuffer(blake3(_MAGIC + self.plan + self.seed + numbers).digest(), dtype=np.uint64)

    def to_bytes(self) -> bytes:
        numbers = np.array([self.buckets, *self.sizes], dtype="<i8").tobytes()
        return _MAGIC + self.plan + self.seed + self.own + numbers

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Raises VerificationError for what `to_bytes` has not written."""
        start, wide = len(_MAGIC), DIGEST_BYTES
        if not data.startswith(_MAGIC) or len(data) != start + 2 * wide + SEED_BYTES + 24:
            raise VerificationError("a checkpoint is not as it was written; erase it and run again")
        plan, seed, own = (data[start + place : start + place + wide] for place in (0, wide, 2 * wide))
        buckets, left, right = (int(number) for number in np.frombuffer(data[-24:], dtype="<i8"))
        if not 1 <= buckets <= MOST_BUCKETS:
            raise VerificationError("a checkpoint is not as it was written; erase it and run again")
        return cls(plan, seed, buckets, (left, right), own)


class Checkpoint:
    """The heading, and what was found in the buckets that are done, in a spool that outlives the run.

    `words` of each common key: two of its hash, then what else is kept of it.
    """

    def __init__(self, spool: Spool, words: int = 2) -> None:
        self._spool, self._words = spool, words

    def heading(self) -> Heading | None:
        """None where no run broke off."""
        for chunk in self._spool.read(_HEADING):
            return Heading.from_bytes(chunk)
        return None

    def begin(self, heading: Heading) -> None:
        """A run of its own, with no bucket done yet."""
        self.forget()
        self._spool.write(_HEADING, heading.to_bytes())

    def done(self) -> int:
        """How many buckets are done."""
        return sum(1 for _ in self._spool.read(_FOUND))

    def add(self, found: Words) -> None:
        """The common keys of the next bucket, (common, words)."""
        self._spool.write(_FOUND, bytes(octets(np.ascontiguousarray(found))))

    def keep(self, buckets: int) -> None:
        """Only the first so many buckets: the other party has no more."""
        self._spool.keep(_FOUND, buckets)

    def found(self) -> Iterator[Words]:
        """Of each bucket that is done, in their order, (common, words)."""
        for chunk in self._spool.read(_FOUND):
            yield np.frombuffer(chunk, dtype=np.uint64).reshape(-1, self._words)

    def forget(self) -> None:
        """Erase everything."""
        self._spool.forget(_HEADING)
        self._spool.forget(_FOUND)
