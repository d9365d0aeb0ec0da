"""SHA-256 of many short values at once, each behind the same whole blocks: what HMAC over a column needs.

Source: FIPS 180-4, sections 5.1.1 (padding) and 6.2.2 (the compression function). The blocks before a value are
compressed once, not once a value; sixty-four values go side by side, so that each step of a round is a loop over a
row of words, which the compiler turns into vector instructions. Oracle: `hashlib`.
"""

from __future__ import annotations

from math import isqrt
from typing import Any, Final

import numpy as np
from numba import njit
from numba import uint32 as word
from numpy.typing import NDArray

from unseen.data.protect.kernel import kernel
from unseen.data.protect.text import Bytes, Numbers

BLOCK: Final = 64
DIGEST: Final = 32
_LANES: Final = 64
Words = NDArray[np.uint32]

_PRIMES: Final = [n for n in range(2, 312) if all(n % d for d in range(2, isqrt(n) + 1))]


def _fraction(prime: int, root: int) -> int:
    """The first 32 bits of the fraction of a prime's square or cube root, by whole numbers."""
    scaled, low, high = prime << (32 * root), 0, prime << 32
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if middle**root <= scaled else (low, middle)
    return low & 0xFFFFFFFF


START: Final[Words] = np.array([_fraction(prime, 2) for prime in _PRIMES[:8]], np.uint32)
_ROUNDS: Final[Words] = np.array([_fraction(prime, 3) for prime in _PRIMES], np.uint32)


def after(blocks: bytes) -> Words:
    """The state (8,) after whole blocks, at least one."""
    state = np.repeat(START[:, np.newaxis], _LANES, axis=1)
    schedule = np.empty((BLOCK, _LANES), np.uint32)
    for start in range(0, len(blocks), BLOCK):
        octets = np.frombuffer(blocks[start : start + BLOCK], np.uint8)
        for lane in range(_LANES):
            _load(octets, schedule, lane)
        _compress(state, schedule, np.full(_LANES, 1, np.int64), 0)
    return np.ascontiguousarray(state[:, 0])


def digests(before: Words, blocks: int, data: Bytes, offsets: Numbers) -> Bytes:
    """The digests (rows, 32) of values, each behind `blocks` blocks that left the state `before`."""
    out = np.empty((len(offsets) - 1, DIGEST), np.uint8)
    _digests(before, blocks * BLOCK, np.ascontiguousarray(data), offsets, out)
    return out


@kernel
def _digests(before: Words, ahead: int, data: Bytes, offsets: Numbers, out: Bytes) -> None:
    state, schedule = np.empty((8, _LANES), np.uint32), np.zeros((64, _LANES), np.uint32)
    blocks, padded = np.zeros(_LANES, np.int64), np.empty(BLOCK, np.uint8)
    rows = len(offsets) - 1
    for group in range(0, rows, _LANES):
        lanes = min(_LANES, rows - group)
        blocks[:] = 0
        for lane in range(lanes):  # a 1 bit and the length of 8 bytes come after the value
            blocks[lane] = (offsets[group + lane + 1] - offsets[group + lane] + 9 + BLOCK - 1) // BLOCK
        for place in range(8):
            state[place] = before[place]
        for block in range(blocks.max()):
            for lane in range(lanes):
                if block < blocks[lane]:
                    start, stop = offsets[group + lane], offsets[group + lane + 1]
                    _pad(data[start:stop], ahead, block, padded)
                    _load(padded, schedule, lane)
            _compress(state, schedule, blocks, block)
        for lane in range(lanes):
            for at in range(DIGEST):
                out[group + lane, at] = (state[at >> 2, lane] >> word(8 * (3 - (at & 3)))) & word(255)


@kernel
def _pad(value: Bytes, ahead: int, block: int, out: Bytes) -> None:
    """One block of the padded value: its bytes, a 1 bit, zeros, and at the end how many bits there are in all."""
    first = block * BLOCK
    there = min(max(len(value) - first, 0), BLOCK)
    for at in range(there):
        out[at] = value[first + at]
    for at in range(there, BLOCK):
        out[at] = 0
    if first <= len(value) < first + BLOCK:
        out[there] = 0x80
    if len(value) + 9 <= first + BLOCK:
        bits = np.uint64(8 * (ahead + len(value)))
        for at in range(8):
            out[BLOCK - 1 - at] = (bits >> np.uint64(8 * at)) & np.uint64(255)


@kernel
def _load(block: Bytes, schedule: Words, lane: int) -> None:
    """The sixteen words of a block into one lane."""
    for t in range(16):
        high = (word(block[4 * t]) << word(24)) | (word(block[4 * t + 1]) << word(16))
        schedule[t, lane] = high | (word(block[4 * t + 2]) << word(8)) | word(block[4 * t + 3])


@njit(inline="always")  # type: ignore[untyped-decorator]
def _turned(x: Any, by: int) -> Any:
    return word((x >> word(by)) | (x << word(32 - by)))


@njit(inline="always")  # type: ignore[untyped-decorator]
def _round(s: Words, a: int, b: int, c: int, d: int, e: int, f: int, g: int, h: int, w: Words, t: int) -> None:
    """One round in all lanes: rows a to h of `s` are the working variables, which the caller renames."""
    for i in range(_LANES):
        x, y = s[e, i], s[a, i]
        chosen, most = (x & s[f, i]) ^ (~x & s[g, i]), (y & s[b, i]) ^ (y & s[c, i]) ^ (s[b, i] & s[c, i])
        first = word(s[h, i] + (_turned(x, 6) ^ _turned(x, 11) ^ _turned(x, 25)) + chosen + _ROUNDS[t] + w[t, i])
        s[d, i] += first
        s[h, i] = word(first + (_turned(y, 2) ^ _turned(y, 13) ^ _turned(y, 22)) + most)


@kernel
def _compress(state: Words, w: Words, blocks: Numbers, block: int) -> None:
    """One block a lane, its words in the first sixteen rows of `w` (64, lanes); lanes that have ended stay."""
    s = np.empty((8, _LANES), np.uint32)
    for t in range(16, 64):
        for i in range(_LANES):
            x, y = w[t - 15, i], w[t - 2, i]
            small = _turned(x, 7) ^ _turned(x, 18) ^ (x >> word(3))
            large = _turned(y, 17) ^ _turned(y, 19) ^ (y >> word(10))
            w[t, i] = word(w[t - 16, i] + small + w[t - 7, i] + large)
    for place in range(8):
        for i in range(_LANES):
            s[place, i] = state[place, i]
    for t in range(0, 64, 8):
        _round(s, 0, 1, 2, 3, 4, 5, 6, 7, w, t)
        _round(s, 7, 0, 1, 2, 3, 4, 5, 6, w, t + 1)
        _round(s, 6, 7, 0, 1, 2, 3, 4, 5, w, t + 2)
        _round(s, 5, 6, 7, 0, 1, 2, 3, 4, w, t + 3)
        _round(s, 4, 5, 6, 7, 0, 1, 2, 3, w, t + 4)
        _round(s, 3, 4, 5, 6, 7, 0, 1, 2, w, t + 5)
        _round(s, 2, 3, 4, 5, 6, 7, 0, 1, w, t + 6)
        _round(s, 1, 2, 3, 4, 5, 6, 7, 0, w, t + 7)
    for place in range(8):
        for i in range(_LANES):
            if block < blocks[i]:
                state[place, i] += s[place, i]
