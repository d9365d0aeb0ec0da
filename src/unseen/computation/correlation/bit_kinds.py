"""The kinds of correlated randomness for XOR shares, 64 bits packed to a word, and for the ways between rings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from unseen.computation.correlation.formula import FORMULAS, Formula
from unseen.computation.correlation.source import Group, Kind, Slot, Vault, ring_width
from unseen.computation.kernels import bits
from unseen.computation.types import Array
from unseen.errors import MisuseError


@dataclass(frozen=True)
class GateMasks(Kind):
    """Masks of a formula's inputs, and the products of them that it needs: `count` words of 64 evaluations."""

    count: int
    formula: int
    name: ClassVar[str] = "gate"
    by_row: ClassVar[bool] = True

    @property
    def _formula(self) -> Formula:
        if self.formula not in FORMULAS:
            raise MisuseError("a request for an unknown formula")
        return FORMULAS[self.formula]

    def free(self) -> tuple[Slot, ...]:
        return (Slot((self.count, self._formula.inputs), Group.XOR),)

    def bound(self) -> tuple[Slot, ...]:
        return (Slot((self.count, len(self._formula.subsets)), Group.XOR),)

    def target(self, values: Sequence[Any], vault: Vault) -> tuple[Array, ...]:
        return (bits.mask_products(values[0], self._formula.subsets),)


@dataclass(frozen=True)
class Nibbles(Kind):
    """r uniform in Z_2^64, and XOR shares of the thermometers of its 16 nibbles: for comparisons of c with r."""

    count: int
    name: ClassVar[str] = "nibbles"
    by_row: ClassVar[bool] = True

    def free(self) -> tuple[Slot, ...]:
        return (Slot((self.count,)),)

    def bound(self) -> tuple[Slot, ...]:
        return (Slot((self.count, 4), Group.XOR),)

    def target(self, values: Sequence[Any], vault: Vault) -> tuple[Array, ...]:
        return (bits.thermometers(values[0]),)


@dataclass(frozen=True)
class SmallNibbles(Kind):
    """r uniform in Z_2^32, and XOR shares of the thermometers of its 8 nibbles, as `Nibbles`."""

    count: int
    name: ClassVar[str] = "small-nibbles"
    by_row: ClassVar[bool] = True

    def free(self) -> tuple[Slot, ...]:
        return (Slot((self.count,), bits=32),)

    def bound(self) -> tuple[Slot, ...]:
        return (Slot((self.count, 2), Group.XOR),)

    def target(self, values: Sequence[Any], vault: Vault) -> tuple[Array, ...]:
        return (np.ascontiguousarray(bits.thermometers(values[0].astype(np.uint64))[:, :2]),)


@dataclass(frozen=True)
class BitsInRing(Kind):
    """Uniform bits, packed, and the same bits in the ring of `lane` bits: from XOR shares to additive ones."""

    count: int
    lane: int = 64
    name: ClassVar[str] = "bits-in-ring"
    by_row: ClassVar[bool] = True

    def free(self) -> tuple[Slot, ...]:
        return (Slot((self.count,), Group.XOR),)

    def bound(self) -> tuple[Slot, ...]:
        return (Slot((self.count, 64), bits=ring_width(self.lane)),)

    def target(self, values: Sequence[Any], vault: Vault) -> tuple[Array, ...]:
        return (_in_ring(values[0], self.lane),)


@dataclass(frozen=True)
class BitProduct(Kind):
    """Uniform bits b, packed, a uniform in Z_2^64; b and b·a in the ring: for choosing by a secret bit."""

    count: int
    name: ClassVar[str] = "bit-product"
    by_row: ClassVar[bool] = True

    def free(self) -> tuple[Slot, ...]:
        return (Slot((self.count,), Group.XOR), Slot((self.count, 64)))

    def bound(self) -> tuple[Slot, ...]:
        return (Slot((self.count, 64)), Slot((self.count, 64)))

    def target(self, values: Sequence[Any], vault: Vault) -> tuple[Array, ...]:
        b = _in_ring(values[0])
        return b, b * values[1]


@dataclass(frozen=True)
class Lift(Kind):
    """r uniform in Z_2^32; r >> bits in the ring of `lane` bits, and r's top bit: from the small ring to the large
    one, or a truncation within the small one.

    To lift whole words (no bits dropped, into 64), r itself need not be dealt: the parties' own parts are shares
    of it in the large ring, but for what their sum carries, which is dealt in its place.
    """

    count: int
    bits: int = 0
    lane: int = 64
    name: ClassVar[str] = "lift"
    by_row: ClassVar[bool] = True

    @property
    def whole(self) -> bool:
        return self.bits == 0 and self.lane == 64

    def free(self) -> tuple[Slot, ...]:
        return (Slot((self.count,), bits=32, carries=self.whole),)

    def bound(self) -> tuple[Slot, ...]:
        # The top bit goes up by 32 - bits places, and so does the carry.
        wide = 32 if self.whole else ring_width(self.lane)
        top = 64 if self.bits and self.lane == 64 else 32
        return (Slot((self.count,), bits=wide), Slot((self.count,), bits=top))

    def target(self, values: Sequence[Any], vault: Vault) -> tuple[Array, ...]:
        wide, top = (slot.dtype for slot in self.bound())
        kind, r = values[0].dtype.type, values[0]
        high = r >> kind(32 if self.whole else self.bits)
        return high.astype(wide), ((r >> kind(31)) & kind(1)).astype(top)


def _in_ring(packed: Array, lane: int = 64) -> Array:
    return bits.unpack(packed, 64 * packed.size).astype(f"u{lane // 8}").reshape(-1, 64)
