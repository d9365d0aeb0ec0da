"""Shared values held within a public range, so that a function that is right there is right for every row."""

from __future__ import annotations

from unseen.computation.share.array import Shared, shared_zeros
from unseen.computation.share.boolean import where
from unseen.computation.share.thresholds import below_each
from unseen.computation.share.together import together


def bounded(values: Shared, low: float, high: float) -> tuple[Shared, Shared]:
    """Values (n,) moved to the nearest end of [low, high], and how far each was moved, never negative: (n,) both.

    Four rounds: both comparisons under one opening, both choices in the next. Nobody learns anything.
    """
    outside = below_each(values, [low, high])
    nothing = shared_zeros(values.circle, values.shape, values.fraction)
    under, over = together(
        where.steps(outside[0], -values + low, nothing),
        where.steps(outside[1], nothing, values - high),
    )
    return values + under - over, under + over
