"""How well scores separate bad from good, from scores and outcomes in the clear at one party.

A higher score means a better (less risky) case. Source of the measures: Thomas, Edelman, Crook, Credit Scoring
and Its Applications (2002), chapter 7.
"""

from __future__ import annotations

import math
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


def curves(scores: Real, bad: Real, weights: Real | None = None) -> Curves:
    """Cumulative shares of both classes by score, of cases or of their weights (n,). Raises DataError unless both
    classes are there."""
    each = np.ones(len(bad)) if weights is None else weights
    total_bad, total_good = float((each * bad).sum()), float((each * (1.0 - bad)).sum())
    if not (total_bad > 0 and total_good > 0):
        raise DataError("evaluation needs good and bad outcomes among the held-out rows")
    order = np.argsort(scores, kind="stable")
    ranked, outcome, each = scores[order], bad[order], each[order]
    last = np.flatnonzero(np.r_[ranked[1:] != ranked[:-1], True])
    share_bad = np.cumsum(each * outcome)[last] / total_bad
    share_good = np.cumsum(each * (1.0 - outcome))[last] / total_good
    return Curves(ranked[last], np.r_[0.0, share_bad], np.r_[0.0, share_good])


def quality(scores: Real, bad: Real, weights: Real | None = None) -> Quality:
    """Measure scores (n,) against outcomes (n,) of 0 and 1 (1 is bad), each case with its weight (n,) if given."""
    found = curves(scores, bad, weights)
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


@dataclass(frozen=True)
class Gain:
    """How much AUC a second score adds to a first on the same cases: `gain`, its standard error, and the
    two-sided p-value of no difference (normal approximation). `errors` are those of the two AUCs."""

    gain: float
    error: float
    p_value: float
    errors: tuple[float, float]


def gain(first: Real, second: Real, bad: Real) -> Gain:
    """Compare two scores (n,) of the same cases by DeLong's test.

    Source: DeLong, DeLong, Clarke-Pearson, Biometrics 44 (1988), with the midranks of Sun & Xu, IEEE Signal
    Processing Letters 21 (2014). Raises DataError with fewer than two good or two bad cases.
    """
    worse, better = bad == 1, bad == 0
    if min(worse.sum(), better.sum()) < 2:
        raise DataError("comparing two scores needs at least two good and two bad outcomes")
    good_parts, bad_parts = [], []
    for scores in (first, second):
        ranks = _midranks(scores)
        good_parts.append((ranks[better] - _midranks(scores[better])) / worse.sum())
        bad_parts.append(1.0 - (ranks[worse] - _midranks(scores[worse])) / better.sum())
    covariance = np.cov(good_parts) / better.sum() + np.cov(bad_parts) / worse.sum()
    difference = float(np.mean(good_parts[1]) - np.mean(good_parts[0]))
    variance = float(covariance[0, 0] + covariance[1, 1] - 2.0 * covariance[0, 1])
    error = math.sqrt(max(variance, 0.0))
    chance = math.erfc(abs(difference) / error / math.sqrt(2.0)) if error > 0 else 1.0
    own = np.sqrt(np.maximum(np.diagonal(covariance), 0.0))
    return Gain(difference, error, chance, (float(own[0]), float(own[1])))


@dataclass(frozen=True)
class Band:
    """Cases whose scores lie from `lowest` to `highest`: how many, how many of them bad, how many expected bad."""

    lowest: float
    highest: float
    rows: int
    bad: int
    expected: float


def bands(scores: Real, bad: Real, chances: Real, count: int = 10) -> list[Band]:
    """At most `count` bands of about as many cases each, lowest scores first; equal scores never part.

    `chances` (n,) are the model's own probabilities of a bad outcome.
    """
    edges = np.unique(np.quantile(scores, np.arange(1, count) / count, method="higher"))
    place = np.searchsorted(edges, scores, side="right")
    found = []
    for number in np.unique(place):
        here = place == number
        found.append(
            Band(
                float(scores[here].min()),
                float(scores[here].max()),
                int(here.sum()),
                int(bad[here].sum()),
                float(chances[here].sum()),
            )
        )
    return found


def _midranks(values: Real) -> Real:
    """Ranks from 1; equal values share the mean of theirs."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return (last - (counts - 1) / 2.0)[inverse]
