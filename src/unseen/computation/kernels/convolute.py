"""The two halves of an expand-convolute code over rows of words: `convolve`, and `add_picked`.

Source: Raghuraman, Rindal, Tanguy, CRYPTO 2023 (eprint 2023/882), section 4.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from unseen.computation.kernels import kernel
from unseen.computation.types import Array, Words

STATE: Final = 24
"""How many rows back a row's taps reach."""

_STATE = STATE
_NEAREST = np.uint64(1 << (STATE - 1))


@kernel
def convolve(values: Words, taps: Array, start: int) -> None:
    """In place, from row `start` on: each row plus those of the 24 before it that its taps name.

    values (n, width) words; taps (rows,) uint32, bit j for the row 24 - j before; the nearest always counts.
    Rows lie apart by word in a window, so that 24 of them are six vectors.
    """
    rows, width = taps.shape[0], values.shape[1]
    window = np.zeros((width, _STATE + rows), dtype=np.uint64)
    for j in range(max(0, _STATE - start), _STATE):
        for k in range(width):
            window[k, j] = values[start - _STATE + j, k]
    for i in range(rows):
        bits = np.uint64(taps[i]) | _NEAREST
        for k in range(width):
            total = np.uint64(0)
            lane = window[k]
            for j in range(_STATE):
                total ^= lane[i + j] & (np.uint64(0) - ((bits >> np.uint64(j)) & np.uint64(1)))
            total ^= values[start + i, k]
            lane[_STATE + i] = total
            values[start + i, k] = total


@kernel
def add_picked(values: Words, picks: Array, base: int, size: int, out: Words) -> None:
    """out[i] += the row that picks[i] names among the `size` rows from `base` on.

    values and out (rows, width) words, width 1, 2 or 3; picks uniform uint32, scaled to size, which is below 2^32.
    """
    count, first, width = np.uint64(size), np.uint64(base), out.shape[1]
    for i in range(picks.shape[0]):
        at = ((np.uint64(picks[i]) * count) >> np.uint64(32)) + first
        out[i, 0] ^= values[at, 0]
        if width > 1:
            out[i, 1] ^= values[at, 1]
        if width > 2:
            out[i, 2] ^= values[at, 2]
