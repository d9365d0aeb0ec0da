"""Loops over binary digits in planes: word w of plane j holds digit j of the numbers of rows 64·w … 64·w + 63.

Oracles in the tests: NumPy on unpacked bits and whole numbers.
"""

from __future__ import annotations

import numpy as np

from unseen.computation.kernels import inlined, kernel
from unseen.computation.types import Array, Words

_TILE = 128  # words of a plane worked on at a time: 17 or 33 planes of them stay in the first-level cache


@kernel
def choose(bits: Words, words: Array, out: Words) -> None:
    """out[t, j] ^= XOR over l of bits[t, l] where digit j of words[t, l] is one. As long whatever they are."""
    tables, choices, rows = bits.shape
    for t in range(tables):
        for start in range(0, rows, _TILE):
            end = min(start + _TILE, rows)
            for j in range(out.shape[1]):
                # One-dimensional views: the inner loop is then compiled to vector instructions.
                target = out[t, j, start:end]
                for k in range(0, choices - 3, 4):
                    m0, m1 = _digit(words[t, k], j), _digit(words[t, k + 1], j)
                    m2, m3 = _digit(words[t, k + 2], j), _digit(words[t, k + 3], j)
                    b0, b1 = bits[t, k, start:end], bits[t, k + 1, start:end]
                    b2, b3 = bits[t, k + 2, start:end], bits[t, k + 3, start:end]
                    for i in range(end - start):
                        target[i] ^= (b0[i] & m0) ^ (b1[i] & m1) ^ (b2[i] & m2) ^ (b3[i] & m3)
                for k in range(choices - choices % 4, choices):
                    m0, b0 = _digit(words[t, k], j), bits[t, k, start:end]
                    for i in range(end - start):
                        target[i] ^= b0[i] & m0


@inlined
def _digit(word: int, place: int) -> np.uint64:
    """All ones if the digit at that place is one, else zero."""
    return np.uint64(0) - ((np.uint64(word) >> np.uint64(place)) & np.uint64(1))


@kernel
def mask_adders(planes: Words, left: Words, right: Words, out_left: Words, out_right: Words) -> None:
    """What full adders on numbers g, n + g and 2n + g open: (first ^ third) ^ left, (second ^ third) ^ right."""
    adders, digits, rows = left.shape
    for g in range(adders):
        for j in range(digits):
            for i in range(rows):
                third = planes[2 * adders + g, j, i]
                out_left[g, j, i] = planes[g, j, i] ^ third ^ left[g, j, i]
                out_right[g, j, i] = planes[adders + g, j, i] ^ third ^ right[g, j, i]


@kernel
def add_carries(
    planes: Words,
    opened: tuple[Words, Words],
    masks: tuple[Words, Words],
    products: Words,
    first: bool,
    out: Words,
) -> None:
    """Sums of n adders into out[:n], their carries, one place higher, into out[n:2n]; the rest as it is.

    The carry of a, b, c is c ^ (a ^ c)(b ^ c), the product as Beaver's. The highest digit's carry is dropped.
    """
    left, right = opened
    mask_left, mask_right = masks
    adders, digits, rows = left.shape
    public = np.uint64(0) - np.uint64(1 if first else 0)
    for g in range(adders):
        for i in range(rows):
            out[adders + g, 0, i] = np.uint64(0)
        for j in range(digits + 1):
            for i in range(rows):
                out[g, j, i] = planes[g, j, i] ^ planes[adders + g, j, i] ^ planes[2 * adders + g, j, i]
        for j in range(digits):
            for i in range(rows):
                d, e = left[g, j, i], right[g, j, i]
                out[adders + g, j + 1, i] = (
                    planes[2 * adders + g, j, i]
                    ^ products[g, j, i]
                    ^ (d & (mask_right[g, j, i] ^ (e & public)))
                    ^ (e & mask_left[g, j, i])
                )
    for g in range(3 * adders, planes.shape[0]):
        for j in range(digits + 1):
            for i in range(rows):
                out[g - adders, j, i] = planes[g, j, i]


@kernel
def sum_planes(opened: Words, ring: Array, first: bool, out: Array) -> None:
    """out[i] += Σ over planes of 2^j times a share of the bit opened XOR b, from shares `ring` of b in the ring.

    `opened` (numbers, digits, words), `ring` (numbers · digits · words, 64), `out` (64 · words,).
    """
    numbers, digits, words = opened.shape
    one, public = np.uint64(1), np.uint64(1 if first else 0)
    for q in range(numbers):
        for j in range(digits):
            place = np.uint64(j)
            for w in range(words):
                word = opened[q, j, w]
                for b in range(64):
                    flipped = np.uint64(0) - ((word >> np.uint64(b)) & one)
                    value = np.uint64(ring[(q * digits + j) * words + w, b])
                    out[64 * w + b] += ((value ^ flipped) - flipped + (flipped & public)) << place


@kernel
def at_most(bins: Array, threshold: int, lost: int, out: Words) -> None:
    """Bit i of `out` (packed): whether bins[i] is at most the threshold, or is `lost`."""
    count = bins.shape[0]
    for w in range(out.shape[0]):
        start = 64 * w
        word = np.uint64(0)
        for b in range(min(64, count - start)):
            place = bins[start + b]
            word |= np.uint64((place <= threshold) | (place == lost)) << np.uint64(b)
        out[w] = word
