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
from threading import Lock
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


ROUGH: Final = (Series(10, 5, 12.0), Series(22, 6, 27.0), Series(40, 7, 56.0), Series(80, 8, 114.0))
"""Errors below 7e-4 within reach; each twice as wide as the one before, at twice the cost."""
FINE: Final = (Series(16, 5, 12.0), Series(28, 6, 27.0), Series(52, 7, 56.0), Series(104, 8, 114.0))
"""Errors below 1.2e-4 within reach (3e-5 for the first)."""

RCOND: Final = 1e-3
"""Directions that the range does not determine stay out of the fit: they would only blow up the coefficients."""

RESULT_BITS: Final = 26
"""Fractional bits of the logistic function's result, where the caller does not ask for others."""


def logistic(x: Shared, series: Series = FINE[0], factor: float = 1.0, fraction: int = RESULT_BITS) -> Shared:
    """factor/(1+e^-x) elementwise, with `fraction` bits: one round, 8 bytes an element to each peer.

    Right for |x| <= series.reach. Nobody learns anything. `x.fraction + series.period` must stay below 62;
    `factor` is public and costs nothing. The result's fractional bits are shared out between the table of
    sines and the series' coefficients, which need four more, being many; the rounding, about 1e-4 a value at
    26 bits and halved by every two more, is unbiased, because the rotation is uniform.
    """
    circle, period_bits = x.circle, x.fraction + series.period
    if period_bits > 61:
        raise MisuseError("too many fractional bits for the logistic function; rescale before")
    table_bits = (fraction - 4) // 2
    r, table = circle.source.ask(Waves(x.size, series.harmonics, period_bits, table_bits)).take()
    mask = np.uint64((1 << period_bits) - 1)
    (opened,) = circle.open_words("logistic", (x.words.reshape(-1) + r) & mask)
    words = waves.combine(opened, table, factor * coefficients(series), period_bits, fraction - table_bits)
    if circle.rank == 0:
        words += np.uint64(round(factor * 2.0 ** (fraction - 1)))
    return Shared(circle, words.reshape(x.shape), fraction)


def coefficients(series: Series) -> Real:
    """Weights b_k of a series, computed once a process."""
    with _FITTING:
        return _fitted(series)


_FITTING: Final = Lock()


@lru_cache
def _fitted(series: Series) -> Real:
    """Weights b_k of sum b_k sin(2πkx / 2^period), nearest to the logistic function less 1/2 on ±reach."""
    x = np.linspace(0.0, series.reach, 1201)
    angles = np.outer(x, np.arange(1, series.harmonics + 1)) * (2 * np.pi / 2.0**series.period)
    return _towards_uniform(np.sin(angles), 1.0 / (1.0 + np.exp(-x)) - 0.5)


def _towards_uniform(basis: Real, target: Real) -> Real:
    """Lawson's iteration: reweight least squares until the largest error is nearly as small as it can be.

    Each step solves the normal equations, leaving out directions whose singular value is below RCOND of the
    largest: a few small products, where a full decomposition would take longer than a training step.
    """
    weights, best, best_error = np.ones(len(target)), np.zeros(basis.shape[1]), np.inf
    for _ in range(60):
        weighted = basis * weights[:, None]
        values, vectors = np.linalg.eigh(weighted.T @ basis)
        kept = vectors[:, values > RCOND**2 * values[-1]]
        candidate = kept @ ((kept.T @ (weighted.T @ target)) / values[values > RCOND**2 * values[-1]])
        error = np.abs(basis @ candidate - target)
        if error.max() < best_error:
            best, best_error = candidate, error.max()
        weights *= error
        weights /= weights.mean()
    return np.asarray(best, dtype=np.float64)
