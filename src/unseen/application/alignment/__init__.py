"""Common customers: which of one's own customers a partner knows too (align), or only how many (overlap)."""

from __future__ import annotations

from typing import Final

from unseen.application.lazy import Lazy

ALIGN: Final = Lazy(
    name="align",
    summary="own rows of the customers that both know, in one order at both",
    planner="unseen.application.alignment.planning:plan_align",
    performer="unseen.application.alignment.job:align",
    presenter="unseen.application.alignment.presentation:present",
    estimator="unseen.application.alignment.planning:estimate_align",
)
OVERLAP: Final = Lazy(
    name="overlap",
    summary="how many customers both know, and nothing of which; an estimate from a sample where there are many",
    planner="unseen.application.alignment.planning:plan_overlap",
    performer="unseen.application.alignment.job:overlap",
    presenter="unseen.application.alignment.presentation:present",
    estimator="unseen.application.alignment.planning:estimate_overlap",
)
