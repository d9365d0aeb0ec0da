"""How well scores that nobody sees separate outcomes, where rows carry weights that the label's party knows.

As in `hidden_quality`, with weights in place of counts. The label's party enters each row's share of the weight
of its class and of all rows, so that nobody else learns a total. Rows are sorted by score twice, good ones first
among equals and bad ones first; a good row's share times the share of bad ones up to it, summed, is the chance
that the good one scores higher, ties at half by the mean of both orders. Shares of weight are right to 2^-29: over
n rows AUC and KS are off by some 2^-29·√n.

Setting: semi-honest, any number of parties, all but one colluding, correlated randomness from the source. Who
learns what: see PROFILE. Failure: none. Cost: two sorts, five products and a comparison a row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from unseen.computation.circle import Circle
from unseen.computation.learn.evaluate import Quality
from unseen.computation.learn.measures import Measured, Predicted, band_marks, bands_of
from unseen.computation.learn.rows import RowValues
from unseen.computation.profile import Carries, Disclosure, Message, Profile, Role
from unseen.computation.share import arithmetic
from unseen.computation.share.array import Shared, concatenate, from_owner, reveal_to, shared_zeros
from unseen.computation.share.boolean import where
from unseen.computation.share.compare import zero
from unseen.computation.share.extremes import maximum
from unseen.computation.share.sort import sort_by
from unseen.computation.types import Real
from unseen.errors import DataError, MisuseError

PROFILE: Final = Profile(
    id="learn/hidden-weighted",
    title="AUC, KS and bands of scores that nobody sees, by the rows' weights",
    source="Mann & Whitney 1947 and Kolmogorov–Smirnov on sorted shares, with weights in place of counts",
    reveals=(
        Disclosure(
            Role.RECIPIENT,
            "AUC, Gini, KS, Brier score and log-loss of the model by the rows' weights, and for each of {bands} "
            "bands of equal numbers of rows, ordered by score, the weight of all, of those that came and of those "
            "that the model expected",
        ),
        Disclosure(Role.DEALER, "the number of evaluated rows"),
    ),
    messages=(
        Message("reveal/weighted", Carries.DISCLOSED, most_messages=1, most_bytes=256),
        Message("reveal/weighted-bands", Carries.DISCLOSED, most_messages=1, most_bytes=512),
    ),
)
SHARE_FRACTION: Final = 28
"""Fractional bits of shares of weight."""
LOSS_FRACTION: Final = 20


@dataclass(frozen=True, eq=False)
class _Shares:
    """Each row's share (n,) of the weight of bad rows, of good ones, and of all; `outcome` without a fraction."""

    bad: Shared
    good: Shared
    all: Shared
    came: Shared
    outcome: Shared


def weighted_quality(
    predictor: Shared,
    chances: Shared,
    losses: Shared,
    label: Real | None,
    weights: RowValues,
    smallest: int = 1,
) -> Measured | None:
    """Measure shared log-odds (n,) of 1 with their chances and log-losses (n,), by weights.

    `label` (n,) of 0 and 1 at the weights' owner, which gets the result; None elsewhere. Raises DataError there
    unless both classes have weight.
    """
    circle, rows, holder = predictor.circle, predictor.size, weights.owner
    if any(part.shape != (rows,) for part in (predictor, chances, losses)) or not rows:
        raise MisuseError("log-odds, chances and losses must be vectors of one length")
    entered, total = _entered(circle, label, weights, rows)
    scores = -predictor
    twice = Shared(circle, scores.words << np.uint64(1), 0)
    expected = arithmetic.multiply(entered.all, arithmetic.rescale(chances, LOSS_FRACTION), SHARE_FRACTION)
    _, bad, good, score, came, hoped, each = sort_by(
        twice + entered.outcome, [entered.bad, entered.good, scores, entered.came, expected, entered.all]
    )
    _, other_bad, other_good = sort_by(twice - entered.outcome, [entered.bad, entered.good])
    above = arithmetic.product(good, bad.cumsum()).sum() + arithmetic.product(other_good, other_bad.cumsum()).sum()
    off = chances - Shared(circle, entered.outcome.words << np.uint64(chances.fraction), chances.fraction)
    squares = arithmetic.multiply(off, off, LOSS_FRACTION)
    means = [
        arithmetic.product(entered.all, part).sum().reshape(1)
        for part in (squares, arithmetic.rescale(losses, LOSS_FRACTION))
    ]
    figures = [above.reshape(1), _distance(score, bad, good), *means]
    told = reveal_to(
        concatenate([arithmetic.rescale(part, SHARE_FRACTION) for part in figures]),
        circle.parties[holder],
        "weighted",
    )
    marks = band_marks(rows, smallest)
    table = concatenate([part.cumsum()[marks] for part in (came, hoped, each)])
    cumulative = reveal_to(table, circle.parties[holder], "weighted-bands")
    if told is None or cumulative is None:
        return None
    auc, distance, brier, loss = told.tolist()
    found = Quality(auc / 2.0, distance, auc - 1.0).as_json()
    # Bands come from the highest score, the least chance, on: see `Measured`.
    came, hoped_for, weight = np.diff(cumulative.reshape(3, -1), axis=1, prepend=0.0)[:, ::-1] * total
    bands = bands_of(np.diff(marks, prepend=-1)[::-1], came, hoped_for, weight, weighted=True)
    return Measured(Predicted.OUTCOME, rows, {**found, "log_loss": loss, "brier": brier}, bands)


def _entered(circle: Circle, label: Real | None, weights: RowValues, rows: int) -> tuple[_Shares, float]:
    """Shares of weight, and at their owner the weight of all."""
    each, holder = weights.values, weights.owner
    parts: list[Real | None] = [None] * 5
    total = 0.0
    if circle.rank == holder:
        if label is None or each is None or label.shape != (rows,) or each.shape != (rows,):
            raise MisuseError(f"the weights' owner must bring a label and a weight for each of the {rows} rows")
        bad, good = each * label, each * (1.0 - label)
        if not (bad.sum() > 0 and good.sum() > 0):
            raise DataError("evaluation needs good and bad outcomes among the rows, both with some weight")
        total = float(each.sum())
        parts = [bad / bad.sum(), good / good.sum(), each / total, bad / total, label]
    fractions = [SHARE_FRACTION] * 4 + [0]
    entered = [
        from_owner(circle, holder, part, (rows,), bits) for part, bits in zip(parts, fractions, strict=True)
    ]
    return _Shares(*entered), total


def _distance(score: Shared, bad: Shared, good: Shared) -> Shared:
    """The largest distance (1,) of both classes' distributions, over the last rows of equal scores."""
    gap = (bad - good).cumsum()[:-1]
    nothing = shared_zeros(gap.circle, gap.shape, gap.fraction)
    ends = where(zero(score[1:] - score[:-1]), nothing, gap)
    return maximum(concatenate([ends, -ends, shared_zeros(gap.circle, 1, gap.fraction)])).reshape(1)
