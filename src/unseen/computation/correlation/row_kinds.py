"""The kinds of correlated randomness that move rows: permutations known to one party, and to none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from unseen.computation.correlation.source import Kind, Slot, Vault
from unseen.computation.kernels import permute
from unseen.computation.types import Array
from unseen.errors import MisuseError


@dataclass(frozen=True)
class Permutation(Kind):
    """A uniform permutation of `count` places that rank `owner` knows; kept, for many vectors."""

    count: int
    owner: int
    name: ClassVar[str] = "permutation"
    keeps: ClassVar[bool] = True

    def free(self) -> tuple[Slot, ...]:
        return (Slot((self.count + permute.SPARE,), held_by=_only(self.owner)),)


@dataclass(frozen=True)
class Permuted(Kind):
    """r uniform (count, columns), held by all but the owner, and r's rows in the order of a kept permutation.

    If `back`, in the order of its inverse.
    """

    permutation: int
    count: int
    columns: int
    owner: int
    back: bool
    name: ClassVar[str] = "permuted"

    def free(self) -> tuple[Slot, ...]:
        return (Slot((self.count, self.columns), held_by=_all_but(self.owner)),)

    def bound(self) -> tuple[Slot, ...]:
        return (Slot((self.count, self.columns)),)

    def target(self, values: Sequence[Any], vault: Vault) -> tuple[Array, ...]:
        drawn = vault.get(self.permutation)
        if drawn is None or drawn.shape != (self.count + permute.SPARE,):
            raise MisuseError("a request refers to a permutation of another length, or to none")
        places = permute.permutation(drawn)
        return (values[0][permute.inverse(places) if self.back else places],)


@dataclass(frozen=True)
class Shuffle(Kind):
    """A permutation of `rows` places for each of the parties, a mask (rows, columns) for each but the last, r
    held by all but the first; and what r becomes on its way: permuted and masked by one after the other."""

    rows: int
    columns: int
    parties: int
    name: ClassVar[str] = "shuffle"

    def free(self) -> tuple[Slot, ...]:
        if self.parties < 2:
            raise MisuseError("a shuffle is among two parties or more")
        shape = (self.rows, self.columns)
        orders = [Slot((self.rows + permute.SPARE,), held_by=_only(k)) for k in range(self.parties)]
        masks = [Slot(shape, held_by=_only(k)) for k in range(self.parties - 1)]
        return (*orders, *masks, Slot(shape, held_by=_all_but(0)))

    def bound(self) -> tuple[Slot, ...]:
        return (Slot((self.rows, self.columns)),)

    def target(self, values: Sequence[Any], vault: Vault) -> tuple[Array, ...]:
        *orders, last = values[: self.parties]
        rows = values[-1]
        for order, mask in zip(orders, values[self.parties : -1], strict=True):
            rows = rows[permute.permutation(order)]
            rows += mask
        return (rows[permute.permutation(last)],)


def _only(owner: int) -> Callable[[int], bool]:
    return lambda rank: rank == owner


def _all_but(owner: int) -> Callable[[int], bool]:
    return lambda rank: rank != owner
