"""Any smooth function of shared values on a public range, by a Fourier series fitted to it there.

On a period wider than the range the series may do what it likes outside of it, so that few harmonics suffice
although the function is not periodic (Fourier extension). The angle is opened under a uniform rotation, as in
`share.functions`, in one round; what the fit and the roundings cost is computed beforehand, and too large an
error refused.

Source: Boyd, Journal of Computational Physics 178 (2002), and Huybrechs, SIAM Journal on Numerical Analysis 47
(2010), for Fourier extensions; the rest as in `share.functions`. Setting: any number of semi-honest parties, all
but one colluding. Nobody learns anything; no failure probability.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from math import ceil, log2
from threading import Lock
from typing import Final

import numpy as np

from unseen.computation.circle import Circle
from unseen.computation.correlation.bit_kinds import Lift
from unseen.computation.correlation.kinds import Waves
from unseen.computation.correlation.source import Kind
from unseen.computation.kernels.waves import BLOCK
from unseen.computation.profile import Profile
from unseen.computation.share import fixed
from unseen.computation.share.arithmetic import rescale
from unseen.computation.share.array import Shared
from unseen.computation.share.fit import nearest_uniformly
from unseen.computation.share.functions import SMALL_RING_BITS, angles_of, fourier, lift
from unseen.computation.share.together import Protocol, Steps
from unseen.computation.types import Array, Real
from unseen.errors import MisuseError

SMOOTH: Final = Profile(
    id="share/smooth-function",
    title="Smooth function of shared values by a Fourier series",
    source="Boyd, J. Comput. Phys. 178 (2002); angle opened under a uniform rotation",
    assumptions=("inputs within the stated range; beyond it the value is wrong",),
    failure="none within the range; error below the one asked for",
    rounds=lambda count: 2,
    bytes_sent=lambda count, parties: parties * (parties - 1) * 4 * (64 * -(-count // 64) + count),
)
SMOOTH_FINE: Final = Profile(
    id="share/smooth-function-fine",
    title="Smooth function of shared values by a Fourier series, in the large ring",
    source=SMOOTH.source,
    assumptions=SMOOTH.assumptions,
    failure=SMOOTH.failure,
    rounds=lambda count: 2,
    bytes_sent=lambda count, parties: parties * (parties - 1) * (4 * 64 * -(-count // 64) + 8 * count),
)

_POINTS: Final = 1201
_RCONDS: Final = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
_FINE_BITS: Final = 50
_SIGMAS: Final = 6.0
"""How many standard deviations of the roundings count as their largest: more happens once in 10^9 values."""


@dataclass(frozen=True)
class Smooth:
    """A function of NumPy arrays on [low, high] with the error it may have there, a number of harmonics and a
    period of 2^period, wider than the range. `relative`: the error is a share of the function's value. `even`: the
    function is even, on a range about zero: no sines, and half of the range is fitted, in a tenth of the time.
    """

    function: Callable[[Real], Real]
    low: float
    high: float
    error: float
    harmonics: int
    period: int
    relative: bool = False
    even: bool = False


@dataclass(frozen=True, eq=False)
class Fitted:
    """The series constant + Σ_k sines[k]·sin(kθ) + cosines[k]·cos(kθ) with `fraction` bits in a ring of 2^lanes
    bits, `table_bits` of them the table's. `error` counts fit and roundings; `bound` is the largest |value|."""

    constant: float
    sines: Real
    cosines: Real
    fraction: int
    lanes: int
    table_bits: int
    error: float
    bound: float


def fitted(smooth: Smooth, fine: bool = False) -> Fitted:
    """The series of a function, computed once a process. Raises MisuseError if its error is larger than asked."""
    with _FITTING:
        found = _fitted(smooth, fine)
    if not found.error <= smooth.error:
        raise MisuseError(
            f"{smooth.harmonics} harmonics give the function on [{smooth.low:g}, {smooth.high:g}] to "
            f"{found.error:.1e}, not to {smooth.error:g}: take more, or a narrower range"
        )
    return found


_FITTING: Final = Lock()


@lru_cache
def _fitted(smooth: Smooth, fine: bool) -> Fitted:
    if not smooth.low < smooth.high <= smooth.low + 2.0**smooth.period or smooth.harmonics < 1:
        raise MisuseError("a series takes a period that holds the range, the lower end first")
    if smooth.even and smooth.low != -smooth.high:
        raise MisuseError("an even function is fitted on a range about zero")
    nodes = np.cos(np.linspace(0.0, np.pi, _POINTS))
    # An even function's half, at so few points that no product is worth a second thread.
    nodes = nodes[: _POINTS // 2 + 1 : 2] if smooth.even else nodes
    x = (smooth.low + smooth.high) / 2 + nodes * (smooth.high - smooth.low) / 2
    with np.errstate(all="ignore"):
        target = np.asarray(smooth.function(x), dtype=np.float64)
    if not np.isfinite(target).all():
        raise MisuseError("the function is not finite on the whole range")
    importance = 1.0 / np.abs(target) if smooth.relative else np.ones_like(target)
    angles = np.outer(x, np.arange(1, smooth.harmonics + 1)) * (2 * np.pi / 2.0**smooth.period)
    waves = (np.cos(angles),) if smooth.even else (np.sin(angles), np.cos(angles))
    basis = np.hstack([np.ones((len(x), 1)), *waves])
    bound = float(np.abs(target).max())
    # Values keep a bit of room to be truncated or lifted.
    bits = (
        min(_FINE_BITS, 60 - ceil(log2(bound + 1))) if fine else SMALL_RING_BITS - max(0, ceil(log2(bound / 3.9)))
    )
    best: Fitted | None = None
    for rcond in _RCONDS:
        weights, error = nearest_uniformly(basis * importance[:, None], target * importance, rcond)
        if smooth.even:
            weights = np.concatenate([weights[:1], np.zeros(smooth.harmonics), weights[1:]])
        table_bits, rounding = _shared_out(weights[1:], bits)
        total = error + _SIGMAS * rounding * float(importance.max())
        if best is None or total < best.error:
            sines, cosines = np.split(weights[1:], 2)
            constant = float(weights[0])
            best = Fitted(constant, sines, cosines, bits, 6 if fine else 5, table_bits, total, bound)
    assert best is not None
    return best


def _shared_out(weights: Real, bits: int) -> tuple[int, float]:
    """How many of the fractional bits the table should have, and the standard deviation of all roundings then.

    A table's element is off by up to 2^-(t+1) and counts by its weight; a weight is off by up to 2^-(bits-t+1) and
    counts by the table's element, whose mean square is 1/2.
    """
    square, count = float((weights**2).sum()), len(weights)
    variances = [(square * 4.0**-t + count / 2 * 4.0 ** (t - bits)) / 12 for t in range(1, bits)]
    return int(np.argmin(variances)) + 1, float(np.sqrt(min(variances)))


@Protocol
def series(circle: Circle, angles: Array, found: Fitted) -> Steps[Array]:
    """The series of angles shared in Z_2^32, in its own ring: one round, 4 bytes an element to each peer."""
    words = yield from fourier.steps(
        circle, angles, found.sines, found.cosines, found.fraction, found.lanes, found.table_bits
    )
    if circle.rank == 0:
        words += words.dtype.type(round(found.constant * 2.0**found.fraction) % 2 ** (8 * words.dtype.itemsize))
    return words


def series_kinds(count: int, found: Fitted) -> list[Kind]:
    """What `series` asks for."""
    return [Waves(-(-count // BLOCK), len(found.sines), found.table_bits, found.lanes)]


@Protocol
def smooth_function(
    x: Shared, smooth: Smooth, fraction: int = fixed.FRACTION, fine: bool = False
) -> Steps[Shared]:
    """A smooth function elementwise, for x in its range: two rounds, 8 bytes an element to each peer.

    `fine` works in the large ring: a table from the source of twice the size and 4 bytes more, for errors below
    about 1e-4 of the function's largest value. Beyond the range the result is wrong. Raises MisuseError where the
    error would be larger than asked, and for more fractional bits than the series has.
    """
    circle, found = x.circle, fitted(smooth, fine)
    if x.fraction + smooth.period > 61 or fraction > found.fraction:
        raise MisuseError(f"too many fractional bits: this series takes up to {found.fraction} for its result")
    angles = angles_of(x, smooth.period)
    dropped = found.fraction - fraction
    if fine:
        words = yield from series.steps(circle, angles, found)
        return rescale(Shared(circle, words.reshape(x.shape), found.fraction), fraction)
    lifting = circle.source.ask(Lift(x.size, dropped))
    words = yield from series.steps(circle, angles, found)
    wide = yield from lift.steps(circle, words, lifting, dropped)
    return Shared(circle, wide.reshape(x.shape), fraction)
