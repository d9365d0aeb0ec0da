"""Credit: a scorecard on columns of several institutions that none of them shows."""

from __future__ import annotations

from typing import Final

from unseen.application.lazy import Lazy

APPLICATION: Final = Lazy(
    name="credit",
    summary="a scorecard on the columns of a label's holder and its partners",
    planner="unseen.application.credit.planning:plan",
    performer="unseen.application.credit.job:perform",
    presenter="unseen.application.credit.presentation:present",
    estimator="unseen.application.credit.planning:estimate",
)
