"""Joins of two institutions' tables that do not fit into memory: bucket after bucket, key after key.

As `join`, with each key's distinct values aligned as `buckets` aligns a list: cut into buckets by a hash under a
joint seed, filled up with random records, one bucket in memory. A value's rows lie in one bucket, so each bucket's
common values are told how often they occur as soon as they are found. What a later key finds left over is counted
when the earlier one is done. After each bucket both keep what was found in it and how often it occurs at the other
side: a run that broke off is taken up with the first bucket that is not done at both.

Setting: two parties, semi-honest; assumptions of `buckets`. Who learns what: as in `join`, and the number of
buckets. How many common values lie in which bucket both know from the joint seed. Sizes of messages follow from
how many values each key offers, the number of buckets, and the common values with their multiplicities. The
smallest overlap is held against the first key: on a sample over all its buckets before the first is aligned
(`bucket_sample`), and again when they are done.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from unseen.computation.circle import Circle
from unseen.computation.intersect.align import Watch, too_few
from unseen.computation.intersect.bucket_sample import require_enough
from unseen.computation.intersect.buckets import Beats, Cut, common_of, hear, offered, within
from unseen.computation.intersect.checkpoint import Checkpoint
from unseen.computation.intersect.join import MOST_ROWS, Terms, bounded, repeats_too_often, times, too_long
from unseen.computation.intersect.join_kind import Kind
from unseen.computation.intersect.keys import subkey
from unseen.computation.intersect.row_spool import HeldRows, LeftOver, RowBatch, filled_rows
from unseen.computation.intersect.spool import Spool, room
from unseen.computation.kernels import alike
from unseen.computation.types import Index, Words
from unseen.errors import AbortedError, DataError

WORDS: Final = 3
"""What a checkpoint keeps of a common value: two words of its hash, and how often it occurs at the other side."""
PIECE_ROWS: Final = 1 << 20
"""Rows of the joint table that are laid out at once, about."""


@dataclass(frozen=True, eq=False)
class Read:
    """A party's table in its spool, and what its first key offers."""

    held: HeldRows
    first: LeftOver
    most: tuple[int, ...]
    """How often each key's commonest value occurs."""


@dataclass(frozen=True, eq=False)
class JoinedInBuckets:
    """A joined table at one party: the numbers of `join.Joined`, and its rows part by part.

    `rest` is how many rows of the left follow the pairs: in a left join at both, in a difference at the left.
    """

    held: HeldRows
    terms: Terms
    left: bool
    offered: tuple[tuple[int, int], ...]
    common: tuple[int, ...]
    by_key: tuple[int, ...]
    rest: int
    checkpoint: Checkpoint = field(repr=False)

    def pairs(self) -> Iterator[Pairs]:
        """Of each key in turn and each of its buckets, this party's rows of the pairs of equal keys; none in a
        difference."""
        if self.terms.kind is Kind.DIFFERENCE:
            return
        for unit, found in enumerate(self.checkpoint.found()):
            number, bucket = divmod(unit, self.held.buckets)
            if len(found):
                starts, members = self.held.members(number, bucket, _hashes(found))
                yield Pairs(number, bucket, starts, members, found[:, 2].astype(np.int64), self.left)


@dataclass(frozen=True, eq=False)
class Pairs:
    """The pairs of one bucket by one key: this party's rows of value i are members[starts[i]:starts[i + 1]], each
    to be paired with `theirs[i]` rows of the other's."""

    number: int
    bucket: int
    starts: Index
    members: Index
    theirs: Index
    left: bool

    def rows(self) -> Iterator[Index]:
        """This party's row of each pair, some at a time, in an order that both share."""
        ends, first = np.cumsum(np.diff(self.starts) * self.theirs), 0
        while first < len(ends):
            before = int(ends[first - 1]) if first else 0
            last = max(first + 1, int(np.searchsorted(ends, before + PIECE_ROWS, side="right")))
            rows = np.empty(int(ends[last - 1]) - before, dtype=np.int64)
            some = np.arange(first, last, dtype=np.int64)
            alike.crossed(self.starts, self.members, some, self.theirs[first:last], self.left, rows)
            yield rows
            first = last


def read_rows(
    circle: Circle, cut: Cut, source: Iterable[RowBatch], choices: int, terms: Terms, spool: Spool
) -> Read:
    """Cut this party's table into buckets by each of its keys. The other hears that this one is still at work, as
    often as what is declared says.

    Raises DataError where there is no row, none has the first key, or a value repeats too often, and RefusedError
    under rule `declared-size`.
    """
    beats = Beats(circle.others()[0], cut.declared.own, choices * cut.buckets)
    rows = within(source, circle.me, cut.declared.own)
    held = filled_rows(rows, cut.seed, choices, cut.buckets, spool, beats.send)
    keys = [held.left_over(number, beats.send) for number in range(choices)]
    beats.finish()
    if not keys[0].keys:
        raise DataError("no row has the first key to join on")
    if terms.kind is not Kind.DIFFERENCE:
        for key in keys:
            if key.most > terms.most_repeats:
                raise repeats_too_often(key.number, key.most, terms.most_repeats)
    return Read(held, keys[0], tuple(key.most for key in keys))


def joined_in_buckets(
    circle: Circle,
    cut: Cut,
    read: Read,
    terms: Terms,
    checkpoint: Checkpoint,
    watch: Watch = lambda done, note: None,
) -> JoinedInBuckets:
    """Join what both have read. `checkpoint` keeps `WORDS` words of a value; `watch` hears the share of the work
    that is done. Raises as `join.join`."""
    held, channel = read.held, circle.others()[0]
    watch(0.0, "waiting until the partner has read its table")
    hear(channel, cut.declared.theirs, held.choices * cut.buckets)
    theirs, done = offered(circle, cut, read.first, checkpoint)
    if done == 0 and terms.minimum > 1:
        require_enough(circle, read.first, theirs, terms.minimum, None, watch)
    joining = _Joining(circle, cut, held, terms, checkpoint, done, watch)
    joining.key(read.first, theirs)
    if joining.common[0] < terms.minimum:
        checkpoint.forget()
        raise too_few()
    for number in range(1, held.choices):
        joining.key(*_left_over(circle, cut, held, number))
    rest = _rest(circle, held, terms, cut.declared.theirs)
    if sum(joining.by_key) + rest > MOST_ROWS:
        raise too_long()
    return JoinedInBuckets(
        held=held,
        terms=terms,
        left=circle.rank == terms.left,
        offered=tuple(joining.offered),
        common=tuple(joining.common),
        by_key=tuple(joining.by_key),
        rest=rest,
        checkpoint=checkpoint,
    )


class _Joining:
    """What a join has found so far, key after key."""

    def __init__(
        self,
        circle: Circle,
        cut: Cut,
        held: HeldRows,
        terms: Terms,
        checkpoint: Checkpoint,
        done: int,
        watch: Watch,
    ) -> None:
        self._circle, self._cut, self._held, self._terms = circle, cut, held, terms
        self._checkpoint, self._done, self._watch = checkpoint, done, watch
        self._kept, self._seed = checkpoint.found(), circle.joint_seed("buckets")
        self._told = 0
        self.offered: list[tuple[int, int]] = []
        self.common: list[int] = []
        self.by_key: list[int] = []

    def key(self, values: LeftOver, theirs: int) -> None:
        """Align what is left to match by one key."""
        self.offered.append((values.keys, theirs))
        self.common.append(0)
        self.by_key.append(0)
        for bucket in range(self._cut.buckets):
            self._bucket(values, theirs, bucket)

    def _bucket(self, values: LeftOver, theirs: int, bucket: int) -> None:
        unit = values.number * self._cut.buckets + bucket
        if unit < self._done:
            found = next(self._kept)
            own = self._held.mark(values.number, bucket, _hashes(found))
        else:
            hashes = self._aligned(values, theirs, bucket, unit)
            own = self._held.mark(values.number, bucket, hashes)
            found = np.empty((len(hashes), WORDS), dtype=np.uint64)
            found[:, :2], found[:, 2] = hashes, self._times(own)
        self._add(own, found[:, 2].astype(np.int64))
        if unit >= self._done:
            self._checkpoint.add(found)

    def _aligned(self, values: LeftOver, theirs: int, bucket: int, unit: int) -> Words:
        """The hashes of a bucket's common values, in a random order that both share."""
        if not values.keys or not theirs:
            return np.empty((0, 2), dtype=np.uint64)
        whole, by = self._held.choices * self._cut.buckets, f" by key {values.number + 1}"
        note = f"bucket {bucket + 1:,} of {self._cut.buckets:,}{by if self._held.choices > 1 else ''}"
        self._watch(unit / whole, note)
        padded, other = values.padded(bucket), room(theirs, self._cut.buckets)
        seed = subkey(self._seed, f"key/{values.number}/bucket/{bucket}")

        def part_of(done: float, _: str) -> None:
            self._watch((unit + done) / whole, note)

        return _hashes(padded[common_of(self._circle, padded, other, seed, None, part_of)])

    def _times(self, own: Index) -> Index:
        """How often each of some common values occurs at the other side; not told in a difference."""
        if self._terms.kind is Kind.DIFFERENCE or not len(own):
            return np.zeros(len(own), dtype=np.int64)
        left = self._circle.rank == self._terms.left
        return times(self._circle.others()[0], own, self._terms.most_repeats, left)

    def _add(self, own: Index, theirs: Index) -> None:
        """Raises ProtocolError for more rows than the other declared, DataError for more than can be joined."""
        self._told += int(theirs.sum())
        bounded(self._circle.others()[0], self._told, self._cut.declared.theirs)
        self.common[-1] += len(own)
        self.by_key[-1] += int(own @ theirs)
        if sum(self.by_key) > MOST_ROWS:
            raise too_long()


def _left_over(circle: Circle, cut: Cut, held: HeldRows, number: int) -> tuple[LeftOver, int]:
    """What this party has left to match by a later key, and how many values the other has."""
    channel, beats = circle.others()[0], Beats(circle.others()[0], 0, cut.buckets)
    values = held.left_over(number, beats.send)
    beats.finish()
    channel.send("join/left-over", np.array([values.keys, values.fits], dtype=np.int64))
    hear(channel, 0, cut.buckets)
    told = channel.receive("join/left-over", np.int64, 2)
    theirs, fits = bounded(channel, int(told[0]), cut.declared.theirs), bounded(channel, int(told[1]), 1)
    if not (values.fits and fits):
        raise AbortedError("the drawn seed cuts these tables into uneven buckets; run the step again")
    return values, theirs


def _rest(circle: Circle, held: HeldRows, terms: Terms, declared: int) -> int:
    """How many rows of the left have no partner, at whoever may know."""
    channel, left = circle.others()[0], circle.rank == terms.left
    if terms.kind is Kind.INNER or (terms.kind is Kind.DIFFERENCE and not left):
        return 0
    if not left:
        return bounded(channel, int(channel.receive("join/rest", np.int64, 1)[0]), declared)
    if terms.kind is Kind.LEFT:
        channel.send("join/rest", np.array([held.free], dtype=np.int64))
    return held.free


def _hashes(found: Words) -> Words:
    return np.ascontiguousarray(found[:, :2])
