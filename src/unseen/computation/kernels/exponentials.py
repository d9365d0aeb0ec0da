"""Falling exponentials of a mask, section by section, and their combination with an opened number.

A period of the mask is cut into sections of equal width; an element's table is e^-t, t its place within the
section it lies in, and zero for the other sections. Elements come in blocks of 64, which the processor handles
side by side. Oracle: NumPy's exp.
"""

from __future__ import annotations

import numpy as np

from unseen.computation.kernels import kernel
from unseen.computation.types import Array, Real, Words

BLOCK = 64


def table(masks: Array, sections: int, period: float, fraction: int) -> Words:
    """(n, 64) masks in Z_2^32, 2^32 being the period, to (n, sections, 64) modulo 2^64."""
    out = np.zeros((masks.shape[0], sections, BLOCK), dtype=np.uint64)
    _table(masks, sections.bit_length() - 1, period / sections, float(2.0**fraction), out)
    return out


def combine(opened: Array, shares: Words, scales: Real, offset: float, width: float) -> Words:
    """(n, 64) shares of the sum over sections s of scales[k]·e^(width·δ) times the table's section s.

    With q = opened in sections less `offset`, δ is what q lies above its floor, and k = floor(q) - s, modulo the
    number of sections.
    """
    out = np.empty(opened.shape, dtype=np.uint64)
    _combine(opened, shares, scales, offset, width, out)
    return out


@kernel
def _table(masks: Array, log_sections: int, width: float, scale: float, out: Words) -> None:
    place_bits = 32 - log_sections
    step = width * 2.0**-place_bits
    low = (np.uint64(1) << np.uint64(place_bits)) - np.uint64(1)
    for i in range(masks.shape[0]):
        for e in range(64):
            mask = np.uint64(masks[i, e])
            value = np.exp(-np.float64(np.int64(mask & low)) * step)
            out[i, np.int64(mask >> np.uint64(place_bits)), e] = np.uint64(np.int64(np.rint(value * scale)))


@kernel
def _combine(opened: Array, shares: Words, scales: Real, offset: float, width: float, out: Words) -> None:
    sections = shares.shape[1]
    step = sections * 2.0**-32
    rise, floor = np.empty(64), np.empty(64, dtype=np.int64)
    for i in range(opened.shape[0]):
        for e in range(64):
            place = np.float64(np.int64(opened[i, e])) * step - offset
            below = np.floor(place)
            rise[e] = np.exp((place - below) * width)
            floor[e] = np.int64(below)
            out[i, e] = np.uint64(0)
        for s in range(sections):
            for e in range(64):
                factor = np.uint64(np.int64(np.rint(rise[e] * scales[(floor[e] - s) & (sections - 1)])))
                out[i, e] += factor * shares[i, s, e]
