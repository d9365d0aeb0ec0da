"""An oblivious pseudorandom function of each key, from vector oblivious linear evaluation.

Source: Raghuraman and Rindal, CCS 2022 (eprint 2022/320), figure 4, with values in GF(2^64) and the vector OLE
over GF(2^128) as a correlation from the circle's source.

One party, the receiver, gets the outputs at its own keys; each other party, a sender, has a function of its own,
which it can compute at any key. The receiver makes a table P that decodes to v(x) at each of its keys x, v a hash.
It holds c = b + Δ·a for uniform a; the sender holds b and Δ. The receiver sends P + a, so that the sender knows
K = b + Δ·(P + a). Decoding is linear: decode(K, y) + Δ·v(y) = decode(c, y) + Δ·(P(y) + v(y)), in characteristic
two. For a key of the receiver the last term is zero, and both know the output H(decode(c, y)); the output at any
other key hides behind Δ. There is one table for all senders, under a mask of its own for each.

Setting: semi-honest; BLAKE3 as a random oracle and a correlation-robust hash, 128 bits of Δ. Senders learn how
many keys the receiver has, and nothing else of them: a is uniform. What goes wrong is an error, not an answer: the
receiver decodes its table before it sends it, and each side tries the vector OLE at a random point of its own. The
receiver's trial comes first: a sender that bent its trees to guess a place of noise is caught, unless it guessed
right, before it sees what the receiver proves. Bytes: 8 a cell of the receiver's table (1.31 cells a key) to each
sender.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hmac import compare_digest
from typing import Final

import numpy as np
from blake3 import blake3

from unseen.computation.channel import Channel
from unseen.computation.circle import Circle
from unseen.computation.correlation import silent_ole
from unseen.computation.correlation.ole_kinds import VectorOle
from unseen.computation.correlation.source import Ticket
from unseen.computation.intersect import store
from unseen.computation.intersect.keys import Keys, hashed, hashed_rows, subkey
from unseen.computation.kernels import gf128
from unseen.computation.prg import Expander
from unseen.computation.profile import Message
from unseen.computation.types import Words
from unseen.errors import ProtocolError

MESSAGES: Final = (
    *silent_ole.MESSAGES,
    Message("align/table", most_messages=1),
    Message("align/attempt", most_messages=1, most_bytes=64),
    Message("align/trial", most_messages=1, most_bytes=64),
    Message("align/question", most_messages=1, most_bytes=64),
    Message("align/answer", most_messages=1, most_bytes=64),
    Message("align/proof", most_messages=1, most_bytes=128),
)

MASKS: Final = 4
"""Cells beyond the table's, which hide the two sums that the trials open: two cells each."""
PLAIN: Final = np.zeros(2, dtype=np.uint64)
"""The factor of a table that is decoded as it is."""

Watch = Callable[[float, str], None]


class Entered:
    """This party's keys, their hashes under the run's joint seed, and the seed."""

    def __init__(self, keys: Keys, seed: bytes) -> None:
        self.keys, self.seed = keys, seed
        self._records: Words | None = None

    def __len__(self) -> int:
        return len(self.keys)

    @property
    def records(self) -> Words:
        """(n, 4)"""
        return self.again(0)

    def again(self, attempt: int) -> Words:
        """The records of a trial of a table: one does, but for less than 2^-40."""
        if attempt:
            return hashed(self.keys, subkey(self.seed, f"keys/{attempt}"))
        if self._records is None:
            self._records = hashed(self.keys, subkey(self.seed, "keys/0"))
        return self._records

    def let_go(self) -> None:
        """Free the records' memory, 32 octets a key; who asks for them after all has them hashed anew."""
        self._records = None


def enter(keys: Keys, seed: bytes) -> Entered:
    """Keys that are hashed under the run's joint seed."""
    return Entered(keys, seed)


def as_receiver(circle: Circle, entered: Entered, watch: Watch) -> tuple[store.Grouped, list[Words]]:
    """This party's keys by bin, and at each of them (n, 4) words for each other party, in rank order."""
    channels, plan = circle.others(), store.layout(len(entered))
    asked = _asked(circle, circle.rank, plan)
    attempt, grouped, table = store.encoded(entered.again, plan)
    if len(channels) == 1:  # nothing else is made of them, and expanding the vector OLE takes the most memory
        entered.let_go()
    masks = [ticket.take() for ticket in asked]
    watch(0.3, "sending the blinded table")
    for channel, (a, _) in zip(channels, masks, strict=True):
        channel.send("align/attempt", np.array([attempt], dtype=np.int64))
        channel.send("align/table", table.reshape(-1) ^ a[: plan.cells])
    for channel, (a, c) in zip(channels, masks, strict=True):
        prove_correlated(channel, a, c)
    found = [outputs(store.decoded(grouped, plan, c[: plan.cells], PLAIN), entered.seed) for _, c in masks]
    return grouped, found


def as_sender(
    circle: Circle, receiver: int, theirs: int, entered: Entered, watch: Watch
) -> tuple[store.Grouped, Words]:
    """This party's keys by bin of the receiver's table, and at each of them (n, 4) words.

    `theirs` is how many keys the party of rank `receiver` has.
    """
    channel, plan = circle.channel(receiver), store.layout(theirs)
    place = circle.rank - (circle.rank > receiver)
    delta, b = _asked(circle, receiver, plan)[place].take()
    grouped = store.grouped(entered.records, plan)
    watch(0.3, "waiting for the partner's table")
    if attempt := store.attempt_of(channel, "align/attempt"):
        grouped = store.grouped(entered.again(attempt), plan)
    if circle.size == 2:
        entered.let_go()
    table = channel.receive("align/table", np.uint64, plan.cells)
    require_correlated(channel, delta, b)
    cells = b[: plan.cells]
    gf128.add_scaled(table, delta, cells)
    return grouped, outputs(store.decoded(grouped, plan, cells, delta), entered.seed)


def _asked(circle: Circle, receiver: int, plan: store.Layout) -> Sequence[Ticket]:
    """A vector OLE of the receiver with each other party, in rank order: all parties ask for all."""
    senders = (rank for rank in range(circle.size) if rank != receiver)
    return [circle.source.ask(VectorOle(plan.cells + MASKS, receiver, sender)) for sender in senders]


def outputs(decoded: Words, seed: bytes) -> Words:
    """(n, 4): the function's values, from what the table decodes to."""
    return hashed_rows(decoded, subkey(seed, "tags"))


def _at(point: Words, coefficients: Words, pair: slice) -> Words:
    """The polynomial's value at a point of GF(2^128), a pair of masks free of any power."""
    out = np.zeros(2, dtype=np.uint64)
    gf128.polynomial(point, np.ascontiguousarray(coefficients[:-MASKS]), out)
    shifted = np.zeros((1, 2), dtype=np.uint64)
    gf128.multiply(out[None], point[None], shifted)
    gf128.multiply(shifted.copy(), point[None], shifted)
    masked: Words = shifted[0] ^ _mask(coefficients[-MASKS:][pair])
    return masked


def _mask(cells: Words) -> Words:
    """Two cells as one element: m0 + m1·w, for elements of GF(2^64) or of GF(2^128)."""
    if cells.shape[1] == 1:
        return cells.reshape(-1).copy()
    out = np.zeros((1, 2), dtype=np.uint64)
    gf128.multiply(cells[1:].copy(), np.array([[0, 1]], dtype=np.uint64), out)
    element: Words = cells[0] ^ out[0]
    return element


_SENDERS: Final = slice(0, 2)
_RECEIVERS: Final = slice(2, 4)
"""Whose trial a pair of masks is for."""


def prove_correlated(channel: Channel, a: Words, c: Words) -> None:
    """The receiver's part of the trials of a vector OLE of at least `MASKS` cells: sums that tell nothing.

    Raises ProtocolError where the sender holds another correlation, before it is told anything of this one.
    """
    own = Expander.fresh().words(2)
    channel.send("align/question", np.stack([own, _at(own, a[:, None], _RECEIVERS)]))
    point = channel.receive("align/trial", np.uint64, 2)
    answer = channel.receive("align/answer", np.uint8, 32)
    if not compare_digest(answer.tobytes(), _answer(_at(own, c, _RECEIVERS))):
        raise ProtocolError(channel.peer, "holds another correlation than this party; nothing was told")
    channel.send("align/proof", np.stack([_at(point, a[:, None], _SENDERS), _at(point, c, _SENDERS)]))


def require_correlated(channel: Channel, delta: Words, b: Words) -> None:
    """Whether c = b + Δ·a at a random point: missed with probability below 2^-100. Raises ProtocolError."""
    point = Expander.fresh().words(2)
    channel.send("align/trial", point)
    asked = channel.receive("align/question", np.uint64, (2, 2))
    found = _times(asked[1], delta) ^ _at(asked[0].copy(), b, _RECEIVERS)
    channel.send("align/answer", np.frombuffer(_answer(found), dtype=np.uint8))
    proof = channel.receive("align/proof", np.uint64, (2, 2))
    if not np.array_equal(_times(proof[0], delta) ^ _at(point, b, _SENDERS), proof[1]):
        raise ProtocolError(channel.peer, "holds another correlation than this party; nothing was told")


def _answer(value: Words) -> bytes:
    """A value of GF(2^128) as whoever does not know it cannot use it."""
    return blake3(b"unseen/oprf/answer/1" + value.tobytes()).digest()


def _times(left: Words, right: Words) -> Words:
    """A product of two elements of GF(2^128), (2,) each."""
    product = np.zeros((1, 2), dtype=np.uint64)
    gf128.multiply(left[None].copy(), right[None].copy(), product)
    element: Words = product[0]
    return element
