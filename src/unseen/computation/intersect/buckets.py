"""Aligning two institutions' rows where the lists do not fit into memory: bucket after bucket.

Both parties cut their keys into the same buckets by a hash under a joint seed (`spool`), fill each of their
buckets with random records to a size that follows from how many keys they offer, and align one bucket after the
other by a vector OLE (`vole`). Only one bucket is in memory. After each bucket both keep the rows found in it
(`checkpoint`): a run that broke off is taken up by a later one with the first bucket that is not done at both.

Padding: n keys thrown into B buckets by a random hash leave more than n/B + 8·√(n/B) in one with probability below
2^-46 (Chernoff's bound for a binomial number); then another seed is drawn and the list cut again. So the sizes of
all messages but the samples' follow from the sizes offered and the number of buckets. A random record equals a
key's with probability below 2^-100 for all of a run.

Setting: two parties, semi-honest; assumptions of `vole`, each bucket's hashes under a seed of its own that is
drawn after both lists are fixed. Who learns what: as in `align`, and the number of buckets, which the request sets
or the smaller memory of the two machines. Where the agreement sets a smallest overlap, a sample over all buckets
is counted by curves before the first is aligned, as in `align`, up to `MOST_COUNTED` keys: where these leave it
open, there are too few. What a broken run found stays at both, and goes with the checkpoint.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from math import ceil
from typing import Final

import numpy as np

from unseen.computation.channel import Channel
from unseen.computation.circle import Circle
from unseen.computation.intersect import align, ecdh, oprf, vole
from unseen.computation.intersect.align import (
    CHANCE,
    MOST_KEYS,
    SAMPLE,
    Aligned,
    Declared,
    Method,
    Watch,
    sampled,
    tail,
    too_few,
)
from unseen.computation.intersect.checkpoint import Checkpoint, Heading
from unseen.computation.intersect.keys import Keys, subkey
from unseen.computation.intersect.spool import (
    BEAT_KEYS,
    MOST_BUCKETS,
    NO_ROW,
    Batch,
    Held,
    Spool,
    cut_again,
    filled,
    room,
)
from unseen.computation.profile import Carries, Disclosure, Message, Profile, Role
from unseen.computation.types import Index, Words
from unseen.errors import AbortedError, MisuseError, ProtocolError, RefusedError

MOST_COUNTED: Final = 1 << 20
"""Keys of both sides together that are counted at most to see that enough are common."""
CUTS: Final = 4
"""Seeds tried for the cut: one does, but for less than 2^-34 over all buckets."""
_BEATS: Final = MOST_KEYS // BEAT_KEYS + MOST_BUCKETS


def _often(line: Message) -> Message:
    """A line of a bucket's message table: as many messages as there are buckets."""
    if line.most_messages is None:
        return line
    most = None if line.most_bytes is None else line.most_bytes * MOST_BUCKETS
    return replace(line, most_messages=line.most_messages * MOST_BUCKETS, most_bytes=most)


PROFILE: Final = Profile(
    id="intersect/buckets",
    title="Common customers of two institutions, bucket by bucket",
    source=align.PROFILE.source,
    reveals=(
        *align.PROFILE.reveals,
        Disclosure(
            Role.EACH, "into how many buckets the lists are cut, so that one fits into both machines' memory"
        ),
    ),
    assumptions=align.PROFILE.assumptions,
    failure=align.PROFILE.failure,
    messages=(
        Message("align/broken", Carries.DISCLOSED, most_messages=1, most_bytes=64),
        Message("align/reading", Carries.NOTHING, most_messages=_BEATS, most_bytes=_BEATS * 17),
        Message("align/offered", Carries.DISCLOSED, most_messages=CUTS, most_bytes=CUTS * 40),
        Message("align/sample", Carries.DISCLOSED, most_messages=8, most_bytes=8 * 24),
        *(line for line in ecdh.MESSAGES if line.kind != "align/order"),
        *map(_often, vole.MESSAGES),
    ),
    rounds=lambda: 8,
)


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
    beats = _Beats(circle.others()[0], cut.declared.own, cut.buckets)
    held = filled(_within(source, circle.me, cut.declared.own), cut.seed, cut.buckets, spool, beats.send)
    beats.finish()
    return held


def aligned_in_buckets(
    circle: Circle,
    cut: Cut,
    held: Held,
    minimum: int,
    checkpoint: Checkpoint,
    watch: Watch = lambda done, note: None,
) -> Aligned:
    """Find the common keys of what both have read; the rows as in `align.aligned`, bucket after bucket.

    `watch` hears the share of buckets that are done. Raises RefusedError under rule `smallest-overlap` and
    ProtocolError as `align.aligned` does.
    """
    watch(0.0, "waiting until the partner has read its list")
    for _ in range(_beats(cut.declared.theirs, cut.buckets)):
        circle.others()[0].receive("align/reading", np.uint8, 1)
    held, theirs, done = _offered(circle, cut, held, checkpoint)
    seed = circle.joint_seed("buckets")
    if done == 0 and minimum > 1:
        _require_enough(circle, held, theirs, minimum, watch)
    for bucket in range(done, cut.buckets):
        watch(bucket / cut.buckets, f"bucket {bucket + 1:,} of {cut.buckets:,}")
        checkpoint.add(_of_bucket(circle, held, theirs, bucket, seed))
        held.forget(bucket)
    rows = checkpoint.rows()
    if len(rows) < minimum:
        checkpoint.forget()
        raise too_few()
    return Aligned(rows, held.keys, theirs, Method.OLE)


def _of_bucket(circle: Circle, held: Held, theirs: int, bucket: int, seed: bytes) -> Index:
    """The rows of the common keys of one bucket, in a random order that both share."""
    padded, other = held.padded(bucket), room(theirs, held.buckets)
    entered = oprf.enter(_as_keys(padded), subkey(seed, f"bucket/{bucket}"))
    receives = (len(padded), circle.rank) < (other, 1 - circle.rank)
    found = (vole.receive if receives else vole.send)(circle, entered, other, lambda done, note: None)
    rows = padded[found, 2]
    if (rows == NO_ROW).any():
        raise AbortedError("a random record was taken for a common key; run the step again")
    numbers: Index = rows.view(np.int64)
    return numbers


def _offered(circle: Circle, cut: Cut, held: Held, checkpoint: Checkpoint) -> tuple[Held, int, int]:
    """The list in buckets that all fit, how many keys the other offers, and how many buckets are done."""
    channel = circle.others()[0]
    same = cut.broken is not None and cut.broken.own == held.digest
    for _ in range(CUTS):
        channel.send("align/offered", np.array([held.keys, held.fits, same], dtype=np.int64))
        theirs, fits, unchanged = (int(number) for number in channel.receive("align/offered", np.int64, 3))
        _require_offer(channel, theirs, cut.declared.theirs, fits, unchanged)
        if held.fits and fits:
            sizes = (held.keys, theirs) if circle.rank == 0 else (theirs, held.keys)
            if same and unchanged and cut.broken is not None and cut.broken.sizes == sizes:
                checkpoint.keep(cut.done)
                return held, theirs, cut.done
            checkpoint.begin(Heading(cut.plan, held.seed, cut.buckets, sizes, held.digest))
            return held, theirs, 0
        held, same = cut_again(held, circle.joint_seed("align")), False
    raise AbortedError("no seed cuts these lists into even buckets; run the step again")


def _require_offer(channel: Channel, theirs: int, most: int, fits: int, same: int) -> None:
    if not 0 < theirs <= MOST_KEYS or fits not in (0, 1) or same not in (0, 1):
        raise ProtocolError(channel.peer, f"offers a number of keys that is not between 1 and {MOST_KEYS}")
    if theirs > most:
        raise align.peer_over_declared(channel.peer, most)


def _require_enough(circle: Circle, held: Held, theirs: int, minimum: int, watch: Watch) -> None:
    """Raises RefusedError unless a sample shows that at least `minimum` are common, but for a chance of 2^-40."""
    channel, everyone, wanted = circle.others()[0], held.keys + theirs, SAMPLE
    largest = min(1.0, MOST_COUNTED / everyone)
    drawn = np.concatenate([_drawn(held.records(bucket), largest) for bucket in range(held.buckets)])
    while wanted <= MOST_COUNTED:
        rate = min(1.0, wanted / everyone)
        taken = _as_keys(_drawn(drawn, rate))
        other = sampled(channel, len(taken), theirs)
        watch(0.0, f"counting on a sample of {len(taken):,} customers here and {other:,} there")
        if len(taken) and other:
            some = taken.take(np.arange(len(taken)))
            counted = len(ecdh.count(circle, some, other, lambda done, _: watch(0.0, f"counting: {done:.0%}")))
            if counted >= minimum if rate == 1.0 else tail(minimum - 1, rate, counted) < CHANCE:
                return
        if rate == 1.0:
            raise too_few()
        wanted *= 4
    raise RefusedError(
        "smallest-overlap",
        "too few common customers for this agreement, or too few in the sample to be sure",
        "offer more customers, or agree on a smaller minimum",
    )


def _drawn(records: Words, rate: float) -> Words:
    """The records that fall into a sample of that share: by their hashes, so that both draw the same ones."""
    return records if rate == 1.0 else records[records[:, 0] < np.uint64(rate * 2.0**64)]


def _as_keys(records: Words) -> Keys:
    """A record's hash in the place of its key."""
    data = np.ascontiguousarray(records[:, :2]).view(np.uint8).reshape(-1)
    return Keys(data, np.arange(len(records) + 1, dtype=np.int64) * 16)


def _within(source: Iterable[Batch], me: str, most: int) -> Iterable[Batch]:
    """Raises RefusedError once there are more keys than declared."""
    rows = 0
    for keys, places in source:
        rows += len(keys)
        if rows > most:
            raise align.over_declared(me, most)
        yield keys, places


def _beats(declared: int, buckets: int) -> int:
    """How often a party says that it is still reading."""
    return ceil(declared / BEAT_KEYS) + buckets


class _Beats:
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
