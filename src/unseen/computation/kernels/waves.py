"""Sines and cosines in fixed point: the dealer's table, and its combination with an opened angle.

For r in Z_2^64, the angle is 2π (r mod 2^period_bits) / 2^period_bits. Multiples of an angle come from the
addition theorem, so that a row costs one sine and one cosine. Oracle: NumPy's sin and cos.
"""

from __future__ import annotations

import math

import numpy as np

from unseen.computation.kernels import kernel
from unseen.computation.types import Real, Words


def table(words: Words, harmonics: int, period_bits: int, fraction: int) -> Words:
    """(n,) words to (n, 2·harmonics): sin(k·angle) for k = 1.., then cos(k·angle), with `fraction` bits."""
    out = np.empty((words.shape[0], 2 * harmonics), dtype=np.uint64)
    _table(words, period_bits, float(1 << fraction), out)
    return out


def combine(opened: Words, shares: Words, weights: Real, period_bits: int, fraction: int) -> Words:
    """A share of sum_k weights[k]·sin(k·(opened - r)) from shares of r's table, (n,).

    sin(k(c - r)) = sin(kc)·cos(kr) - cos(kc)·sin(kr), linear in the table. Adds `fraction` bits.
    """
    out = np.empty(opened.shape[0], dtype=np.uint64)
    _combine(opened, shares, weights * float(1 << fraction), period_bits, out)
    return out


@kernel
def _table(words: Words, period_bits: int, scale: float, out: Words) -> None:
    harmonics = out.shape[1] // 2
    mask = (np.uint64(1) << np.uint64(period_bits)) - np.uint64(1)
    step = 2.0 * math.pi / 2.0**period_bits
    for i in range(words.shape[0]):
        angle = np.int64(words[i] & mask) * step
        s1, c1 = math.sin(angle), math.cos(angle)
        s, c = s1, c1
        for k in range(harmonics):
            out[i, k] = np.uint64(np.int64(np.rint(s * scale)))
            out[i, harmonics + k] = np.uint64(np.int64(np.rint(c * scale)))
            s, c = s * c1 + c * s1, c * c1 - s * s1


@kernel
def _combine(opened: Words, shares: Words, weights: Real, period_bits: int, out: Words) -> None:
    harmonics = shares.shape[1] // 2
    mask = (np.uint64(1) << np.uint64(period_bits)) - np.uint64(1)
    step = 2.0 * math.pi / 2.0**period_bits
    for i in range(opened.shape[0]):
        angle = np.int64(opened[i] & mask) * step
        s1, c1 = math.sin(angle), math.cos(angle)
        s, c = s1, c1
        total = np.uint64(0)
        for k in range(harmonics):
            total += np.uint64(np.int64(np.rint(weights[k] * s))) * shares[i, harmonics + k]
            total -= np.uint64(np.int64(np.rint(weights[k] * c))) * shares[i, k]
            s, c = s * c1 + c * s1, c * c1 - s * s1
        out[i] = total
