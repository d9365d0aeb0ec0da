"""Means, variances and dot products of shared numbers; sums and running sums are methods of the array.

One division by n, and one truncation for all products of a sum. Source: as `share.arithmetic`. Setting:
any number of semi-honest parties, all but one colluding. Nobody learns anything; no failure probability.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from unseen.computation.profile import Profile
from unseen.computation.share.arithmetic import matrix_product, rescale, square, truncate_together
from unseen.computation.share.array import Shared
from unseen.errors import MisuseError

MEAN: Final = Profile(
    id="share/mean",
    title="Mean of shared numbers",
    source="one public product and truncation (Escudero et al., CRYPTO 2020)",
    failure="none; relative error below 2^-23, and three steps",
    rounds=lambda results: 2,
    bytes_sent=lambda results, parties: parties * (parties - 1) * 3 * 8 * results,
)
VARIANCE: Final = Profile(
    id="share/variance",
    title="Variance of shared numbers",
    source="squares of what is left when the mean is taken off",
    failure="none; relative error below 2^-20 of the variance, and five steps",
    rounds=lambda count, results: 6,
    bytes_sent=lambda count, results, parties: parties * (parties - 1) * 8 * (7 * results + count),
)
FACTOR_BITS: Final = 24
DOT: Final = Profile(
    id="share/dot",
    title="Dot product of shared vectors",
    source="Beaver, CRYPTO 1991, with one correction for the whole sum",
    rounds=lambda count: 2,
    bytes_sent=lambda count, parties: parties * (parties - 1) * 8 * (2 * count + 1),
)


def mean(values: Shared, axis: int | None = None) -> Shared:
    """The mean over all or along an axis, with the same fraction: two rounds, one for a power of two of values.

    |sum| must stay below 2^(62 - fraction). Relative error below 2^-23, and three steps.
    """
    number = _number(values, axis)
    return _divided(values.sum(axis), number)


def variance(values: Shared, axis: int | None = None, freedom: int = 0) -> Shared:
    """Σ(x - mean)²/(n - freedom) over all or along an axis, with the same fraction: six rounds.

    The sum of squares must stay below 2^(62 - 2·fraction): values of magnitude m, n of them, n·m² < 2^14 with 24
    fractional bits. Rescale larger ones to fewer bits, or bring them to their own unit first. Relative error below
    2^-20, and five steps. `freedom` is 1 for a sample's variance.
    """
    number = _number(values, axis)
    if number <= freedom:
        raise MisuseError("a variance takes more values than it takes off degrees of freedom")
    centre = mean(values, axis)
    spread = centre.words if axis is None else np.expand_dims(centre.words, axis)
    squares = square(values - values._with(np.broadcast_to(spread, values.shape)))
    total = rescale(squares.sum(axis), values.fraction)
    return _divided(total, number - freedom)


def dot(left: Shared, right: Shared) -> Shared:
    """Σ left·right of two vectors, at the larger fraction: two rounds, 16 bytes an element to each peer.

    |Σ| must stay below 2^(62 - both fractions); off by less than a step, for the whole sum is truncated once.
    """
    if left.shape != right.shape or len(left.shape) != 1:
        raise MisuseError(f"shapes {left.shape} and {right.shape} have no dot product")
    found = matrix_product(left.reshape(1, -1), right.reshape(-1, 1))
    return rescale(found, max(left.fraction, right.fraction))[0, 0]


def _divided(total: Shared, number: int) -> Shared:
    """total / number at the same fraction, for totals of the whole range: two rounds; one for a power of two.

    With 1/n = a·2^-bits, a of 24 bits, a·w would leave the ring. So w is cut in two, w = high·2^24 + low, whose
    products with a stay below 2^62 and are truncated together.
    """
    shift = (number - 1).bit_length()
    if number == 1 << shift:
        return Shared(total.circle, rescale(total, total.fraction - shift).words, total.fraction)
    bits = FACTOR_BITS - 1 + shift
    factor = min(round(2.0**bits / number), (1 << FACTOR_BITS) - 1)
    high = rescale(total, total.fraction - FACTOR_BITS)
    low = total - high.scaled_up(FACTOR_BITS)
    parts = truncate_together([high.times_integer(factor), low.times_integer(factor)], [bits - FACTOR_BITS, bits])
    return total._with(parts[0].words + parts[1].words)


def _number(values: Shared, axis: int | None) -> int:
    if not values.size or (axis is not None and not -len(values.shape) <= axis < len(values.shape)):
        raise MisuseError(f"shape {values.shape} has nothing to take a mean of")
    return values.size if axis is None else values.shape[axis]
