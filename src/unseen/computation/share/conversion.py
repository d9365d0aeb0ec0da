"""Shared numbers as shared bits, and back: between shares that add up and shares that XOR.

A number goes to bits by being opened under a uniform r of which the parties share the nibbles: what is left is to
subtract r from the opened word, nibble by nibble. A nibble's difference, with and without a borrow from below, is
looked up in the dealt table, without a gate; the borrows are a prefix over 16 nibbles, four by four; one gate a
bit chooses. The way back opens each bit under a dealt bit that is known in both sharings, and adds up powers of
two.

Source: bit decomposition as in Damgård, Fitzi, Kiltz, Nielsen, Toft, TCC 2006, with tables and prefixes as in
`share.compare`; the way back: Damgård et al., IEEE S&P 2019, section V. Setting: any number of semi-honest
parties, all but one colluding. Nobody learns anything; no failure probability.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from unseen.computation.correlation.bit_kinds import Nibbles
from unseen.computation.correlation.formula import Gate
from unseen.computation.kernels import bits
from unseen.computation.profile import Profile
from unseen.computation.share.array import Shared
from unseen.computation.share.boolean import Bits, ask_gate, evaluate, ring_numbers, words_for
from unseen.computation.share.compare import carry_inputs
from unseen.computation.share.together import Opening, Protocol, Steps
from unseen.computation.types import Words
from unseen.errors import MisuseError

WORD_BITS: Final = 64
BLOCKS: Final = 4
"""Of four nibbles each."""

NUMBER_TO_BITS: Final = Profile(
    id="share/number-to-bits",
    title="Shared numbers as shared bits",
    source="Damgård et al., TCC 2006; tables and prefixes as in share/comparison",
    rounds=lambda count: 5,
    bytes_sent=lambda count, parties: (
        parties * (parties - 1) * 8 * (3 * count + (5 * 7 + 12 * 2) * words_for(count))
    ),
)
BITS_TO_NUMBER: Final = Profile(
    id="share/bits-to-number",
    title="Binary digits in shared bits as shared numbers",
    source="as share/bits-to-numbers, and a sum of powers of two",
    rounds=lambda count, digits: 1,
    bytes_sent=lambda count, digits, parties: parties * (parties - 1) * 8 * words_for(count * digits),
)


@Protocol
def to_bits(x: Shared) -> Steps[Bits]:
    """The 64 binary digits of each word of x (…), lowest first, in two's complement: Bits (…, 64).

    Digit f is the units' where x has f fractional bits, digit 63 the sign. Five rounds, 31.4 bytes an element to
    each peer. Exact over the whole ring.
    """
    circle, count, words = x.circle, x.size, words_for(x.size)
    nibbles = circle.source.ask(Nibbles(count))
    fours, blocks = ask_gate(circle, Gate.PREFIXES, BLOCKS * words), ask_gate(circle, Gate.PREFIXES, words)
    inner, last = ask_gate(circle, Gate.AND, 3 * BLOCKS * words), ask_gate(circle, Gate.AND, count)
    r, tables = nibbles.take()
    (opened,) = yield Opening(circle, "number-to-bits", (x.words.reshape(-1) + r,))
    first = circle.rank == 0
    greater, equal = (
        part.reshape(BLOCKS, 4, words) for part in bits.compare_nibbles(opened, tables, first, signed=False)
    )
    found = yield from evaluate.steps(circle, Gate.PREFIXES, carry_inputs(greater, equal).reshape(-1, 7), fours)
    lent, passed = _prefixes(greater, equal, found.reshape(BLOCKS, words, 6))
    block_lent, block_passed = lent[None, :, 3], passed[None, :, 3]
    found = yield from evaluate.steps(circle, Gate.PREFIXES, carry_inputs(block_lent, block_passed)[0], blocks)
    between = _prefixes(block_lent, block_passed, found.reshape(1, words, 6))[0][0]
    # What comes into a block is what all blocks below it lend together; into its other nibbles, either what those
    # below in the block lend, or what came into the block where they pass it on.
    into_block = np.concatenate([np.zeros((1, words), dtype=np.uint64), between[:3]])
    pairs = np.stack([passed[:, :3], np.broadcast_to(into_block[:, None], (BLOCKS, 3, words))], axis=-1)
    through = yield from evaluate.steps(circle, Gate.AND, pairs.reshape(-1, 2), inner)
    within = lent[:, :3] ^ through.reshape(BLOCKS, 3, words)
    borrows = np.concatenate([into_block[:, None], within], axis=1).reshape(4 * BLOCKS, words)
    plain, changed = bits.subtract_nibbles(opened, tables, first)
    wanted = np.stack([changed, bits.spread_nibbles(borrows, count)], axis=1)
    corrected = yield from evaluate.steps(circle, Gate.AND, wanted, last)
    return Bits(circle, plain ^ corrected[:, 0], (*x.shape, WORD_BITS))


def _prefixes(lent: Words, passed: Words, found: Words) -> tuple[Words, Words]:
    """What the lowest one to four of each block lend and pass on together, (blocks, 4, words) each, from what the
    gate found (blocks, words, 6): lent without the highest one's own, passed, of two, three and four."""
    together = np.moveaxis(found, -1, 1)
    all_lent = np.concatenate([lent[:, :1], lent[:, 1:] ^ together[:, 0::2]], axis=1)
    return all_lent, np.concatenate([passed[:, :1], together[:, 1::2]], axis=1)


@Protocol
def from_bits(truth: Bits, fraction: int = 0) -> Steps[Shared]:
    """The numbers with these binary digits (…, k), lowest first, k up to 64: Shared (…), in units of 2^-fraction.

    64 digits are two's complement; fewer are a number that is not negative. One round, a bit a digit to each peer;
    the source's corrections are 8 bytes a digit.
    """
    if not truth.shape or not 0 < truth.shape[-1] <= WORD_BITS:
        raise MisuseError(f"bits of shape {truth.shape} are no binary digits: the last axis holds 1 to 64 of them")
    numbers = yield from ring_numbers.steps(truth.circle, truth.words)
    digits = numbers[: truth.size].reshape(truth.shape)
    weights = np.uint64(1) << np.arange(truth.shape[-1], dtype=np.uint64)
    return Shared(truth.circle, (digits * weights).sum(axis=-1, dtype=np.uint64), fraction)
