"""The rows that a joint model is made of: customers common to all its parties, two or more."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from unseen.application.declared import sizes
from unseen.application.derivation import limit
from unseen.computation.intersect import align, multiparty
from unseen.computation.intersect.keys import Keys
from unseen.computation.profile import Profile
from unseen.computation.types import Index
from unseen.interaction.application import Run
from unseen.interaction.declared import declared


def profile(parties: Sequence[str]) -> Profile:
    """What the alignment of so many institutions tells each."""
    return align.PROFILE if len(parties) == 2 else multiparty.PROFILE


def common_rows(run: Run, keys: Sequence[bytes] | Keys, watch: Callable[[float, str], None]) -> Index:
    """The numbers of this party's rows of the customers common to all, in one order at all parties.

    Raises RefusedError under rules `smallest-overlap` and `declared-size`, DataError for empty or repeated keys.
    """
    minimum = limit(run.plan, "smallest_overlap")
    if run.circle.size == 2:
        return align.align(run.circle, keys, minimum, watch, declared=sizes(run.plan, run.party))
    return multiparty.align_all(run.circle, keys, minimum, watch, declared(run.plan) or None)
