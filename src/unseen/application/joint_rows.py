"""The rows that a joint model is made of: customers common to all its parties, two or more."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from unseen.application.declared import sizes
from unseen.application.derivation import limit
from unseen.computation.intersect import align, in_turn, multiparty
from unseen.computation.intersect.in_turn import align_in_turn
from unseen.computation.intersect.join import UNDECLARED, Terms, join
from unseen.computation.intersect.join_kind import PROFILES, Kind
from unseen.computation.intersect.keys import Keys
from unseen.computation.intersect.multiparty import align_all
from unseen.computation.profile import Profile
from unseen.computation.types import Index
from unseen.interaction.application import Run
from unseen.interaction.declared import declared


def profile(parties: Sequence[str]) -> Profile:
    """What the alignment of so many institutions tells each."""
    return align.PROFILE if len(parties) == 2 else multiparty.PROFILE


def profile_in_turn(parties: Sequence[str]) -> Profile:
    """The same by several keys in order of preference."""
    return PROFILES[Kind.INNER] if len(parties) == 2 else in_turn.PROFILE


def common_rows(
    run: Run, keys: Sequence[Keys], watch: Callable[[float, str], None], *, count_first: bool = False
) -> tuple[Index, ...]:
    """For each of one or several keys in order of preference, the numbers of this party's rows that are common to
    all by it and by no earlier one, in one order at all parties.

    Of each choice a key a row; of several, empty where a row has none. `count_first` is for three and more. Raises
    RefusedError under rules `smallest-overlap` and `declared-size`, DataError for repeated keys, and where no row
    has the first.
    """
    minimum = limit(run.plan, "smallest_overlap")
    if run.circle.size > 2:
        most = declared(run.plan) or None
        if len(keys) == 1:
            return (align_all(run.circle, keys[0], minimum, watch, most, count_first=count_first),)
        found = align_in_turn(run.circle, keys, minimum, watch, most, count_first=count_first)
        return _cut(found.rows, found.common)
    if len(keys) == 1:
        return (align.align(run.circle, keys[0], minimum, watch, declared=sizes(run.plan, run.party)),)
    terms = Terms(Kind.INNER, 0, minimum, most_repeats=1)
    joined = join(run.circle, keys, terms, watch, sizes(run.plan, run.party) or UNDECLARED)
    return _cut(joined.rows, joined.by_key)


def _cut(rows: Index, counts: Sequence[int]) -> tuple[Index, ...]:
    return tuple(np.split(rows, np.cumsum(counts)[:-1]))
