"""Smooth functions of shared values by Fourier series.

On a period wide enough, 1/(1+e^-x) - 1/2 is a sine series to any wanted accuracy, and a sine of a secret angle
follows from the angle opened under a random rotation and shared sines and cosines of that rotation, in one
round. The general idea (trigonometric functions from masked angles) is in Li, Duan, Zhu, Qian, Xiong, Lai,
"Non-interactive or one-round trigonometric evaluation in MPC", and in SIRNN-like libraries with other means;
here the series is fitted on the range that is promised. All of it happens in Z_2^32, where the dealer's table
is half as large; a second round lifts the result to Z_2^64.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from threading import Lock
from typing import Final

import numpy as np

from unseen.computation.circle import Circle
from unseen.computation.correlation.bit_kinds import Lift
from unseen.computation.correlation.kinds import Waves
from unseen.computation.correlation.source import Ticket
from unseen.computation.kernels import products, waves
from unseen.computation.profile import Profile
from unseen.computation.share.array import Shared
from unseen.computation.share.fit import nearest_uniformly
from unseen.computation.share.together import Opening, Protocol, Steps
from unseen.computation.types import Array, Real, Words
from unseen.errors import MisuseError

LOGISTIC: Final = Profile(
    id="share/logistic",
    title="Logistic function by a sine series",
    source="minimax sine series, angle opened under a uniform rotation; lifting as in the exact truncation",
    assumptions=("inputs within the stated range; beyond it the value is wrong, up to the period's wrap",),
    failure="none within the range; error below the stated bound",
    rounds=lambda count: 2,
    bytes_sent=lambda count, parties: parties * (parties - 1) * 4 * (count + 64 * -(-count // 64)),
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

RESULT_BITS: Final = 28
"""Fractional bits of the logistic function's result, where the caller does not ask for others."""
SMALL_RING_BITS: Final = 28
"""Most fractional bits within Z_2^32: results up to ±4 have room to be lifted."""
ANGLE_BITS: Final = 32


@Protocol
def logistic(
    x: Shared, series: Series = FINE[0], factor: float = 1.0, fraction: int = RESULT_BITS
) -> Steps[Shared]:
    """factor/(1+e^-x) elementwise, with `fraction` bits: two rounds, 8 bytes an element to each peer.

    With more than 28 fractional bits one round and 4 bytes, but a table from the source of twice the size.

    Right for |x| <= series.reach. Nobody learns anything. `x.fraction + series.period` must stay below 62;
    `factor` is public, at most 4, and costs nothing. Rounding, about 5e-5 a
    value at 28 bits and halved by every two more, is unbiased, because the rotation is uniform.
    """
    circle, count = x.circle, x.size
    if x.fraction + series.period > 61 or not 0.0 < factor <= 4.0:
        raise MisuseError("too many fractional bits, or too large a factor, for the logistic function")
    angles, sines = angles_of(x, series.period), factor * coefficients(series)
    if fraction > SMALL_RING_BITS:
        words = yield from fourier.steps(circle, angles, sines, np.zeros_like(sines), fraction, 6)
    else:
        lifting = circle.source.ask(Lift(count))
        small = yield from fourier.steps(circle, angles, sines, np.zeros_like(sines), fraction, 5)
        words = yield from lift.steps(circle, small, lifting)
    if circle.rank == 0:
        words += np.uint64(round(factor * 2.0 ** (fraction - 1)))
    return Shared(circle, words.reshape(x.shape), fraction)


def angles_of(x: Shared, period: int) -> Array:
    """Shares in Z_2^32 of the angle whose full turn is 2^period: local, low by a few 2^-32 of a turn at most.

    Cutting off low bits of each share is exact but for a carry, because what wraps is the turn itself.
    """
    shift = x.fraction + period - ANGLE_BITS
    flat = x.words.reshape(-1)
    moved = flat >> np.uint64(shift) if shift >= 0 else flat << np.uint64(-shift)
    return moved.astype(np.uint32)


@Protocol
def fourier(
    circle: Circle,
    angles: Array,
    sines: Real,
    cosines: Real,
    fraction: int,
    lanes: int,
    table_bits: int | None = None,
) -> Steps[Array]:
    """Shares of sum_k sines[k]·sin(kθ) + cosines[k]·cos(kθ), k from 1, in the ring of 2^lanes bits (lanes 5 or 6).

    `angles` are shares in Z_2^32. One round, 4 bytes an element. The fractional bits are shared out between the
    table (`table_bits`) and the coefficients: where these are small and many, they need four more.
    """
    count, blocks = angles.size, -(-angles.size // waves.BLOCK)
    table_bits = (fraction - 4) // 2 if table_bits is None else table_bits
    r, table = circle.source.ask(Waves(blocks, len(sines), table_bits, lanes)).take()
    padded = np.zeros(r.shape, dtype=np.uint32)
    padded.reshape(-1)[:count] = angles
    (opened,) = yield Opening(circle, "fourier", (padded + r,))
    return waves.combine(opened, table, sines, cosines, fraction - table_bits).reshape(-1)[:count]


@Protocol
def lift(circle: Circle, words: Array, asked: Ticket | None = None, bits: int = 0) -> Steps[Words]:
    """From shares in Z_2^32 of values in [-2^30, 2^30) to shares in Z_2^64: exact, one round, 4 bytes an element.

    `bits` low bits are dropped on the way, rounding at random to a neighbour. With y + 2^30 + r opened modulo
    2^32, the sum wrapped just if the top bit of r is one and that of the opened word is zero, as in the exact
    truncation.
    """
    r, wide, top = (asked or circle.source.ask(Lift(words.size, bits))).take()
    half = np.uint32(1 << 30 if circle.rank == 0 else 0)
    (opened,) = yield Opening(circle, "lift", (words + r + half,))
    return products.shifted(opened, wide, top, bits, 1 << 30, circle.rank == 0)


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
    return nearest_uniformly(np.sin(angles), 1.0 / (1.0 + np.exp(-x)) - 0.5, RCOND)[0]
