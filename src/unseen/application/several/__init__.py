"""Three and more institutions: the customers that all know (align-all), how many so many know (known-at), and how
many each agreed pair shares (overlap-pairs)."""

from __future__ import annotations

from typing import Final

from unseen.application.lazy import Lazy

ALIGN_ALL: Final = Lazy(
    name="align-all",
    summary="own rows of the customers that all of three or more know, in one order at all",
    planner="unseen.application.several.planning:plan_align_all",
    performer="unseen.application.several.job:align_everyone",
    presenter="unseen.application.several.job:present",
)
KNOWN_AT: Final = Lazy(
    name="known-at",
    summary="how many customers are known at so many or more of the institutions, and nothing of which",
    planner="unseen.application.several.planning:plan_known_at",
    performer="unseen.application.several.job:count_everyone",
    presenter="unseen.application.several.job:present",
)
OVERLAP_PAIRS: Final = Lazy(
    name="overlap-pairs",
    summary="how many customers each agreed pair of three or more institutions shares, and nothing of which",
    planner="unseen.application.several.pairs:plan_pairs",
    performer="unseen.application.several.pairs:count_each_pair",
    presenter="unseen.application.several.pairs:present",
    estimator="unseen.application.several.pairs:estimate",
)
