"""Many oblivious transfers from 128 base ones.

Source: Ishai, Kilian, Nissim, Petrank, CRYPTO 2003; the hash that breaks the correlation from a fixed-key cipher:
Guo, Katz, Wang, Yu, IEEE S&P 2020, section 7.4 (TMMO: π(π(x) + i) + π(x)).

The base transfers run the other way round: who gives here has taken one seed of each of 128 pairs, by a secret s.
The taker sends, for each pair, the difference of both streams plus its choices; so the giver holds rows
q = t + r·s of the taker's rows t and choices r, and the hashes of q and of q + s are the two blocks.

Setting: two parties, semi-honest. Bytes: 16 a transfer, from the taker.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from unseen.computation.channel import Channel
from unseen.computation.prg import Expander, enciphered
from unseen.computation.types import Array, Words

BASE: Final = 128
_CIPHER: Final = b"unseen/transfer-extension/break."


def give(channel: Channel, taken: Sequence[Expander], secret: Words, count: int) -> tuple[Words, Words]:
    """Both blocks (count, 2) of each transfer.

    `taken` are streams of the chosen seeds of the base transfers; `secret` (2,) has their choices as bits.
    """
    octets = -(-count // 8)
    sent = channel.receive("transfer/columns", np.uint8, (BASE, octets))
    chosen = np.unpackbits(secret.view(np.uint8), bitorder="little").astype(bool)
    columns = np.stack([stream.lanes(octets, np.uint8) for stream in taken])
    columns[chosen] ^= sent[chosen]
    rows = _rows(columns, count)
    return _broken(rows), _broken(rows ^ secret)


def take(channel: Channel, given: Sequence[tuple[Expander, Expander]], choices: Array) -> Words:
    """The chosen block (n, 2) of each transfer; `choices` (n,) bits; `given` are streams of both seeds each."""
    octets = -(-len(choices) // 8)
    packed = np.packbits(choices, bitorder="little")
    columns = np.empty((BASE, octets), dtype=np.uint8)
    sent = np.empty_like(columns)
    for j, (zero, one) in enumerate(given):
        columns[j] = zero.lanes(octets, np.uint8)
        sent[j] = columns[j] ^ one.lanes(octets, np.uint8) ^ packed
    channel.send("transfer/columns", sent)
    return _broken(_rows(columns, len(choices)))


def _rows(columns: Array, count: int) -> Words:
    """Bit j of row i is bit i of column j: (count, 2) words."""
    bits = np.unpackbits(columns, axis=1, count=count, bitorder="little")
    return np.ascontiguousarray(np.packbits(bits.T, axis=1, bitorder="little")).view(np.uint64)


def _broken(rows: Words) -> Words:
    once = enciphered(rows, _CIPHER)
    tweaked = once.copy()
    tweaked[:, 0] ^= np.arange(len(rows), dtype=np.uint64)
    out: Words = enciphered(tweaked, _CIPHER) ^ once
    return out
