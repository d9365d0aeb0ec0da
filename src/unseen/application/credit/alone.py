"""The model that the label's holder could build alone: same pipeline, in the clear, on its own columns."""

from __future__ import annotations

import numpy as np

from unseen.computation.types import Real
from unseen.errors import DataError


def fit_alone(columns: Real, label: Real, penalty: float, steps: int = 100) -> Real:
    """Logistic regression by Newton's method: (1 + k,) intercept and weights, intercept unpenalised.

    Objective: sum of log-losses + penalty/2·|weights|²; of no columns, the intercept that fits the share of bad.
    Raises DataError if there is no optimum.
    """
    design = np.column_stack([np.ones(len(label)), columns])
    ridge = np.r_[0.0, np.full(columns.shape[1], penalty)]
    mean = label.mean()
    w = np.zeros(design.shape[1])
    w[0] = np.log(mean / (1.0 - mean))
    for _ in range(steps):
        chance = 1.0 / (1.0 + np.exp(-np.clip(design @ w, -500, 500)))
        gradient = design.T @ (label - chance) - ridge * w
        hessian = (design * (chance * (1.0 - chance))[:, None]).T @ design + np.diag(ridge)
        step = np.linalg.solve(hessian, gradient)
        w += step
        if np.abs(step).max() < 1e-9:
            return w
    raise DataError("the own columns separate the classes; raise the penalty")
