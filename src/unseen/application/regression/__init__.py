"""Regression: linear, logistic, Poisson and gamma models on columns of several institutions that none shows."""

from __future__ import annotations

from typing import Final

from unseen.application.lazy import Lazy

APPLICATION: Final = Lazy(
    name="regression",
    summary="linear, logistic, Poisson or gamma regression, with errors, p-values, selection and signs",
    planner="unseen.application.regression.planning:plan",
    performer="unseen.application.regression.job:perform",
    presenter="unseen.application.regression.presentation:present",
    estimator="unseen.application.regression.planning:estimate",
)
