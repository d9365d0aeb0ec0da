"""Many oblivious transfers from 128 base ones.

Source: Ishai, Kilian, Nissim, Petrank, CRYPTO 2003; the hash that breaks the correlation from a fixed-key cipher:
Guo, Katz, Wang, Yu, IEEE S&P 2020, section 7.4 (TMMO: π(π(x) + i) + π(x)).

The base transfers run the other way round: who gives here has taken one seed of each of 128 pairs, by a secret s.
The taker sends, for each pair, the difference of both streams plus its choices; so the giver holds rows
q = t + r·s of the taker's rows t and choices r, and the hashes of q and of q + s are the two blocks.

The checked ones hold the columns against one another: sums of rows and choices, weighted by a hash of the
columns, must fit (Keller, Orsini, Scholl, CRYPTO 2015, figure 7; Roy, CRYPTO 2022, found a gap in its proof, not
an attack). `HIDING` further transfers of random choices hide these sums.

Setting: two parties, semi-honest. Bytes: 16 a transfer, from the taker.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from blake3 import blake3

from unseen.computation.channel import Channel
from unseen.computation.kernels import gf128
from unseen.computation.prg import Expander, enciphered
from unseen.computation.types import Array, Words
from unseen.errors import ProtocolError

BASE: Final = 128
HIDING: Final = 128 + 40
_CIPHER: Final = b"unseen/transfer-extension/break."


def give(channel: Channel, taken: Sequence[Expander], secret: Words, count: int) -> tuple[Words, Words]:
    """Both blocks (count, 2) of each transfer.

    `taken` are streams of the chosen seeds of the base transfers; `secret` (2,) has their choices as bits.
    """
    rows, _ = _given_rows(channel, taken, secret, count)
    return _broken(rows), _broken(rows ^ secret)


def take(channel: Channel, given: Sequence[tuple[Expander, Expander]], choices: Array) -> Words:
    """The chosen block (n, 2) of each transfer; `choices` (n,) bits; `given` are streams of both seeds each."""
    rows, _ = _taken_rows(channel, given, choices)
    return _broken(rows)


def give_checked(channel: Channel, taken: Sequence[Expander], secret: Words, count: int) -> tuple[Words, Words]:
    """`give`, once the columns were seen to fit. Raises ProtocolError naming the peer where they do not."""
    rows, sent = _given_rows(channel, taken, secret, count + HIDING)
    told = channel.receive("transfer/check", np.uint64, (2, 2))
    product = np.zeros((1, 2), dtype=np.uint64)
    gf128.multiply(told[:1].copy(), secret[None].copy(), product)
    if not np.array_equal(_weighted(rows, _weights(sent, len(rows))), told[1] ^ product[0]):
        raise ProtocolError(channel.peer, "sent columns of transfers that do not fit one another")
    rows = rows[:count]
    return _broken(rows), _broken(rows ^ secret)


def take_checked(
    channel: Channel, given: Sequence[tuple[Expander, Expander]], choices: Array, private: Expander
) -> Words:
    """`take`, for a giver that checks."""
    hiding = np.unpackbits(private.child("hiding").lanes(HIDING // 8, np.uint8))
    chosen = np.concatenate([choices.astype(np.uint8), hiding])
    rows, sent = _taken_rows(channel, given, chosen)
    weights = _weights(sent, len(rows))
    total = np.bitwise_xor.reduce(weights[chosen.astype(bool)], axis=0, initial=np.uint64(0))
    channel.send("transfer/check", np.stack([total, _weighted(rows, weights)]))
    return _broken(rows[: len(choices)])


def _given_rows(channel: Channel, taken: Sequence[Expander], secret: Words, count: int) -> tuple[Words, Array]:
    """The giver's rows, and the columns that came."""
    octets = -(-count // 8)
    sent = channel.receive("transfer/columns", np.uint8, (BASE, octets))
    chosen = np.unpackbits(secret.view(np.uint8), bitorder="little").astype(bool)
    columns = np.stack([stream.lanes(octets, np.uint8) for stream in taken])
    columns[chosen] ^= sent[chosen]
    return _rows(columns, count), sent


def _taken_rows(
    channel: Channel, given: Sequence[tuple[Expander, Expander]], choices: Array
) -> tuple[Words, Array]:
    """The taker's rows, and the columns that it sent."""
    octets = -(-len(choices) // 8)
    packed = np.packbits(choices, bitorder="little")
    columns = np.empty((BASE, octets), dtype=np.uint8)
    sent = np.empty_like(columns)
    for j, (zero, one) in enumerate(given):
        columns[j] = zero.lanes(octets, np.uint8)
        sent[j] = columns[j] ^ one.lanes(octets, np.uint8) ^ packed
    channel.send("transfer/columns", sent)
    return _rows(columns, len(choices)), sent


def _weights(sent: Array, count: int) -> Words:
    """A weight a row (n, 2), which nobody chooses: from a hash of all columns."""
    seed = blake3(b"unseen/transfer-extension/check" + sent.tobytes()).digest()
    return Expander(seed).words((count, 2))


def _weighted(rows: Words, weights: Words) -> Words:
    """(2,): the sum of weights times rows in GF(2^128)."""
    products = np.empty_like(rows)
    gf128.multiply(rows, weights, products)
    total: Words = np.bitwise_xor.reduce(products, axis=0)
    return total


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
