"""Correlated randomness: what protocols ask for, whoever makes it.

A protocol names a `Kind` and its sizes and gets this party's part. It does not know whether a dealer, or the
parties among themselves, made it. Asking early costs nothing: `ask` returns a ticket at once, `take` waits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import ClassVar, Final, Protocol

import numpy as np

from unseen.computation.types import Words
from unseen.encoding import Json

WORDS_LIMIT: Final = 1 << 31
"""Most words that one request may ask of each party."""


class Group(StrEnum):
    """How the parties' parts of an array combine to its value."""

    ADD = "add"
    XOR = "xor"

    def total(self, parts: Sequence[Words]) -> Words:
        value = parts[0].copy()
        for part in parts[1:]:
            if self is Group.ADD:
                value += part
            else:
                value ^= part
        return value

    def without(self, value: Words, part: Words) -> Words:
        return value - part if self is Group.ADD else value ^ part


@dataclass(frozen=True)
class Slot:
    """One array of a correlation: its shape, how parts combine, and which ranks hold a part (None: all)."""

    shape: tuple[int, ...]
    group: Group = Group.ADD
    held_by: Callable[[int], bool] | None = None

    def holds(self, rank: int) -> bool:
        return self.held_by is None or self.held_by(rank)

    @property
    def size(self) -> int:
        return int(np.prod(self.shape))


Vault = Mapping[int, Words]
"""Masks that the maker keeps because later requests refer to them, by the number of the request."""


@dataclass(frozen=True)
class Kind:
    """One kind of correlated randomness, described by sizes alone.

    Every party holds uniform parts of the `free` arrays; the parts of the `bound` arrays are uniform but for
    adding up (or XOR-ing) to `target` of the free arrays' values.
    """

    name: ClassVar[str]
    keeps: ClassVar[bool] = False

    def free(self) -> tuple[Slot, ...]:
        raise NotImplementedError

    def bound(self) -> tuple[Slot, ...]:
        return ()

    def target(self, values: Sequence[Words], vault: Vault) -> tuple[Words, ...]:
        """The values of the bound arrays, from those of the free ones."""
        return ()

    def size(self) -> int:
        return sum(slot.size for slot in (*self.free(), *self.bound()))

    def as_json(self) -> dict[str, Json]:
        return {"kind": self.name, **asdict(self)}


class Ticket(Protocol):
    """A correlation that was asked for. `number` names it in later requests."""

    number: int

    def take(self) -> tuple[Words, ...]:
        """This party's parts: free arrays that it holds, then bound arrays. Once only."""


class Source(Protocol):
    """Where correlated randomness comes from. All parties ask for the same kinds in the same order."""

    def ask(self, kind: Kind) -> Ticket:
        """Announce a need; returns at once."""

    def forget(self, number: int) -> None:
        """The mask of that request will not be referred to again."""

    def fork(self, label: str) -> Source:
        """A source of its own for work that overlaps."""

    def finish(self) -> None:
        """The run is over."""
