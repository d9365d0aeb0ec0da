"""Common keys by an oblivious pseudorandom function from vector oblivious linear evaluation.

Source: Raghuraman and Rindal, CCS 2022 (eprint 2022/320), figure 4, with values in GF(2^64) and the vector OLE
over GF(2^128) as a correlation from the circle's source.

The side with fewer keys, the receiver, makes a table P that decodes to v(x) at each of its keys x, v a hash.
It holds c = b + Δ·a for uniform a; the other side, the sender, holds b and Δ. The receiver sends P + a, so that
the sender knows K = b + Δ·(P + a). Decoding is linear: decode(K, y) + Δ·v(y) = decode(c, y) + Δ·(P(y) + v(y)), in
characteristic two. For a key y of both the last term is zero, and both know the tag H(decode(c, y)); any other
key's tag hides behind Δ. The sender tells its tags sorted, and the receiver says which of them it knows.

Setting: two parties, semi-honest; BLAKE3 as a random oracle and a correlation-robust hash, 128 bits of Δ. The
table goes out under a, which is uniform: the receiver's keys are hidden perfectly. Failure: two different keys
with one tag, below 2^-40 for all keys of a run, by the tag's length. What goes wrong is an error, not an answer:
the receiver decodes its table before it sends it, the vector OLE is tried at a random point, and both sides add
up further bits of the common keys' hashes. Bytes: 8 a cell of the receiver's table (1.31 cells a key), a tag
(10 bytes at 2^20 keys) and one bit a key of the sender.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, log2
from typing import Final

import numpy as np
from blake3 import blake3

from unseen.computation.channel import Channel
from unseen.computation.circle import Circle
from unseen.computation.correlation.ole_kinds import VectorOle
from unseen.computation.intersect import store
from unseen.computation.intersect.keys import Keys, hashed, hashed_rows
from unseen.computation.kernels import gf128, okvs
from unseen.computation.kernels.matching import matches
from unseen.computation.prg import Expander
from unseen.computation.profile import Carries, Message
from unseen.computation.types import Index, Words
from unseen.errors import ProtocolError

MESSAGES: Final = (
    Message("align/table", most_messages=1),
    Message("align/attempt", most_messages=1, most_bytes=64),
    Message("align/trial", most_messages=1, most_bytes=64),
    Message("align/proof", most_messages=1, most_bytes=128),
    Message("align/tags", Carries.BLINDED, most_messages=1),
    Message("align/known", Carries.DISCLOSED, most_messages=1),
    Message("align/sum", Carries.DISCLOSED, most_messages=1, most_bytes=64),
)

STATISTICAL: Final = 40
ATTEMPTS: Final = 8
"""Seeds tried for the table: one does, but for less than 2^-40."""
_MASKS: Final = 2
"""Cells beyond the table's, which hide the sum that the trial opens."""

Watch = Callable[[float, str], None]


@dataclass(frozen=True)
class Offer:
    """What both sides know before: the sizes, and the seed under which keys are hashed."""

    own: int
    theirs: int
    seed: bytes

    @property
    def tag_bytes(self) -> int:
        """Octets of a tag: no two different keys of the run have the same, but for 2^-40."""
        return min(16, max(8, ceil((STATISTICAL + log2(self.own) + log2(self.theirs)) / 8)))

    def key(self, label: str) -> bytes:
        return key(self.seed, label)


def key(seed: bytes, label: str) -> bytes:
    """32 bytes for one use of the run's joint seed."""
    return blake3(label.encode(), key=seed).digest()


def receive(circle: Circle, keys: Keys, records: Words, offer: Offer, watch: Watch) -> Index:
    """The side with fewer keys: the rows of its common keys, in the order of the sender's tags."""
    channel, plan = circle.others()[0], store.layout(offer.own)
    a, c = circle.source.ask(VectorOle(plan.cells + _MASKS, circle.rank)).take()
    attempt, grouped, table = _table(channel, keys, records, offer, plan)
    watch(0.3, "sending the blinded table")
    channel.send("align/attempt", np.array([attempt], dtype=np.int64))
    channel.send("align/table", table.reshape(-1) ^ a[: plan.cells])
    point = channel.receive("align/trial", np.uint64, 2)
    channel.send("align/proof", np.stack([_at(point, a[:, None]), _at(point, c)]))
    cells = c[: plan.cells]
    tags = _tags(store.decoded(grouped, plan, cells, np.zeros(2, dtype=np.uint64)), offer)
    watch(0.6, "waiting for the partner's tags")
    octets = channel.receive("align/tags", np.uint8, (offer.theirs, offer.tag_bytes))
    theirs = np.zeros((offer.theirs, 16), dtype=np.uint8)
    theirs[:, : offer.tag_bytes] = octets
    found = matches(theirs.view(np.uint64), _cut(tags, offer))
    known = found >= 0
    channel.send("align/known", np.packbits(known))
    places = found[known]
    _agree(channel, tags[places])
    rows: Index = grouped.rows[places]
    return rows


def send(circle: Circle, keys: Keys, records: Words, offer: Offer, watch: Watch) -> Index:
    """The side with more keys: the rows of its common keys, in the order of its tags."""
    channel, plan = circle.others()[0], store.layout(offer.theirs)
    delta, b = circle.source.ask(VectorOle(plan.cells + _MASKS, 1 - circle.rank)).take()
    grouped = store.grouped(records, plan)
    watch(0.3, "waiting for the partner's table")
    attempt = int(channel.receive("align/attempt", np.int64, 1)[0])
    if not 0 <= attempt < ATTEMPTS:
        raise ProtocolError(channel.peer, "names a trial of its table that there is none of")
    if attempt:
        grouped = store.grouped(hashed(keys, offer.key(f"keys/{attempt}")), plan)
    table = channel.receive("align/table", np.uint64, plan.cells)
    point = Expander.fresh().words(2)
    channel.send("align/trial", point)
    _try(channel, point, delta, b)
    cells = b[: plan.cells]
    gf128.add_scaled(table, delta, cells)
    tags = _tags(store.decoded(grouped, plan, cells, delta), offer)
    order = np.argsort(tags[:, 0])
    tags = tags[order]
    channel.send("align/tags", np.ascontiguousarray(_cut(tags, offer).view(np.uint8)[:, : offer.tag_bytes]))
    watch(0.7, "waiting for the partner's matches")
    packed = channel.receive("align/known", np.uint8, -(-offer.own // 8))
    known = np.unpackbits(packed, count=offer.own).astype(bool)
    _agree(channel, tags[known])
    rows: Index = grouped.rows[order[known]]
    return rows


def _table(
    channel: Channel, keys: Keys, records: Words, offer: Offer, plan: store.Layout
) -> tuple[int, store.Grouped, Words]:
    """A table that decodes to every key's value, tried; the first seed that gives one."""
    for attempt in range(ATTEMPTS):
        if attempt:
            records = hashed(keys, offer.key(f"keys/{attempt}"))
        grouped = store.grouped(records, plan)
        table = store.solved(grouped, plan)
        if table is None:
            continue
        values = np.empty(len(records), dtype=np.uint64)
        okvs.decode(grouped.records, grouped.starts, plan.third, table, values)
        if np.array_equal(values, grouped.records[:, 3]):
            return attempt, grouped, table
    raise ProtocolError(channel.peer, f"and this party found no table for their keys under {ATTEMPTS} seeds")


def _at(point: Words, coefficients: Words) -> Words:
    """The polynomial's value at a point of GF(2^128), its last two coefficients free of any power: a mask."""
    out = np.zeros(2, dtype=np.uint64)
    gf128.polynomial(point, np.ascontiguousarray(coefficients[:-_MASKS]), out)
    shifted = np.zeros((1, 2), dtype=np.uint64)
    gf128.multiply(out[None], point[None], shifted)
    gf128.multiply(shifted.copy(), point[None], shifted)
    masked: Words = shifted[0] ^ _mask(coefficients[-_MASKS:])
    return masked


def _mask(cells: Words) -> Words:
    """Two cells as one element: m0 + m1·w, for elements of GF(2^64) or of GF(2^128)."""
    if cells.shape[1] == 1:
        return cells.reshape(-1).copy()
    out = np.zeros((1, 2), dtype=np.uint64)
    gf128.multiply(cells[1:].copy(), np.array([[0, 1]], dtype=np.uint64), out)
    element: Words = cells[0] ^ out[0]
    return element


def _try(channel: Channel, point: Words, delta: Words, b: Words) -> None:
    """Whether c = b + Δ·a at a random point: missed with probability below 2^-100."""
    proof = channel.receive("align/proof", np.uint64, (2, 2))
    product = np.zeros((1, 2), dtype=np.uint64)
    gf128.multiply(proof[:1].copy(), delta[None].copy(), product)
    if not np.array_equal(product[0] ^ _at(point, b), proof[1]):
        raise ProtocolError(channel.peer, "holds another correlation than this party; nothing was told")


def _tags(decoded: Words, offer: Offer) -> Words:
    """(n, 4) words: two for the tag, two for the sum at the end."""
    return hashed_rows(decoded, offer.key("tags"))


def _cut(tags: Words, offer: Offer) -> Words:
    """The first two words of each with what is not sent set to zero."""
    over = 8 * (16 - offer.tag_bytes)
    cut = tags[:, :2].copy()
    cut[:, 1] &= np.uint64((1 << (64 - over)) - 1)
    return cut


def _agree(channel: Channel, common: Words) -> None:
    """The XOR of the common keys' last words is the same at both, or the run ends."""
    own = np.bitwise_xor.reduce(common[:, 2:], axis=0) if len(common) else np.zeros(2, dtype=np.uint64)
    channel.send("align/sum", own)
    if not np.array_equal(channel.receive("align/sum", np.uint64, 2), own):
        raise ProtocolError(channel.peer, "found other common keys than this party; the result is void")
