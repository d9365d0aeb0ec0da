"""Sines and cosines in fixed point: the dealer's table, and its combination with an opened angle.

A full turn is 2^32, so that angles are elements of Z_2^32. Multiples of an angle come from the addition theorem:
one sine and one cosine an element. Elements come in blocks of 64, which the processor handles side by side.
Oracle: NumPy's sin and cos.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from unseen.computation.kernels import kernel
from unseen.computation.types import Array, Real

BLOCK = 64


def table(angles: Array, harmonics: int, fraction: int, bits: int, step: int = 1) -> Array:
    """(n, 64) angles to (n, 2·harmonics, 64), modulo 2^bits: sin(k·angle) for k = 1, 1 + step, 1 + 2·step, …,
    then the cosines."""
    out = np.empty((angles.shape[0], 2 * harmonics, BLOCK), dtype=f"u{bits // 8}")
    _table(angles, float(1 << fraction), step, out)
    return out


def combine(opened: Array, shares: Array, sines: Real, cosines: Real, fraction: int, step: int = 1) -> Array:
    """A share of sum_j sines[j]·sin(kθ) + cosines[j]·cos(kθ), k = 1 + step·j, for θ = opened - r, from shares
    of r's table.

    By the addition theorem linear in the table. (n, 64), as wide as the table; adds `fraction` bits to its own.
    """
    out = np.empty(opened.shape, dtype=shares.dtype)
    scale = float(1 << fraction)
    _combine(opened, shares, sines * scale, cosines * scale, step, out)
    return out


def _sine_of_turns(t: float) -> float:
    """sin(2πt), right to 1e-9: folded to a quarter turn, then the Taylor series."""
    t -= np.rint(t)
    quarter: float = np.copysign(min(abs(t), 0.5 - abs(t)), t)
    z = quarter * quarter
    tail = 42.058693944897654 + z * (-15.094642576822984 + z * 3.8199525848482803)
    tail = -41.341702240399755 + z * (81.60524927607504 + z * (-76.70585975306136 + z * tail))
    return quarter * (6.283185307179586 + z * tail)


_sine = njit(inline="always")(_sine_of_turns)


@kernel
def _table(angles: Array, scale: float, step: int, out: Array) -> None:
    harmonics = out.shape[1] // 2
    s1, c1, s, c = np.empty(64), np.empty(64), np.empty(64), np.empty(64)
    for i in range(out.shape[0]):
        for e in range(64):
            turns = np.int64(angles[i, e]) * 2.0**-32
            s1[e], c1[e] = _sine(turns), _sine(turns + 0.25)
            s[e], c[e] = s1[e] * scale, c1[e] * scale
            if step == 2:
                s1[e], c1[e] = 2.0 * s1[e] * c1[e], 1.0 - 2.0 * s1[e] * s1[e]
        for k in range(harmonics):
            for e in range(64):
                out[i, k, e] = np.int64(np.rint(s[e]))
                out[i, harmonics + k, e] = np.int64(np.rint(c[e]))
                s[e], c[e] = s[e] * c1[e] + c[e] * s1[e], c[e] * c1[e] - s[e] * s1[e]


@kernel
def _combine(opened: Array, shares: Array, sines: Real, cosines: Real, step: int, out: Array) -> None:
    harmonics = shares.shape[1] // 2
    s1, c1, s, c = np.empty(64), np.empty(64), np.empty(64), np.empty(64)
    total = np.empty(64, dtype=np.uint64)
    for i in range(out.shape[0]):
        for e in range(64):
            turns = np.int64(opened[i, e]) * 2.0**-32
            s1[e], c1[e] = _sine(turns), _sine(turns + 0.25)
            s[e], c[e] = s1[e], c1[e]
            if step == 2:
                s1[e], c1[e] = 2.0 * s1[e] * c1[e], 1.0 - 2.0 * s1[e] * s1[e]
            total[e] = np.uint64(0)
        for k in range(harmonics):
            a, b = sines[k], cosines[k]
            for e in range(64):
                of_cosine = np.uint64(np.int64(np.rint(a * s[e] + b * c[e])))
                of_sine = np.uint64(np.int64(np.rint(b * s[e] - a * c[e])))
                total[e] += of_cosine * shares[i, harmonics + k, e] + of_sine * shares[i, k, e]
                s[e], c[e] = s[e] * c1[e] + c[e] * s1[e], c[e] * c1[e] - s[e] * s1[e]
        for e in range(64):
            out[i, e] = total[e]
