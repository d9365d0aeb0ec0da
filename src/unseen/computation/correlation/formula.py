"""Boolean formulas that one round evaluates on XOR shares: an XOR of products of up to a few inputs.

Each input is opened under a mask; a product of the inputs is then a sum over subsets of (product of opened
values) times (product of masks), and the products of masks are what the source supplies: Beaver's triple for
more factors (Ohata & Nuida, FC 2020, eprint 2018/1216, section 4). One formula of four blocks halves the
rounds of a prefix circuit of pairs.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from itertools import combinations
from typing import Final, TypeAlias

import numpy as np

from unseen.computation.types import Index

Product: TypeAlias = tuple[int, ...]


@dataclass(frozen=True)
class Formula:
    """`outputs[i]` lists the products whose XOR is output i; a product lists its inputs, at least two."""

    inputs: int
    outputs: tuple[tuple[Product, ...], ...]

    @cached_property
    def subsets(self) -> Index:
        """Bit masks of the sets of inputs, two or more, whose masks' products are needed."""
        found = {
            subset
            for output in self.outputs
            for product in output
            for size in range(2, len(product) + 1)
            for subset in combinations(sorted(product), size)
        }
        return np.array([_bits(subset) for subset in sorted(found)], dtype=np.int64)

    @cached_property
    def terms(self) -> Index:
        """(t, 3): output, opened set, and whose mask: -1 for one, then the inputs, then `subsets`."""
        place = {int(subset): self.inputs + i for i, subset in enumerate(self.subsets)}
        place |= {1 << i: i for i in range(self.inputs)} | {0: -1}
        rows = [
            (number, _bits(product) & ~_bits(masked), place[_bits(masked)])
            for number, output in enumerate(self.outputs)
            for product in output
            for size in range(len(product) + 1)
            for masked in combinations(product, size)
        ]
        return np.array(rows, dtype=np.int64)


def _bits(subset: Product) -> int:
    return sum(1 << i for i in subset)


class Gate(IntEnum):
    """The formulas in use. Inputs of the carry formulas are g2, g1, g0, p3, p2, p1, p0: block 3 is the highest."""

    AND = 0
    """a·b."""
    ALL_FOUR = 1
    """a·b·c·d."""
    CARRY = 2
    """What four blocks generate (but for g3) and what they propagate."""
    LAST_CARRY = 3
    """What four blocks generate (but for g3)."""
    PREFIXES = 4
    """Generated and propagated by blocks 0..1, 0..2 and 0..3, each but for its highest block's own g."""
    CHOOSE = 5
    """a·b and a·c: one secret bit by two others."""
    LAST_OF_SIX = 6
    """What six blocks generate (but for g5); inputs are g4 … g0, p5 … p1."""


_G2, _G1, _G0, _P3, _P2, _P1, _P0 = range(7)
_GENERATED: Final = ((_P3, _G2), (_P3, _P2, _G1), (_P3, _P2, _P1, _G0))

FORMULAS: Final[dict[int, Formula]] = {
    Gate.AND: Formula(2, (((0, 1),),)),
    Gate.ALL_FOUR: Formula(4, (((0, 1, 2, 3),),)),
    Gate.CARRY: Formula(7, (_GENERATED, ((_P3, _P2, _P1, _P0),))),
    Gate.LAST_CARRY: Formula(6, (_GENERATED,)),
    Gate.PREFIXES: Formula(
        7,
        (
            ((_P1, _G0),),
            ((_P1, _P0),),
            ((_P2, _G1), (_P2, _P1, _G0)),
            ((_P2, _P1, _P0),),
            _GENERATED,
            ((_P3, _P2, _P1, _P0),),
        ),
    ),
    Gate.CHOOSE: Formula(3, (((0, 1),), ((0, 2),))),
    Gate.LAST_OF_SIX: Formula(10, (tuple((*range(5, 6 + i), i) for i in range(5)),)),
}
