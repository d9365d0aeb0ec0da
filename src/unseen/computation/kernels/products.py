"""Loops that end a product, a truncation or a lifting on shares, in one pass over memory each.

Words are flat, of Z_2^64 or Z_2^32. Oracle of each: the NumPy expression in its docstring.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from unseen.computation.kernels import kernel
from unseen.computation.types import Array, Words


@kernel
def finish_product(c: Array, d: Array, b: Array, e: Array, a: Array, first: bool) -> None:
    """c += d*b + e*a, and d*e where `first`."""
    if first:
        for i in range(c.shape[0]):
            c[i] += d[i] * (b[i] + e[i]) + e[i] * a[i]
    else:
        for i in range(c.shape[0]):
            c[i] += d[i] * b[i] + e[i] * a[i]


@kernel
def masked_product(m: Words, d: Words, b: Words, e: Words, a: Words, offset: np.uint64, first: bool) -> None:
    """m += d*b + e*a, and d*e + offset where `first`."""
    if first:
        for i in range(m.shape[0]):
            m[i] += d[i] * (b[i] + e[i]) + e[i] * a[i] + offset
    else:
        for i in range(m.shape[0]):
            m[i] += d[i] * b[i] + e[i] * a[i]


def split_mask(a: Words, b: Words, m: Words, bits: int, narrow: np.dtype[Any]) -> tuple[Words, Array]:
    """(m - a*b) >> bits, and the top bit of m - a*b as `narrow`."""
    high, top = np.empty_like(m), np.empty(m.shape, dtype=narrow)
    _split_mask(a, b, m, np.uint64(bits), high, top)
    return high, top


@kernel
def _split_mask(a: Words, b: Words, m: Words, bits: np.uint64, high: Words, top: Array) -> None:
    last = np.uint64(63)
    for i in range(m.shape[0]):
        r = m[i] - a[i] * b[i]
        high[i] = r >> bits
        top[i] = r >> last


def shifted(opened: Array, high: Array, top: Array, bits: int, offset: int, first: bool) -> Array:
    """A share of (value + offset) >> bits, less offset >> bits, where opened = value + offset + r.

    From shares of r >> bits (`high`) and of r's top bit (`top`): where(opened's top bit, 0, top) raised to its
    place, less `high`, plus the public part where `first`. In the ring of `high`, not smaller than
    that of `opened`.
    """
    out = np.empty(opened.shape, dtype=high.dtype)
    width = 8 * opened.dtype.itemsize
    low = np.uint64((1 << width) - 1 if width < 64 else 2**64 - 1)
    _shifted(opened, high, top, width, bits, low, np.uint64(offset >> bits), first, out)
    return out


def lifted(opened: Array, mask: Array, carry: Array, top: Array, offset: int, first: bool) -> Words:
    """As `shifted` by no bits, from Z_2^32 to Z_2^64, where r = sum of all `mask` - 2^32 * sum of all `carry`."""
    out = np.empty(opened.shape, dtype=np.uint64)
    _lifted(opened, mask, carry, top, np.uint64(offset), first, out)
    return out


@kernel
def _lifted(
    opened: Array, mask: Array, carry: Array, top: Array, offset: np.uint64, first: bool, out: Words
) -> None:
    place, last, one = np.uint64(32), np.uint64(31), np.uint64(1)
    for i in range(out.shape[0]):
        word = np.uint64(opened[i])
        keep = (word >> last) - one
        value = (((np.uint64(top[i]) & keep) + np.uint64(carry[i])) << place) - np.uint64(mask[i])
        if first:
            value += word - offset
        out[i] = value


@kernel
def _shifted(
    opened: Array,
    high: Array,
    top: Array,
    width: int,
    bits: int,
    low: np.uint64,
    offset: np.uint64,
    first: bool,
    out: Array,
) -> None:
    place, last, down = np.uint64(width - bits), np.uint64(width - 1), np.uint64(bits)
    one = np.uint64(1)
    for i in range(out.shape[0]):
        word = np.uint64(opened[i]) & low
        # All ones where the top bit of the opened word is zero: a multiplication would do, but a mask is cheaper.
        keep = (word >> last) - one
        value = ((np.uint64(top[i]) & keep) << place) - np.uint64(high[i])
        if first:
            value += (word >> down) - offset
        out[i] = value


@kernel
def corrected_product(
    opened: tuple[Words, Words],
    high: tuple[Words, Words],
    top: tuple[Array, Array],
    crossed: tuple[Array, Array],
    tops: Words,
    bits: tuple[int, int],
    constant: np.uint64,
    offset: np.uint64,
    first: bool,
    out: Words,
) -> None:
    """out += shares of (u >> bits[0])*(constant - (v >> bits[1])), less the product of the parts in `high`.

    u + offset + r and v + offset + s are opened; of r and s shares: r >> bits (`high`), the top bit (`top`), and
    each one's top bit times the other's high part (`crossed`), and both top bits' product (`tops`) where
    bits[0] + bits[1] > 64, beyond which it would not count. The public part, and `offset`, where `first`.
    """
    one, last = np.uint64(1), np.uint64(63)
    down, down2 = np.uint64(bits[0]), np.uint64(bits[1])
    place, place2 = np.uint64(64 - bits[0]), np.uint64(64 - bits[1])
    beyond, both = bits[0] + bits[1] > 64, np.uint64((128 - bits[0] - bits[1]) & 63)
    for i in range(out.shape[0]):
        u, v = opened[0][i], opened[1][i]
        # All ones where the top bit of the opened word is zero, as in `_shifted`.
        keep, keep2 = (u >> last) - one, (v >> last) - one
        left = (u >> down) - (offset >> down)
        right = constant - (v >> down2) + (offset >> down2)
        mask = high[0][i] - ((np.uint64(top[0][i]) & keep) << place)
        mask2 = high[1][i] - ((np.uint64(top[1][i]) & keep2) << place2)
        value = left * mask2 - right * mask
        value += ((np.uint64(crossed[0][i]) & keep) << place) + ((np.uint64(crossed[1][i]) & keep2) << place2)
        if beyond:
            value -= (tops[i] & keep & keep2) << both
        if first:
            value += left * right + offset
        out[i] += value
