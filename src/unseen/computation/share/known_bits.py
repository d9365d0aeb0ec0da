"""Products of bits of which each factor is known to one party.

With a = c XOR α at one party and b = e XOR β at the other, both tell c and e. Then a·b = a·e XOR c·β XOR α·β, of
which the first is known to the one, the second to the other, and the third is dealt in shares to the two.

Source: Goldreich, Micali, Wigderson, STOC 1987, with dealt products (Beaver 1991) where a factor has one knower.
Setting: any number of semi-honest parties, all but one colluding. Nobody learns anything; no failure probability.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from unseen.computation.circle import Circle
from unseen.computation.correlation.bit_kinds import GateMasks
from unseen.computation.correlation.formula import Gate
from unseen.computation.correlation.lookup_kinds import KnownPair
from unseen.computation.correlation.source import Kind
from unseen.computation.profile import Profile
from unseen.computation.share.boolean import Bits, both, words_for
from unseen.computation.share.together import Opening, Protocol, Steps
from unseen.computation.types import Words

KNOWN_PAIR: Final = Profile(
    id="share/known-bits",
    title="AND of bits that two parties know, each its own",
    source="Goldreich, Micali, Wigderson, STOC 1987; Beaver, CRYPTO 1991",
    rounds=lambda count: 1,
    bytes_sent=lambda count, parties: 2 * 8 * words_for(count),
)


@Protocol
def known_product(circle: Circle, first: int, second: int, own: Words, shape: tuple[int, ...]) -> Steps[Bits]:
    """AND of what ranks `first` < `second` know, as shared bits: one round, a bit an element from each.

    `own` (words,): a party's own bits, packed as those of `shape`; what others than the two bring does not count.
    """
    ticket = circle.source.ask(KnownPair(own.size, first, second))
    if circle.rank not in (first, second):
        yield Opening(circle, "known-bits")  # keeps step with the two
        return Bits(circle, own ^ own, shape)
    mask, products = ticket.take()
    told = own ^ mask
    pair = replace(
        circle, parties=(circle.parties[first], circle.parties[second]), rank=int(circle.rank == second)
    )
    (mixed,) = yield Opening(pair, "known-bits", bits=(told,))
    others = mixed ^ told
    return Bits(circle, products ^ (others & (own if circle.rank == first else mask)), shape)


@Protocol
def all_know(circle: Circle, knowers: Sequence[int], own: Words, shape: tuple[int, ...]) -> Steps[Bits]:
    """AND of what each of the `knowers` (ranks, ascending) knows: one round for two, and one more a doubling."""
    found: list[Bits] = []
    for first, second in zip(knowers[0::2], knowers[1::2], strict=False):
        found.append((yield from known_product.steps(circle, first, second, own, shape)))
    if len(knowers) % 2:
        words = own if circle.rank == knowers[-1] else own ^ own
        found.append(Bits(circle, words, shape))
    while len(found) > 1:
        left, right = found.pop(0), found.pop(0)
        found.append((yield from both.steps(left, right)))
    return found[0]


def all_know_kinds(knowers: Sequence[int], count: int) -> list[Kind]:
    """What `all_know` asks for, in order, for `count` words."""
    pairs: list[Kind] = [KnownPair(count, *pair) for pair in zip(knowers[0::2], knowers[1::2], strict=False)]
    return pairs + [GateMasks(count, int(Gate.AND))] * (len(pairs) + len(knowers) % 2 - 1)
