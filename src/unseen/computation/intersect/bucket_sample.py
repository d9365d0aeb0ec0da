"""Whether two lists in buckets have enough customers in common, seen on a sample before members are looked for.

As in `align` and `to_one`: both draw a sample over all buckets by the keys' hashes and count by curves what it has
in common, until fewer common keys than the minimum would give so many with a chance below 2^-40. At most
`MOST_COUNTED` keys are counted: where these leave it open, there are too few. Where one party alone is to learn
who is common, it counts alone and says whether it is content.
"""

from __future__ import annotations

from typing import Final, Protocol

import numpy as np

from unseen.computation.circle import Circle
from unseen.computation.intersect import ecdh
from unseen.computation.intersect.align import CHANCE, SAMPLE, Watch, heard_enough, sampled, tail, too_few
from unseen.computation.intersect.keys import Keys
from unseen.computation.types import Words
from unseen.errors import RefusedError

MOST_COUNTED: Final = 1 << 20
"""Keys of both sides together that are counted at most to see that enough are common."""


class Listed(Protocol):
    """Distinct keys in buckets."""

    @property
    def keys(self) -> int:
        """How many there are."""

    @property
    def buckets(self) -> int: ...

    def records(self, bucket: int) -> Words:
        """(n, 3): those of a bucket, each by two words of its hash, and a third."""


def require_enough(
    circle: Circle, held: Listed, theirs: int, minimum: int, recipient: int | None, watch: Watch
) -> None:
    """Raises RefusedError unless a sample shows that at least `minimum` are common, but for a chance of 2^-40.

    `recipient` is the rank of the only party that counts; None: both do.
    """
    channel, everyone, wanted = circle.others()[0], held.keys + theirs, SAMPLE
    largest = min(1.0, MOST_COUNTED / everyone)
    drawn = np.concatenate([_drawn(held.records(bucket), largest) for bucket in range(held.buckets)])
    while wanted <= MOST_COUNTED:
        rate = min(1.0, wanted / everyone)
        taken = as_keys(_drawn(drawn, rate))
        other = sampled(channel, len(taken), theirs)
        watch(0.0, f"counting on a sample of {len(taken):,} customers here and {other:,} there")
        if _shown(circle, taken, other, minimum, rate, recipient, watch):
            return
        if rate == 1.0:
            raise too_few()
        wanted *= 4
    raise RefusedError(
        "smallest-overlap",
        "too few common customers for this agreement, or too few in the sample to be sure",
        "offer more customers, or agree on a smaller minimum",
    )


def _shown(
    circle: Circle, taken: Keys, other: int, minimum: int, rate: float, recipient: int | None, watch: Watch
) -> bool:
    """Whether this sample shows it; the same at both."""
    channel, some, counted = circle.others()[0], taken.take(np.arange(len(taken))), 0

    def part(done: float, _: str) -> None:
        watch(0.0, f"counting on a sample: {done:.0%}")

    if recipient not in (None, circle.rank):
        if len(some) and other:
            ecdh.help_count(circle, some, other, part)
        return heard_enough(channel, "align/shown")
    if len(some) and other:
        counted = len((ecdh.count if recipient is None else ecdh.count_alone)(circle, some, other, part))
    enough = counted >= minimum if rate == 1.0 else tail(minimum - 1, rate, counted) < CHANCE
    if recipient is not None:
        channel.send("align/shown", np.array([enough], dtype=np.uint8))
    return enough


def _drawn(records: Words, rate: float) -> Words:
    """The records that fall into a sample of that share: by their hashes, so that both draw the same ones."""
    return records if rate == 1.0 else records[records[:, 0] < np.uint64(rate * 2.0**64)]


def as_keys(records: Words) -> Keys:
    """A record's hash in the place of its key."""
    data = np.ascontiguousarray(records[:, :2]).view(np.uint8).reshape(-1)
    return Keys(data, np.arange(len(records) + 1, dtype=np.int64) * 16)
