"""The kind of correlated randomness that tells which of two rows comes first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from unseen.computation.correlation.source import Group, Kind, Slot, Vault
from unseen.computation.kernels import bits
from unseen.computation.types import Array
from unseen.errors import MisuseError


@dataclass(frozen=True)
class OrderMasks(Kind):
    """r uniform in Z_2^64, q in Z_2^32; XOR shares of the thermometers of r's 16 and q's `nibbles` lowest nibbles.

    For comparisons of a key, masked by r, and where keys are equal of a row number, masked by q.
    """

    count: int
    nibbles: int
    name: ClassVar[str] = "order"
    by_row: ClassVar[bool] = True

    def free(self) -> tuple[Slot, ...]:
        return (Slot((self.count,)), Slot((self.count,), bits=32))

    def bound(self) -> tuple[Slot, ...]:
        if not 0 < self.nibbles <= 8:
            raise MisuseError("a request for more nibbles than 32 bits have")
        return (Slot((self.count, 4), Group.XOR), Slot((self.count, self.nibbles), Group.XOR, bits=16))

    def target(self, values: Sequence[Any], vault: Vault) -> tuple[Array, ...]:
        low = bits.thermometers(values[1].astype(np.uint64)).view(np.uint16)
        return bits.thermometers(values[0]), np.ascontiguousarray(low[:, : self.nibbles])
