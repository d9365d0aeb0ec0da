"""Comparisons of shared numbers, exact over the whole range.

x is opened under a uniform r of which all parties share the nibbles, as thermometers of XOR shared bits. Bit k
of a thermometer says whether the nibble is greater than k, so that comparing it with the opened word's nibble is
looking up a bit: no gate. What is left is to chain 16 "greater" and "equal" from the top, four by four.

Source: the masked comparison of Damgård, Fitzi, Kiltz, Nielsen, Toft, TCC 2006; the prefix circuit with gates of
four (Ohata & Nuida, FC 2020); dealt one-hot tables as in Ishai, Kushilevitz, Meldgaard, Orlandi,
Paskin-Cherniavsky, TCC 2013. Setting: any number of semi-honest parties, all but one colluding. Nobody learns
anything; no failure probability.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from unseen.computation.correlation.bit_kinds import Nibbles
from unseen.computation.correlation.formula import Gate
from unseen.computation.kernels import bits
from unseen.computation.profile import Profile
from unseen.computation.share.array import Shared
from unseen.computation.share.boolean import Bits, ask_gate, evaluate, words_for
from unseen.computation.share.together import Opening, Protocol, Steps
from unseen.computation.types import Words

COMPARISON: Final = Profile(
    id="share/comparison",
    title="Comparison of shared numbers",
    source="Damgård et al., TCC 2006; Ohata & Nuida, FC 2020; Ishai et al., TCC 2013",
    rounds=lambda count: 3,
    bytes_sent=lambda count, parties: parties * (parties - 1) * 8 * (count + (4 * 7 + 6) * words_for(count)),
)
EQUALITY: Final = Profile(
    id="share/equality",
    title="Equality of shared numbers",
    source="as the comparison; a product of 16 equal nibbles",
    rounds=lambda count: 3,
    bytes_sent=lambda count, parties: parties * (parties - 1) * 8 * (count + 20 * words_for(count)),
)


@Protocol
def negative(x: Shared) -> Steps[Bits]:
    """Whether each value is below zero: three rounds, 12.25 bytes an element to each peer.

    With c = x + r opened, x = c - r, and its top bit is that of c XOR that of r XOR the borrow from below.
    """
    circle, words = x.circle, words_for(x.size)
    nibbles = circle.source.ask(Nibbles(x.size))
    fours, last = ask_gate(circle, Gate.CARRY, 4 * words), ask_gate(circle, Gate.LAST_CARRY, words)
    r, tables = nibbles.take()
    (opened,) = yield Opening(circle, "comparison", (x.words.reshape(-1) + r,))
    greater, equal = bits.compare_nibbles(opened, tables, circle.rank == 0, signed=True)
    blocks = carry_inputs(greater.reshape(4, 4, words), equal.reshape(4, 4, words)).reshape(-1, 7)
    carried = yield from evaluate.steps(circle, Gate.CARRY, blocks, fours)
    four_greater = greater.reshape(4, 4, words)[:, 3] ^ carried[:, 0].reshape(4, words)
    four_equal = carried[:, 1].reshape(4, words)
    top = carry_inputs(four_greater[None], four_equal[None])[0, :, :6]
    borrowed = yield from evaluate.steps(circle, Gate.LAST_CARRY, np.ascontiguousarray(top), last)
    return Bits(circle, four_greater[3] ^ borrowed[:, 0], x.shape)


@Protocol
def zero(x: Shared) -> Steps[Bits]:
    """Whether each value is zero: three rounds, 10.5 bytes an element to each peer."""
    circle, words = x.circle, words_for(x.size)
    nibbles = circle.source.ask(Nibbles(x.size))
    fours, last = ask_gate(circle, Gate.ALL_FOUR, 4 * words), ask_gate(circle, Gate.ALL_FOUR, words)
    r, tables = nibbles.take()
    (opened,) = yield Opening(circle, "equality", (x.words.reshape(-1) + r,))
    _, equal = bits.compare_nibbles(opened, tables, circle.rank == 0, signed=False)
    blocks = np.ascontiguousarray(equal.reshape(4, 4, words).transpose(0, 2, 1)).reshape(-1, 4)
    four = yield from evaluate.steps(circle, Gate.ALL_FOUR, blocks, fours)
    rows = np.ascontiguousarray(four.reshape(4, words).T)
    result = yield from evaluate.steps(circle, Gate.ALL_FOUR, rows, last)
    return Bits(circle, np.ascontiguousarray(result[:, 0]), x.shape)


def equal(left: Shared, right: Shared | float) -> Bits:
    """Whether values are equal to the last fractional bit: three rounds, as `zero`."""
    return zero(left - right)


def carry_inputs(greater: Words, same: Words) -> Words:
    """(blocks, 4, words) each to (blocks, words, 7): g2, g1, g0, p3, p2, p1, p0 of each block, highest last."""
    columns = (greater[:, 2], greater[:, 1], greater[:, 0], same[:, 3], same[:, 2], same[:, 1], same[:, 0])
    return np.stack(columns, axis=-1)
