"""Network: a small dense network on columns of several institutions that none of them shows."""

from __future__ import annotations

from typing import Final

from unseen.application.lazy import Lazy

APPLICATION: Final = Lazy(
    name="network",
    summary="a small dense network for an outcome; weights, scores and gradients stay shared",
    planner="unseen.application.network.planning:plan",
    performer="unseen.application.network.job:perform",
    presenter="unseen.application.network.presentation:present",
    estimator="unseen.application.network.planning:estimate",
)
