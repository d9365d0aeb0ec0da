"""A shared number held against many public thresholds, for one opening of the number.

x is opened under one uniform r whose nibbles all parties share, as in `share.compare`. The opened word less a
threshold is the opened word of x less that threshold, so that every further threshold costs its carries alone.

Source: as `share.compare`; one masked value for many comparisons as in Damgård, Fitzi, Kiltz, Nielsen, Toft, TCC
2006, section 6. Setting: any number of semi-honest parties, all but one colluding. Nobody learns anything; no
failure probability.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from unseen.computation.circle import Circle
from unseen.computation.correlation.bit_kinds import GateMasks, Nibbles, SmallNibbles
from unseen.computation.correlation.formula import Gate
from unseen.computation.correlation.source import Kind, Ticket
from unseen.computation.kernels import bits
from unseen.computation.profile import Profile
from unseen.computation.share import fixed
from unseen.computation.share.array import Shared
from unseen.computation.share.boolean import Bits, evaluate, words_for
from unseen.computation.share.compare import carry_inputs
from unseen.computation.share.together import Opening, Protocol, Steps
from unseen.computation.types import Array, Real, Words
from unseen.errors import MisuseError


@dataclass(frozen=True)
class Shape:
    """Sizes of a comparison of `count` numbers in a ring of `lane` bits with `thresholds` levels.

    The levels end in zeros throughout the lowest `shared` blocks of 16 bits: what these blocks carry is the same
    for all levels, and found once.
    """

    count: int
    thresholds: int
    lane: int
    shared: int

    @property
    def blocks(self) -> int:
        """Of four nibbles."""
        return self.lane // 16

    @property
    def words(self) -> int:
        return words_for(self.count)

    @property
    def gates(self) -> tuple[int, int]:
        """Words of the gates of four nibbles, and of the last gates."""
        own = self.blocks - self.shared
        return (self.shared + own * self.thresholds) * self.words, self.thresholds * self.words

    def kinds(self) -> list[Kind]:
        """What a comparison asks for, in order."""
        first, last = self.gates
        small = self.lane == 32
        return [
            SmallNibbles(self.count) if small else Nibbles(self.count),
            GateMasks(first, int(Gate.CARRY)),
            GateMasks(last, int(Gate.AND if small else Gate.LAST_CARRY)),
        ]

    @property
    def sent(self) -> int:
        """Bytes to each peer."""
        first, last = self.gates
        return self.lane // 8 * self.count + 8 * (7 * first + (2 if self.lane == 32 else 6) * last)


BELOW_EACH: Final = Profile(
    id="share/below-each",
    title="Comparison of shared numbers with many public thresholds",
    source="Damgård et al., TCC 2006; Ohata & Nuida, FC 2020; Ishai et al., TCC 2013",
    rounds=lambda count, thresholds, shared: 3,
    bytes_sent=lambda count, thresholds, shared, parties: (
        parties * (parties - 1) * Shape(count, thresholds, 64, shared).sent
    ),
)
BELOW_EACH_ROUGHLY: Final = Profile(
    id="share/below-each-roughly",
    title="Comparison of the leading 32 bits of shared numbers with many public thresholds",
    source="as share/below-each, on eight nibbles",
    rounds=lambda count, thresholds, shared: 3,
    bytes_sent=lambda count, thresholds, shared, parties: (
        parties * (parties - 1) * Shape(count, thresholds, 32, shared).sent
    ),
)


@Protocol
def below_each(x: Shared, thresholds: ArrayLike) -> Steps[Bits]:
    """Whether x < t for each of k public thresholds (k,), as bits of shape (k, *x.shape): exact.

    Three rounds; 8 bytes an element, and 34 bits an element and threshold, to each peer; fewer where thresholds
    are round: 7 bits fewer for each 16 low bits that are zero in all. They are rounded to the fraction of x.
    """
    levels = fixed.encode(_vector(thresholds), x.fraction, "threshold")
    words = yield from _below(x.circle, x.words.reshape(-1), levels)
    return _flattened(x.circle, words, x.shape)


@Protocol
def below_each_in_ring(circle: Circle, words: Array, levels: Array) -> Steps[Words]:
    """As `below_each` for flat shares of whole numbers in Z_2^64 or Z_2^32, and levels (k,) in the same ring.

    Numbers and levels are within ±2^62, or ±2^30. Three rounds; in the small ring 4 bytes an element, and 2 bytes
    an element and threshold, to each peer. Packed bits (k, words), each row filled up to whole words.
    """
    return (yield from _below(circle, words, levels))


def shape_of(count: int, levels: Array) -> Shape:
    """The sizes of a comparison with these levels."""
    lane = 8 * levels.dtype.itemsize
    together = int(np.bitwise_or.reduce(levels))
    shared = 0
    while shared < lane // 16 - 1 and not (together >> (16 * shared)) & 0xFFFF:
        shared += 1
    return Shape(count, len(levels), lane, shared)


def _below(circle: Circle, share: Array, levels: Array) -> Steps[Words]:
    """(k, words): the sign of each x - level, from x modulo the ring of the share's width."""
    shape = shape_of(share.size, levels)
    nibbles, fours, last = (circle.source.ask(kind) for kind in shape.kinds())
    r, tables = nibbles.take()
    (opened,) = yield Opening(circle, "comparison", (share + r,))
    below, above = _compare(opened, tables, levels, shape, circle.rank == 0)
    inputs = [carry_inputs(*part).reshape(-1, 7) for part in (below, above) if len(part[0])]
    carried = yield from evaluate.steps(circle, Gate.CARRY, np.concatenate(inputs), fours)
    cut = shape.shared * shape.words
    generated, passed = (
        np.concatenate(
            [
                np.tile(carried[:cut, output].reshape(shape.shared, shape.words), (1, shape.thresholds)),
                carried[cut:, output].reshape(shape.blocks - shape.shared, shape.thresholds * shape.words),
            ]
        )
        for output in range(2)
    )
    generated ^= np.concatenate([np.tile(below[0][:, 3], (1, shape.thresholds)), above[0][:, 3]])
    borrowed = yield from _last_carry(circle, generated, passed, last)
    signs: Words = (generated[-1] ^ borrowed).reshape(shape.thresholds, shape.words)
    return signs


def _compare(
    opened: Array, tables: Words, levels: Array, shape: Shape, first: bool
) -> tuple[tuple[Words, Words], tuple[Words, Words]]:
    """What nibbles are greater and equal, (blocks, 4, words) each: of the shared blocks, and of the others with
    the words of all levels in a row."""
    lanes = np.ascontiguousarray(tables).view(np.uint16).reshape(shape.count, 4 * shape.blocks)
    cut, own = 4 * shape.shared, 4 * (shape.blocks - shape.shared)
    wide = opened.astype(np.uint64, copy=False)
    below = bits.compare_lanes(wide, np.ascontiguousarray(lanes[:, :cut]), first, signed=False)
    upper = np.ascontiguousarray(lanes[:, cut:].T)
    greater = np.empty((own, shape.thresholds, shape.words), dtype=np.uint64)
    equal = np.empty_like(greater)
    for i, level in enumerate(levels):
        moved = (opened - level).astype(np.uint64, copy=False) >> np.uint64(4 * cut)
        greater[:, i], equal[:, i] = bits.compare_planes(moved, upper, first, signed=True)
    low = (shape.shared, 4, shape.words)
    high = (own // 4, 4, shape.thresholds * shape.words)
    return (below[0].reshape(low), below[1].reshape(low)), (greater.reshape(high), equal.reshape(high))


def _last_carry(circle: Circle, generated: Words, passed: Words, asked: Ticket) -> Steps[Words]:
    """What blocks generate together but for the highest, which the caller adds."""
    if len(generated) == 2:
        pair = np.stack([passed[1], generated[0]], axis=1)
        result = yield from evaluate.steps(circle, Gate.AND, pair, asked)
    else:
        four = carry_inputs(generated[None], passed[None])[0, :, :6]
        result = yield from evaluate.steps(circle, Gate.LAST_CARRY, np.ascontiguousarray(four), asked)
    words: Words = result[:, 0]
    return words


def _vector(thresholds: ArrayLike) -> Real:
    levels = np.asarray(thresholds, dtype=np.float64)
    if levels.ndim != 1 or not levels.size:
        raise MisuseError("thresholds are a vector of one or more numbers")
    return levels


def _flattened(circle: Circle, words: Words, shape: tuple[int, ...]) -> Bits:
    """Rows that are each filled up to whole words, as one flat line of bits."""
    count, thresholds = int(np.prod(shape)), len(words)
    if count % 64:
        words = bits.pack(np.concatenate([bits.unpack(np.ascontiguousarray(row), count) for row in words]))
    return Bits(circle, np.ascontiguousarray(words).reshape(-1), (thresholds, *shape))
