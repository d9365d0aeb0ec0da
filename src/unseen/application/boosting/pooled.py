"""The same boosted trees in the clear, on all columns in one place: what a parity run compares with.

Rules as on shares: second-order gains (Chen and Guestrin, KDD 2016, equations 5 to 7), complete trees, missing
values either way, the first of equal splits, the same draws of rows and columns. Double precision throughout.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from unseen.computation.learn import tree_sample
from unseen.computation.learn.boosting_settings import Objective, Settings
from unseen.computation.types import Array, Index, Real

NO_SPLIT: Final = (-1, -1, 0)


@dataclass(frozen=True, eq=False)
class PooledTree:
    """`splits` (nodes, 3): column, last bin that goes left, whether missing values do; -1 for a node that is not
    split. `leaves` (2^depth,)."""

    splits: Index
    leaves: Real


@dataclass(eq=False)
class Pooled:
    """Trees, `scores` (rows,) by them, and `reached` (trees, depth, rows): each row's node at each level."""

    trees: list[PooledTree] = field(default_factory=list)
    scores: Real = field(default_factory=lambda: np.zeros(0))
    reached: list[Index] = field(default_factory=list)


def fit_pooled(places: Array, widths: Sequence[int], label: Real, settings: Settings) -> Pooled:
    """Fit to bin numbers (rows, columns), the last bin of each column for missing values, and `label` (rows,)."""
    rows, training = len(label), len(label) - settings.held_out
    model, losses = Pooled(scores=np.full(rows, settings.base)), list[float]()
    history = [model.scores]
    for number in range(settings.trees):
        gradient, hessian = _derivatives(model.scores, label, settings.objective)
        columns, kept = tree_sample.drawn(settings, number, len(widths), rows)
        tree, reached, added = _grown(places, widths, columns, gradient * kept, hessian * kept, settings)
        model.trees.append(tree)
        model.reached.append(reached)
        model.scores = model.scores + added
        history.append(model.scores)
        error, _ = _derivatives(model.scores, label, settings.objective)
        losses.append(float((error[training:] ** 2).mean()) if settings.held_out else 0.0)
        if settings.patience and len(losses) - 1 - int(np.argmin(losses)) >= settings.patience:
            break
    if settings.patience:
        best = int(np.argmin(losses)) + 1
        model.trees, model.reached, model.scores = model.trees[:best], model.reached[:best], history[best]
    return model


def goes_left(places: Array, split: Sequence[int], width: int) -> Array:
    """Which rows (n,) a split sends left."""
    column, threshold, missing_left = split
    if column < 0:
        return np.zeros(len(places), dtype=bool)
    bins = places[:, column]
    return np.where(bins == width - 1, bool(missing_left), bins <= threshold)


def _derivatives(scores: Real, label: Real, objective: Objective) -> tuple[Real, Real]:
    if objective is Objective.SQUARED:
        return scores - label, np.ones_like(label)
    chance = 1.0 / (1.0 + np.exp(-scores))
    return chance - label, chance * (1.0 - chance)


def _grown(
    places: Array, widths: Sequence[int], columns: Sequence[int], gradient: Real, hessian: Real, settings: Settings
) -> tuple[PooledTree, Index, Real]:
    """A tree, the node of each row at each level (depth, rows), and what the tree adds to each row's score."""
    at = np.zeros(len(places), dtype=np.int64)
    splits, reached = [], []
    for level in range(settings.depth):
        reached.append(at)
        left = np.zeros(len(places), dtype=bool)
        for node in range(2**level):
            here = at == node
            split = _best(places[here], widths, columns, gradient[here], hessian[here], settings)
            splits.append(split)
            left[here] = goes_left(places[here], split, widths[split[0]] if split[0] >= 0 else 0)
        at = 2 * at + ~left
    count = 2**settings.depth
    sums = [np.bincount(at, weights=values, minlength=count) for values in (gradient, hessian)]
    leaves = -sums[0] / (sums[1] + settings.penalty) * settings.learning_rate
    return PooledTree(np.array(splits, dtype=np.int64), leaves), np.stack(reached), leaves[at]


def _best(
    places: Array, widths: Sequence[int], columns: Sequence[int], gradient: Real, hessian: Real, settings: Settings
) -> tuple[int, int, int]:
    """The best split of a node, or none."""
    whole = np.array([gradient.sum(), hessian.sum()])
    found, highest = NO_SPLIT, -np.inf
    for column in columns:
        width = widths[column]
        sums = np.stack(
            [np.bincount(places[:, column], weights=v, minlength=width) for v in (gradient, hessian)], axis=1
        )
        below = np.cumsum(sums[:-1], axis=0)
        # For each threshold: missing values right, then left; the last threshold only parts them from the rest.
        left = np.stack([below, below + sums[-1]], axis=1).reshape(-1, 2)[:-1]
        gains = _gains(left, whole, settings)
        if len(gains) and gains.max() > highest:
            place = int(np.argmax(gains))
            found, highest = (column, place // 2, place % 2), float(gains[place])
    alone = float(whole[0] ** 2 / (whole[1] + settings.penalty))
    return found if highest >= alone else NO_SPLIT


def _gains(left: Real, whole: Real, settings: Settings) -> Real:
    right = whole - left
    parts = [side[:, 0] ** 2 / (side[:, 1] + settings.penalty) for side in (left, right)]
    gains = parts[0] + parts[1] - settings.least_gain
    light = np.minimum(left[:, 1], right[:, 1]) < settings.least_weight
    return np.asarray(np.where(light, -np.inf, gains))
