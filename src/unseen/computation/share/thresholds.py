"""A shared number held against many public thresholds, for one opening of the number.

x is opened under one uniform r whose nibbles all parties share, as in `share.compare`. The opened word less a
threshold is the opened word of x less that threshold, so that every further threshold costs its carries alone.

Source: as `share.compare`; one masked value for many comparisons as in Damgård, Fitzi, Kiltz, Nielsen, Toft, TCC
2006, section 6. Setting: any number of semi-honest parties, all but one colluding. Nobody learns anything; no
failure probability.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from unseen.computation.circle import Circle
from unseen.computation.correlation.bit_kinds import Nibbles, SmallNibbles
from unseen.computation.correlation.formula import Gate
from unseen.computation.correlation.source import Ticket
from unseen.computation.kernels import bits
from unseen.computation.profile import Profile
from unseen.computation.share import fixed
from unseen.computation.share.array import Shared
from unseen.computation.share.boolean import Bits, ask_gate, evaluate, words_for
from unseen.computation.share.compare import carry_inputs
from unseen.computation.share.together import Opening, Protocol, Steps
from unseen.computation.types import Array, Real, Words
from unseen.errors import MisuseError

BELOW_EACH: Final = Profile(
    id="share/below-each",
    title="Comparison of shared numbers with many public thresholds",
    source="Damgård et al., TCC 2006; Ohata & Nuida, FC 2020; Ishai et al., TCC 2013",
    rounds=lambda count, thresholds: 3,
    bytes_sent=lambda count, thresholds, parties: (
        parties * (parties - 1) * 8 * (count + (4 * 7 + 6) * thresholds * words_for(count))
    ),
)
BELOW_EACH_ROUGHLY: Final = Profile(
    id="share/below-each-roughly",
    title="Comparison of the leading 32 bits of shared numbers with many public thresholds",
    source="as share/below-each, on eight nibbles",
    rounds=lambda count, thresholds: 3,
    bytes_sent=lambda count, thresholds, parties: (
        parties * (parties - 1) * (4 * count + 8 * (2 * 7 + 2) * thresholds * words_for(count))
    ),
)


@Protocol
def below_each(x: Shared, thresholds: ArrayLike) -> Steps[Bits]:
    """Whether x < t for each of k public thresholds (k,), as bits of shape (k, *x.shape): exact.

    Three rounds; 8 bytes an element, and 34 bits an element and threshold, to each peer. Everyone may know the
    thresholds; they are rounded to the fraction of x.
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


def _below(circle: Circle, share: Array, levels: Array) -> Steps[Words]:
    """(k, words): the sign of each x - level, from x modulo the ring of the share's width."""
    count, small = share.size, share.dtype.itemsize == 4
    thresholds, words, blocks = len(levels), words_for(share.size), 2 if small else 4
    nibbles = circle.source.ask(SmallNibbles(count) if small else Nibbles(count))
    fours = ask_gate(circle, Gate.CARRY, blocks * thresholds * words)
    last = ask_gate(circle, Gate.AND if small else Gate.LAST_CARRY, thresholds * words)
    r, tables = nibbles.take()
    (opened,) = yield Opening(circle, "comparison", (share + r,))
    greater = np.empty((4 * blocks, thresholds, words), dtype=np.uint64)
    equal = np.empty_like(greater)
    for i, level in enumerate(levels):
        moved = (opened - level).astype(np.uint64, copy=False)
        greater[:, i], equal[:, i] = bits.compare_nibbles(moved, tables, circle.rank == 0, signed=True)
    above = greater.reshape(blocks, 4, -1)
    inputs = carry_inputs(above, equal.reshape(above.shape)).reshape(-1, 7)
    carried = yield from evaluate.steps(circle, Gate.CARRY, inputs, fours)
    generated = above[:, 3] ^ carried[:, 0].reshape(blocks, -1)
    passed = carried[:, 1].reshape(blocks, -1)
    borrowed = yield from _last_carry(circle, generated, passed, last)
    signs: Words = (generated[-1] ^ borrowed).reshape(thresholds, words)
    return signs


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
