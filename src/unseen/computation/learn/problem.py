"""A regression that can be fitted on any of its columns: what sign constraints and selection need of it."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol, TypeAlias

import numpy as np

from unseen.computation.share.array import Shared

Active: TypeAlias = tuple[int, ...]
"""Places of columns in the design, in order; 0 is the intercept, which is always in."""


class Criterion(StrEnum):
    """By what a column enters or leaves a model."""

    P_VALUE = "p-value"
    AIC = "aic"


class Problem(Protocol):
    """All on scaled columns; the objective is divided by the same public number as the Hessian."""

    @property
    def everything(self) -> Active:
        """All columns."""

    def optimum(self, active: Active) -> Shared:
        """Coefficients (width, 1) of the best model of these columns, zero elsewhere."""

    def gradient(self) -> Shared:
        """(width, 1) where the latest fit ended: uphill, and zero along its columns."""

    def hessian(self) -> Shared:
        """(width, width) where the latest fit ended, positive."""

    def inverse(self, active: Active, hessian: Shared) -> Shared:
        """(a, a): the inverse of that Hessian on these columns."""

    def threshold(self, criterion: Criterion, level: float, active: Active, entering: bool) -> Shared:
        """(), of 30 fractional bits: the change in twice the objective that is just worth one column more than
        `active` (`entering`), or that is just too little to keep one of them. `level` is a p-value."""


def part(matrix: Shared, active: Active) -> Shared:
    """The rows and columns of these places; local."""
    chosen = list(active)
    return Shared(matrix.circle, np.ascontiguousarray(matrix.words[np.ix_(chosen, chosen)]), matrix.fraction)


def placed(matrix: Shared, active: Active, width: int) -> Shared:
    """(a, a) back into zeros (width, width); local."""
    words = np.zeros((width, width), dtype=np.uint64)
    words[np.ix_(list(active), list(active))] = matrix.words
    return Shared(matrix.circle, words, matrix.fraction)


def only(vector: Shared, active: Active) -> Shared:
    """(width, 1) with zeros outside these places; local."""
    words = np.zeros_like(vector.words)
    words[list(active)] = vector.words[list(active)]
    return Shared(vector.circle, words, vector.fraction)
