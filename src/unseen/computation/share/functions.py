"""Smooth functions of shared values.

`logistic` in one round: on a period wide enough, 1/(1+e^-x) - 1/2 is a sine series to any wanted accuracy,
and a sine of a secret angle follows from the angle opened under a random rotation and shared sines and
cosines of that rotation. The general idea (trigonometric functions from masked angles) is in Li, Duan, Zhu,
Qian, Xiong, Lai, "Non-interactive or one-round trigonometric evaluation in MPC", and in SIRNN-like libraries
with other means; here the series is fitted by least squares on the range that is promised.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np

from unseen.computation.correlation.kinds import Waves
from unseen.computation.kernels import waves
from unseen.computation.profile import Profile
from unseen.computation.share.array import Shared
from unseen.computation.types import Real
from unseen.errors import MisuseError

LOGISTIC: Final = Profile(
    id="share/logistic",
    title="Logistic function by a sine series",
    source="least-squares sine series, angle opened modulo its period under a uniform rotation",
    assumptions=("inputs within the stated range; beyond it the value is wrong, up to the period's wrap",),
    failure="none within the range; error below the stated bound",
    rounds=lambda count: 1,
    bytes_sent=lambda count, parties: parties * (parties - 1) * 8 * count,
)


@dataclass(frozen=True)
class Series:
    """A sine series for the logistic function: `harmonics` terms over a period of 2^period, good on ±reach."""

    harmonics: int
    period: int
    reach: float


COARSE: Final = Series(harmonics=10, period=5, reach=12.0)
"""Error below 1e-3 on [-12, 12]."""
FINE: Final = Series(harmonics=16, period=5, reach=12.0)
"""Error below 1e-4 on [-12, 12]."""
WIDE: Final = Series(harmonics=24, period=6, reach=27.0)
"""Error below 2e-4 on [-27, 27]: twice the width at half more cost than FINE."""

RCOND: Final = 1e-3
"""Directions that the range does not determine stay out of the fit: they would only blow up the coefficients."""

TABLE_BITS: Final = 13
"""Fractional bits of the shared sines and of the series' coefficients: the result has twice as many.

Their rounding, about 1e-4 a value, is unbiased, because the rotation is uniform: it averages out in sums.
"""


def logistic(x: Shared, series: Series = FINE, factor: float = 1.0) -> Shared:
    """factor/(1+e^-x) elementwise, with 26 fractional bits: one round, 8 bytes an element to each peer.

    Right for |x| <= series.reach. Nobody learns anything. `x.fraction + series.period` must stay below 62;
    `factor` is public and costs nothing.
    """
    circle, period_bits = x.circle, x.fraction + series.period
    if period_bits > 61:
        raise MisuseError("too many fractional bits for the logistic function; rescale before")
    kind = Waves(x.size, series.harmonics, period_bits, TABLE_BITS)
    r, table = circle.source.ask(kind).take()
    mask = np.uint64((1 << period_bits) - 1)
    (opened,) = circle.open_words("logistic", (x.words.reshape(-1) + r) & mask)
    words = waves.combine(opened, table, factor * coefficients(series), period_bits, TABLE_BITS)
    if circle.rank == 0:
        words += np.uint64(round(factor * 2 ** (2 * TABLE_BITS - 1)))
    return Shared(circle, words.reshape(x.shape), 2 * TABLE_BITS)


@lru_cache
def coefficients(series: Series) -> Real:
    """Weights b_k of sum b_k sin(2πkx / 2^period), nearest to the logistic function less 1/2 on ±reach."""
    x = np.linspace(0.0, series.reach, 4001)
    angles = np.outer(x, np.arange(1, series.harmonics + 1)) * (2 * np.pi / 2.0**series.period)
    return _towards_uniform(np.sin(angles), 1.0 / (1.0 + np.exp(-x)) - 0.5)


def _towards_uniform(basis: Real, target: Real) -> Real:
    """Lawson's iteration: reweight least squares until the largest error is nearly as small as it can be."""
    weights, best, best_error = np.ones(len(target)), np.zeros(basis.shape[1]), np.inf
    for _ in range(60):
        root = np.sqrt(weights)
        candidate = np.asarray(np.linalg.lstsq(basis * root[:, None], target * root, rcond=RCOND)[0], np.float64)
        error = np.abs(basis @ candidate - target)
        if error.max() < best_error:
            best, best_error = candidate, error.max()
        weights *= error
        weights /= weights.mean()
    return best
