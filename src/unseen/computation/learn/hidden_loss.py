"""Chances and log-losses of shared log-odds, whatever their size: for measuring a model whose scores nobody sees.

    log(1 + e^s) = s/2 + h(s),   h(s) = log(2 cosh(s/2)) is even and smooth, and |s|/2 but for e^-|s| far out

Scores are held within ±12, where one Fourier series gives h to 2e-6; beyond, h grows by half of what was cut off,
to 7e-6, and a chance is 0 or 1. So a row's log-loss is right to 1e-5 and its chance to 2.5e-4 (mostly rounding,
which has no bias), for any score.

Source: the series as in `share.smooth` and `share.functions`. Setting: semi-honest, any number of parties, all but
one colluding. Nobody learns anything; no failure probability.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from unseen.computation.learn.bounded import bounded
from unseen.computation.share import arithmetic, functions
from unseen.computation.share.array import Shared
from unseen.computation.share.smooth import Smooth, smooth_function
from unseen.computation.types import Real

REACH: Final = 12.0
FRACTION: Final = 24
"""Fractional bits of losses."""


def _even_part(score: Real) -> Real:
    return np.asarray(np.logaddexp(score / 2.0, -score / 2.0))


_EVEN_PART: Final = Smooth(_even_part, -REACH, REACH, 4e-6, 16, 5, even=True)


def chances_and_losses(odds: Shared, outcome: Shared) -> tuple[Shared, Shared]:
    """Of log-odds (n,) of 1 and outcomes (n,) of 0 and 1 without a fraction: chances of 1, and log-losses, (n,).

    Ten rounds or so, about 400 bytes a row between two parties.
    """
    score = arithmetic.rescale(odds, FRACTION)
    near, beyond = bounded(score, -REACH, REACH)
    chances = functions.logistic(near, functions.FINE[0])
    even = smooth_function(near, _EVEN_PART, FRACTION, fine=True)
    halves = Shared(odds.circle, (score + beyond).words, FRACTION + 1)
    return chances, even + halves - arithmetic.product(score, outcome)
