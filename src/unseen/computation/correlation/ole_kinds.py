"""The kind of correlated randomness for private set intersection: vector oblivious linear evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from unseen.computation.correlation.source import Group, Kind, Slot, Vault
from unseen.computation.kernels import gf128
from unseen.computation.types import Words
from unseen.errors import MisuseError


@dataclass(frozen=True)
class VectorOle(Kind):
    """a uniform in GF(2^64)^n, D uniform in GF(2^128), and XOR shares of D·a.

    Between two of the parties: rank `receiver` holds a, rank `sender` D: with shares c and b, c = b + D·a. The
    others hold nothing of it. Two words an element of GF(2^128).
    """

    count: int
    receiver: int
    sender: int
    name: ClassVar[str] = "vector-ole"

    def free(self) -> tuple[Slot, ...]:
        return (
            Slot((self.count,), Group.XOR, held_by=lambda rank: rank == self.receiver),
            Slot((2,), Group.XOR, held_by=lambda rank: rank == self.sender),
        )

    def bound(self) -> tuple[Slot, ...]:
        if self.receiver == self.sender:
            raise MisuseError("a vector OLE is between two parties")
        return (Slot((self.count, 2), Group.XOR, held_by=lambda rank: rank in (self.receiver, self.sender)),)

    def target(self, values: Sequence[Words], vault: Vault) -> tuple[Words, ...]:
        product = np.zeros((self.count, 2), dtype=np.uint64)
        gf128.add_scaled(values[0], values[1], product)
        return (product,)
