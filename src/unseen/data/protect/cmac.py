"""AES-CMAC over a whole column: a pseudorandom function of values of any length, 128 bits each.

Source: NIST SP 800-38B, RFC 4493. Rows with the same number of blocks are chained together, one AES call a block.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from unseen.data.protect.kernel import kernel
from unseen.data.protect.text import Bytes, Numbers, Text

BLOCK: Final = 16
_BYTES_AT_ONCE: Final = 1 << 20


class ColumnMac:
    """CMAC under one AES key. `repr` shows no key."""

    def __init__(self, key: bytes) -> None:
        self._aes = Cipher(algorithms.AES(key), modes.ECB())
        whole = _doubled(self._aes.encryptor().update(bytes(BLOCK)))
        self._whole = np.frombuffer(whole, np.uint8)
        self._padded = np.frombuffer(_doubled(whole), np.uint8)

    def tags(self, text: Text) -> Bytes:
        """The tags of all rows: (rows, 16) bytes. A missing row has the tag of an empty value."""
        blocks = np.maximum(1, -(-text.lengths // BLOCK))
        out = np.empty((text.rows, BLOCK), np.uint8)
        for count in np.unique(blocks):
            rows = np.flatnonzero(blocks == count)
            step = max(1, _BYTES_AT_ONCE // int(count * BLOCK))
            for start in range(0, len(rows), step):
                part = rows[start : start + step]
                out[part] = self._chain(text, part, int(count))
        return out

    def _chain(self, text: Text, rows: Numbers, count: int) -> Bytes:
        padded = np.zeros((len(rows), count * BLOCK), np.uint8)
        _fill(text.data, text.offsets, rows, padded)
        full = (text.lengths[rows] == count * BLOCK)[:, np.newaxis]
        padded[:, -BLOCK:] ^= np.where(full, self._whole, self._padded)
        state = np.zeros((len(rows), BLOCK), np.uint8)
        for start in range(0, count * BLOCK, BLOCK):
            mixed = np.ascontiguousarray(state ^ padded[:, start : start + BLOCK])
            state = np.frombuffer(self._aes.encryptor().update(mixed.data), np.uint8).reshape(-1, BLOCK)
        return state

    def __repr__(self) -> str:
        return "ColumnMac(key hidden)"


def _doubled(block: bytes) -> bytes:
    """RFC 4493, section 2.3: one step in GF(2^128)."""
    number = int.from_bytes(block, "big") << 1
    if number >> 128:
        number ^= (1 << 128) | 0x87
    return number.to_bytes(BLOCK, "big")


@kernel
def _fill(data: Bytes, offsets: Numbers, rows: Numbers, out: Bytes) -> None:
    """Copy each row's bytes to a row of `out`, and a single 1 bit after them where there is room."""
    for place in range(len(rows)):
        start, stop = offsets[rows[place]], offsets[rows[place] + 1]
        for at in range(stop - start):
            out[place, at] = data[start + at]
        if stop - start < out.shape[1]:
            out[place, stop - start] = 0x80
