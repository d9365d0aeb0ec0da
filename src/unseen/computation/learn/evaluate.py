"""How well scores separate bad from good, from scores and outcomes in the clear at one party.

A higher score means a better (less risky) case. Source of the measures: Thomas, Edelman, Crook, Credit Scoring
and Its Applications (2002), chapter 7.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unseen.computation.types import Real
from unseen.errors import DataError


@dataclass(frozen=True)
class Quality:
    """`auc` the chance that a good case scores above a bad one, `gini` 2·auc - 1, `ks` the largest distance
    between the two classes' distributions (Kolmogorov–Smirnov)."""

    auc: float
    ks: float
    gini: float

    def as_json(self) -> dict[str, float]:
        return {"auc": self.auc, "ks": self.ks, "gini": self.gini}


@dataclass(frozen=True)
class Curves:
    """Shares of bad and of good cases at or below each distinct score, from 0 to 1."""

    scores: Real
    bad: Real
    good: Real


def curves(scores: Real, bad: Real) -> Curves:
    """Cumulative shares of both classes by score. Raises DataError unless both classes are there."""
    total_bad = float(bad.sum())
    if not 0 < total_bad < len(bad):
        raise DataError("evaluation needs good and bad outcomes among the held-out rows")
    order = np.argsort(scores, kind="stable")
    ranked, outcome = scores[order], bad[order]
    last = np.flatnonzero(np.r_[ranked[1:] != ranked[:-1], True])
    share_bad = np.cumsum(outcome)[last] / total_bad
    share_good = np.cumsum(1.0 - outcome)[last] / (len(bad) - total_bad)
    return Curves(ranked[last], np.r_[0.0, share_bad], np.r_[0.0, share_good])


def quality(scores: Real, bad: Real) -> Quality:
    """Measure scores (n,) against outcomes (n,) of 0 and 1 (1 is bad)."""
    found = curves(scores, bad)
    auc = float(np.trapezoid(found.bad, found.good))
    return Quality(auc, float(np.max(np.abs(found.bad - found.good))), 2.0 * auc - 1.0)


def stability(expected: Real, actual: Real, bins: int = 10) -> float:
    """The population stability index between two score distributions, over quantile bins of the expected one."""
    edges = np.unique(np.quantile(expected, np.linspace(0, 1, bins + 1)[1:-1]))
    before = np.bincount(np.searchsorted(edges, expected, side="right"), minlength=len(edges) + 1)
    after = np.bincount(np.searchsorted(edges, actual, side="right"), minlength=len(edges) + 1)
    p = np.maximum(before, 0.5) / len(expected)
    q = np.maximum(after, 0.5) / len(actual)
    return float(((q - p) * np.log(q / p)).sum())
