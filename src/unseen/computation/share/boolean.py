"""Shared bits: XOR shares, 64 packed to a word, and the gates on them.

Source: Goldreich, Micali, Wigderson, STOC 1987, with products of masks from the source (Beaver 1991; more
factors: Ohata & Nuida, FC 2020). Setting: any number of semi-honest parties, all but one colluding.
Every opened bit is under a uniform mask: perfect hiding, no failure probability. Nobody learns anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, NoReturn

import numpy as np

from unseen.computation.circle import Circle
from unseen.computation.correlation.bit_kinds import BitProduct, BitsInRing, GateMasks
from unseen.computation.correlation.formula import FORMULAS, Gate
from unseen.computation.correlation.source import Ticket
from unseen.computation.kernels import bits
from unseen.computation.profile import Profile
from unseen.computation.share.array import Shared, aligned
from unseen.computation.share.together import Opening, Protocol, Steps
from unseen.computation.types import Array, Words
from unseen.errors import MisuseError

GATE: Final = Profile(
    id="share/gate",
    title="AND of shared bits",
    source="Goldreich, Micali, Wigderson, STOC 1987; Beaver, CRYPTO 1991",
    rounds=lambda count: 1,
    bytes_sent=lambda count, parties: parties * (parties - 1) * 2 * 8 * words_for(count),
)
RING: Final = Profile(
    id="share/bits-to-numbers",
    title="Shared bits as shared numbers",
    source="a dealt bit in both sharings; Damgård et al., IEEE S&P 2019, section V",
    rounds=lambda count: 1,
    bytes_sent=lambda count, parties: parties * (parties - 1) * 8 * words_for(count),
)
WHERE: Final = Profile(
    id="share/where",
    title="Choice by a shared bit",
    source="a dealt bit, and its product with a dealt mask, in one round",
    rounds=lambda count: 1,
    bytes_sent=lambda count, parties: parties * (parties - 1) * (8 + 8 * 64) * words_for(count),
)


def words_for(count: int) -> int:
    """Words that hold so many bits."""
    return -(-count // 64)


@dataclass(frozen=True, eq=False)
class Bits:
    """This party's part of shared truth values of the given shape: flat and packed, `words` XOR to the bits.

    `^` and `~` are local; `&` and `|` cost one round. What the last word holds beyond the shape means nothing.
    """

    circle: Circle
    words: Words
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        return int(np.prod(self.shape))

    def __xor__(self, other: Bits | Array) -> Bits:
        words = other.words if isinstance(other, Bits) else self._public(other)
        return Bits(self.circle, self.words ^ words, self.shape)

    def __invert__(self) -> Bits:
        return Bits(self.circle, ~self.words if self.circle.rank == 0 else self.words, self.shape)

    def __and__(self, other: Bits) -> Bits:
        return both(self, other)

    def __or__(self, other: Bits) -> Bits:
        return ~both(~self, ~other)

    def __getitem__(self, index: Any) -> Bits:
        """As in NumPy; local."""
        return packed(self.circle, np.asarray(self.unpacked()[index]))

    def reshape(self, *shape: int) -> Bits:
        return Bits(self.circle, self.words, np.empty(self.shape, dtype=np.uint8).reshape(*shape).shape)

    def unpacked(self) -> Array:
        """This party's share, one bit a byte."""
        return bits.unpack(self.words, self.size).reshape(self.shape)

    def __bool__(self) -> NoReturn:
        raise MisuseError("a secret has no truth value here; choose by it with `where`")

    __iter__ = __int__ = __index__ = __float__ = __bool__

    def __repr__(self) -> str:
        return f"Bits(shape={self.shape}, among {self.circle.size})"

    def _public(self, values: Array) -> Words:
        truth = np.broadcast_to(np.asarray(values, dtype=bool), self.shape).reshape(-1)
        return bits.pack(truth) if self.circle.rank == 0 else np.zeros_like(self.words)


def packed(circle: Circle, share: Array) -> Bits:
    """From this party's share with one bit a byte."""
    return Bits(circle, bits.pack(share.reshape(-1)), share.shape)


def bits_from_owner(circle: Circle, owner: int, values: Array | None, shape: tuple[int, ...]) -> Bits:
    """Truth values that one party knows, as shared bits; no message. Raises MisuseError for a wrong shape."""
    if circle.rank != owner:
        return Bits(circle, np.zeros(words_for(int(np.prod(shape))), dtype=np.uint64), shape)
    if values is None or values.shape != shape:
        raise MisuseError(f"the owner must bring truth values of shape {shape}")
    return packed(circle, np.asarray(values, dtype=bool))


def reveal_bits(shared: Bits, tag: str) -> Array:
    """Open to every party: one round. The plan must name it."""
    circle = shared.circle
    fresh = shared.words ^ circle.zero_bits(shared.words.shape)
    for channel in circle.others():
        channel.send(f"reveal/{tag}", fresh)
    (words,) = circle.collect_bits(f"reveal/{tag}", fresh)
    return bits.unpack(words, shared.size).reshape(shared.shape).astype(bool)


def ask_gate(circle: Circle, gate: Gate, count: int) -> Ticket:
    """Announce so many words of a gate that will come."""
    return circle.source.ask(GateMasks(count, int(gate)))


@Protocol
def evaluate(circle: Circle, gate: Gate, inputs: Words, asked: Ticket | None = None) -> Steps[Words]:
    """A formula on (n, inputs) words of shared bits: (n, outputs). One round, 8 bytes an input to each peer."""
    masks, products = (asked or ask_gate(circle, gate, inputs.shape[0])).take()
    (opened,) = yield Opening(circle, "gate", bits=(inputs ^ masks,))
    formula = FORMULAS[gate]
    return bits.evaluate(opened, masks, products, formula.terms, len(formula.outputs), circle.rank == 0)


@Protocol
def both(left: Bits, right: Bits) -> Steps[Bits]:
    """AND, elementwise, exact: one round, 2 bits an element to each peer. Shapes must agree."""
    if left.shape != right.shape:
        raise MisuseError(f"shared bits of shapes {left.shape} and {right.shape} do not pair")
    inputs = np.stack([left.words, right.words], axis=1)
    words = yield from evaluate.steps(left.circle, Gate.AND, inputs)
    return Bits(left.circle, np.ascontiguousarray(words[:, 0]), left.shape)


@Protocol
def to_numbers(truth: Bits, fraction: int = 0) -> Steps[Shared]:
    """0 and 1 as shared numbers, exact: one round, one bit an element to each peer.

    With b = o XOR ρ, o opened: b is ρ where o = 0 and 1 - ρ where o = 1.
    """
    numbers = yield from ring_numbers.steps(truth.circle, truth.words)
    flat = numbers[: truth.size]
    return Shared(truth.circle, (flat << np.uint64(fraction)).reshape(truth.shape), fraction)


@Protocol
def ring_numbers(circle: Circle, words: Words, lane: int = 64) -> Steps[Array]:
    """Packed shared bits as 0 and 1 in the ring of 32 or 64 bits, flat, 64 a word: one round, as `to_numbers`."""
    mask, ring = circle.source.ask(BitsInRing(words.size, lane)).take()
    (opened,) = yield Opening(circle, "bits-to-numbers", bits=(words ^ mask,))
    return bits.flip(opened, ring, circle.rank == 0).reshape(-1)


def popcount(truth: Bits, axis: int | None = None) -> Shared:
    """How many bits are one, over all or along an axis, without a fraction: exact, one round, as `to_numbers`."""
    return to_numbers(truth).sum(axis)


@Protocol
def where(truth: Bits, yes: Shared, no: Shared) -> Steps[Shared]:
    """`yes` where the bit is one, else `no`: exact, one round, 8 bytes and a bit an element to each peer.

    no + b·d for d = yes - no; with b = o XOR ρ and e = d - a opened, ρ·d = ρ·e + ρ·a.
    """
    circle, (yes, no) = truth.circle, aligned(yes, no)
    difference = np.broadcast_to(np.subtract(yes.words, no.words), truth.shape)
    count = truth.words.size
    share = np.zeros((count, 64), dtype=np.uint64)
    share.reshape(-1)[: truth.size] = difference.reshape(-1)
    mask, a, ring, products = circle.source.ask(BitProduct(count)).take()
    masked, opened = yield Opening(circle, "where", shares=(share - a,), bits=(truth.words ^ mask,))
    chosen = bits.select(opened, ring, products, masked, share).reshape(-1)[: truth.size]
    return Shared(circle, np.add(no.words, chosen.reshape(truth.shape)), no.fraction)
