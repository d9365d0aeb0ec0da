"""Trees whose scores only rise, or only fall, along chosen columns.

As in XGBoost: a split on such a column must order its children's weights, and what lies below them is held on its
side of the mean of the two, by bounds that are passed down (XGBoost's documentation, "Monotonic Constraints").
The bounds are shared; nobody learns where they bind.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from unseen.computation.circle import Circle
from unseen.computation.share import arithmetic
from unseen.computation.share.array import Shared
from unseen.computation.share.boolean import Bits, packed, where
from unseen.computation.share.compare import negative
from unseen.computation.types import Index

WIDEST: Final = 512.0
"""Bounds of the root: beyond any weight."""


@dataclass(frozen=True, eq=False)
class Bounds:
    """Each node's least and greatest weight, shared (nodes,)."""

    low: Shared
    high: Shared

    def clipped(self, weights: Shared) -> Shared:
        """(…, nodes) weights brought within their node's bounds: eight rounds."""
        low, high = (
            Shared(weights.circle, np.broadcast_to(bound.words, weights.shape), bound.fraction)
            for bound in (self.low, self.high)
        )
        raised = where(negative(weights - low), low, weights)
        return where(negative(high - raised), high, raised)

    def passed_down(self, weights: Shared, rising: Shared, falling: Shared) -> Bounds:
        """Those of the children, (2·nodes,): five rounds.

        `weights` (2, nodes) of left and right child; `rising` and `falling` are 1 where the node's split is on a
        column with that direction, else 0, fraction 0.
        """
        sums = weights[0] + weights[1]
        middle = arithmetic.rescale(Shared(sums.circle, sums.words, sums.fraction + 1), sums.fraction)
        to_high, to_low = middle - self.high, middle - self.low
        moved = [
            arithmetic.product(flag, gap)
            for flag, gap in ((falling, to_low), (rising, to_low), (rising, to_high), (falling, to_high))
        ]
        left = Bounds(self.low + moved[0], self.high + moved[2])
        right = Bounds(self.low + moved[1], self.high + moved[3])
        return Bounds(_alternating(left.low, right.low), _alternating(left.high, right.high))


def unbounded(circle: Circle, fraction: int) -> Bounds:
    """The root's bounds."""
    zero = Shared(circle, np.zeros(1, dtype=np.uint64), fraction)
    return Bounds(zero - WIDEST, zero + WIDEST)


def out_of_order(weights: Shared, directions: Index) -> Bits:
    """(candidates, nodes) bits: children in an order that the column's direction forbids; three rounds.

    `weights` (2, candidates, nodes); `directions` (candidates,) of -1, 0, 1, public: without one, never.
    """
    circle = weights.circle
    bound = np.flatnonzero(directions)
    wrong = np.zeros(weights.shape[1:], dtype=np.uint8)
    if bound.size:
        steps = (weights[1] - weights[0])[bound]
        wrong[bound] = negative(steps.times_integer(directions[bound][:, None])).unpacked()
    return packed(circle, wrong)


def _alternating(left: Shared, right: Shared) -> Shared:
    return Shared(left.circle, np.stack([left.words, right.words], axis=1).reshape(-1), left.fraction)
