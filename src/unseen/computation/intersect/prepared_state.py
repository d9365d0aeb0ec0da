"""What each side keeps between a prepared alignment's preparation and its one run (`prepared`), as bytes too.

The bytes are a heading (canonical JSON) and little-endian arrays whose sizes follow from it. Both hold secrets:
who has both sides' can compute the large side's function, and so tell of any key whether it is in the large set.
They belong under the seal of the node's home.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any, Final, Self

import numpy as np
from blake3 import blake3
from numpy.typing import NDArray

from unseen.computation.intersect import store
from unseen.computation.intersect.keys import subkey
from unseen.computation.prg import SEED_BYTES
from unseen.computation.types import Array, Words, octets
from unseen.encoding import Json, canonical, parse_json
from unseen.errors import MisuseError, RefusedError

MOST_CAPACITY: Final = 1 << 20
"""Most keys that the small side of a preparation may have: with more, the ordinary way is as fast."""
MOST_LARGE: Final = 1 << 27
HEAD: Final = 8
"""Octets of a tag that stand in its first word; up to eight more are its rest."""
CANARIES: Final = 1
"""Keys that both sides add: one that both know, and that must be found."""

_MAGIC: Final = b"unseen/prepared/1\n"
_MOST_HEADING: Final = 1024

Shaped = Sequence[tuple[str, tuple[int, ...]]]


@dataclass(frozen=True)
class Terms:
    """What both sides of a preparation know of it.

    `capacity` is the most keys that the small side may have, `large` how many the large side has, `length` the
    octets of a tag, `seed` that of all hashes.
    """

    capacity: int
    large: int
    length: int
    seed: bytes = field(repr=False)

    @property
    def plan(self) -> store.Layout:
        """The small side's table: the same for any number of keys up to the capacity."""
        return store.layout(self.capacity + CANARIES)

    @property
    def listed(self) -> int:
        """Tags that the small side holds."""
        return self.large + CANARIES

    @property
    def name(self) -> Words:
        """Two words that tell this preparation from any other."""
        return np.frombuffer(subkey(self.seed, "which")[:16], dtype="<u8").astype(np.uint64)

    def heading(self) -> dict[str, Json]:
        sizes: dict[str, Json] = {"capacity": self.capacity, "large": self.large, "length": self.length}
        return {**sizes, "seed": self.seed.hex()}


class _OneRun:
    """A state that is good for one run: a second one under it would tell the partner the function's key.

    `spending` is called once, before anything is sent that depends on the state: who stores it erases it there.
    """

    spent: bool
    spending: Callable[[], None]

    def spend(self) -> None:
        """Raises RefusedError under rule `prepared-once` the second time, and whatever `spending` raises."""
        if self.spent:
            raise RefusedError(
                "prepared-once",
                "this preparation has had its one run; a second would give its key away",
                "prepare again",
            )
        self.spent = True
        self.spending()


def _keep() -> None:
    """What is stored nowhere need not be erased."""


@dataclass(eq=False)
class Large(_OneRun):
    """The large side's: its function's key, and of each tag, in their order, the row and a word that checks it.

    delta (2,) and pad (cells, 2) words: pad is the function's table less the vector OLE's b. rows (listed,)
    uint32, `large` itself for the canary; checks (listed,) words.
    """

    terms: Terms
    delta: Words = field(repr=False)
    pad: Words = field(repr=False)
    rows: NDArray[np.uint32] = field(repr=False)
    checks: Words = field(repr=False)
    spent: bool = field(default=False, repr=False)
    spending: Callable[[], None] = field(default=_keep, repr=False)

    @staticmethod
    def shapes(terms: Terms) -> Shaped:
        cells, listed = terms.plan.cells, terms.listed
        return (("<u8", (2,)), ("<u8", (cells, 2)), ("<u4", (listed,)), ("<u8", (listed,)))

    def to_bytes(self) -> bytes:
        return _written("large", self.terms, (self.delta, self.pad, self.rows, self.checks))

    @classmethod
    def from_bytes(cls, data: bytes, spending: Callable[[], None] = _keep) -> Self:
        """Raises MisuseError for what `to_bytes` has not written."""
        terms, (delta, pad, rows, checks) = _read("large", data, cls.shapes)
        if len(rows) and int(rows.max()) > terms.large:
            raise _unreadable("it names rows that there are none of")
        return cls(terms, delta.copy(), pad.copy(), rows, checks, spending=spending)


@dataclass(eq=False)
class Small(_OneRun):
    """The small side's: its part of the vector OLE, and the large side's tags in rising order of their heads.

    a (cells,) and c (cells, 2) words; heads (listed,) words, rests (listed, length - 8) octets.
    """

    terms: Terms
    a: Words = field(repr=False)
    c: Words = field(repr=False)
    heads: Words = field(repr=False)
    rests: NDArray[np.uint8] = field(repr=False)
    spent: bool = field(default=False, repr=False)
    spending: Callable[[], None] = field(default=_keep, repr=False)

    @staticmethod
    def shapes(terms: Terms) -> Shaped:
        cells, listed = terms.plan.cells, terms.listed
        return (("<u8", (cells,)), ("<u8", (cells, 2)), ("<u8", (listed,)), ("u1", (listed, terms.length - HEAD)))

    def to_bytes(self) -> bytes:
        return _written("small", self.terms, (self.a, self.c, self.heads, self.rests))

    @classmethod
    def from_bytes(cls, data: bytes, spending: Callable[[], None] = _keep) -> Self:
        """Raises MisuseError for what `to_bytes` has not written."""
        terms, (a, c, heads, rests) = _read("small", data, cls.shapes)
        return cls(terms, a.copy(), c.copy(), heads, rests, spending=spending)


def size_of(side: type[Large] | type[Small], capacity: int, large: int, length: int) -> int:
    """Octets that such a state takes, less its heading."""
    return sum(_octets(*shape) for shape in side.shapes(Terms(capacity, large, length, bytes(SEED_BYTES))))


def _octets(kind: str, shape: tuple[int, ...]) -> int:
    return np.dtype(kind).itemsize * prod(shape)


def _written(side: str, terms: Terms, arrays: Sequence[Array]) -> bytes:
    """Magic, length of the heading, heading, arrays, and a digest that finds spoiled storage."""
    heading = canonical({"side": side, **terms.heading()})
    parts: list[bytes | memoryview] = [_MAGIC, len(heading).to_bytes(4, "little"), heading]
    parts += [octets(array) for array in arrays]
    return b"".join([*parts, _sum(parts)])


def _read(side: str, data: bytes, shapes: Any) -> tuple[Terms, list[Array]]:
    start = len(_MAGIC) + 4
    if data[: len(_MAGIC)] != _MAGIC:
        raise _unreadable("it does not begin as one")
    size = int.from_bytes(data[len(_MAGIC) : start], "little")
    if size > _MOST_HEADING:
        raise _unreadable("its heading is too long")
    terms = _terms(side, parse_json(data[start : start + size]))
    at, arrays, wanted = start + size, [], shapes(terms)
    if len(data) != at + sum(_octets(*shape) for shape in wanted) + SEED_BYTES:
        raise _unreadable("it has another length than its heading says")
    if _sum([memoryview(data)[:-SEED_BYTES]]) != data[-SEED_BYTES:]:
        raise _unreadable("its bytes have changed")
    for kind, shape in wanted:
        arrays.append(np.frombuffer(data, dtype=kind, count=prod(shape), offset=at).reshape(shape))
        at += _octets(kind, shape)
    return terms, arrays


def _terms(side: str, heading: Json) -> Terms:
    names = {"capacity": (1, MOST_CAPACITY), "large": (1, MOST_LARGE), "length": (HEAD + 1, 16)}
    if not isinstance(heading, Mapping) or set(heading) != {"side", "seed", *names} or heading["side"] != side:
        raise _unreadable("its heading is not of this side")
    sizes = {}
    for name, (least, most) in names.items():
        value = heading[name]
        if type(value) is not int or not least <= value <= most:
            raise _unreadable("its heading names sizes that there are none of")
        sizes[name] = value
    seed = heading["seed"]
    if not isinstance(seed, str) or len(seed) != 2 * SEED_BYTES or set(seed) - set("0123456789abcdef"):
        raise _unreadable("its heading has no seed")
    return Terms(**sizes, seed=bytes.fromhex(seed))


def _sum(parts: Sequence[bytes | memoryview]) -> bytes:
    digest = blake3(max_threads=blake3.AUTO)
    for part in parts:
        digest.update(part)
    return digest.digest()


def _unreadable(why: str) -> MisuseError:
    return MisuseError(f"this is no stored preparation: {why}; prepare again")
