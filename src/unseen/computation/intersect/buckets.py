"""Aligning two institutions' rows where the lists do not fit into memory: bucket after bucket.

Both parties cut their keys into the same buckets by a hash under a joint seed (`spool`), fill each of their
buckets with random records to a size that follows from how many keys they offer, and align one bucket after the
other by a vector OLE (`vole`). Only one bucket is in memory. After each bucket both keep what was found in it
(`checkpoint`): a run that broke off is taken up by a later one with the first bucket that is not done at both.

Padding: n keys thrown into B buckets by a random hash leave more than n/B + 8·√(n/B) + 22 in one with probability
below 2^-46 (Bernstein's bound for a binomial number); then the run ends and may be asked for again. So the sizes
of all messages but the samples' follow from the sizes offered and the number of buckets. A random record equals a
key's with probability below 2^-100 for all of a run.

Setting: two parties, semi-honest; assumptions of `vole`, each bucket's hashes under a seed of its own that is
drawn after both lists are fixed. Who learns what: as in `align`, or as in `to_one` where one party is the only
recipient, and the number of buckets, which the request sets or the smaller memory of the two machines. Where the
agreement sets a smallest overlap, a sample over all buckets is counted by curves before the first is aligned
(`bucket_sample`). What a broken run found stays at who was to learn it, and goes with the checkpoint.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sized
from dataclasses import dataclass, field
from math import ceil
from typing import Protocol, TypeVar

import numpy as np

from unseen.computation.channel import Channel
from unseen.computation.circle import Circle
from unseen.computation.intersect import align, oprf, vole
from unseen.computation.intersect.align import MOST_KEYS, Declared, Watch, too_few
from unseen.computation.intersect.bucket_sample import as_keys, require_enough
from unseen.computation.intersect.checkpoint import Checkpoint, Heading
from unseen.computation.intersect.keys import subkey
from unseen.computation.intersect.spool import BEAT_KEYS, MOST_BUCKETS, NO_ROW, Batch, Held, Spool, filled, room
from unseen.computation.types import Index, Words
from unseen.errors import AbortedError, MisuseError, ProtocolError


@dataclass(frozen=True, eq=False)
class Cut:
    """What both parties agree on before they read their lists.

    `plan` is a digest of what was agreed, the same in a later run of it; `declared` the most keys of each side.
    """

    plan: bytes
    buckets: int
    declared: Declared
    seed: bytes = field(repr=False)
    broken: Heading | None = None
    done: int = 0


@dataclass(frozen=True, eq=False)
class Found:
    """What was found, at a party that is to know: how many keys are common, and its rows of them."""

    held: Held
    theirs: int
    common: int
    checkpoint: Checkpoint = field(repr=False)

    def rows(self) -> Iterator[Index]:
        """Of each bucket in turn, this party's row numbers of the common keys, in an order that both share."""
        for bucket, hashes in enumerate(self.checkpoint.found()):
            yield self.held.rows_of(bucket, hashes)


class Offer(Protocol):
    """What a party offers, as both compare it with what an earlier run had."""

    @property
    def keys(self) -> int: ...

    @property
    def fits(self) -> bool: ...

    @property
    def seed(self) -> bytes: ...

    @property
    def digest(self) -> bytes: ...


def begin(circle: Circle, plan: bytes, buckets: int, declared: Declared, checkpoint: Checkpoint) -> Cut:
    """Agree on the number of buckets, the larger of the two named (powers of two), and on whether a run that broke
    off is taken up: one round, and another for a fresh seed."""
    if circle.size != 2:
        raise MisuseError("an alignment in buckets is for two parties")
    if buckets & (buckets - 1) or not 1 <= buckets <= MOST_BUCKETS:
        raise MisuseError(f"the number of buckets is a power of two up to {MOST_BUCKETS:,}")
    channel, earlier = circle.others()[0], checkpoint.heading()
    if earlier is not None and (earlier.plan != plan or earlier.buckets < buckets):
        earlier = None
    told = np.zeros(6, dtype=np.uint64)
    told[0] = buckets
    if earlier is not None:
        told[1], told[2:] = checkpoint.done(), earlier.name
    channel.send("align/broken", told)
    heard = channel.receive("align/broken", np.uint64, 6)
    theirs, done = int(heard[0]), int(heard[1])
    if not 1 <= theirs <= MOST_BUCKETS or theirs & (theirs - 1) or done > MOST_BUCKETS:
        raise ProtocolError(channel.peer, "names a number of buckets that there cannot be")
    if earlier is not None and np.array_equal(heard[2:], told[2:]):
        return Cut(plan, earlier.buckets, declared, earlier.seed, earlier, min(int(told[1]), done))
    return Cut(plan, max(buckets, theirs), declared, circle.joint_seed("align"))


def read(circle: Circle, cut: Cut, source: Iterable[Batch], spool: Spool) -> Held:
    """Cut this party's list into buckets. The other hears that this one is still at work: as often as what is
    declared says, whatever the list. Raises as `filled`, and RefusedError under rule `declared-size`."""
    beats = Beats(circle.others()[0], cut.declared.own, cut.buckets)
    held = filled(within(source, circle.me, cut.declared.own), cut.seed, cut.buckets, spool, beats.send)
    beats.finish()
    return held


def aligned_in_buckets(
    circle: Circle,
    cut: Cut,
    held: Held,
    minimum: int,
    checkpoint: Checkpoint,
    watch: Watch = lambda done, note: None,
    recipient: int | None = None,
) -> Found:
    """Find the common keys of what both have read, bucket after bucket.

    `watch` hears the share of the work that is done. `recipient` is the rank of the only party that learns who is
    common; None: both do. Raises RefusedError under rule `smallest-overlap` and ProtocolError as `align.aligned`.
    """
    watch(0.0, "waiting until the partner has read its list")
    hear(circle.others()[0], cut.declared.theirs, cut.buckets)
    theirs, done = offered(circle, cut, held, checkpoint)
    seed = circle.joint_seed("buckets")
    if done == 0 and minimum > 1:
        require_enough(circle, held, theirs, minimum, recipient, watch)
    for bucket in range(done, cut.buckets):
        note = f"bucket {bucket + 1:,} of {cut.buckets:,}"
        watch(bucket / cut.buckets, note)

        def part_of(part: float, _: str, start: int = bucket, note: str = note) -> None:
            watch((start + part) / cut.buckets, note)

        padded = held.padded(bucket)
        other, fresh = room(theirs, cut.buckets), subkey(seed, f"bucket/{bucket}")
        found = common_of(circle, padded, other, fresh, recipient, part_of)
        checkpoint.add(padded[found, :2])
    common = sum(map(len, checkpoint.found()))
    _require_minimum(circle, common, minimum, recipient, checkpoint)
    return Found(held, theirs, common, checkpoint)


def common_of(
    circle: Circle, padded: Words, other: int, seed: bytes, recipient: int | None, watch: Watch
) -> Index:
    """Of the records of one padded bucket, (n, 3), the places of the common ones, in a random order that both
    share; none at who is not told. `other` is the size of the other party's bucket."""
    entered = oprf.enter(as_keys(padded), seed)
    if recipient is None:
        receives = (len(padded), circle.rank) < (other, 1 - circle.rank)
        found = (vole.receive if receives else vole.send)(circle, entered, other, watch)
    elif recipient == circle.rank:
        found = vole.receive(circle, entered, other, watch, tell=False)
    else:
        vole.send_untold(circle, entered, other, watch)
        found = np.empty(0, dtype=np.int64)
    if (padded[found, 2] == NO_ROW).any():
        raise AbortedError("a random record was taken for a common key; run the step again")
    return found


def offered(circle: Circle, cut: Cut, held: Offer, checkpoint: Checkpoint) -> tuple[int, int]:
    """How many keys the other offers, and how many buckets are done."""
    channel = circle.others()[0]
    same = cut.broken is not None and cut.broken.own == held.digest
    channel.send("align/offered", np.array([held.keys, held.fits, same], dtype=np.int64))
    theirs, fits, unchanged = (int(number) for number in channel.receive("align/offered", np.int64, 3))
    _require_offer(channel, theirs, cut.declared.theirs, fits, unchanged)
    if not (held.fits and fits):
        raise AbortedError("the drawn seed cuts these lists into uneven buckets; run the step again")
    sizes = (held.keys, theirs) if circle.rank == 0 else (theirs, held.keys)
    if same and unchanged and cut.broken is not None and cut.broken.sizes == sizes:
        checkpoint.keep(cut.done)
        return theirs, cut.done
    checkpoint.begin(Heading(cut.plan, held.seed, cut.buckets, sizes, held.digest))
    return theirs, 0


def _require_offer(channel: Channel, theirs: int, most: int, fits: int, same: int) -> None:
    if not 0 < theirs <= MOST_KEYS or fits not in (0, 1) or same not in (0, 1):
        raise ProtocolError(channel.peer, f"offers a number of keys that is not between 1 and {MOST_KEYS}")
    if theirs > most:
        raise align.peer_over_declared(channel.peer, most)


def _require_minimum(
    circle: Circle, common: int, minimum: int, recipient: int | None, checkpoint: Checkpoint
) -> None:
    """Raises RefusedError at both where there are too few; who is not told of members hears whether there are."""
    enough = common >= minimum
    if recipient is not None:
        channel = circle.others()[0]
        if recipient == circle.rank:
            channel.send("align/enough", np.array([enough], dtype=np.uint8))
        else:
            told = channel.receive("align/enough", np.uint8, 1)[0]
            if told > 1:
                raise ProtocolError(channel.peer, "says neither that enough are common nor that too few are")
            enough = bool(told)
    if not enough:
        checkpoint.forget()
        raise too_few()


Some = TypeVar("Some", bound=Sized)


def within(source: Iterable[Some], me: str, most: int) -> Iterator[Some]:
    """Raises RefusedError once there are more keys, or rows, than declared."""
    rows = 0
    for batch in source:
        rows += len(batch)
        if rows > most:
            raise align.over_declared(me, most)
        yield batch


def _beats(declared: int, buckets: int) -> int:
    """How often a party says that it is still reading."""
    return ceil(declared / BEAT_KEYS) + buckets


def hear(channel: Channel, declared: int, buckets: int) -> None:
    """Wait until the other party has read its list."""
    for _ in range(_beats(declared, buckets)):
        channel.receive("align/reading", np.uint8, 1)


class Beats:
    """A word to the other party now and then, so that it waits; their number says nothing but what is declared."""

    def __init__(self, channel: Channel, declared: int, buckets: int) -> None:
        self._channel, self._left = channel, _beats(declared, buckets)

    def send(self) -> None:
        self._channel.send("align/reading", np.zeros(1, dtype=np.uint8))
        self._left -= 1

    def finish(self) -> None:
        """Those that the list was too short for."""
        while self._left:
            self.send()
