"""Which split of each node is best: found on shares, told to nobody but the column's owner.

A candidate sends the rows up to a bin to the left; rows with a missing value go left or right, which is a
candidate each. The last candidate sends nobody left: it stands for "no split", and wins where nothing gains. Of a
column's equal splits that with the fewest bins on the left wins, as it does in XGBoost's.
Gain and leaf weights are those of Chen and Guestrin, XGBoost, KDD 2016, equations 5 to 7.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, log2

import numpy as np

from unseen.computation.learn.monotone import Bounds, out_of_order
from unseen.computation.share import arithmetic
from unseen.computation.share.array import Shared, concatenate, shared_zeros
from unseen.computation.share.boolean import Bits, packed, where
from unseen.computation.share.compare import negative
from unseen.computation.share.elementary import divide
from unseen.computation.share.knockout import of_largest
from unseen.computation.share.together import together
from unseen.computation.types import Array, Index

SUM_FRACTION = 31
"""Fractional bits of sums of gradients, as a share of all rows."""
TIE = 2.0**-12
"""In units of gain, how far a split stands behind the same column's with one bin less on the left; half of it,
with missing values on the right. Where bins are empty splits are alike, and rounding would choose among them,
anew in every run. More than rounding moves gains in nodes of a few hundred rows, which have empty bins."""
WEIGHT_FRACTION = 20
"""Fractional bits of leaf weights and scores: steps of 1e-6, values up to 2^11 in the ring of 32 bits."""


@dataclass(frozen=True)
class Column:
    """A column's public description: its party's rank, its place among that party's columns, its number of bins,
    whether the last of them holds missing values."""

    owner: int
    place: int
    width: int
    missing: bool
    direction: int = 0
    """1 where scores must not fall as the column rises, -1 where they must not rise, 0 where they may."""


@dataclass(frozen=True)
class Candidates:
    """All splits of some columns, in order, as places in the concatenated bins of all columns.

    Arrays of shape (candidates,): `column`, `threshold` (the last bin that goes left), `missing_left`; `begin`
    and `end` bound the bins that go left; `missing` is the place of the bin of missing values, -1 if none;
    `direction` is the column's.
    """

    column: Index
    threshold: Index
    missing_left: Array
    begin: Index
    end: Index
    missing: Index
    direction: Index

    def __len__(self) -> int:
        return len(self.column)


def candidates(columns: Sequence[Column], allowed: Sequence[int]) -> Candidates:
    """The splits of the `allowed` columns (numbers in `columns`)."""
    starts = np.cumsum([0, *(column.width for column in columns)])
    rows = []
    for j in allowed:
        column, start = columns[j], int(starts[j])
        ordinary = column.width - column.missing
        lost = start + ordinary if column.missing else -1
        for t in range(ordinary - 1):
            rows.append((j, t, False, start, start + t + 1, lost, column.direction))
            if column.missing:
                rows.append((j, t, True, start, start + t + 1, lost, column.direction))
        if column.missing and ordinary:
            rows.append((j, ordinary - 1, False, start, start + ordinary, lost, 0))
    table = np.array(rows, dtype=np.int64).reshape(-1, 7)
    return Candidates(table[:, 0], table[:, 1], table[:, 2].astype(bool), *table[:, 3:].T)


@dataclass(frozen=True)
class Rules:
    """What a split must obey: penalty on squared weights, least hessian of a child, least gain."""

    penalty: float
    least_weight: float
    least_gain: float


@dataclass(frozen=True, eq=False)
class Best:
    """Each node's best split, shared: its place among the candidates, and what it makes of the children.

    `places` (parties, nodes) has a row for each party: -1 where the split is not on a column of that party, or
    there is none. `weights` (2, nodes) are those of the left and right child if they are leaves, None where they
    are not wanted; `rising` and `falling` (nodes,) are 1 where the split is on a column with that direction.
    """

    places: Shared
    weights: Shared | None
    rising: Shared
    falling: Shared


def left_sums(found: Candidates, bins: Shared) -> Shared:
    """Sums over bins (bins, nodes, 2) to sums over the rows that go left: (candidates + 1, nodes, 2); local."""
    before = np.zeros((bins.shape[0] + 1, *bins.shape[1:]), dtype=np.uint64)
    np.cumsum(bins.words, axis=0, out=before[1:])
    left = before[found.end] - before[found.begin]
    lost = np.flatnonzero(found.missing_left)
    left[lost] += bins.words[found.missing[lost]]
    return Shared(bins.circle, np.concatenate([left, np.zeros_like(left[:1])]), bins.fraction)


def best_splits(
    found: Candidates,
    bins: Shared,
    totals: Shared,
    rows: int,
    rules: Rules,
    owners: Index,
    bounds: Bounds | None = None,
    steepest: float = 1.0,
    leaves: bool = True,
) -> Best:
    """The best split of each node from its sums of gradient and hessian.

    `bins` (bins, nodes, 2) and `totals` (1, nodes, 2), as shares of `scale(rows)`, SUM_FRACTION bits; no row's
    hessian is above `steepest`; `owners` (candidates,) are ranks. Nobody learns anything. The children's weights
    are found only if they become `leaves` or bounds. Rounds: those of a division, and five for each time that the
    candidates become a fifth.
    """
    size = scale(rows)
    left = left_sums(found, bins)
    right = totals - left
    sides = concatenate([left.reshape(1, *left.shape), right.reshape(1, *right.shape)])
    gradient, hessian = sides[..., 0], sides[..., 1]
    curvature = hessian + rules.penalty / size
    least = rules.penalty / size
    weights = divide(-gradient, curvature, least, steepest + least, WEIGHT_FRACTION)
    slope = gradient
    if bounds:
        weights = bounds.clipped(weights)
        bent = arithmetic.rescale(arithmetic.product(curvature, weights), gradient.fraction)
        slope = gradient + gradient + bent
    scores = -arithmetic.product(slope, weights)
    gain = scores[0] + scores[1]
    behind = rules.least_gain + TIE * (2.0 * found.threshold + found.missing_left)
    gain = gain - np.append(behind, 0.0)[:, None] / size
    whole = None
    if rules.least_weight:
        refused, whole = _light(hessian, totals, rules.least_weight / size)
        gain = _without(refused, gain)
    if bounds:
        gain = _without(out_of_order(weights[:, :-1], found.direction), gain)
    best = highest(gain, weights if leaves or bounds else None, found, owners, bins.circle.size)
    return best if whole is None else _whole(best, whole, weights[:, -1])


def _light(hessian: Shared, totals: Shared, least: float) -> list[Bits]:
    """Whether a candidate's child has a hessian below `least`, (candidates, nodes), right for nodes of at least
    twice that; and which nodes have less, (nodes,). Four rounds.

    In the others not both children can be so light: the product of what they have over `least` is negative just
    where one is.
    """
    spare = hessian[:, :-1] - least
    either = arithmetic.product(spare[0], spare[1])
    return together(negative.steps(either), negative.steps(totals[0, :, 1] - 2 * least))


def _without(refused: Bits, gain: Shared) -> Shared:
    """No gain for candidates that are refused; "no split" never is."""
    none = shared_zeros(gain.circle, refused.shape, gain.fraction) - 1.0
    return concatenate([where(refused, none, gain[:-1]), gain[-1:]])


def _whole(best: Best, light: Bits, unsplit: Shared) -> Best:
    """Nodes too light for two children stay whole, whatever the best of their candidates is."""
    circle = best.places.circle
    told = Shared(circle, np.stack([*best.places.words, best.rising.words, best.falling.words]), 0)
    none = np.r_[np.full(circle.size, -1.0), 0.0, 0.0][:, None]
    heavy, twice = (packed(circle, np.stack([light.unpacked()] * k)) for k in (len(told.words), 2))
    if best.weights is None:
        weights, told = None, where(heavy, shared_zeros(circle, told.shape, 0) + none, told)
    else:
        told, weights = together(
            where.steps(heavy, shared_zeros(circle, told.shape, 0) + none, told),
            where.steps(twice, unsplit, best.weights),
        )
    return Best(told[:-2], weights, told[-2], told[-1])


def scale(rows: int) -> int:
    """Sums over rows are kept as shares of this power of two, so that they stay below one."""
    return 1 << ceil(log2(max(rows, 2)))


def highest(gain: Shared, weights: Shared | None, found: Candidates, owners: Index, parties: int) -> Best:
    """The best of (candidates, nodes) gains. `weights` (2, candidates, nodes) if they are wanted."""
    circle, directions = gain.circle, found.direction
    facts = [np.where(owners == rank, np.arange(len(owners)), -1) for rank in range(parties)]
    if directions.any():
        facts += [(directions == 1).astype(np.int64), (directions == -1).astype(np.int64)]
    none = np.r_[np.full(parties, -1), np.zeros(len(facts) - parties, dtype=np.int64)]
    known = np.concatenate([np.stack(facts), none[:, None]], axis=1).astype(np.uint64)
    shares = known if circle.rank == 0 else np.zeros_like(known)
    carried = np.repeat(shares[..., None], gain.shape[1], axis=-1)
    if weights is not None:
        carried = np.concatenate([carried, weights.words])
    best = of_largest(gain, carried)
    places, flags, chosen = np.split(best, [parties, len(facts)])
    rising, falling = flags if len(flags) else np.zeros((2, gain.shape[1]), dtype=np.uint64)
    return Best(
        Shared(circle, places, 0),
        None if weights is None else Shared(circle, chosen, weights.fraction),
        Shared(circle, rising, 0),
        Shared(circle, falling, 0),
    )
