"""Gradient boosted trees on shares: the model of XGBoost, with nothing shown on the way.

Every tree fits gradient and hessian of the loss at the scores so far (Chen and Guestrin, KDD 2016, equation 2),
level by level: sum them over the bins of each party's columns, find each node's best split, tell it to the
column's owner alone, and send the rows down by that owner's comparison. Siblings' sums by subtraction.

Setting: semi-honest, any number of parties, all but one colluding; correlated randomness from the source, ring
learning with errors (see `share.binned`). Who learns what: a party which of its own splits were chosen, and where;
with early stopping all learn the held-out loss after each tree. Gradients, sums, gains, the way of a row, leaf
weights and scores stay shared. Sums are exact to 2^-26 a row; leaf weights to 1e-5 of their size.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from unseen.computation.circle import Circle
from unseen.computation.learn.boosting_settings import Objective, Settings
from unseen.computation.learn.forest import tree_scores
from unseen.computation.learn.growth import Growth
from unseen.computation.learn.splits import WEIGHT_FRACTION, Column
from unseen.computation.learn.trees import Tree, missing_bins
from unseen.computation.profile import Carries, Disclosure, Message, Profile, Role
from unseen.computation.share import arithmetic, functions
from unseen.computation.share.array import Shared, from_owner, reveal
from unseen.computation.share.binned import binned_columns
from unseen.computation.types import Array, Real

PROFILE: Final = Profile(
    id="learn/boosting",
    title="Gradient boosted trees",
    source="Chen and Guestrin, XGBoost, KDD 2016, on shares",
    reveals=(
        Disclosure(Role.EACH, "which splits on its own columns each tree uses, and at which node"),
        Disclosure(Role.EACH, "the number of rows, of columns and bins of each party, and of trees"),
        Disclosure(Role.DEALER, "the number of rows, columns, bins and trees"),
    ),
    assumptions=(
        "the source of correlated randomness colludes with no party",
        "ring learning with errors at degree 2048, modulus 2^64, errors of 2^13.2",
    ),
    failure="none; sums carry an error below 2^-14 of one row's gradient",
    messages=(Message("reveal/chosen-splits", Carries.DISCLOSED),),
)
STOPPING: Final = Profile(
    id="learn/boosting-early-stopping",
    title="Early stopping of boosted trees",
    source="mean squared error on held-out rows, opened after each tree",
    reveals=(Disclosure(Role.EACH, "the model's mean squared error on the held-out rows after each tree"),),
    messages=(Message("reveal/held-out-loss", Carries.DISCLOSED),),
)


LABEL_FRACTION: Final = 26
"""Fractional bits of labels, gradients and hessians."""
SERIES: Final = functions.FINE[1]
"""The logistic function is right for scores up to 27; boosted scores beyond that mean a probability of 0 or 1."""


@dataclass(frozen=True, eq=False)
class Columns:
    """One party's columns: `places` (rows, columns) bin numbers at the owner, None elsewhere; the rest public."""

    owner: int
    widths: tuple[int, ...]
    missing: tuple[bool, ...]
    places: Array | None
    directions: tuple[int, ...] = ()

    def described(self) -> list[Column]:
        """What all parties know of each column."""
        directions = self.directions or (0,) * len(self.widths)
        rows = zip(self.widths, self.missing, directions, strict=True)
        return [Column(self.owner, place, *row) for place, row in enumerate(rows)]


@dataclass(eq=False)
class Boosted:
    """This party's part of a model: its own splits and share of the leaf weights, tree by tree."""

    circle: Circle
    settings: Settings
    columns: tuple[Column, ...]
    trees: list[Tree] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)

    def scores(self, places: Array | None, rows: int) -> Shared:
        """Scores of new rows, shared, logistic ones right modulo 2^32: `places` (rows, own columns) or None.

        Nobody learns anything. Open them by `reveal_scores`, or go on with `functions.logistic`.
        """
        words = np.zeros(rows, dtype=np.uint64)
        if self.trees:
            missing = missing_bins(self.columns, self.circle.rank)
            owners = sorted({column.owner for column in self.columns})
            lane = self.settings.objective.lane
            words = tree_scores(self.circle, self.trees, owners, places, missing, rows, lane)
        return Shared(self.circle, words, WEIGHT_FRACTION) + self.settings.base

    def stale(self, scores: Shared, label: Shared) -> bool:
        """Open the held-out loss of the trees so far; whether the last `patience` ones made none better."""
        held_out = slice(label.size - self.settings.held_out, label.size)
        error, _ = gradients(scores[held_out], label[held_out], self.settings.objective)
        loss = arithmetic.square(error).sum()
        self.losses.append(float(reveal(loss, "held-out-loss")) / self.settings.held_out)
        return len(self.losses) - 1 - int(np.argmin(self.losses)) >= self.settings.patience


def fit_boosting(
    circle: Circle,
    columns: Sequence[Columns],
    label: Real | None,
    label_owner: int,
    rows: int,
    settings: Settings,
    *,
    start: Boosted | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Boosted:
    """Fit trees to `label` (rows,), known to rank `label_owner`, on all parties' columns.

    `start` goes on with a model fitted before on the same columns. Cost a tree of n rows, two parties: about
    0.1·n·2^depth KB in all; rounds do not depend on n.
    """
    sides = [binned_columns(circle, side.owner, side.places, side.widths, rows) for side in columns if side.widths]
    public = tuple(column for side in columns for column in side.described())
    growth = Growth(circle, settings, sides, public, rows)
    model = Boosted(circle, settings, public, list(start.trees) if start else [])
    y = from_owner(circle, label_owner, label, (rows,), LABEL_FRACTION)
    scores = model.scores(growth.places, rows)
    before = len(model.trees)
    for number in range(before, before + settings.trees):
        with growth.again():
            gradient, hessian = gradients(scores, y, settings.objective)
            tree, added = growth.grow(gradient, hessian, number)
        model.trees.append(tree)
        scores = Shared(circle, scores.words + added, WEIGHT_FRACTION)
        if settings.patience and model.stale(scores, y):
            break
        progress(number - before + 1, settings.trees)
    if settings.patience and model.losses:
        del model.trees[before + int(np.argmin(model.losses)) + 1 :]
    return model


def gradients(scores: Shared, label: Shared, objective: Objective) -> tuple[Shared, Shared]:
    """First and second derivative of the loss at the scores, (rows,) each, LABEL_FRACTION bits.

    Logistic: p - y and p·(1 - p), three rounds; least squares: score - y and 1, local.
    """
    if objective is Objective.SQUARED:
        return scores.scaled_up(LABEL_FRACTION - scores.fraction) - label, (label - label) + 1.0
    probability = functions.logistic(scores, SERIES, fraction=LABEL_FRACTION)
    square = arithmetic.rescale(arithmetic.square(probability), LABEL_FRACTION)
    return probability - label, probability - square


def reveal_scores(scores: Shared, party: str, objective: Objective) -> Real | None:
    """Open scores to one party, by as many bits as they are right in: one round; None at the others."""
    circle = scores.circle
    kind = np.dtype(f"u{objective.lane // 8}")
    masked: Array = np.add(scores.words, circle.zero_share(scores.shape)).astype(kind)
    words = circle.open_words_to("reveal/scores", circle.rank_of(party), masked)
    return None if words is None else words.view(f"i{kind.itemsize}").astype(np.float64) * 2.0**-WEIGHT_FRACTION
