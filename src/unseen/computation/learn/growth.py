"""One boosted tree grown on shares, level by level."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import numpy as np

from unseen.computation.circle import Circle
from unseen.computation.learn import tree_sample
from unseen.computation.learn.boosting_settings import Settings
from unseen.computation.learn.monotone import unbounded
from unseen.computation.learn.splits import (
    SUM_FRACTION,
    WEIGHT_FRACTION,
    Best,
    Column,
    Rules,
    best_splits,
    candidates,
    scale,
)
from unseen.computation.learn.trees import (
    Split,
    Tree,
    all_rows,
    goes_left,
    leaf_scores,
    missing_bins,
    own_splits,
    step_down,
)
from unseen.computation.share import arithmetic
from unseen.computation.share.array import Shared, concatenate, reveal_to
from unseen.computation.share.binned import BinnedColumns, all_sums
from unseen.computation.share.boolean import Bits, packed
from unseen.computation.share.choice import masked_rows
from unseen.computation.types import Array, Index, Words

_EXTRA_BITS = 14
"""Fractional bits below a gradient's own that drown the error of the masks."""


@dataclass(frozen=True, eq=False)
class Growth:
    """What stays the same from tree to tree: settings, and the parties' columns ready for sums."""

    circle: Circle
    settings: Settings
    sides: Sequence[BinnedColumns]
    columns: tuple[Column, ...]
    rows: int

    @property
    def places(self) -> Array | None:
        """This party's own bin numbers (rows, columns), None if it has no columns."""
        return next((side.places for side in self.sides if side.places is not None), None)

    def again(self) -> AbstractContextManager[None]:
        """Every tree asks for the same randomness as the one before, unless it draws other columns."""
        if self.settings.column_share < 1:
            return nullcontext()
        return self.circle.source.again(f"trees on table {self.sides[0].table.number}")

    def grow(self, gradient: Shared, hessian: Shared, number: int) -> tuple[Tree, Words]:
        """Tree `number`, and what it adds to each row's score: this party's part (rows,) uint32.

        Each party learns its own chosen splits, nothing else.
        """
        settings = self.settings
        chosen, kept = tree_sample.drawn(settings, number, len(self.columns), self.rows)
        found = candidates(self.columns, chosen)
        vectors = self._vectors(gradient, hessian, kept)
        masked = masked_rows(vectors)
        members, splits = all_rows(self.circle, 1, self.rows), list[Split]()
        bins, totals = self._sums(vectors.reshape(1, *vectors.shape))
        owners = np.array([self.columns[j].owner for j in found.column])
        bounds = unbounded(self.circle, WEIGHT_FRACTION) if found.direction.any() else None
        for level in range(settings.depth):
            if level:
                left_bins, left_totals = self._sums(masked.times(members[0::2]))
                bins, totals = _siblings(bins, left_bins), _siblings(totals, left_totals)
            last = level == settings.depth - 1
            best = best_splits(
                found, bins, totals, self.rows, self._rules(), owners, bounds, settings.objective.steepest, last
            )
            if bounds and best.weights is not None:
                bounds = bounds.passed_down(best.weights, best.rising, best.falling)
            splits += own_splits(found, self._told(best), self.columns, level)
            members = step_down(members, self._left(splits, level))
        masked.forget()
        assert best.weights is not None
        leaves = best.weights.T.reshape(-1) * settings.learning_rate
        return Tree(settings.depth, tuple(splits), leaves.words), leaf_scores(
            members, leaves, settings.objective.lane
        )

    def _rules(self) -> Rules:
        return Rules(self.settings.penalty, self.settings.least_weight, self.settings.least_gain)

    def _vectors(self, gradient: Shared, hessian: Shared, kept: Index) -> Shared:
        """Gradient and hessian (2, rows) of the rows to learn from, with all the bits there is room for."""
        both = Shared(self.circle, np.stack([gradient.words, hessian.words]), gradient.fraction)
        room = 60 - gradient.fraction - int(np.log2(scale(self.rows)))
        return both.times_integer(kept).scaled_up(min(room, _EXTRA_BITS))

    def _sums(self, vectors: Shared) -> tuple[Shared, Shared]:
        """(groups, 2, rows) to sums by bin (bins, groups, 2) and over all rows (1, groups, 2), by `scale`."""
        groups = vectors.shape[0]
        flat = vectors.reshape(2 * groups, self.rows)
        found = all_sums(self.sides, flat)
        everything = concatenate([*found, flat.sum(axis=1).reshape(1, 2 * groups)])
        bits = int(np.log2(scale(self.rows)))
        relative = Shared(self.circle, everything.words, everything.fraction + bits)
        rounded = arithmetic.rescale(relative, SUM_FRACTION).reshape(-1, groups, 2)
        return rounded[:-1], rounded[-1:]

    def _told(self, best: Best) -> Array:
        """Open to each owner the places of its own chosen candidates: (nodes,), -1 for what is not its own."""
        mine = np.full(best.places.shape[1], -1)
        for rank in sorted({column.owner for column in self.columns}):
            opened = reveal_to(best.places[rank], self.circle.parties[rank], "chosen-splits")
            mine = mine if opened is None else np.rint(opened).astype(np.int64)
        return mine

    def _left(self, splits: Sequence[Split], level: int) -> Bits:
        """Which rows each node of a level sends left: each party brings its own splits, zeros for the rest."""
        nodes = range(2**level - 1, 2 ** (level + 1) - 1)
        truth = np.zeros((len(nodes), self.rows), dtype=bool)
        if self.places is not None:
            truth = goes_left(splits, self.places, missing_bins(self.columns, self.circle.rank), nodes)
        return packed(self.circle, truth)


def _siblings(parents: Shared, left: Shared) -> Shared:
    """(k, nodes, 2) sums of parents and of their left children to those of all children (k, 2·nodes, 2)."""
    pairs = np.stack([left.words, np.subtract(parents.words, left.words)], axis=2)
    k, nodes = parents.shape[:2]
    return Shared(parents.circle, pairs.reshape(k, 2 * nodes, 2), parents.fraction)
