"""A vector OLE that two parties make between themselves, with few bytes: c = b + Δ·a.

Source: Boyle, Couteau, Gilboa, Ishai, CCS 2018 (compressing vector OLE); Schoppmann, Gascón, Reichert, Raykova,
CCS 2019; Boyle et al., CRYPTO 2019 (eprint 2019/448); the small one inside: Gilboa, CRYPTO 1999, by transfers;
the code: `expand_convolute`, whose assumption it rests on.

One party, the receiver, gets a in GF(2^64)^n and c in GF(2^128)^n; the other, the sender, Δ and b. A set-up holds
256 transfers, half of them chosen by the bits of Δ: base transfers, or from what partners keep between runs
(`kept_setup`). From them a short vector OLE for the noise's values y follows by transfers; punctured trees spread
each y·Δ over a block at a place that only the receiver knows; so the parties hold b' and c' = b' + Δ·e for a
sparse e; the code compresses e, b' and c' to a, b and c.

Setting: two parties, semi-honest, 128 bits. Nobody learns anything but its own outputs. A wrong c is caught by
who uses it (`intersect.oprf` tries it at a random point). Bytes: 1 KiB and 32·depth + 64 a block, 400 to 800
blocks: 0.7 MB for a million elements; two messages each way the first time, then one.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Final

import numpy as np

from unseen.computation.channel import Channel
from unseen.computation.correlation import (
    base_transfer,
    expand_convolute,
    kept_setup,
    punctured,
    transfer_extension,
)
from unseen.computation.correlation.kept_setup import Keeping
from unseen.computation.kernels import gf128
from unseen.computation.prg import Expander
from unseen.computation.profile import Message
from unseen.computation.types import Array, Words

MESSAGES: Final = (
    Message("transfer/base", most_bytes=64),
    Message("transfer/points"),
    Message("transfer/columns"),
    Message("trees/sums"),
    Message("ole/differences"),
    Message("ole/leaves"),
    *kept_setup.MESSAGES,
)

ASSUMPTIONS: Final = (
    "computational Diffie–Hellman on edwards25519",
    "AES-128 under fixed keys as an ideal cipher",
    "learning parity with noise for the expand-convolute code, regular noise",
)

SMALL: Final = 1024
"""Up to so many elements, transfers alone cost fewer bytes than the trees do."""
_BITS: Final = 128


@dataclass(frozen=True)
class Shape:
    """Blocks of regular noise, and the depth of a block's tree."""

    trees: int
    depth: int


def shape(count: int) -> Shape:
    """For so many elements: as few blocks as the code's assumption allows."""
    positions = expand_convolute.RATE * count
    depth = (positions // expand_convolute.BLOCKS).bit_length() - 1
    return Shape(ceil(positions / (1 << depth)), depth)


class ReceiverSetup:
    """What the receiver keeps of the run's transfers: both seeds of each. Every use takes streams of its own.

    `keeping`: from a set-up that lasts longer than the run, at both parties; else from base transfers of its own.
    """

    def __init__(self, channel: Channel, private: Expander, keeping: Keeping | None = None) -> None:
        self._channel = channel
        give = keeping.given if keeping else base_transfer.give
        self._given = give(channel, 2 * _BITS, private.child("transfers"))
        self._private = private
        self._uses = 0

    def begin(self, count: int) -> Receiving:
        """Send all that this side has to send; the rest can wait."""
        use, self._uses = self._uses, self._uses + 1
        given = [(zero.child(use), one.child(use)) for zero, one in self._given]
        own = self._private.child(f"use/{use}")
        if count <= SMALL:
            a = own.words(count)
            return Receiving(self._channel, count, a, _small_given(self._channel, given[:_BITS], a))
        plan = shape(count)
        choices = np.unpackbits(own.lanes(-(-plan.trees * plan.depth // 8), np.uint8))[: plan.trees * plan.depth]
        pads = transfer_extension.take(self._channel, given[_BITS:], choices)
        noise = _nonzero(own, plan.trees)
        shares = _small_given(self._channel, given[:_BITS], noise)
        return Receiving(self._channel, count, noise, shares, (plan, pads, choices))


@dataclass(frozen=True, eq=False)
class Receiving:
    """A vector OLE for which the receiver has said its part."""

    channel: Channel
    count: int
    values: Words
    shares: Words
    trees: tuple[Shape, Words, Array] | None = None

    def finish(self) -> tuple[Words, Words]:
        """a (count,) and c (count, 2). Waits for the sender."""
        if self.trees is None:
            return self.values, self.shares
        plan, pads, choices = self.trees
        leaves, totals, places = punctured.punctured(self.channel, plan.trees, plan.depth, pads, choices)
        last = self.channel.receive("ole/leaves", np.uint64, (plan.trees, 2))
        trees = np.arange(plan.trees)
        leaves[trees, places, 0] = self.values
        leaves[trees, places, 1:] = last ^ self.shares ^ totals
        both = expand_convolute.compress(leaves.reshape(-1, 3), self.count)
        del leaves  # twice as long as what comes out, which is copied next
        return np.ascontiguousarray(both[:, 0]), np.ascontiguousarray(both[:, 1:])


class SenderSetup:
    """What the sender keeps of the run's transfers: Δ, the extension's secret, and one seed of each.

    Δ is drawn for the run; `keeping` as at the receiver.
    """

    def __init__(self, channel: Channel, private: Expander, keeping: Keeping | None = None) -> None:
        self._channel = channel
        self.delta = private.child("delta").words(2)
        self._secret = private.child("secret").words(2)
        choices = np.unpackbits(np.concatenate([self.delta, self._secret]).view(np.uint8), bitorder="little")
        take = keeping.taken if keeping else base_transfer.take
        self._taken = take(channel, choices.tolist(), private.child("transfers"))
        self._private = private
        self._uses = 0

    def make(self, count: int) -> tuple[Words, Words]:
        """Δ (2,), the same at every use, and b (count, 2). Waits for the receiver's `begin`."""
        use, self._uses = self._uses, self._uses + 1
        taken = [seed.child(use) for seed in self._taken]
        own = self._private.child(f"use/{use}")
        if count <= SMALL:
            return self.delta, _small_taken(self._channel, taken[:_BITS], self.delta, count)
        plan = shape(count)
        pads = transfer_extension.give(self._channel, taken[_BITS:], self._secret, plan.trees * plan.depth)
        shares = _small_taken(self._channel, taken[:_BITS], self.delta, plan.trees)
        leaves, totals = punctured.grown(self._channel, plan.trees, plan.depth, pads, own)
        self._channel.send("ole/leaves", totals ^ shares)
        return self.delta, expand_convolute.compress(leaves.reshape(-1, 2), count)


def _small_given(channel: Channel, given: list[tuple[Expander, Expander]], values: Words) -> Words:
    """v (n, 2) with v + Δ·values at the other party: by transfers, the difference of both streams plus values."""
    zeros = np.stack([zero.words(len(values)) for zero, _ in given])
    ones = np.stack([one.words(len(values)) for _, one in given])
    channel.send("ole/differences", zeros ^ ones ^ values)
    return _weighed(zeros)


def _small_taken(channel: Channel, taken: list[Expander], delta: Words, count: int) -> Words:
    """v + Δ·values (n, 2) for the other party's v and values."""
    differences = channel.receive("ole/differences", np.uint64, (_BITS, count))
    chosen = np.unpackbits(delta.view(np.uint8), bitorder="little").astype(bool)
    streams = np.stack([stream.words(count) for stream in taken])
    streams[chosen] ^= differences[chosen]
    return _weighed(streams)


def _weighed(rows: Words) -> Words:
    """(n, 2): of (128, n) elements of GF(2^64), the sums of z^j times row j and of z^j times row 64 + j."""
    out = np.zeros((rows.shape[1], 2), dtype=np.uint64)
    for half in range(2):
        total = np.zeros(rows.shape[1], dtype=np.uint64)
        for row in rows[64 * half : 64 * half + 64][::-1]:
            over = (total >> np.uint64(63)) * np.uint64(gf128.REDUCTION)
            total = (total << np.uint64(1)) ^ over ^ row
        out[:, half] = total
    return out


def _nonzero(stream: Expander, count: int) -> Words:
    values = stream.words(count)
    while not values.all():
        values = np.where(values == 0, stream.words(count), values)
    return values
