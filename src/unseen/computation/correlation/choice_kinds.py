"""The kinds of correlated randomness for sums and scalings by secret bits, many bits to one masked number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from unseen.computation.correlation.source import Group, Kind, Slot, Vault, ring_width
from unseen.computation.kernels import bits
from unseen.computation.types import Array
from unseen.errors import MisuseError


@dataclass(frozen=True)
class BitScaling(Kind):
    """Uniform bits ρ, packed; ρ and ρ·A in the ring, for the kept mask A (columns, rows) of request `mask`.

    ρ has `groups` bits a row, so that rows masked once can be chosen many times.
    """

    mask: int
    groups: int
    columns: int
    rows: int
    name: ClassVar[str] = "bit-scaling"
    refers: ClassVar[tuple[str, ...]] = ("mask",)

    def free(self) -> tuple[Slot, ...]:
        return (Slot((-(-self.groups * self.rows // 64),), Group.XOR),)

    def bound(self) -> tuple[Slot, ...]:
        return (Slot((self.groups, self.rows)), Slot((self.groups, self.columns, self.rows)))

    def target(self, values: Sequence[Any], vault: Vault) -> tuple[Array, ...]:
        mask = vault.get(self.mask)
        if mask is None or mask.shape != (self.columns, self.rows):
            raise MisuseError("a request refers to a mask of another shape, or to none")
        drawn = bits.unpack(values[0], self.groups * self.rows).astype(np.uint64).reshape(self.groups, self.rows)
        return drawn, drawn[:, None, :] * mask


@dataclass(frozen=True)
class BitSums(Kind):
    """Uniform bits ρ (choices, rows), packed, and u (choices,); ρ and ρ·u in the ring of `lane` bits.

    For adding up, row by row, the numbers among a few that the row's bits choose.
    """

    choices: int
    rows: int
    lane: int
    name: ClassVar[str] = "bit-sums"

    def free(self) -> tuple[Slot, ...]:
        packed = Slot((-(-self.choices * self.rows // 64),), Group.XOR)
        return (packed, Slot((self.choices,), bits=ring_width(self.lane)))

    def bound(self) -> tuple[Slot, ...]:
        shape = (self.choices, self.rows)
        return (Slot(shape, bits=self.lane), Slot(shape, bits=self.lane))

    def target(self, values: Sequence[Any], vault: Vault) -> tuple[Array, ...]:
        drawn = bits.unpack(values[0], self.choices * self.rows).astype(f"u{self.lane // 8}")
        drawn = drawn.reshape(self.choices, self.rows)
        return drawn, drawn * values[1][:, None]
