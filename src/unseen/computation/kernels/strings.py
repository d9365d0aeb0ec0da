"""Strings of any lengths in one run of bytes with offsets: chosen, and put together. Oracle: Python's bytes."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from unseen.computation.kernels import kernel
from unseen.computation.types import Index

Octets = NDArray[np.uint8]

LENGTH_BYTES: Final = 4


@kernel
def choose(data: Octets, offsets: Index, rows: Index, out: Octets) -> None:
    """Copy some strings, one after another."""
    at = 0
    for i in range(rows.shape[0]):
        for place in range(offsets[rows[i]], offsets[rows[i] + 1]):
            out[at] = data[place]
            at += 1


@kernel
def append(data: Octets, offsets: Index, at: Index, wanted: NDArray[np.bool_], out: Octets) -> None:
    """Write each wanted row's string after its length (little endian) at the row's place, and move that on."""
    for i in range(at.shape[0]):
        if wanted[i]:
            place = at[i]
            length = offsets[i + 1] - offsets[i]
            for shift in range(LENGTH_BYTES):
                out[place + shift] = (length >> (8 * shift)) & 255
            place += LENGTH_BYTES
            for k in range(offsets[i], offsets[i + 1]):
                out[place] = data[k]
                place += 1
            at[i] = place
