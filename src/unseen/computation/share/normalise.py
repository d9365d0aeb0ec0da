"""Positive shared numbers brought into [1/4, 1) by a shared power of four.

A number known to lie in a public range is held against the powers of four there; how many it stays below says
by which power it must be raised. What is needed of it afterwards, a first guess for Newton's method say, needs
few leading bits: where the range allows it all of this happens in Z_2^32, at half the price.

Source: Catrina and Saxena, FC 2010 (normalisation before a division); thresholds as in `share.thresholds`.
Setting: any number of semi-honest parties, all but one colluding. Nobody learns anything; no failure probability.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, log2
from typing import Final

import numpy as np

from unseen.computation.circle import Circle
from unseen.computation.correlation.bit_kinds import BitsInRing
from unseen.computation.correlation.kinds import Triple
from unseen.computation.correlation.source import Kind, Ticket
from unseen.computation.kernels import products
from unseen.computation.profile import Profile
from unseen.computation.share.array import Shared
from unseen.computation.share.boolean import ring_numbers, words_for
from unseen.computation.share.thresholds import Shape, below_each_in_ring, shape_of
from unseen.computation.share.together import Opening, Protocol, Steps
from unseen.computation.types import Array
from unseen.errors import MisuseError

NORMALISATION: Final = Profile(
    id="share/normalisation",
    title="Positive shared numbers brought into [1/4, 1) by a shared power of four",
    source="Catrina and Saxena, FC 2010",
    assumptions=("inputs within the stated range; beyond it the result is wrong",),
    rounds=lambda count, powers, fine: 5 if powers else 0,
    bytes_sent=lambda count, powers, fine, parties: (
        parties
        * (parties - 1)
        * bool(powers)
        * ((16 if fine else 8) * count + 8 * powers * words_for(count) + _comparison(count, powers, fine).sent)
    ),
)


def _comparison(count: int, powers: int, fine: bool) -> Shape:
    return shape_of(count, Span(0, powers, 64 if fine else 32).levels)


_ROUGH_POWERS: Final = 9
"""Most powers of four for which 32 bits do: the smallest number keeps twelve of them."""
_FINE_POWERS: Final = 12
LOWEST: Final = 0.2499
HIGHEST: Final = 1.0001
"""What a normalised number is within, roundings included."""


@dataclass(frozen=True)
class Span:
    """The range of a positive number, as x = z·2^exponent·4^-k for z in [1/4, 1) and k in 0..powers.

    `lane` is the ring for it, 2^lane: within it z has lane - 2 fractional bits.
    """

    exponent: int
    powers: int
    lane: int

    @property
    def levels(self) -> Array:
        """2^exponent·4^-j for j = 1.., in units of the ring."""
        return np.array(
            [1 << (self.lane - 2 - 2 * j) for j in range(1, self.powers + 1)], dtype=f"u{self.lane // 8}"
        )


def span(least: float, most: float, fine: bool = False) -> Span:
    """How numbers in [least, most] are normalised. Raises MisuseError for a range that is none or too wide.

    `fine` keeps all bits of the smallest numbers, at twice the price; so does a range over 4^9.
    """
    if not 0.0 < least <= most < 2.0**62:
        raise MisuseError("a range of positive numbers has a least, above zero, and a most that is not below it")
    # An even exponent, so that its root is a power of two; `most` itself may be the power.
    exponent = 2 * ceil(log2(most) / 2)
    powers = max(0, ceil((exponent - log2(least)) / 2) - 1)
    if powers > _FINE_POWERS:
        raise MisuseError(f"{least:g} to {most:g} is too wide a range: it may span 4^{_FINE_POWERS + 1}")
    return Span(exponent, powers, 64 if fine or powers > _ROUGH_POWERS else 32)


@dataclass(frozen=True, eq=False)
class Normalised:
    """Flat shares in the span's ring: z (lane - 2 fractional bits), and bits (powers, n), 1 where x < the power.

    Bit j is 1 from some j on downwards: their sum is k, and x·4^k = z·2^exponent.
    """

    circle: Circle
    span: Span
    z: Array
    below: Array

    def angles(self, period: int) -> Array:
        """z as angles in Z_2^32 whose full turn is 2^period, 0, 1 or 2."""
        if self.span.lane == 64:
            return (self.z >> np.uint64(30 + period)).astype(np.uint32)
        return np.asarray(self.z << np.uint32(2 - period))

    def power(self, base: int) -> Array:
        """base^k, 2 or 4, as whole numbers in the ring; local."""
        kind = self.below.dtype
        steps = np.array([base**j - base ** (j - 1) for j in range(1, self.span.powers + 1)], dtype=kind)
        total = np.asarray((self.below * steps[:, None]).sum(axis=0, dtype=kind))
        return total + kind.type(1) if self.circle.rank == 0 else total

    def count(self) -> Array:
        """k as whole numbers in the ring; local."""
        return np.asarray(self.below.sum(axis=0, dtype=self.below.dtype))


def normalise_kinds(count: int, reach: Span) -> list[Kind]:
    """What `normalise` asks for, in order."""
    if not reach.powers:
        return []
    shape = shape_of(count, reach.levels)
    return [Triple(count, reach.lane), *shape.kinds(), BitsInRing(shape.words * reach.powers, reach.lane)]


@Protocol
def normalise(x: Shared, reach: Span) -> Steps[Normalised]:
    """Bring shared numbers in the span's range into [1/4, 1): five rounds.

    12 bytes and 17 bits a power of four an element to each peer; in the ring of 64 bits 24 and 35. Numbers beyond
    the range come out wrong. In the small ring z is right to 2^-30·4^k.
    """
    circle, lane = x.circle, reach.lane
    leading = _leading(x, reach)
    if not reach.powers:
        return Normalised(circle, reach, leading, np.zeros((0, x.size), dtype=leading.dtype))
    triple = circle.source.ask(Triple(x.size, lane))
    packed = yield from below_each_in_ring.steps(circle, leading, reach.levels)
    below = yield from ring_numbers.steps(circle, packed.reshape(-1), lane)
    bits = np.ascontiguousarray(below.reshape(reach.powers, -1)[:, : x.size])
    found = Normalised(circle, reach, leading, bits)
    raised = yield from ring_product.steps(circle, leading, found.power(4), triple)
    return Normalised(circle, reach, raised, bits)


@Protocol
def ring_product(circle: Circle, left: Array, right: Array, asked: Ticket) -> Steps[Array]:
    """Flat shares of a product, in the ring of both factors and of the triple asked for: one round."""
    a, b, c = asked.take()
    d, e = yield Opening(circle, "normalisation", (left - a, right - b))
    products.finish_product(c, d, b, e, a, circle.rank == 0)
    product: Array = c
    return product


def _leading(x: Shared, reach: Span) -> Array:
    """Flat shares of x·2^-exponent with lane - 2 fractional bits: local; in the small ring off by some units."""
    shift = x.fraction + reach.exponent + 2 - 64
    flat = x.words.reshape(-1)
    if shift > 0:
        raise MisuseError("the range is beyond what so many fractional bits can hold")
    raised = flat << np.uint64(-shift)
    if reach.lane == 64:
        return raised
    small = (raised >> np.uint64(32)).astype(np.uint32)
    return small + np.uint32(x.circle.size // 2) if x.circle.rank == 0 else small
