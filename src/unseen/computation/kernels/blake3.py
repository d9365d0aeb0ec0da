"""Keyed BLAKE3 of many short keys at once, straight over Arrow's buffers.

BLAKE3 (O'Connor, Aumasson, Neves, Wilcox-O'Hearn, 2020), keyed mode, 32 bytes of output, for inputs of at most
one block (64 bytes); sixteen inputs go through the compression function side by side, a vector lane each.
Longer inputs are left to the reference implementation by the caller. Oracle: the package `blake3`, and its
published test vectors.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from unseen.computation.kernels import inlined, kernel
from unseen.computation.types import Index

BLOCK: Final = 64
_LANES: Final = 16
_FLAGS: Final = 1 | 2 | 8 | 16  # first and last block of the only chunk, root, keyed

_IV = np.array([0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A], dtype=np.uint32)
_PERMUTATION = (2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8)


def _schedule() -> NDArray[np.int64]:
    """Which message word goes where in each of the seven rounds."""
    rounds = [list(range(16))]
    for _ in range(6):
        rounds.append([rounds[-1][place] for place in _PERMUTATION])
    return np.array(rounds, dtype=np.int64)


_SCHEDULE = _schedule()
# Columns, then diagonals, of the 4 by 4 state.
_MIXES = np.array(
    [
        [0, 4, 8, 12], [1, 5, 9, 13], [2, 6, 10, 14], [3, 7, 11, 15],
        [0, 5, 10, 15], [1, 6, 11, 12], [2, 7, 8, 13], [3, 4, 9, 14],
    ],
    dtype=np.int64,
)  # fmt: skip

Octets = NDArray[np.uint8]
Words32 = NDArray[np.uint32]


@inlined
def _rotated(word: np.uint32, by: int) -> np.uint32:
    return np.uint32((word >> np.uint32(by)) | (word << np.uint32(32 - by)))


@kernel
def _mix(a: Words32, b: Words32, c: Words32, d: Words32, x: Words32, y: Words32) -> None:
    """The quarter round G, in all lanes. Numba widens sums to 64 bits, hence the casts."""
    for lane in range(_LANES):
        va = np.uint32(a[lane] + b[lane] + x[lane])
        vd = _rotated(np.uint32(d[lane] ^ va), 16)
        vc = np.uint32(c[lane] + vd)
        vb = _rotated(np.uint32(b[lane] ^ vc), 12)
        va = np.uint32(va + vb + y[lane])
        vd = _rotated(np.uint32(vd ^ va), 8)
        vc = np.uint32(vc + vd)
        a[lane], b[lane], c[lane], d[lane] = va, _rotated(np.uint32(vb ^ vc), 7), vc, vd


@kernel
def hash_short(data: Octets, offsets: Index, key: Words32, out: Words32) -> int:
    """out[i] = BLAKE3 under `key` (8,) of data[offsets[i]:offsets[i+1]]; out is (n, 8).

    Inputs longer than a block are passed over; returns how many those were.
    """
    count = offsets.shape[0] - 1
    state = np.empty((16, _LANES), dtype=np.uint32)
    message = np.empty((16, _LANES), dtype=np.uint32)
    long = 0
    for start in range(0, count, _LANES):
        lanes = min(_LANES, count - start)
        message[:] = 0
        for lane in range(lanes):
            first, after = offsets[start + lane], offsets[start + lane + 1]
            if after - first > BLOCK:
                long += 1
                after = first
            state[14, lane] = np.uint32(after - first)
            whole = (after - first) >> 2
            for word in range(whole):
                at = first + 4 * word
                message[word, lane] = np.uint32(
                    np.uint32(data[at])
                    | np.uint32(data[at + 1]) << np.uint32(8)
                    | np.uint32(data[at + 2]) << np.uint32(16)
                    | np.uint32(data[at + 3]) << np.uint32(24)
                )
            for at in range(first + 4 * whole, after):
                shift = np.uint32(8 * (at - first - 4 * whole))
                message[whole, lane] |= np.uint32(data[at]) << shift
        for row in range(8):
            state[row, :] = key[row]
        for row in range(4):
            state[8 + row, :] = _IV[row]
        state[12, :] = 0
        state[13, :] = 0
        state[15, :] = _FLAGS
        for turn in range(7):
            for mix in range(8):
                a, b, c, d = _MIXES[mix]
                x, y = _SCHEDULE[turn, 2 * mix], _SCHEDULE[turn, 2 * mix + 1]
                _mix(state[a], state[b], state[c], state[d], message[x], message[y])
        for row in range(8):
            for lane in range(lanes):
                out[start + lane, row] = state[row, lane] ^ state[8 + row, lane]
    return long
