"""Boosting: gradient boosted trees on columns of several institutions that none of them shows."""

from __future__ import annotations

from typing import Final

from unseen.application.lazy import Lazy

APPLICATION: Final = Lazy(
    name="boosting",
    summary="boosted trees on the columns of a label's holder and its partners; nothing is shown but own splits",
    planner="unseen.application.boosting.planning:plan",
    performer="unseen.application.boosting.job:perform",
    presenter="unseen.application.boosting.presentation:present",
    estimator="unseen.application.boosting.planning:estimate",
)
