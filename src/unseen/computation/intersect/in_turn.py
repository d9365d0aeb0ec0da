"""The common customers of three and more institutions by several keys, in order of preference.

Rows that have the first key are aligned (`multiparty`); what it leaves over at all parties is aligned by the next
key, and so on: a row is matched by one key alone, the first that all hold of it. A customer of whom two parties
share the one key and two the other is not found: all must share one.

Setting: semi-honest, as `multiparty`, a coalition's view too, key by key. Who learns what: the profile. Each key's
alignment tells what it tells; what goes into the next one follows from one's own rows and from those that are
common already. The smallest overlap is held against the first key alone: where it has too few in common nothing is
told, and what later keys find comes on top. Cost: an alignment a key, and 8 bytes to each other party. Rounds: at
most 10 a key, fewer where one party has the fewest of two keys in turn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from unseen.computation.circle import Circle
from unseen.computation.intersect import join, multiparty
from unseen.computation.intersect.align import MOST_KEYS
from unseen.computation.intersect.join_kind import MOST_CHOICES, often
from unseen.computation.intersect.keys import Keys
from unseen.computation.intersect.multiparty import align_all
from unseen.computation.intersect.oprf import Watch
from unseen.computation.profile import Carries, Disclosure, Message, Profile, Role
from unseen.computation.types import Index


@dataclass(frozen=True, eq=False)
class InTurn:
    """The common rows, (n,) int64 this party's numbers in the order of all, those of the first key first.

    For each key: `offered`, how many values each party had left, in rank order; `common`, how many are common.
    """

    rows: Index
    offered: tuple[tuple[int, ...], ...]
    common: tuple[int, ...]


_REVEALS: Final = (
    Disclosure(
        Role.EACH,
        "for each key in turn ({keys}): how many different values each institution offers among its rows that no"
        " earlier key has matched, and how many are common to all",
    ),
    Disclosure(
        Role.EACH,
        "which of its own rows are common to all, and by which key, if at least {smallest_overlap} values of the"
        " first key are",
    ),
)


def _in_turn(single: Profile) -> Profile:
    """The profile by several keys, of that by one: its first two sentences are said of each key in turn."""
    return replace(
        single,
        id=f"{single.id}-in-turn",
        title=f"{single.title}, by several keys in order of preference",
        reveals=(*_REVEALS, *single.reveals[2:]),
        messages=(
            *(often(line) for line in single.messages or ()),
            Message("join/left-over", Carries.DISCLOSED, most_messages=MOST_CHOICES, most_bytes=MOST_CHOICES * 24),
        ),
        rounds=None if single.rounds is None else lambda keys=1: 10 * keys - 1,
    )


PROFILE: Final = _in_turn(multiparty.PROFILE)
COUNTED_PROFILE: Final = _in_turn(multiparty.COUNTED_PROFILE)


def align_in_turn(
    circle: Circle,
    keys: Sequence[Keys],
    minimum: int,
    watch: Watch = lambda done, note: None,
    declared: Mapping[str, int] | None = None,
    *,
    count_first: bool = False,
) -> InTurn:
    """Find the rows whose first key, or else whose next, all parties hold.

    `keys`: for each choice in order of preference a key a row, empty where the row has none; the same number of
    choices, in the same order, at all. `declared`: rows at most. `count_first`: of the first key.

    Raises DataError before anything is sent where no row has the first key or a key repeats, RefusedError under
    the rules `declared-size` and `smallest-overlap`, ProtocolError for what a peer sends out of bounds.
    """
    join.require_usable_choices(circle, keys, MOST_KEYS if declared is None else declared[circle.me])
    join.require_few_repeats(keys, 1)
    free = np.ones(len(keys[0]), dtype=bool)
    offered, parts = list[tuple[int, ...]](), list[Index]()
    for number, choice in enumerate(keys):
        rows = np.flatnonzero(free & (np.diff(choice.offsets) > 0))
        offered.append(_left_over(circle, len(rows), declared))
        if number and not min(offered[-1]):
            parts.append(rows[:0])
            continue
        part = join.part_of(watch, number, len(keys))
        least, count = (0, False) if number else (minimum, count_first)
        found = align_all(circle, choice.chosen(rows), least, part, declared, count_first=count)
        parts.append(rows[found])
        free[parts[-1]] = False
    return InTurn(np.concatenate(parts), tuple(offered), tuple(map(len, parts)))


def _left_over(circle: Circle, own: int, declared: Mapping[str, int] | None) -> tuple[int, ...]:
    """How many values of a key each party still offers, in rank order; none at all is possible for a later key."""
    for channel in circle.others():
        channel.send("join/left-over", np.array([own], dtype=np.int64))
    told = []
    for rank, party in enumerate(circle.parties):
        if rank == circle.rank:
            told.append(own)
            continue
        channel = circle.channel(rank)
        most = MOST_KEYS if declared is None else declared[party]
        told.append(join.bounded(channel, int(channel.receive("join/left-over", np.int64, 1)[0]), most))
    return tuple(told)
