"""The kind of correlated randomness for private set intersection: vector oblivious linear evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from unseen.computation.correlation.source import Group, Kind, Slot, Vault
from unseen.computation.kernels import gf128
from unseen.computation.types import Words


@dataclass(frozen=True)
class VectorOle(Kind):
    """a uniform in GF(2^64)^n, D uniform in GF(2^128), and XOR shares of D·a.

    Of two parties, the one of rank `owner` holds a, the other D: with shares c and b, c = b + D·a.
    Two words an element of GF(2^128).
    """

    count: int
    owner: int
    name: ClassVar[str] = "vector-ole"

    def free(self) -> tuple[Slot, ...]:
        return (
            Slot((self.count,), Group.XOR, held_by=lambda rank: rank == self.owner),
            Slot((2,), Group.XOR, held_by=lambda rank: rank != self.owner),
        )

    def bound(self) -> tuple[Slot, ...]:
        return (Slot((self.count, 2), Group.XOR),)

    def target(self, values: Sequence[Words], vault: Vault) -> tuple[Words, ...]:
        product = np.zeros((self.count, 2), dtype=np.uint64)
        gf128.add_scaled(values[0], values[1], product)
        return (product,)
