"""Correlated randomness: what protocols ask for, whoever makes it.

A protocol names a `Kind` and its sizes and gets this party's part. It does not know whether a dealer, or the
parties among themselves, made it. Asking early costs nothing: `ask` returns a ticket at once, `take` waits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from functools import lru_cache
from math import prod
from typing import Any, ClassVar, Final, Protocol

import numpy as np

from unseen.computation.types import Array, Words
from unseen.encoding import Json
from unseen.errors import MisuseError

WORDS_LIMIT: Final = 1 << 31
"""Most words that one request may ask of each party."""

PIECE_WORDS: Final = 1 << 18
"""Words of one piece of a correlation that is made row by row: 2 MiB, which several threads and processes that
share a cache still find there, and few enough that what a piece costs by itself does not count."""


class Group(StrEnum):
    """How the parties' parts of an array combine to its value."""

    ADD = "add"
    XOR = "xor"

    def total(self, parts: Sequence[Array]) -> Array:
        """All parts together; the first one is overwritten."""
        value = parts[0]
        for part in parts[1:]:
            value = self.merged(value, part)
        return value

    def merged(self, into: Array, part: Array) -> Array:
        """Two parts together, in the place of the first."""
        return np.asarray((np.add if self is Group.ADD else np.bitwise_xor)(into, part, out=into))

    def without(self, value: Array, part: Array) -> Array:
        """The value less a part, in the place of the part."""
        return np.asarray((np.subtract if self is Group.ADD else np.bitwise_xor)(value, part, out=part))


@dataclass(frozen=True)
class Slot:
    """One array of a correlation: its shape, how parts combine, which ranks hold a part (None: all), and the
    width of its elements: parts of b bits combine modulo 2^b. `carries`: what the parts' sum carries beyond its b
    bits is part of the value, in words of 64 bits."""

    shape: tuple[int, ...]
    group: Group = Group.ADD
    held_by: Callable[[int], bool] | None = None
    bits: int = 64
    carries: bool = False

    def holds(self, rank: int) -> bool:
        return self.held_by is None or self.held_by(rank)

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(f"u{self.bits // 8}")

    def total(self, parts: Sequence[Array]) -> Array:
        """The value of all parts together; the first one may be overwritten."""
        return self.group.total([part.astype(np.uint64) for part in parts] if self.carries else parts)

    @property
    def size(self) -> int:
        """In words of 64 bits, rounded up."""
        return -(-prod(self.shape) * self.bits // 64)


def ring_width(lane: int) -> int:
    """The width of a ring that a request names. Raises MisuseError for one that is not in use."""
    if lane not in (32, 64):
        raise MisuseError("a request for a ring of another width")
    return lane


Vault = Mapping[int, Words]
"""Masks that the maker keeps because later requests refer to them, by the number of the request."""


@dataclass(frozen=True)
class Kind:
    """One kind of correlated randomness, described by sizes alone.

    Every party holds uniform parts of the `free` arrays; the parts of the `bound` arrays are uniform but for
    adding up (or XOR-ing) to `target` of the free arrays' values. Whoever holds a part of one bound array holds
    one of all. If `by_row`, all arrays have the same first axis, and each row's target depends on that row only:
    they can be made, sent and used piece by piece.
    """

    name: ClassVar[str]
    keeps: ClassVar[bool] = False
    by_row: ClassVar[bool] = False
    refers: ClassVar[tuple[str, ...]] = ()
    """Fields that hold the number of an earlier request, whose mask this one uses."""

    def free(self) -> tuple[Slot, ...]:
        raise NotImplementedError

    def bound(self) -> tuple[Slot, ...]:
        return ()

    def target(self, values: Sequence[Any], vault: Vault) -> tuple[Array, ...]:
        """The values of the bound arrays, from those of the free ones."""
        return ()

    def corrected(self, parties: int) -> int:
        """The rank whose parts of the bound arrays are fitted to all others': the last that holds them."""
        holders = [rank for rank in range(parties) if all(slot.holds(rank) for slot in self.bound())]
        if not holders:
            raise MisuseError(f"a {self.name} for ranks that are not among {parties} parties")
        return holders[-1]

    def size(self) -> int:
        return sum(slot.size for slot in (*self.free(), *self.bound()))

    def as_json(self) -> dict[str, Json]:
        return {"kind": self.name, **asdict(self)}

    def moved(self, since: int, by: int) -> Kind:
        """The same, with references to requests after number `since` moved on by so many."""
        later = {name: getattr(self, name) for name in self.refers if getattr(self, name) > since}
        return replace(self, **{name: number + by for name, number in later.items()}) if later else self


@dataclass(frozen=True)
class Layout:
    """A kind among so many parties: its arrays, the rank whose bound parts are fitted, and the rows of a piece."""

    free: tuple[Slot, ...]
    bound: tuple[Slot, ...]
    corrected: int
    rows: int
    step: int | None

    def pieces(self) -> Iterator[slice]:
        """The rows of each piece, small enough to stay in the cache; all at once if not made by row."""
        if self.step is None:
            yield slice(0, self.rows)
            return
        for start in range(0, self.rows, self.step):
            yield slice(start, min(start + self.step, self.rows))


@lru_cache(maxsize=1024)
def layout(kind: Kind, parties: int) -> Layout:
    """Worked out once for what is asked again and again. Raises MisuseError for ranks that are not there."""
    free, bound = kind.free(), kind.bound()
    rows = (*free, *bound)[0].shape[0]
    step = max(1, rows * PIECE_WORDS // max(1, kind.size())) if kind.by_row else None
    return Layout(free, bound, kind.corrected(parties), rows, step)


class Ticket(Protocol):
    """A correlation that was asked for. `number` names it in later requests."""

    number: int

    def early(self) -> tuple[Any, ...]:
        """The free arrays that this party holds, if they are there at once, without waiting for what is bound to
        them: for what is sent first. `take` brings them again."""

    def take(self) -> tuple[Any, ...]:
        """This party's parts: free arrays that it holds, then bound arrays. Once only."""


class Source(Protocol):
    """Where correlated randomness comes from. All parties ask for the same kinds in the same order."""

    def ask(self, kind: Kind) -> Ticket:
        """Announce a need; returns at once."""

    def forget(self, number: int) -> None:
        """The mask of that request will not be referred to again."""

    def again(self, label: str) -> AbstractContextManager[None]:
        """What follows asks for the same, in the same order, as what last followed under this label.

        So it can be made while it is not yet needed. The first time it is only noted down.
        """

    def ahead(self, kinds: Sequence[Kind]) -> AbstractContextManager[None]:
        """What follows asks for just these, in this order: they are announced at once."""

    def fork(self, label: str) -> Source:
        """A source of its own for work that overlaps."""

    def finish(self) -> None:
        """The run is over."""
