"""Arithmetic in GF(2^64) and in GF(2^128) over it.

GF(2^64) is GF(2)[z] / (z^64 + z^4 + z^3 + z + 1); an element is one word, bit i the coefficient of z^i.
GF(2^128) is GF(2^64)[w] / (w^2 + w + z^{61}); an element is two words (a0, a1) for a0 + a1·w. The quadratic has
no root because the absolute trace of z^61 is 1 (Lidl & Niederreiter, Finite Fields, corollary 3.79; a test
computes it). Laid out so, the product of an element with a scalar of GF(2^64) is two word products.

Oracle of each function: the textbook's shift-and-reduce on Python integers, in the tests.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from unseen.computation.kernels import inlined, kernel
from unseen.computation.kernels.carryless import carryless
from unseen.computation.types import Words

REDUCTION: Final = 0b11011
"""z^64 as a polynomial of lower degree."""
QUADRATIC: Final = 1 << 61
"""The constant of w^2 + w + constant."""

_REDUCTION = np.uint64(REDUCTION)
_QUADRATIC = np.uint64(QUADRATIC)


@inlined
def times64(a: np.uint64, b: np.uint64) -> np.uint64:
    """The product in GF(2^64)."""
    low, high = carryless(a, b)
    folded, over = carryless(high, _REDUCTION)
    return low ^ folded ^ carryless(over, _REDUCTION)[0]


@inlined
def times128(a0: np.uint64, a1: np.uint64, b0: np.uint64, b1: np.uint64) -> tuple[np.uint64, np.uint64]:
    """The product in GF(2^128): three word products by Karatsuba, and one by the quadratic's constant."""
    low, high = times64(a0, b0), times64(a1, b1)
    middle = times64(a0 ^ a1, b0 ^ b1) ^ low
    return low ^ times64(high, _QUADRATIC), middle


@inlined
def inverse64(a: np.uint64) -> np.uint64:
    """a^(2^64 - 2): the inverse in GF(2^64), 0 for 0."""
    result, power = np.uint64(1), a
    for _ in range(63):
        power = times64(power, power)
        result = times64(result, power)
    return result


@kernel
def multiply(left: Words, right: Words, out: Words) -> None:
    """out[i] = left[i]·right[i] in GF(2^128); all (n, 2)."""
    for i in range(out.shape[0]):
        out[i, 0], out[i, 1] = times128(left[i, 0], left[i, 1], right[i, 0], right[i, 1])


@kernel
def add_scaled(scalars: Words, factor: Words, out: Words) -> None:
    """out[i] += scalars[i]·factor: scalars (n,) of GF(2^64), factor (2,) and out (n, 2) of GF(2^128)."""
    f0, f1 = factor[0], factor[1]
    for i in range(out.shape[0]):
        scalar = scalars[i]
        out[i, 0] ^= times64(scalar, f0)
        out[i, 1] ^= times64(scalar, f1)


@kernel
def polynomial(point: Words, coefficients: Words, out: Words) -> None:
    """Evaluate at `point` (2,) the polynomial with these coefficients (n, 1 or 2), highest first, into out (2,).

    Coefficients of one word are scalars of GF(2^64). Eight interleaved Horner sums hide the latency.
    """
    count, wide = coefficients.shape
    power0, power1 = point[0], point[1]
    for _ in range(3):
        power0, power1 = times128(power0, power1, power0, power1)
    sums = np.zeros((8, 2), dtype=np.uint64)
    lead = count % 8
    s0, s1 = np.uint64(0), np.uint64(0)
    for i in range(lead):
        s0, s1 = times128(s0, s1, point[0], point[1])
        s0 ^= coefficients[i, 0]
        if wide == 2:
            s1 ^= coefficients[i, 1]
    sums[7, 0], sums[7, 1] = s0, s1
    for i in range(lead, count, 8):
        for lane in range(8):
            t0, t1 = times128(sums[lane, 0], sums[lane, 1], power0, power1)
            t0 ^= coefficients[i + lane, 0]
            if wide == 2:
                t1 ^= coefficients[i + lane, 1]
            sums[lane, 0], sums[lane, 1] = t0, t1
    s0, s1 = np.uint64(0), np.uint64(0)
    for lane in range(8):
        s0, s1 = times128(s0, s1, point[0], point[1])
        s0 ^= sums[lane, 0]
        s1 ^= sums[lane, 1]
    out[0], out[1] = s0, s1
