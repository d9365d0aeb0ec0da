"""Whether enough customers are common to all of three and more institutions, before anyone finds them.

All draw the same sample of keys by hash; how many of it are known to all is counted on shares (`known_at`) and
compared there with the least number that would show the minimum: of fewer common keys than that a sample holds so
many with a chance below 2^-40. One bit is opened. The sample grows until the bit is set, at last to all keys, or
to `MOST_COUNTED`: then it is open whether there are enough, and counts as too few. No process holds a number.

Setting: semi-honest, all but one colluding; correlated randomness from the circle's source, a dealer's.
Assumptions of `known_at`; where that miscounts by one, the alignment's own comparison still finds too few. Cost: a
sort of the sample, 13 µs and 4 kB a key on two cores of 2026.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from unseen.computation.circle import Circle
from unseen.computation.intersect.align import CHANCE, tail, too_few
from unseen.computation.intersect.known_at import shared_number
from unseen.computation.profile import Carries, Disclosure, Message, Role
from unseen.computation.share.boolean import reveal_bits
from unseen.computation.types import Words
from unseen.errors import ProtocolError, RefusedError

SAMPLE: Final = 1 << 14
"""Keys of all parties together in the first sample; each next one has eight times as many."""
MOST_COUNTED: Final = 1 << 20
"""Keys of all parties together that are counted at most."""

MESSAGES: Final = (
    Message("enough/sample", Carries.DISCLOSED, most_messages=4, most_bytes=4 * 24),
    Message("reveal/enough", Carries.DISCLOSED, most_messages=4, most_bytes=4 * 24),
)
REVEALS: Final = (
    Disclosure(
        Role.EACH,
        "how many customers of each institution fall into a sample, and how large it had to be to show that at"
        " least {smallest_overlap} are common to all",
    ),
    Disclosure(Role.DEALER, "how many customers all institutions together enter into the sample"),
)

Watch = Callable[[float, str], None]


def require(circle: Circle, records: Words, sizes: Sequence[int], minimum: int, watch: Watch) -> None:
    """Raises RefusedError under rule `smallest-overlap` at all parties unless at least `minimum` keys are common.

    `records` (n, 4) are hashes of this party's keys under the run's joint seed, drawn after the keys were fixed;
    `sizes` how many each party offers, by rank.
    """
    everyone, wanted = sum(sizes), SAMPLE
    while minimum > 0:
        rate = min(1.0, min(wanted, MOST_COUNTED) / everyone)
        drawn = records if rate == 1.0 else records[records[:, 2] < np.uint64(rate * 2.0**64)]
        counts = _told(circle, len(drawn), sizes)
        watch(0.0, f"counting on shares: {sum(counts):,} customers of all institutions")
        least = threshold(minimum, rate)
        # Where one institution has too few in the sample, the answer is known: the numbers are.
        if min(counts) >= least and _reached(circle, drawn, counts, least):
            return
        if rate == 1.0:
            raise too_few()
        if wanted >= MOST_COUNTED:
            raise RefusedError(
                "smallest-overlap",
                "too few common customers for this agreement, or too few in the sample to be sure",
                "offer more customers, or agree on a smaller minimum",
            )
        wanted *= 8


def threshold(minimum: int, rate: float) -> int:
    """The least number in a sample that fewer than `minimum` common keys give with a chance below 2^-40."""
    if rate == 1.0:
        return minimum
    low, high = 0, minimum  # fewer than `minimum` give `minimum` or more with no chance at all
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if tail(minimum - 1, rate, middle) < CHANCE else (middle + 1, high)
    return low


def _reached(circle: Circle, drawn: Words, counts: Sequence[int], least: int) -> bool:
    number = shared_number(circle, drawn, counts, circle.size, circle.size)
    return bool(reveal_bits(number >= least, "enough").all())


def _told(circle: Circle, own: int, sizes: Sequence[int]) -> list[int]:
    """How many keys of each party fell into the sample, in rank order."""
    for channel in circle.others():
        channel.send("enough/sample", np.array([own], dtype=np.int64))
    counts = [own] * circle.size
    for rank in range(circle.size):
        if rank != circle.rank:
            counts[rank] = int(circle.channel(rank).receive("enough/sample", np.int64, 1)[0])
            if not 0 <= counts[rank] <= sizes[rank]:
                raise ProtocolError(circle.parties[rank], "draws a sample larger than what it offers")
    return counts
