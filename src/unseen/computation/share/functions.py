"""Smooth functions of shared values by Fourier series.

On a period wide enough, 1/(1+e^-x) - 1/2 is a sine series to any wanted accuracy, of odd multiples alone because
it is flat where half a period folds. A sine of a secret angle follows from the angle opened under a random
rotation and shared sines and cosines of that rotation, in one round. The general idea (trigonometric functions
from masked angles) is in Li, Duan, Zhu, Qian, Xiong, Lai, "Non-interactive or one-round trigonometric evaluation
in MPC", and in SIRNN-like libraries with other means; here the series is fitted on the range that is promised.
All of it happens in Z_2^32, where the dealer's table is half as large; a second round lifts the result to Z_2^64.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from threading import Lock
from typing import Final

import numpy as np

from unseen.computation.circle import Circle
from unseen.computation.correlation.bit_kinds import Lift
from unseen.computation.correlation.kinds import Waves
from unseen.computation.correlation.source import Kind, Ticket
from unseen.computation.kernels import products, waves
from unseen.computation.profile import Profile
from unseen.computation.share.array import Shared
from unseen.computation.share.blocks import in_blocks
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
    """A series of sines of odd multiples for the logistic function less 1/2: `harmonics` terms over a period of
    2^period/times, good on ±reach, which is a little more than a quarter of the period."""

    harmonics: int
    period: int
    times: int
    reach: float


ROUGH: Final = (Series(7, 7, 3, 12.0), Series(12, 9, 7, 27.0), Series(21, 7, 1, 56.0), Series(41, 8, 1, 114.0))
"""Errors below 7e-4 within reach; each twice as wide as the one before, at twice the cost."""
FINE: Final = (Series(11, 7, 3, 12.0), Series(16, 9, 7, 27.0), Series(30, 10, 7, 56.0), Series(52, 8, 1, 114.0))
"""Errors below 1.2e-4 within reach (3e-5 for the first)."""

RCOND: Final = 1e-3
"""Directions that the range does not determine stay out of the fit: they would only blow up the coefficients."""

RESULT_BITS: Final = 28
"""Fractional bits of the logistic function's result, where the caller does not ask for others."""
SMALL_RING_BITS: Final = 28
"""Most fractional bits within Z_2^32: results up to ±4 have room to be lifted."""
ANGLE_BITS: Final = 32


def logistic(x: Shared, series: Series = FINE[0], factor: float = 1.0, fraction: int = RESULT_BITS) -> Shared:
    """factor/(1+e^-x) elementwise, with `fraction` bits: two rounds a block, 8 bytes an element to each peer.

    With more than 28 fractional bits one round and 4 bytes, but a table from the source of twice the size.

    Right for |x| <= series.reach. Nobody learns anything. `x.fraction + series.period` must stay below 62;
    `factor` is public, at most 4, and costs nothing. Rounding, about 5e-5 a
    value at 28 bits and halved by every two more, is unbiased, because the rotation is uniform.
    """
    if x.fraction + series.period > 61 or not 0.0 < factor <= 4.0:
        raise MisuseError("too many fractional bits, or too large a factor, for the logistic function")
    small, sines = fraction <= SMALL_RING_BITS, factor * coefficients(series)
    lanes = 5 if small else 6

    def kinds(count: int) -> list[Kind]:
        return [fourier_kind(count, len(sines), fraction, lanes, step=2), *([Lift(count)] if small else [])]

    def steps(part: Shared) -> Steps[Shared]:
        circle, angles = part.circle, angles_of(part, series.period, series.times)
        words = yield from fourier.steps(circle, angles, sines, np.zeros_like(sines), fraction, lanes, step=2)
        if small:
            words = yield from lift.steps(circle, words)
        if circle.rank == 0:
            words += np.uint64(round(factor * 2.0 ** (fraction - 1)))
        return Shared(circle, words, fraction)

    return in_blocks([x], kinds, steps)


def angles_of(x: Shared, period: int, times: int = 1) -> Array:
    """Shares in Z_2^32 of the angle whose full turn is 2^period/times: local, low by a few 2^-32 of a turn.

    Cutting off low bits of each share is exact but for a carry, because what wraps is the turn itself.
    """
    shift = x.fraction + period - ANGLE_BITS
    flat = x.words.reshape(-1)
    if times > 1:
        flat = flat * np.uint64(times)
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
    step: int = 1,
) -> Steps[Array]:
    """Shares of sum_j sines[j]·sin(kθ) + cosines[j]·cos(kθ), k = 1 + step·j, in the ring of 2^lanes bits, 5 or 6.

    `angles` are shares in Z_2^32. One round, 4 bytes an element. The fractional bits are shared out between the
    table (`table_bits`) and the coefficients: where these are small and many, they need four more.
    """
    asked = fourier_kind(angles.size, len(sines), fraction, lanes, table_bits, step)
    r, table = circle.source.ask(asked).take()
    count, table_bits = angles.size, asked.fraction
    padded = np.zeros(r.shape, dtype=np.uint32)
    padded.reshape(-1)[:count] = angles
    (opened,) = yield Opening(circle, "fourier", (padded + r,))
    return waves.combine(opened, table, sines, cosines, fraction - table_bits, step).reshape(-1)[:count]


def fourier_kind(
    count: int, harmonics: int, fraction: int, lanes: int, table_bits: int | None = None, step: int = 1
) -> Waves:
    """What `fourier` asks for."""
    table_bits = (fraction - 4) // 2 if table_bits is None else table_bits
    return Waves(-(-count // waves.BLOCK), harmonics, table_bits, lanes, step)


@Protocol
def lift(circle: Circle, words: Array, asked: Ticket | None = None, bits: int = 0) -> Steps[Words]:
    """From shares in Z_2^32 of values in [-2^30, 2^30) to shares in Z_2^64: exact, one round, 4 bytes an element.

    `bits` low bits are dropped on the way, rounding at random to a neighbour.
    """
    found = yield from lift_together.steps(circle, [(words, bits)], [asked] if asked else None)
    return found[0]


@Protocol
def lift_together(
    circle: Circle, parts: Sequence[tuple[Array, int]], asked: Sequence[Ticket] | None = None, lane: int = 64
) -> Steps[list[Array]]:
    """Each array lifted to the ring of `lane` bits, so many of its low bits dropped: one round for all of them.

    With y + 2^30 + r opened modulo 2^32, the sum wrapped just if the top bit of r is one and that of the opened
    word is zero, as in the exact truncation.
    """
    tickets = asked or [circle.source.ask(Lift(words.size, bits, lane)) for words, bits in parts]
    taken = [ticket.take() for ticket in tickets]
    half = np.uint32(1 << 30 if circle.rank == 0 else 0)
    opened = yield Opening(
        circle, "lift", [words + r + half for (words, _), (r, _, _) in zip(parts, taken, strict=True)]
    )
    first, offset = circle.rank == 0, 1 << 30
    return [
        products.lifted(word, r, wide, top, offset, first)
        if bits == 0 and lane == 64
        else products.shifted(word, wide, top, bits, offset, first)
        for word, (r, wide, top), (_, bits) in zip(opened, taken, parts, strict=True)
    ]


def coefficients(series: Series) -> Real:
    """Weights b_k of a series, computed once a process."""
    with _FITTING:
        return _fitted(series)


_FITTING: Final = Lock()


@lru_cache
def _fitted(series: Series) -> Real:
    """Weights b_j of sum b_j sin(2πkx / period), k = 1 + 2j, nearest to the logistic function less 1/2."""
    x = np.linspace(0.0, series.reach, 1201)
    turns = np.outer(x, np.arange(1, 2 * series.harmonics, 2)) * (series.times / 2.0**series.period)
    return nearest_uniformly(np.sin(2 * np.pi * turns), 1.0 / (1.0 + np.exp(-x)) - 0.5, RCOND)[0]
