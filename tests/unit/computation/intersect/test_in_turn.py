"""Common customers of three and more by several keys in turn, against Python's sets; bounds, and what is sent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unseen.computation.blocks import BLOCKS
from unseen.computation.circle import Circle
from unseen.computation.in_process import run_parties
from unseen.computation.intersect.in_turn import COUNTED_PROFILE, PROFILE, InTurn, align_in_turn
from unseen.computation.intersect.keys import from_list
from unseen.errors import DataError, MisuseError, ProtocolError, RefusedError

Table = Sequence[tuple[bytes, bytes]]
"""Of each row its first key and its second, empty where it has none."""


def met(tables: Sequence[Table], minimum: int = 0, **more: Any) -> list[InTurn]:
    def program(circle: Circle) -> InTurn:
        own = [from_list([row[number] for row in tables[circle.rank]]) for number in range(2)]
        return align_in_turn(circle, own, minimum, **more)

    return run_parties(program, len(tables))


def expected(tables: Sequence[Table]) -> tuple[set[bytes], set[bytes]]:
    """The first keys of all, and the second keys of all among rows without one of those."""
    first = set.intersection(*({row[0] for row in table} for table in tables)) - {b""}
    left = [{row[1] for row in table if row[0] not in first} for table in tables]
    return first, set.intersection(*left) - {b""}


def assert_met(tables: Sequence[Table]) -> None:
    first, second = expected(tables)
    for table, one in zip(tables, found := met(tables), strict=True):
        assert one.common == (len(first), len(second))
        assert one.offered == found[0].offered
        by_first, by_second = one.rows[: len(first)], one.rows[len(first) :]
        assert {table[row][0] for row in by_first} == first
        assert {table[row][1] for row in by_second} == second
        assert [table[row][0] for row in by_first] == [tables[0][row][0] for row in found[0].rows[: len(first)]]
        assert [table[row][1] for row in by_second] == [tables[0][row][1] for row in found[0].rows[len(first) :]]


def drawn(people: Sequence[int], seed: int) -> Table:
    """Every fifth has no tax number here, every fourth no telephone number there; in an order of its own."""
    rows = [
        (b"" if (i + seed) % 5 == 0 else b"t%d" % i, b"" if (i + 2 * seed) % 4 == 0 else b"p%d" % i)
        for i in people
    ]
    order = np.random.default_rng(seed).permutation(len(rows))
    return [rows[place] for place in order]


@pytest.mark.parametrize("parties", [3, 4])
def test_a_row_is_matched_by_the_first_key_that_all_hold(parties: int) -> None:
    assert_met([drawn(range(10 * rank, 300), rank) for rank in range(parties)])


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.sets(st.integers(1, 40), min_size=1), min_size=3, max_size=3), st.integers(0, 5))
def test_any_tables_meet_as_sets_do(people: list[set[int]], seed: int) -> None:
    """First keys are their own persons', second ones another person's: keys contradict each other."""
    assert_met(
        [
            [(b"t%d" % i, b"p%d" % ((i + seed * rank) % 41) if i % 3 else b"") for i in sorted(own)]
            for rank, own in enumerate(people)
        ]
    )


def test_where_somebody_has_nothing_left_no_later_key_is_looked_for() -> None:
    same = [(b"t%d" % i, b"p%d" % i) for i in range(5)]
    found = met([same, same, [*same, (b"more", b"p9")]])
    assert [one.common for one in found] == [(5, 0)] * 3
    assert found[0].offered == ((5, 5, 6), (0, 0, 1))


def test_a_customer_of_whom_pairs_share_different_keys_is_not_found() -> None:
    tables = [[(b"t", b"p"), (b"all", b"")], [(b"t", b"q"), (b"all", b"")], [(b"s", b"p"), (b"all", b"")]]
    assert [one.common for one in met(tables)] == [(1, 0)] * 3


def test_the_smallest_overlap_is_held_against_the_first_key() -> None:
    table = [(b"t%d" % i if i < 4 else b"", b"p%d" % i) for i in range(40)]
    with pytest.raises(RefusedError, match="smallest-overlap"):
        met([table] * 3, 5)
    assert [one.common for one in met([table] * 3, 4)] == [(4, 36)] * 3
    with pytest.raises(RefusedError, match="smallest-overlap"):
        met([table] * 3, 5, count_first=True)


def test_keys_that_repeat_or_are_not_there_are_refused_before_anything_is_sent() -> None:
    good = [(b"t1", b"p1"), (b"t2", b"p2")]
    with pytest.raises(DataError, match="a value of key 2 occurs 2 times"):
        met([good, good, [(b"t1", b"p1"), (b"t2", b"p1")]])
    with pytest.raises(DataError, match="no row has the first key"):
        met([good, good, [(b"", b"p1")]])
    with pytest.raises(MisuseError, match="between 1 and 4 keys"):
        run_parties(lambda circle: align_in_turn(circle, [from_list([b"a"])] * 5, 0), 3)


def test_more_than_declared_stops_a_party_and_names_it_to_the_others() -> None:
    table = [(b"t%d" % i, b"p%d" % i) for i in range(5)]
    declared = {"party0": 5, "party1": 4, "party2": 5}
    with pytest.raises(RefusedError, match=r"declared-size.*party1 holds more rows"):
        met([table] * 3, declared=declared)

    def program(circle: Circle) -> None:
        own = [from_list([row[number] for row in table]) for number in range(2)]
        align_in_turn(circle, own, 0, declared={**declared, "party1": 5} if circle.rank == 1 else declared)

    with pytest.raises(ProtocolError, match="party1: tells a number of rows"):
        run_parties(program, 3)


@pytest.mark.parametrize("count_first", [False, True])
def test_all_that_is_sent_is_declared_and_within_its_rounds(count_first: bool) -> None:
    tables = [drawn(range(5 * rank, 60), rank) for rank in range(3)]
    profile = COUNTED_PROFILE if count_first else PROFILE

    def program(circle: Circle) -> int:
        own = [from_list([row[number] for row in tables[circle.rank]]) for number in range(2)]
        align_in_turn(circle, own, 1, count_first=count_first)
        for channel in circle.others():
            for tag, (messages, size) in channel.counters.by_tag.items():
                lines = [line for line in (*(profile.messages or ()), *BLOCKS) if line.covers(tag)]
                assert lines, tag
                for line in lines:
                    assert line.most_messages is None or messages <= line.most_messages, tag
                    assert line.most_bytes is None or size <= line.most_bytes, tag
        return circle.others()[0].rounds.count

    rounds = max(run_parties(program, 3))
    if profile.rounds is not None:
        assert rounds <= profile.rounds(2) <= rounds + 4  # who leads decides
