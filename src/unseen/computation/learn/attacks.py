"""What known attacks make of a finished model, measured by those who hold the truth.

Membership inference guesses from a person's loss whether it was trained on (Yeom, Giacomelli, Fredrikson, Jha, CSF
2018). Feature inference guesses a bin of someone else's column from the sum of points that the column went into
(Luo, Wu, Xiao, Ooi, ICDE 2021, "equality solving", here with the bins' frequencies as prior). Everything here is
computed at one party, on what it has anyway; label inference needs both parties: see `hidden_quality`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from unseen.computation.learn.evaluate import quality
from unseen.computation.types import Index, Real
from unseen.errors import DataError


@dataclass(frozen=True)
class Membership:
    """`auc` the chance that a trained-on person has the smaller loss than another, 0.5 for no inference;
    `advantage` the best attacker's true positive rate less its false positive rate."""

    auc: float
    advantage: float


@dataclass(frozen=True)
class Guess:
    """How often a column's bin is guessed right: by the attack, and by always naming the fullest bin."""

    attack: float
    blind: float


def membership(trained: Real, others: Real) -> Membership:
    """Attack by threshold on losses (n,) of persons trained on and (m,) of persons not trained on."""
    if not len(trained) or not len(others):
        raise DataError("membership is judged on persons trained on and others")
    outcome = np.r_[np.ones(len(trained)), np.zeros(len(others))]
    found = quality(np.r_[trained, others], outcome)
    return Membership(found.auc, found.ks)


def log_loss(odds: Real, bad: Real) -> Real:
    """Each person's loss (n,), from log-odds of good and outcomes (1 is bad)."""
    return np.asarray(np.logaddexp(0.0, np.where(bad == 1, odds, -odds)))


def guessed(points: Sequence[Index], places: Index, attacker_sees: Index) -> list[Guess]:
    """Attack on each column: `points[j]` (bins of j,) whole, `places` (n, columns) the true bins, and the sum of
    points (n,) that the attacker sees. The attacker knows the points and how frequent each bin is.
    """
    priors = [np.bincount(places[:, j], minlength=len(own)) / max(len(places), 1) for j, own in enumerate(points)]
    sums = [_spread(own, prior) for own, prior in zip(points, priors, strict=True)]
    found = []
    for j, (own, prior) in enumerate(zip(points, priors, strict=True)):
        lowest, chances = _together([spread for other, spread in enumerate(sums) if other != j])
        rest = attacker_sees[:, None] - own[None, :] - lowest
        inside = (rest >= 0) & (rest < len(chances))
        likely = prior * np.where(inside, chances[np.clip(rest, 0, len(chances) - 1)], 0.0)
        best = np.argmax(likely, axis=1)
        found.append(Guess(float(np.mean(best == places[:, j])), float(prior.max())))
    return found


def _spread(points: Index, prior: Real) -> tuple[int, Real]:
    """The distribution of one column's points: its lowest value, and the chance of each from there on."""
    lowest = int(points.min())
    return lowest, np.bincount(points - lowest, weights=prior).astype(np.float64)


def _together(spreads: Sequence[tuple[int, Real]]) -> tuple[int, Real]:
    """The distribution of a sum of independent columns."""
    lowest, chances = 0, np.ones(1)
    for start, spread in spreads:
        lowest, chances = lowest + start, np.convolve(chances, spread)
    return lowest, chances
