"""Loops over packed bits: products of masks, formulas on opened bits, nibbles of opened words.

64 bits to a word: bit b of word w belongs to element 64·w + b. Oracles in the tests: NumPy on unpacked bits.
"""

from __future__ import annotations

import numpy as np

from unseen.computation.kernels import kernel
from unseen.computation.types import Array, Index, Words

NIBBLES = 16
_DIFFERENCES = np.array(
    [[sum((((c - v) >> b) & 1) << v for v in range(NIBBLES)) for b in range(4)] for c in range(NIBBLES)],
    dtype=np.uint64,
)
"""(16, 4): of which v, as bits of a word, the difference c - v modulo 16 has bit b."""


def mask_products(masks: Words, subsets: Index) -> Words:
    """(n, k) masks to (n, m): the AND over each subset of columns, given as bit masks."""
    out = np.empty((masks.shape[0], len(subsets)), dtype=np.uint64)
    _mask_products(masks, subsets, out)
    return out


def evaluate(opened: Words, masks: Words, products: Words, terms: Index, outputs: int, first: bool) -> Words:
    """A share of a formula's outputs, (n, outputs): XOR over terms of opened set times shared mask product."""
    out = np.zeros((opened.shape[0], outputs), dtype=np.uint64)
    _evaluate(opened, masks, products, terms, np.uint64(0xFFFFFFFFFFFFFFFF if first else 0), out)
    return out


def thermometers(words: Words) -> Words:
    """(n,) to (n, 4): for each of the 16 nibbles v, lowest first, 16 bits of which bit k says v > k."""
    out = np.empty((words.shape[0], 4), dtype=np.uint64)
    _thermometers(words, out)
    return out


def compare_nibbles(opened: Words, tables: Words, first: bool, signed: bool) -> tuple[Words, Words]:
    """Shares, (k, ceil(n/64)) each: whether r's nibble is greater than the opened word's, and whether equal.

    `tables` (n, k/4) is a share of the thermometers of r, of k <= 16 nibbles. If `signed`, the highest nibble is
    compared without its top bit, and its "greater" is XORed with both top bits: chained, that gives the sign of
    opened - r.
    """
    lanes = np.ascontiguousarray(tables).view(np.uint16).reshape(len(tables), 4 * tables.shape[1])
    return compare_lanes(opened, lanes, first, signed)


def compare_lanes(opened: Words, lanes: Array, first: bool, signed: bool) -> tuple[Words, Words]:
    """`compare_nibbles` with the thermometers of k nibbles as (n, k) of 16 bits."""
    words = -(-opened.shape[0] // 64)
    greater = np.zeros((lanes.shape[1], words), dtype=np.uint64)
    equal = np.zeros((lanes.shape[1], words), dtype=np.uint64)
    _compare_nibbles(opened, lanes, np.uint64(1 if first else 0), signed, greater, equal)
    return greater, equal


def compare_planes(opened: Words, planes: Array, first: bool, signed: bool) -> tuple[Words, Words]:
    """`compare_lanes` with the thermometers of each nibble in a row, (k, n): five times as fast."""
    words = -(-opened.shape[0] // 64)
    greater = np.zeros((planes.shape[0], words), dtype=np.uint64)
    equal = np.zeros((planes.shape[0], words), dtype=np.uint64)
    _compare_planes(opened, planes, np.uint64(1 if first else 0), signed, greater, equal)
    return greater, equal


def subtract_nibbles(opened: Words, tables: Words, first: bool) -> tuple[Words, Words]:
    """Shares, (n,) each: opened - r nibble by nibble, none borrowing from the next; and what changes in it where
    every nibble has lent one. `tables` (n, 4) is a share of the thermometers of r."""
    lanes = np.ascontiguousarray(tables).view(np.uint16).reshape(len(tables), NIBBLES)
    plain, changed = np.empty_like(opened), np.empty_like(opened)
    _subtract_nibbles(opened, lanes, np.uint64(1 if first else 0), _DIFFERENCES, plain, changed)
    return plain, changed


def spread_nibbles(planes: Words, count: int) -> Words:
    """(16, ceil(n/64)) bits, one a nibble, to (n,) words in which all four bits of a nibble are that bit."""
    out = np.empty(count, dtype=np.uint64)
    _spread_nibbles(planes, out)
    return out


def flip(opened: Words, ring: Words, first: bool) -> Words:
    """A share of the bit opened XOR b from a share of b in the ring, (n, 64): b where 0 was opened, else 1 - b."""
    out = np.empty_like(ring)
    _flip(opened, ring, np.uint64(1 if first else 0), out)
    return out


def select(opened: Words, ring: Words, products: Words, masked: Words, share: Words) -> Words:
    """A share of (opened XOR b)·d, (n, 64), from shares of b, b·a and d, and d - a opened."""
    out = np.empty_like(ring)
    _select(opened, ring, products, masked, share, out)
    return out


def pack(bits: Array) -> Words:
    """(n,) zeros and ones to (ceil(n/64),) words."""
    padded = np.zeros(-(-bits.shape[0] // 64) * 64, dtype=np.uint8)
    padded[: bits.shape[0]] = bits
    return np.packbits(padded, bitorder="little").view(np.uint64)


def unpack(words: Words, count: int) -> Array:
    """(m,) words to (count,) zeros and ones of 8 bits."""
    return np.unpackbits(words.view(np.uint8), count=count, bitorder="little")


@kernel
def _mask_products(masks: Words, subsets: Index, out: Words) -> None:
    width = masks.shape[1]
    for i in range(masks.shape[0]):
        for j in range(subsets.shape[0]):
            product = np.uint64(0xFFFFFFFFFFFFFFFF)
            for k in range(width):
                if (subsets[j] >> k) & 1:
                    product &= masks[i, k]
            out[i, j] = product


@kernel
def _evaluate(opened: Words, masks: Words, products: Words, terms: Index, first: np.uint64, out: Words) -> None:
    width = opened.shape[1]
    sets = np.empty(1 << width, dtype=np.uint64)
    sets[0] = np.uint64(0xFFFFFFFFFFFFFFFF)
    for i in range(opened.shape[0]):
        for k in range(width):
            for s in range(1 << k):
                sets[(1 << k) + s] = sets[s] & opened[i, k]
        for t in range(terms.shape[0]):
            which = terms[t, 2]
            if which < 0:
                share = first
            elif which < width:
                share = masks[i, which]
            else:
                share = products[i, which - width]
            out[i, terms[t, 0]] ^= sets[terms[t, 1]] & share


@kernel
def _thermometers(words: Words, out: Words) -> None:
    one = np.uint64(1)
    for i in range(words.shape[0]):
        word = words[i]
        for q in range(4):
            packed = np.uint64(0)
            for j in range(4):
                value = (word >> np.uint64(16 * q + 4 * j)) & np.uint64(15)
                packed |= ((one << value) - one) << np.uint64(16 * j)
            out[i, q] = packed


@kernel
def _compare_nibbles(
    opened: Words, tables: Array, first: np.uint64, signed: bool, greater: Words, equal: Words
) -> None:
    one, low, half = np.uint64(1), np.uint64(15), np.uint64(7)
    nibbles, top_place = tables.shape[1], tables.shape[1] - 1
    above = np.empty(16, dtype=np.uint64)
    same = np.empty(16, dtype=np.uint64)
    for w in range(greater.shape[1]):
        for j in range(nibbles):
            above[j] = np.uint64(0)
            same[j] = np.uint64(0)
        start = 64 * w
        for b in range(min(64, opened.shape[0] - start)):
            word = opened[start + b]
            bit = np.uint64(b)
            for j in range(nibbles):
                nibble = (word >> np.uint64(4 * j)) & low
                # Bit k+1 of `table` says "greater than k", bit 0 the truth "greater than -1".
                table = ((np.uint64(tables[start + b, j]) << one) | first) >> nibble
                above[j] |= ((table >> one) & one) << bit
                same[j] |= ((table ^ (table >> one)) & one) << bit
            if signed:
                nibble = (word >> np.uint64(4 * top_place)) & low
                table = (np.uint64(tables[start + b, top_place]) << one) | first
                near, far = table >> (nibble & half), table >> ((nibble & half) + np.uint64(8))
                top = (nibble >> np.uint64(3)) & first
                clear = ~(one << bit)
                unlike, level = near ^ far, near ^ (near >> one) ^ far ^ (far >> one)
                above[top_place] = (above[top_place] & clear) | (((unlike >> one) & one ^ top) << bit)
                same[top_place] = (same[top_place] & clear) | ((level & one) << bit)
        for j in range(nibbles):
            greater[j, w] = above[j]
            equal[j, w] = same[j]


@kernel
def _compare_planes(
    opened: Words, planes: Array, first: np.uint64, signed: bool, greater: Words, equal: Words
) -> None:
    one, low, half = np.uint64(1), np.uint64(15), np.uint64(7)
    count, top_place = opened.shape[0], planes.shape[0] - 1
    for w in range(greater.shape[1]):
        start = 64 * w
        here = min(64, count - start)
        for j in range(planes.shape[0]):
            place = np.uint64(4 * j)
            above, same = np.uint64(0), np.uint64(0)
            if signed and j == top_place:
                for b in range(here):
                    nibble = (opened[start + b] >> place) & low
                    table = (np.uint64(planes[j, start + b]) << one) | first
                    near, far = table >> (nibble & half), table >> ((nibble & half) + np.uint64(8))
                    unlike, level = near ^ far, near ^ (near >> one) ^ far ^ (far >> one)
                    above |= ((unlike >> one) & one ^ ((nibble >> np.uint64(3)) & first)) << np.uint64(b)
                    same |= (level & one) << np.uint64(b)
            else:
                for b in range(here):
                    table = ((np.uint64(planes[j, start + b]) << one) | first) >> (
                        (opened[start + b] >> place) & low
                    )
                    above |= ((table >> one) & one) << np.uint64(b)
                    same |= ((table ^ (table >> one)) & one) << np.uint64(b)
            greater[j, w] = above
            equal[j, w] = same


@kernel
def _subtract_nibbles(
    opened: Words, lanes: Array, first: np.uint64, differences: Words, plain: Words, changed: Words
) -> None:
    one, low = np.uint64(1), np.uint64(15)
    for i in range(opened.shape[0]):
        without, change = np.uint64(0), np.uint64(0)
        for j in range(16):
            nibble = (opened[i] >> np.uint64(4 * j)) & low
            # Bit v of `table` says "greater than v - 1": it differs from the next where r's nibble is v.
            table = (np.uint64(lanes[i, j]) << one) | first
            hot = (table ^ (table >> one)) & np.uint64(0xFFFF)
            for b in range(4):
                straight, lent = hot & differences[nibble, b], hot & differences[(nibble - one) & low, b]
                lent ^= straight
                for s in (8, 4, 2, 1):
                    straight ^= straight >> np.uint64(s)
                    lent ^= lent >> np.uint64(s)
                without |= (straight & one) << np.uint64(4 * j + b)
                change |= (lent & one) << np.uint64(4 * j + b)
        plain[i], changed[i] = without, change


@kernel
def _spread_nibbles(planes: Words, out: Words) -> None:
    for i in range(out.shape[0]):
        word = np.uint64(0)
        for j in range(16):
            word |= ((planes[j, i >> 6] >> np.uint64(i & 63)) & np.uint64(1)) << np.uint64(4 * j)
        out[i] = word * np.uint64(15)


@kernel
def _flip(opened: Words, ring: Words, first: np.uint64, out: Words) -> None:
    for i in range(opened.shape[0]):
        word = opened[i]
        for b in range(64):
            value = ring[i, b]
            out[i, b] = first - value if (word >> np.uint64(b)) & np.uint64(1) else value


@kernel
def _select(opened: Words, ring: Words, products: Words, masked: Words, share: Words, out: Words) -> None:
    for i in range(opened.shape[0]):
        word = opened[i]
        for b in range(64):
            value = ring[i, b] * masked[i, b] + products[i, b]
            out[i, b] = share[i, b] - value if (word >> np.uint64(b)) & np.uint64(1) else value
