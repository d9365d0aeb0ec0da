"""Quotients with a positive denominator whose least value is known.

The denominator is brought into [1/4, 1) by a power of four that comparisons find and that stays shared; there the
best parabola gives 1/z to 7.4%, and three steps of Newton's method y ← y·(2 - z·y) square the error each time.

Source: Catrina and Saxena, FC 2010 (division on fixed-point shares); the first guess is the Chebyshev polynomial
of degree three, shifted. Setting: as in `compare` and `arithmetic`. Nobody learns anything; nothing fails.
"""

from __future__ import annotations

from math import ceil, log
from typing import Final

import numpy as np

from unseen.computation.profile import Profile
from unseen.computation.share import arithmetic
from unseen.computation.share.array import Shared
from unseen.computation.share.boolean import to_numbers, words_for
from unseen.computation.share.thresholds import Shape, below_each
from unseen.errors import MisuseError

QUOTIENT: Final = Profile(
    id="share/quotient",
    title="Quotient of shared numbers, the least denominator known",
    source="Catrina and Saxena, FC 2010",
    failure="none; relative error below 2^-20 of a quotient, and 2^-22 and one step",
    rounds=lambda count, powers: 23,
    bytes_sent=lambda count, powers, parties: (
        parties
        * (parties - 1)
        * (Shape(count, powers, 64, int(powers <= 7)).sent + 8 * (words_for(powers * count) + 30 * count))
    ),
)

MOST: Final = 2.0**10
"""Quotients stay below this."""
_FRACTION: Final = 24
_GUESS: Final = (436.8 / 73, -768 / 73, 409.6 / 73)
"""1/z ≈ a + b·z + c·z² on [1/4, 1): 1 - z·(…) is Chebyshev's polynomial of degree 3, which is 1 at zero."""


def quotient(numerator: Shared, denominator: Shared, least: float, fraction: int) -> Shared:
    """numerator / denominator for denominators in [least, 1) of 31 fractional bits, numerators of as many.

    Right where |quotient| < 2^10, to 2^-20 of it, 2^-22 and a step of the result. `least` is public. 23 rounds,
    and about log4(1/least) + 3 comparisons' worth of work.
    """
    if numerator.fraction != 31 or denominator.fraction != 31 or not 2.0**-26 <= least < 1:
        raise MisuseError("a quotient takes numbers of 31 fractional bits, and denominators of 2^-26 or more")
    powers = max(1, ceil(log(1 / least, 4)))
    bounds = 4.0 ** -np.arange(1, powers + 1)
    below = to_numbers(below_each(denominator, bounds))
    steps = (0.75 / bounds).astype(np.int64).reshape(-1, *(1,) * len(denominator.shape))
    factor = below.times_integer(steps).sum(axis=0) + 1.0
    parts = Shared(denominator.circle, np.stack([denominator.words, numerator.words]), 31)
    twice = Shared(denominator.circle, np.stack([factor.words] * 2), 0)
    scaled = arithmetic.rescale(arithmetic.product(parts, twice), _FRACTION)
    inverse = _reciprocal(scaled[0])
    return arithmetic.rescale(arithmetic.product(scaled[1], inverse), fraction)


def _reciprocal(z: Shared) -> Shared:
    """1/z for z in [1/4, 1), _FRACTION bits."""
    a, b, c = _GUESS
    square = arithmetic.rescale(arithmetic.square(z), _FRACTION)
    guess = arithmetic.public_product(square, c) + arithmetic.public_product(z, b)
    y = arithmetic.rescale(guess, _FRACTION) + a
    for _ in range(3):
        error = arithmetic.rescale(arithmetic.product(z, y), _FRACTION)
        y = arithmetic.rescale(arithmetic.product(y, 2.0 - error), _FRACTION)
    return y
