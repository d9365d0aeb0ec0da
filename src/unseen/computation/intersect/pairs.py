"""How many customers each of some pairs of institutions share, and nothing of which.

Three or more institutions are in one run; each pair that is asked for counts between itself (`cardinality`), one
after the other in the same order at all. The others hear nothing of a pair's messages; a recipient that is not of
the pair is told the number by the pair's first member. A pair that has too few in common has no number, and the
others go on.

Setting: semi-honest; assumptions of `cardinality`. Institutions that pool what they saw learn no more of another
than the numbers of the pairs between it and them. Together with other numbers (of all, at k or more of n) those of
the pairs determine more, by inclusion and exclusion: agree on all of them with that in mind.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import numpy as np

from unseen.computation.circle import Circle
from unseen.computation.intersect import cardinality
from unseen.computation.intersect.align import MOST_KEYS, Declared, Watch
from unseen.computation.intersect.cardinality import Count, count_common
from unseen.computation.intersect.keys import Keys
from unseen.computation.profile import Carries, Disclosure, Message, Profile, Role
from unseen.errors import MisuseError, ProtocolError, RefusedError

_NUMBER: Final = (
    "how many customers {one} and {two} have in common, on a sample where both offer more than {most_exact}"
    " together, if there are at least {smallest_overlap}; otherwise that there are too few"
)

PROFILE: Final = Profile(
    id="intersect/pairs",
    title="Number of common customers of one pair of institutions",
    source=cardinality.PROFILE.source,
    reveals=(
        Disclosure(Role.OWNER, "how many customers {one} offers, and how many {two}"),
        Disclosure(Role.OWNER, _NUMBER),
        Disclosure(Role.RECIPIENT, _NUMBER),
    ),
    assumptions=cardinality.PROFILE.assumptions,
    failure=cardinality.PROFILE.failure,
    messages=(
        *(cardinality.PROFILE.messages or ()),
        Message("pairs/told", Carries.DISCLOSED),
    ),
    rounds=lambda: 6,
)
"""Of one pair: role OWNER are its two members, RECIPIENT whoever is told besides."""

Pair = tuple[str, str]
_NO_NUMBER: Final = -1


@dataclass(frozen=True)
class Told:
    """What a party learns of a pair: None where there are too few. `interval` and `rate` as in `Count`."""

    common: int | None
    rate: float = 1.0
    interval: tuple[int, int] | None = None


def count_pairs(
    circle: Circle,
    keys: Keys | None,
    pairs: Mapping[Pair, Sequence[str]],
    minimum: int,
    watch: Watch = lambda done, note: None,
    *,
    declared: Mapping[str, int] | None = None,
    round_to: int = 1,
    most_exact: int = cardinality.MOST_EXACT,
) -> dict[Pair, Told]:
    """For each pair that this party is of, or whose number it is told, what it learns.

    `pairs`, the same at all: each pair in the circle's order, and who besides its members is told. `keys` are this
    party's; None for one that is of no pair. Raises as `cardinality.count_common` does, but for too few in common,
    and MisuseError for pairs that are none.
    """
    learned: dict[Pair, Told] = {}
    for number, (pair, besides) in enumerate(sorted(pairs.items())):
        _require_pair(circle, pair, besides)
        if circle.me in pair:
            if keys is None:
                raise MisuseError(f"{circle.me} is of a pair and brings no keys")
            learned[pair] = _counted(
                _between(circle, pair),
                keys,
                minimum,
                partial(_of_part, watch, number / len(pairs), 1 / len(pairs)),
                declared=declared,
                round_to=round_to,
                most_exact=most_exact,
            )
        if circle.me == pair[0]:
            for name in besides:
                circle.channels[name].send("pairs/told", _written(learned[pair]))
        elif circle.me in besides:
            learned[pair] = _read(circle, pair)
    return learned


def _require_pair(circle: Circle, pair: Pair, besides: Sequence[str]) -> None:
    ranks = [circle.rank_of(name) for name in (*pair, *besides)]
    if ranks[0] >= ranks[1] or len(set(ranks)) < len(ranks):
        raise MisuseError(
            "a pair is two different institutions in the circle's order, and others are told besides"
        )


def _between(circle: Circle, pair: Pair) -> Circle:
    """The pair's own circle."""
    (other,) = (name for name in pair if name != circle.me)
    return replace(
        circle, rank=pair.index(circle.me), parties=pair, channels={other: circle.channels[other]}, _pairs={}
    )


def _counted(
    circle: Circle,
    keys: Keys,
    minimum: int,
    watch: Watch,
    *,
    declared: Mapping[str, int] | None,
    round_to: int,
    most_exact: int,
) -> Told:
    other = circle.others()[0].peer
    most = Declared(declared[circle.me], declared[other]) if declared is not None else None
    try:
        found: Count = count_common(
            circle, keys, minimum, watch, declared=most, round_to=round_to, most_exact=most_exact
        )
    except RefusedError as error:
        if error.rule != "smallest-overlap":
            raise
        return Told(None)
    return Told(found.common, found.rate, found.interval)


def _of_part(watch: Watch, start: float, share: float, done: float, note: str) -> None:
    watch(start + share * done, note)


def _written(told: Told) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Number, rate and interval: numbers of keys are exact in a double."""
    if told.common is None:
        return np.array([_NO_NUMBER, 1.0, 0.0, 0.0])
    low, high = told.interval or (_NO_NUMBER, _NO_NUMBER)
    return np.array([told.common, told.rate, low, high], dtype=np.float64)


def _read(circle: Circle, pair: Pair) -> Told:
    common, rate, low, high = circle.channels[pair[0]].receive("pairs/told", np.float64, 4).tolist()
    if common == _NO_NUMBER:
        return Told(None)
    # Rounding may carry a number above what can be offered, by less than a unit.
    whole = all(float(number).is_integer() and -1 <= number <= 2 * MOST_KEYS for number in (common, low, high))
    if not whole or not 0.0 < rate <= 1.0:
        raise ProtocolError(pair[0], "tells a number of common customers that is none")
    return Told(int(common), float(rate), None if low < 0 else (int(low), int(high)))
