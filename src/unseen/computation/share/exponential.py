"""The exponential function of shared values, in two rounds.

With c = x + r opened modulo a period, e^x = e^c · e^-r up to the period's wrap. The source cuts the period into
sections and supplies e^-t for the place t of r in its section, and zero for the others; every party weighs the
sections by e^c, moved by what lies between, which everyone can compute: for a known c and section the range of x
leaves one wrap only. No factor is ever far from its own size, so that the error is relative to the result.

Source: e^(x+r) = e^x · e^r on shares as in Kelkar, Le, Raykova, Seth, USENIX Security 2022 (eprint 2021/208),
section 4, who let the parties' own shares take the place of r and bound the failure; dealt one-hot tables as in
Ishai, Kushilevitz, Meldgaard, Orlandi, Paskin-Cherniavsky, TCC 2013. Setting: any number of semi-honest parties,
all but one colluding. Nobody learns anything; what is opened is uniform, no failure probability.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import ceil, log2
from typing import Final

import numpy as np

from unseen.computation.correlation.kinds import Exponentials
from unseen.computation.kernels import exponentials
from unseen.computation.profile import Profile
from unseen.computation.share import fixed
from unseen.computation.share.arithmetic import ask_rescale, rescale
from unseen.computation.share.array import Shared
from unseen.computation.share.functions import angles_of
from unseen.computation.share.together import Opening, Protocol, Steps
from unseen.computation.types import Real
from unseen.errors import MisuseError

EXPONENTIAL: Final = Profile(
    id="share/exponential",
    title="Exponential function by a dealt table of sections",
    source="Kelkar et al., USENIX Security 2022; Ishai et al., TCC 2013",
    assumptions=("inputs within the stated range; beyond it the value is wrong",),
    failure="none within the range; relative error below 1e-3",
    rounds=lambda count: 2,
    bytes_sent=lambda count, parties: parties * (parties - 1) * (4 * 64 * -(-count // 64) + 8 * count),
)

LOW: Final = -16.0
HIGH: Final = 8.0
ERROR: Final = 1e-3
"""Largest relative error, but for the rounding of the result."""
_MOST_SECTIONS: Final = 64
_PER_NAT: Final = log2(np.e)


@dataclass(frozen=True)
class Sections:
    """How a range is cut: `count` sections over a period of 2^period, and how many fractional bits the dealt table
    and the public weights have. `error` is the largest relative error."""

    low: float
    high: float
    period: int
    count: int
    table_bits: int
    weight_bits: int
    error: float

    @property
    def width(self) -> float:
        """Of one section."""
        return 2.0**self.period / self.count

    def weights(self) -> Real:
        """2^weight_bits·e^y for the middle of each of `count` steps of y; zero where x would be out of range."""
        reach = (self.high - self.low) / (2 * self.width) + 0.5
        steps = np.arange(self.count)
        steps = np.where(steps < self.count // 2, steps, steps - self.count)
        middle = (self.low + self.high) / 2
        weights = 2.0**self.weight_bits * np.exp((steps + 0.5) * self.width + middle)
        return np.where((steps < reach) & (steps + 1 > -reach), weights, 0.0)


@lru_cache
def sections_for(low: float, high: float) -> Sections:
    """The fewest sections with a relative error below ERROR. Raises MisuseError where there are none."""
    if not -40.0 <= low < high <= 40.0:
        raise MisuseError("the exponential function takes a range within ±40, the lower end first")
    period = max(0, ceil(log2(high - low + 2.0**-20)))
    bits = fixed.HEADROOM - max(0, ceil(high * _PER_NAT + 0.01))
    count = 2
    while count <= _MOST_SECTIONS:
        # A range that nearly fills its period leaves no room for a section to spare: the next period does.
        for turns in (period, period + 1):
            width = 2.0**turns / count
            table_bits = round((bits + (width + low) * _PER_NAT) / 2)
            table_bits = min(max(table_bits, 1), bits - 1)
            error = 2.0 ** -(table_bits + 1) * np.exp(width) + 2.0 ** -(bits - table_bits + 1) * np.exp(-low)
            if width <= 2.0**turns - (high - low) and error < ERROR:
                return Sections(low, high, turns, count, table_bits, bits - table_bits, float(error))
        count *= 2
    raise MisuseError(f"no table gives e^x on [{low:g}, {high:g}] to {ERROR:g}; take a narrower range")


@Protocol
def exponential(x: Shared, low: float = LOW, high: float = HIGH, fraction: int = fixed.FRACTION) -> Steps[Shared]:
    """e^x elementwise for x in [low, high], with `fraction` bits: two rounds, 12 bytes an element to each peer.

    Relative error below 1e-3 (7e-4 on [-16, 8], 1.1e-4 on [-16, 0]), and one step of the result. Outside of the
    public range the result is wrong. The narrower the range, the smaller the table from the source: 8 words an
    element on [-16, 8], 4 on [-16, 0]. `fraction` + the bits of e^high must stay below 62.
    """
    circle, count, cut = x.circle, x.size, sections_for(float(low), float(high))
    if x.fraction + cut.period > 61 or fraction > cut.table_bits + cut.weight_bits:
        raise MisuseError("too many fractional bits for the exponential function on this range")
    blocks = -(-count // exponentials.BLOCK)
    dealt = circle.source.ask(Exponentials(blocks, cut.count, cut.period, cut.table_bits))
    bits = cut.table_bits + cut.weight_bits
    truncation = [ask_rescale(circle, count, bits - fraction)] if bits > fraction else []
    r, table = dealt.take()
    padded = np.zeros(r.shape, dtype=np.uint32)
    padded.reshape(-1)[:count] = angles_of(x, cut.period)
    (opened,) = yield Opening(circle, "exponential", (padded + r,))
    offset = 0.5 + (low + high) / 2 / cut.width
    words = exponentials.combine(opened, table, cut.weights(), offset, cut.width).reshape(-1)[:count]
    return rescale(Shared(circle, words.reshape(x.shape), bits), fraction, *truncation)
