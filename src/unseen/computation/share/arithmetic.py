"""Products and truncation on shares.

Source: Beaver, CRYPTO 1991 (triples); Escudero, Ghosh, Keller, Rachuri, Scholl, CRYPTO 2020 (truncation).
Setting: any number of semi-honest parties, all but one colluding; correlated randomness from the source.
Every opened value is under a mask that is uniform in Z_2^64: perfect hiding, no failure probability.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Final

import numpy as np

from unseen.computation.circle import Circle
from unseen.computation.correlation.kinds import (
    CorrectedProduct,
    MatrixMask,
    MatrixProduct,
    Square,
    Triple,
    TruncatedTriple,
    Truncation,
)
from unseen.computation.correlation.source import Kind, Ticket
from unseen.computation.kernels import products, ring
from unseen.computation.profile import Profile
from unseen.computation.share import fixed
from unseen.computation.share.array import Public, Shared, shared_zeros
from unseen.computation.share.blocks import BLOCK, in_blocks
from unseen.computation.share.together import Opening, Protocol, Steps
from unseen.computation.types import Array, Real, Words
from unseen.errors import MisuseError

PRODUCT: Final = Profile(
    id="share/product",
    title="Product of shared arrays",
    source="Beaver, CRYPTO 1991",
    rounds=lambda count: 1,
    bytes_sent=lambda count, parties: parties * (parties - 1) * 2 * 8 * count,
)
SQUARE: Final = Profile(
    id="share/square",
    title="Squares of shared numbers",
    source="Beaver, CRYPTO 1991",
    rounds=lambda count: 1,
    bytes_sent=lambda count, parties: parties * (parties - 1) * 8 * count,
)
MULTIPLICATION: Final = Profile(
    id="share/multiplication",
    title="Product of shared arrays, and its exact truncation",
    source="Beaver, CRYPTO 1991; Escudero et al., CRYPTO 2020; masks as in Ben-Efraim et al., ACNS 2019",
    failure="none; the result is rounded down or up at random, off by less than one step",
    rounds=lambda count: 2,
    bytes_sent=lambda count, parties: parties * (parties - 1) * 3 * 8 * count,
)
MATRIX_PRODUCT: Final = Profile(
    id="share/matrix-product",
    title="Product of shared matrices",
    source="Beaver, CRYPTO 1991, with one correction a result",
    rounds=lambda m, k, n: 1,
    bytes_sent=lambda m, k, n, parties: parties * (parties - 1) * 8 * (m * k + k * n),
)
TRUNCATION: Final = Profile(
    id="share/truncation",
    title="Exact truncation",
    source="Escudero et al., CRYPTO 2020, eprint 2020/338, section 5",
    failure="none; the result is rounded down or up at random, off by less than one step",
    rounds=lambda count: 1,
    bytes_sent=lambda count, parties: parties * (parties - 1) * 8 * count,
)


@Protocol
def product(left: Shared, right: Shared, asked: Ticket | None = None) -> Steps[Shared]:
    """Elementwise product, fractions added, not truncated: one round, 16 bytes an element to each peer.

    Shapes broadcast as in NumPy; |product| must stay below 2^(62 - sum of fractions). `asked` is what was
    announced for a product of as many values.
    """
    circle = left.circle
    shape = np.broadcast_shapes(left.shape, right.shape)
    a, b, c = (asked or circle.source.ask(Triple(prod(shape)))).take()
    masked = (np.subtract(part.words, mask.reshape(shape)).reshape(-1) for part, mask in ((left, a), (right, b)))
    d, e = yield Opening(circle, "product", tuple(masked))
    products.finish_product(c, d, b, e, a, circle.rank == 0)
    return Shared(circle, c.reshape(shape), left.fraction + right.fraction)


def multiply_kinds(count: int, bits: int) -> list[Kind]:
    """What `multiply` asks for, where it drops so many bits, or none."""
    return [TruncatedTriple(count, bits) if bits > 0 else Triple(count)]


@Protocol
def multiply(left: Shared, right: Shared, fraction: int) -> Steps[Shared]:
    """Elementwise product at `fraction` bits: two rounds, 24 bytes an element to each peer.

    |product| must stay below 2^(62 - sum of fractions); it is rounded to a neighbour, up or down at random. Where
    bits are dropped, what Beaver's product leaves under a mask is opened for the exact truncation as it is; where
    none are, there is one round, and nothing is rounded.
    """
    circle, bits = left.circle, left.fraction + right.fraction - fraction
    shape = np.broadcast_shapes(left.shape, right.shape)
    (kind,) = multiply_kinds(prod(shape), bits)
    ticket = circle.source.ask(kind)
    if bits <= 0:
        wide = yield from product.steps(left, right, ticket)
        return wide.scaled_up(-bits) if bits else wide
    a, b, m, high, top = ticket.take()
    masked = (np.subtract(part.words, mask.reshape(shape)).reshape(-1) for part, mask in ((left, a), (right, b)))
    d, e = yield Opening(circle, "product", tuple(masked))
    products.masked_product(m, d, b, e, a, _OFFSET, circle.rank == 0)
    (opened,) = yield Opening(circle, "truncation", (m,))
    return Shared(circle, _shifted(circle, opened, high, top, bits).reshape(shape), fraction)


def multiply_long(left: Shared, right: Shared, fraction: int) -> Shared:
    """`multiply` block by block: two rounds for every two blocks."""
    bits, shape = left.fraction + right.fraction - fraction, np.broadcast_shapes(left.shape, right.shape)
    if prod(shape) <= BLOCK:
        return multiply(left, right, fraction)
    whole = [part._with(np.broadcast_to(part.words, shape)) for part in (left, right)]
    return in_blocks(whole, lambda count: multiply_kinds(count, bits), lambda x, y: multiply.steps(x, y, fraction))


@Protocol
def corrected_product(x: Shared, y: Shared, g: Shared, constant: float, asked: CorrectedProduct) -> Steps[Shared]:
    """x·g, less its lowest bits, times `constant` - y·g: a step of Newton's method in three rounds.

    48 bytes an element to each peer. `asked` says how many bits each of the three products drops; every value is
    opened once, and its mask serves all products that it is in. All flat, of one length. Each of the products
    stays below 2^62 units of its own last place before bits are dropped, and is rounded to a neighbour.
    """
    circle, first = x.circle, x.circle.rank == 0
    a, b, c, m, n, out, *dealt = circle.source.ask(asked).take()
    masked = [part.words.reshape(-1) - mask for part, mask in ((x, a), (y, b), (g, c))]
    d, e, f = yield Opening(circle, "product", masked)
    products.masked_product(m, d, c, f, a, _OFFSET, first)
    products.masked_product(n, e, c, f, b, _OFFSET, first)
    opened = yield Opening(circle, "truncation", (m, n))
    high, top, error_high, error_top, crossed, error_crossed, last_high, last_top, *both = dealt
    fraction = y.fraction + g.fraction - asked.error_bits
    products.corrected_product(
        (opened[0], opened[1]),
        (high, error_high),
        (top, error_top),
        (crossed, error_crossed),
        both[0] if both else last_high,
        (asked.bits, asked.error_bits),
        np.uint64(round(constant * 2.0**fraction)),
        _OFFSET,
        first,
        out,
    )
    (last,) = yield Opening(circle, "truncation", (out,))
    words = _shifted(circle, last, last_high, last_top, asked.last_bits)
    found = x.fraction + g.fraction - asked.bits + fraction - asked.last_bits
    return Shared(circle, words.reshape(x.shape), found)


def square(value: Shared) -> Shared:
    """Elementwise square, fraction doubled, not truncated, exact: one round, 8 bytes an element to each peer.

    The square must stay below 2^(62 - 2·fraction).
    """
    circle = value.circle
    x = value.words.reshape(-1)
    a, aa = circle.source.ask(Square(x.size)).take()
    (d,) = circle.open_words("square", x - a)
    z = aa + np.uint64(2) * d * a
    if circle.rank == 0:
        z += d * d
    return Shared(circle, z.reshape(value.shape), 2 * value.fraction)


def public_product(value: Shared, factor: Public, fraction: int = fixed.FRACTION) -> Shared:
    """Product with public numbers, fractions added, not truncated; local.

    |product| must stay below 2^(62 - both fractions): of values with 24 fractional bits, below 2^14. Exact but
    for the factor's own rounding to `fraction` bits. Raises RangeError for a factor that does not fit.
    """
    words = fixed.encode(np.asarray(factor, dtype=np.float64), fraction, "public factor")
    return Shared(value.circle, value.words * words, value.fraction + fraction)


def matrix_product(left: Shared, right: Shared) -> Shared:
    """(m, k) by (k, n), fractions added, not truncated, exact: one round, 8·(mk + kn) bytes to each peer.

    |product| must stay below 2^(62 - both fractions); sums on the way may leave the range.
    """
    circle = left.circle
    (m, k), (inner, n) = left.shape, right.shape
    if k != inner:
        raise MisuseError(f"shapes {left.shape} and {right.shape} do not multiply")
    mask = circle.source.ask(MatrixMask(m, k, -1))
    factor = circle.source.ask(MatrixProduct(mask.number, m, k, n, False, -1))
    circle.source.forget(mask.number)
    (a,) = mask.take()
    b, c = factor.take()
    d, e = circle.open_words("matrix-product", left.words - a, right.words - b)
    z = c + ring.product(d, b) + ring.product(a, e)
    if circle.rank == 0:
        z += ring.product(d, e)
    return Shared(circle, z, left.fraction + right.fraction)


def public_matrix_product(left: Shared | Real, right: Shared | Real) -> Shared:
    """A shared matrix (m, k) by a public one (k, n), or the other way round: one round, a truncation.

    |product| must stay below 2^(62 - fraction - 24); it is rounded to a neighbour, the public factor to 24 bits.
    """
    if isinstance(left, Shared):
        return public_matrix_product(np.transpose(np.asarray(right)), left.T).T
    assert isinstance(right, Shared)
    factor = np.asarray(left, dtype=np.float64)
    if factor.ndim != 2 or len(right.shape) != 2 or factor.shape[1] != right.shape[0]:
        raise MisuseError(f"shapes {factor.shape} and {right.shape} do not multiply")
    words = ring.product(fixed.encode(factor, fixed.FRACTION, "public factor"), np.ascontiguousarray(right.words))
    return rescale(Shared(right.circle, words, right.fraction + fixed.FRACTION), right.fraction)


@Protocol
def rescale(value: Shared, fraction: int, asked: Ticket | None = None) -> Steps[Shared]:
    """The same values with another number of fractional bits: local upwards, one round downwards.

    Over the whole range, |value| < 2^(62 - the larger fraction). Upwards exact; downwards rounded at random to
    one of the two neighbours, so off by less than a step of the result. `asked` is what `ask_rescale` announced
    for as many values and bits.
    """
    if fraction >= value.fraction:
        return value.scaled_up(fraction - value.fraction) if fraction > value.fraction else value
    found = yield from truncate_together.steps([value], [value.fraction - fraction], [asked] if asked else None)
    return found[0]


def ask_rescale(circle: Circle, count: int, bits: int) -> Ticket:
    """Announce a truncation of `count` values by `bits` that will come."""
    return circle.source.ask(Truncation(count, bits))


def scaled(value: Shared, factor: float, fraction: int) -> Shared:
    """`value` times a public positive factor of any magnitude, at `fraction` bits: two rounds at most.

    A power of two is taken off by reading the words with more fractional bits, the rest multiplied. |result| must
    stay below 2^(37 - fraction). Off by up to three steps of the result, and 2^-24 of it.
    """
    shift = -int(np.floor(np.log2(factor)))
    if value.fraction + shift - fraction >= fixed.HEADROOM:  # less than two steps are left of any value
        return shared_zeros(value.circle, value.shape, fraction)
    shifted = Shared(value.circle, value.words, value.fraction + shift)
    return rescale(public_product(rescale(shifted, fraction), factor * 2.0**shift), fraction)


@Protocol
def truncate_together(
    values: Sequence[Shared], bits: Sequence[int], asked: Sequence[Ticket] | None = None
) -> Steps[list[Shared]]:
    """Divide each array by 2^bits, rounding at random to a neighbour: one round for all of them.

    Exact over the whole range, |value| < 2^(62 - fraction), and 8 bytes an element to each peer.
    With x' = x + 2^62 in [0, 2^63) and c = x' + r opened, x' = c - r + 2^64·carry, and the sum wrapped just if
    the top bit of r is one and that of c is zero. So the carry is linear in the shared top bit of r.
    """
    circle = values[0].circle
    tickets = asked or [ask_rescale(circle, v.size, b) for v, b in zip(values, bits, strict=True)]
    parts = [ticket.take() for ticket in tickets]
    masked = [_masked(circle, v, r) for v, (r, _, _) in zip(values, parts, strict=True)]
    opened = yield Opening(circle, "truncation", masked)
    return [
        Shared(circle, _shifted(circle, c, high, top, b).reshape(v.shape), v.fraction - b)
        for v, c, (_, high, top), b in zip(values, opened, parts, bits, strict=True)
    ]


_OFFSET: Final = np.uint64(1 << fixed.HEADROOM)


def _masked(circle: Circle, value: Shared, r: Words) -> Words:
    words = value.words.reshape(-1) + r
    if circle.rank == 0:
        words += _OFFSET
    return words


def _shifted(circle: Circle, opened: Words, high: Words, top: Array, bits: int) -> Words:
    return products.shifted(opened, high, top, bits, 1 << fixed.HEADROOM, circle.rank == 0)
