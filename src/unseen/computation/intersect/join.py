"""Joins of two institutions' tables on keys that may repeat, be missing, or come in an order of preference.

Rows that have the first key are aligned on its distinct values (`align`); what is left over on both sides is
aligned on the next key, and so on: a row is matched by one key alone, the first that finds it a partner. Rows
whose later keys contradict each other stay where the earlier key put them. Both sides then tell each other how
often each common key occurs, and lay out the pairs of equal keys in one order: by key in the alignment's random
order, then by the left side's row, then by the right side's.

Setting: two parties, semi-honest, as `align`. Who learns what: the profile of the kind of join. The smallest
overlap is held against the first key alone: where it has too few in common nothing is told, and what later keys
find comes on top. Cost: an alignment a key, and 2 bytes a common key each way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from blake3 import blake3

from unseen.computation.channel import Channel
from unseen.computation.circle import Circle
from unseen.computation.intersect.align import MOST_KEYS, Declared, Watch, aligned
from unseen.computation.intersect.join_kind import MOST_CHOICES, Kind
from unseen.computation.intersect.keys import Keys, hashed
from unseen.computation.kernels import alike
from unseen.computation.prg import fresh_seed
from unseen.computation.types import Index
from unseen.errors import DataError, MisuseError, ProtocolError, RefusedError

MOST_REPEATS: Final = 1000
"""How often a key may occur at one side, where the agreement says nothing else."""
MOST_ROWS: Final = 1 << 27
"""Rows of a joined table."""
UNDECLARED: Final = Declared(MOST_KEYS, MOST_KEYS)


@dataclass(frozen=True)
class Terms:
    """What both sides have agreed on.

    The left party's rank; the smallest overlap by the first key; how often a key may occur at one side (with 1, a
    key that repeats is refused, and none tells how often).
    """

    kind: Kind
    left: int = 0
    minimum: int = 1
    most_repeats: int = MOST_REPEATS

    def __post_init__(self) -> None:
        if self.left not in (0, 1) or not 1 <= self.most_repeats <= np.iinfo(np.uint16).max:
            raise MisuseError("the left party is 0 or 1, and a key may occur between 1 and 65,535 times")


@dataclass(frozen=True, eq=False)
class Joined:
    """A joined table's rows at one party.

    `rows` (n,): this party's row of each joint row, -1 where it has none. For each key in turn: `offered`, how
    many values this and the other side had left to offer; `common`, how many were found in common; `by_key`, how
    many joint rows they have given, in the order of `rows`. In a left join the left party's rows without a partner
    follow. In a difference `rows` are these alone, and none at the right.
    """

    rows: Index
    offered: tuple[tuple[int, int], ...]
    common: tuple[int, ...]
    by_key: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class _Groups:
    """Rows of one side by their key: group g's are members[starts[g]:starts[g + 1]]."""

    keys: Keys
    starts: Index
    members: Index

    @property
    def sizes(self) -> Index:
        return np.diff(self.starts)


def join(
    circle: Circle,
    keys: Sequence[Keys],
    terms: Terms,
    watch: Watch = lambda done, note: None,
    declared: Declared = UNDECLARED,
) -> Joined:
    """Join this party's table with the other's. `keys`: for each choice in order of preference a key a row, empty
    where the row has none; the same number of choices, in the same order, at both. `declared`: rows at most.

    Raises DataError before anything is sent where no row has the first key or a key repeats too often,
    RefusedError under the rules `declared-size` and `smallest-overlap`, ProtocolError for what the peer sends out
    of bounds.
    """
    _require_usable(circle, keys, terms, declared)
    free = np.ones(len(keys[0]), dtype=bool)
    offered: list[tuple[int, int]] = []
    found: list[Index] = []
    parts: list[Index] = []
    for number, choice in enumerate(keys):
        groups = _grouped(choice, np.flatnonzero(free & (np.diff(choice.offsets) > 0)))
        watched = part_of(watch, number, len(keys))
        common, theirs = _common(circle, groups, None if number else terms.minimum, watched, declared)
        free[_rows_of(groups, common)] = False
        offered.append((len(groups.keys), theirs))
        found.append(common)
        parts.append(_paired(circle, groups, common, terms, declared))
    rows = np.concatenate([*parts, _rest(circle, np.flatnonzero(free), terms, declared)])
    if len(rows) > MOST_ROWS:
        raise too_long()
    return Joined(rows, tuple(offered), tuple(map(len, found)), tuple(map(len, parts)))


def _require_usable(circle: Circle, keys: Sequence[Keys], terms: Terms, declared: Declared) -> None:
    if circle.size != 2:
        raise MisuseError("a join is between two parties")
    require_usable_choices(circle, keys, declared.own)
    if terms.kind is not Kind.DIFFERENCE:
        require_few_repeats(keys, terms.most_repeats)


def require_usable_choices(circle: Circle, keys: Sequence[Keys], most: int) -> None:
    """Raises MisuseError for too many choices or such as are not of the same rows, RefusedError for more rows than
    `most`, which this party has declared, DataError where no row has the first key."""
    if not 1 <= len(keys) <= MOST_CHOICES or len({len(choice) for choice in keys}) != 1:
        raise MisuseError(f"a join takes between 1 and {MOST_CHOICES} keys of the same number of rows")
    if len(keys[0]) > most:
        raise RefusedError(
            "declared-size",
            f"{circle.me} holds more rows than the {most:,} that the plan declares for it",
            "declare as many rows as its data set has, and have the new plan granted",
        )
    if not (np.diff(keys[0].offsets) > 0).any():
        raise DataError("no row has the first key to join on")


def require_few_repeats(keys: Sequence[Keys], most: int) -> None:
    """Raises DataError, naming the key, where one of its values occurs more than so often."""
    for number, choice in enumerate(keys):
        sizes = _grouped(choice, np.flatnonzero(np.diff(choice.offsets) > 0)).sizes
        if (sizes > most).any():
            raise repeats_too_often(number, int(sizes.max()), most)


def _grouped(keys: Keys, rows: Index) -> _Groups:
    """These rows by their key; keys are compared by 128 bits of a hash under a key of this process's own."""
    some = keys if len(rows) == len(keys) else keys.chosen(rows)
    numbers, count = alike.numbered(hashed(some, fresh_seed()))
    starts, members = alike.listed(numbers, count)
    distinct = some if count == len(some) else some.chosen(members[starts[:-1]])
    return _Groups(distinct, starts, rows[members])


def _rows_of(groups: _Groups, found: Index) -> Index:
    """All rows of some groups."""
    wanted = np.zeros(len(groups.keys), dtype=bool)
    wanted[found] = True
    rows: Index = groups.members[np.repeat(wanted, groups.sizes)]
    return rows


def _common(
    circle: Circle, groups: _Groups, minimum: int | None, watch: Watch, declared: Declared
) -> tuple[Index, int]:
    """This party's groups whose key is common, and how many the other side offers; `minimum` for the first key.

    Rows left over for a later key can be none, on either side: then nothing is looked for.
    """
    if minimum is None:
        channel, own = circle.others()[0], len(groups.keys)
        channel.send("join/left-over", np.array([own], dtype=np.int64))
        theirs = bounded(channel, int(channel.receive("join/left-over", np.int64, 1)[0]), declared.theirs)
        if not own or not theirs:
            return np.empty(0, dtype=np.int64), theirs
    found = aligned(circle, groups.keys, minimum or 0, watch, declared=declared)
    return found.rows, found.theirs


def bounded(channel: Channel, count: int, most: int) -> int:
    """A number that the other side tells. Raises ProtocolError for one that cannot be."""
    if not 0 <= count <= most:
        raise ProtocolError(
            channel.peer, f"tells a number of rows that is not between 0 and the declared {most:,}"
        )
    return count


def _paired(circle: Circle, groups: _Groups, found: Index, terms: Terms, declared: Declared) -> Index:
    """This side's row of every pair of rows with a common key; none in a difference."""
    if terms.kind is Kind.DIFFERENCE or not len(found):
        return np.empty(0, dtype=np.int64)
    sizes, channel = groups.sizes[found], circle.others()[0]
    theirs = times(channel, sizes, terms.most_repeats, circle.rank == terms.left)
    bounded(channel, int(theirs.sum()), declared.theirs)
    pairs = int(sizes @ theirs)
    if pairs > MOST_ROWS:
        raise too_long()
    rows = np.empty(pairs, dtype=np.int64)
    alike.crossed(groups.starts, groups.members, found, theirs, circle.rank == terms.left, rows)
    return rows


def times(channel: Channel, own: Index, most: int, left: bool) -> Index:
    """How often each common key occurs at the other side; both hold the same two lists, or the run ends."""
    if most == 1:
        return np.ones(len(own), dtype=np.int64)
    sent = own.astype(np.uint16)
    channel.send("join/times", sent)
    received = channel.receive("join/times", np.uint16, len(own))
    if not 1 <= int(received.min()) <= int(received.max()) <= most:
        raise ProtocolError(channel.peer, f"tells that a key occurs a number of times not between 1 and {most:,}")
    lists = (sent, received) if left else (received, sent)
    digest = blake3(b"".join(part.tobytes() for part in lists)).digest()
    channel.send("join/sum", np.frombuffer(digest, dtype=np.uint8))
    if channel.receive("join/sum", np.uint8, len(digest)).tobytes() != digest:
        raise ProtocolError(channel.peer, "counts other rows of the common keys than it told; the join is void")
    return received.astype(np.int64)


def _rest(circle: Circle, free: Index, terms: Terms, declared: Declared) -> Index:
    """What follows the pairs: the left party's rows without a partner; at the right, places for them."""
    none: Index = np.empty(0, dtype=np.int64)
    if terms.kind is Kind.INNER:
        return none
    channel, left = circle.others()[0], circle.rank == terms.left
    if terms.kind is Kind.DIFFERENCE:
        return free if left else none
    if left:
        channel.send("join/rest", np.array([len(free)], dtype=np.int64))
        return free
    count = bounded(channel, int(channel.receive("join/rest", np.int64, 1)[0]), declared.theirs)
    return np.full(count, -1, dtype=np.int64)


def part_of(watch: Watch, number: int, of: int) -> Watch:
    """The part of the whole that one of several alignments is."""
    return lambda done, note: watch((number + done) / of, note if of == 1 else f"key {number + 1} of {of}: {note}")


def too_long() -> DataError:
    """What ends a join whose result nobody could hold."""
    return DataError(f"the joined table has more than {MOST_ROWS:,} rows; join on a key that repeats less often")


def repeats_too_often(number: int, times: int, most: int) -> DataError:
    """What stops a party one of whose values, by the choice of this number, stands in too many rows."""
    return DataError(
        f"a value of key {number + 1} occurs {times:,} times, over the agreed {most:,};"
        " empty it at the source where it stands for no value, or agree on more"
    )
