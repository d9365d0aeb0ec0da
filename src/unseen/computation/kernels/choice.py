"""Loops of sums and scalings by secret bits. Bits are packed 64 to a word, flat."""

from __future__ import annotations

import numpy as np

from unseen.computation.kernels import kernel
from unseen.computation.types import Array, Words


@kernel
def scale(opened: Words, ring: Words, products: Words, masked: Words, share: Words, out: Words) -> None:
    """out[g, c, i] = o·share[c, i] + (1 - 2o)·(ring[g, i]·masked[c, i] + products[g, c, i]), o = bit (g, i)."""
    groups, columns, rows = products.shape
    one = np.uint64(1)
    for g in range(groups):
        for c in range(columns):
            for i in range(rows):
                place = g * rows + i
                bit = (opened[place >> 6] >> np.uint64(place & 63)) & one
                value = ring[g, i] * masked[c, i] + products[g, c, i]
                sign = one - (bit << one)
                out[g, c, i] = bit * share[c, i] + sign * value


@kernel
def choose(opened: Words, ring: Array, products: Array, masked: Array, share: Array, out: Array) -> None:
    """out[i] += Σ_k o·share[k] + (1 - 2o)·(ring[k, i]·masked[k] + products[k, i]), o = bit (k, i)."""
    choices, rows = ring.shape
    one = np.uint64(1)
    for k in range(choices):
        weight, own = masked[k], share[k]
        for i in range(rows):
            place = k * rows + i
            value = ring[k, i] * weight + products[k, i]
            if (opened[place >> 6] >> np.uint64(place & 63)) & one:
                value = own - value
            out[i] += value
