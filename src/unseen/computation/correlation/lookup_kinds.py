"""The kinds of correlated randomness for tables looked up in XOR shares: products of bits that two parties know,
words chosen by masked bits, and carries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from unseen.computation.correlation.source import Group, Kind, Slot, Vault, ring_width
from unseen.computation.kernels import digits
from unseen.computation.types import Array, Words


@dataclass(frozen=True)
class KnownPair(Kind):
    """Uniform bits of rank `first`, others of rank `second`, and the two's shares of the products, packed.

    For products of bits of which each factor is known to one party: a bit is dealt, and two are told.
    """

    count: int
    first: int
    second: int
    name: ClassVar[str] = "known-pair"
    by_row: ClassVar[bool] = True

    def free(self) -> tuple[Slot, ...]:
        return (
            Slot((self.count,), Group.XOR, held_by=lambda rank: rank == self.first),
            Slot((self.count,), Group.XOR, held_by=lambda rank: rank == self.second),
        )

    def bound(self) -> tuple[Slot, ...]:
        return (Slot((self.count,), Group.XOR, held_by=lambda rank: rank in (self.first, self.second)),)

    def target(self, values: Sequence[Words], vault: Vault) -> tuple[Words, ...]:
        return (values[0] & values[1],)


@dataclass(frozen=True)
class BitTriple(Kind):
    """a, b uniform bits, packed, and a AND b: Beaver's triple over bits, each array by itself."""

    count: int
    name: ClassVar[str] = "bit-triple"
    by_row: ClassVar[bool] = True

    def free(self) -> tuple[Slot, ...]:
        return (Slot((self.count,), Group.XOR), Slot((self.count,), Group.XOR))

    def bound(self) -> tuple[Slot, ...]:
        return (Slot((self.count,), Group.XOR),)

    def target(self, values: Sequence[Words], vault: Vault) -> tuple[Words, ...]:
        return (values[0] & values[1],)


@dataclass(frozen=True)
class DigitLookup(Kind):
    """Uniform bits ρ (tables, choices, words of 64 rows) and words u (tables, choices) of `lane` bits; for each
    table and row the XOR of the u that ρ chooses, digit by digit: (tables, lane, words).

    A masked bit is linear in its mask, so a table of any number of choices needs one correction a row.
    """

    tables: int
    choices: int
    words: int
    lane: int
    name: ClassVar[str] = "digit-lookup"
    by_row: ClassVar[bool] = True

    def free(self) -> tuple[Slot, ...]:
        return (
            Slot((self.tables, self.choices, self.words), Group.XOR),
            Slot((self.tables, self.choices), Group.XOR, bits=ring_width(self.lane)),
        )

    def bound(self) -> tuple[Slot, ...]:
        return (Slot((self.tables, self.lane, self.words), Group.XOR),)

    def target(self, values: Sequence[Any], vault: Vault) -> tuple[Array, ...]:
        found = np.zeros((values[0].shape[0], self.lane, self.words), dtype=np.uint64)
        digits.choose(values[0], values[1], found)
        return (found,)
