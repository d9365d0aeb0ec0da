"""What each party keeps of an alignment in buckets, so that a later run goes on where this one broke off.

A heading that both parties can compare (of which plan, the seed of the cut, sizes) with a digest of the own list,
and the rows of each bucket that is done. A run goes on only if both hold the same heading and each brings the list
that it brought before.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Self

import numpy as np
from blake3 import blake3

from unseen.computation.intersect.spool import MOST_BUCKETS, Spool
from unseen.computation.prg import SEED_BYTES
from unseen.computation.types import Index, Words, octets
from unseen.errors import VerificationError

DIGEST_BYTES: Final = 32
_HEADING: Final = "heading"
_ROWS: Final = "rows"
_MAGIC: Final = b"unseen/buckets/1"


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
    """The heading and the rows of the buckets that are done, in a spool that outlives the run."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool

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
        return sum(1 for _ in self._spool.read(_ROWS))

    def add(self, rows: Index) -> None:
        """The rows of the next bucket, (common,)."""
        self._spool.write(_ROWS, bytes(octets(rows)))

    def keep(self, buckets: int) -> None:
        """Only the first so many buckets: the other party has no more."""
        if self.done() > buckets:
            kept = [chunk for chunk, _ in zip(self._spool.read(_ROWS), range(buckets), strict=False)]
            self._spool.forget(_ROWS)
            for chunk in kept:
                self._spool.write(_ROWS, chunk)

    def rows(self) -> Index:
        """The rows of all buckets that are done, in their order."""
        parts = [np.frombuffer(chunk, dtype=np.int64) for chunk in self._spool.read(_ROWS)]
        return np.concatenate(parts) if parts else np.empty(0, dtype=np.int64)

    def forget(self) -> None:
        """Erase everything."""
        self._spool.forget(_HEADING)
        self._spool.forget(_ROWS)
