"""How many identifiers two institutions have in common, and nothing of which.

Source: De Cristofaro, Gasti, Tsudik, CANS 2012 (intersection cardinality by elliptic curves: `ecdh.count`). The
fast alignment (`vole`) tells members and is of no use here. Curves take half a millisecond a key; above
`MOST_EXACT` keys on both sides together they therefore count in a sample of keys, which both draw by the same
hash under the joint seed, and the number of common keys is estimated: of N common keys the sample holds a
binomial(N, rate) number. The interval is the score interval of that number (Wilson, JASA 1927), here for N.

Setting: two parties, semi-honest; assumptions of `ecdh`. Who learns what: see the profile. Below the minimum the
caller is told "too few" and no more, although the process itself holds the number; a sample that cannot rule
out, but for a chance of 2^-40, that there are fewer counts as too few.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, sqrt
from typing import Final

import numpy as np

from unseen.computation.circle import Circle
from unseen.computation.intersect import ecdh, oprf
from unseen.computation.intersect.align import CHANCE, Declared, Watch, offered, sample, sampled, tail, too_few
from unseen.computation.intersect.keys import Keys
from unseen.computation.profile import Carries, Disclosure, Message, Profile, Role
from unseen.errors import MisuseError, RefusedError

PROFILE: Final = Profile(
    id="intersect/cardinality",
    title="Number of common customers of two institutions",
    source="De Cristofaro, Gasti, Tsudik, CANS 2012",
    reveals=(
        Disclosure(Role.EACH, "how many customers each side offers"),
        Disclosure(
            Role.EACH,
            "how many are common, counted on a sample where both sides offer more than {most_exact} together,"
            " if there are at least {smallest_overlap}",
        ),
    ),
    assumptions=("decisional Diffie–Hellman on P-256, SHA-256 as a random oracle",),
    failure="below 2^-40: two keys taken for one; too few taken for enough; the interval misses 1 in 20",
    messages=(
        Message("align/size", Carries.DISCLOSED, most_messages=1, most_bytes=24),
        Message("align/sample", Carries.DISCLOSED, most_messages=1, most_bytes=24),
        Message("align/once", Carries.BLINDED, most_messages=1),
        Message("align/twice", Carries.BLINDED, most_messages=1),
    ),
    rounds=lambda: 5,
)

MOST_EXACT: Final = 200_000
"""Keys of both sides together that are all counted: about a minute on two cores of 2026."""
CONFIDENCE: Final = 0.95
_QUANTILE: Final = 1.959963984540054
"""Of the normal distribution, for that confidence on both sides."""


@dataclass(frozen=True)
class Count:
    """How many keys each side offered and how many are common, rounded to the agreed unit.

    `interval` holds the least and the largest number that the sample speaks for, with 95% confidence, and `rate`
    the share of keys in it; None and 1 where every key was counted.
    """

    own: int
    theirs: int
    common: int
    rate: float = 1.0
    interval: tuple[int, int] | None = None

    @property
    def estimated(self) -> bool:
        return self.interval is not None


def count_common(
    circle: Circle,
    keys: Sequence[bytes] | Keys,
    minimum: int,
    watch: Watch = lambda done, note: None,
    *,
    declared: Declared | None = None,
    round_to: int = 1,
    most_exact: int = MOST_EXACT,
) -> Count:
    """Count the common keys, all of them or on a sample of about `most_exact` keys of both sides together.

    Raises as `align.aligned` does; RefusedError under rule `smallest-overlap` also where a sample leaves open
    whether there are enough.
    """
    if round_to < 1 or most_exact < 1:
        raise MisuseError("a unit to round to and a number of keys to count are positive")
    entered, theirs = offered(circle, keys, declared)
    own = len(entered)
    rate = min(1.0, most_exact / (own + theirs))
    if rate == 1.0:
        counted = len(ecdh.count(circle, entered.keys.take(np.arange(own)), theirs, watch))
        if counted < minimum:
            raise too_few()
        return Count(own, theirs, rounded(counted, round_to))
    counted = _on_sample(circle, entered, theirs, rate, watch)
    if minimum > 0 and tail(minimum - 1, rate, counted) >= CHANCE:
        raise RefusedError(
            "smallest-overlap",
            "too few common customers for this agreement, or too few in the sample to be sure",
            "count more keys (`exact_up_to` in the request), offer more customers, or agree on a smaller minimum",
        )
    low, high = interval(counted, rate, min(own, theirs))
    unit = round_to
    between = (low // unit * unit, -(-high // unit) * unit)
    return Count(own, theirs, rounded(min(round(counted / rate), own, theirs), unit), rate, between)


def _on_sample(circle: Circle, entered: oprf.Entered, theirs: int, rate: float, watch: Watch) -> int:
    drawn = sample(entered, rate)
    other = sampled(circle.others()[0], len(drawn), theirs)
    watch(0.0, f"counting on a sample of {len(drawn):,} customers here and {other:,} there")
    return len(ecdh.count(circle, entered.keys.take(drawn), other, watch)) if len(drawn) and other else 0


def rounded(count: int, unit: int) -> int:
    """To the nearest multiple of the unit, halves upwards."""
    return (count + unit // 2) // unit * unit


def interval(counted: int, rate: float, most: int) -> tuple[int, int]:
    """All N up to `most` for which `counted` lies within 1.96 standard deviations of N·rate.

    These are the roots of (counted - N·rate)² = 1.96²·N·rate·(1 - rate).
    """
    middle = 2.0 * counted * rate + _QUANTILE**2 * rate * (1.0 - rate)
    spread = sqrt(middle**2 - (2.0 * rate * counted) ** 2)
    low, high = ((middle + sign * spread) / (2.0 * rate**2) for sign in (-1.0, 1.0))
    return max(counted, min(most, ceil(low))), min(most, max(counted, floor(high)))


def seconds(own: int, theirs: int, most_exact: int = MOST_EXACT) -> float:
    """About how long it takes on two cores of 2026: a measured rate."""
    return 2.3e-4 * min(own + theirs, most_exact)


def bytes_moved(own: int, theirs: int, most_exact: int = MOST_EXACT) -> int:
    """Bytes between the parties: 48 a key that is counted."""
    return 48 * min(own + theirs, most_exact)
