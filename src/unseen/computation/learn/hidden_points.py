"""Points of bins that nobody sees: whole numbers, each row's total, and the columns that cost it most.

What `scorecard` makes of weights in the clear is made on shares: a bin's points are rounded to the nearest whole
number, a row's points looked up by the one-hot matrix of its owner's bins, and the columns that lost most against
their best bin found by a knock-out among each row's columns.

Setting: semi-honest, any number of parties, all but one colluding, correlated randomness from the source. Nobody
learns anything. Failure: none. Cost: 16 bytes a row and column for looking up, and two comparisons and a choice
for each reason wanted of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import numpy as np

from unseen.computation.share import arithmetic
from unseen.computation.share.array import Shared, concatenate
from unseen.computation.share.boolean import where
from unseen.computation.share.compare import equal
from unseen.computation.share.conversion import from_bits, to_bits
from unseen.computation.share.extremes import largest, maximum
from unseen.computation.share.private import PrivateMatrix

MOST_POINTS: Final = 1 << 20
"""Points of one bin stay below this."""
_RANGE_BITS: Final = 22
_PART_FRACTION: Final = 20


def points_of_bins(weights: Shared, coefficients: Shared, widths: Sequence[int], factor: float) -> Shared:
    """-factor·coefficient·weight of evidence of each bin (bins,), shared, with 20 fractional bits.

    `weights` (bins,), column after column; `coefficients` (columns,). |coefficient·weight| must stay below 2^7,
    and points below 2^16.
    """
    spread = coefficients[np.repeat(np.arange(len(widths)), widths)]
    lost = arithmetic.rescale(arithmetic.product(arithmetic.rescale(weights, 24), spread), 30)
    return arithmetic.rescale(-arithmetic.public_product(lost, factor, 16), _PART_FRACTION)


def whole(values: Shared) -> Shared:
    """The nearest whole numbers, halves upwards, of numbers within ±2^20; without a fraction. Seven rounds."""
    raised = values + (MOST_POINTS + 0.5)
    digits = to_bits(raised)[..., values.fraction : values.fraction + _RANGE_BITS]
    return from_bits(digits) - float(MOST_POINTS)


def looked_up(hot: PrivateMatrix, points: Shared, widths: Sequence[int]) -> Shared:
    """Each row's points of each column (rows, columns), without a fraction: one round."""
    bins = len(points.words)
    table = np.zeros((bins, len(widths)), dtype=np.uint64)
    table[np.arange(bins), np.repeat(np.arange(len(widths)), widths)] = points.words
    return hot @ Shared(points.circle, table, points.fraction)


def lost_points(found: Shared, points: Shared, widths: Sequence[int]) -> Shared:
    """How far each row's points (rows, columns) lie below the best bin of their column."""
    cuts = np.cumsum([0, *widths])
    best = [maximum(points[a:b]).reshape(1) for a, b in pairwise(cuts)]
    top = concatenate(best)
    return Shared(found.circle, top.words[None, :] - found.words, 0)


def most_adverse(lost: Shared, most: int) -> Shared:
    """For each row the numbers (rows, most) of the columns that lost most, -1 where nothing more was lost.

    `lost` (rows, columns) are whole numbers, zero or more. Columns that lost alike keep their order.
    """
    rows, columns = lost.shape
    numbers, found = np.arange(columns, dtype=np.float64), []
    for turn in range(min(most, columns)):
        value, place = largest(lost)
        found.append(where(value < 1.0, _none(lost, rows, 1)[:, 0], place).reshape(rows, 1))
        if turn + 1 < min(most, columns):
            repeated = Shared(lost.circle, np.repeat(place.words[:, None], columns, axis=1), 0)
            taken = equal(repeated - np.broadcast_to(numbers, (rows, columns)), 0.0)
            lost = where(taken, lost.times_integer(0), lost)
    return concatenate([*found, _none(lost, rows, most - len(found))], axis=1)


def _none(like: Shared, rows: int, columns: int) -> Shared:
    """(rows, columns) of -1, shared."""
    return Shared(like.circle, np.zeros((rows, columns), dtype=np.uint64), 0) - 1.0
