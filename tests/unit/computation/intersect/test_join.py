"""Joins against pandas.merge: repeated, missing and composite keys, in order of preference; lies are named."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from join_oracle import Table, by_pandas, keys_of, pairs_of, tables

from unseen.computation.channel import Channel
from unseen.computation.circle import Circle
from unseen.computation.in_process import run_parties
from unseen.computation.intersect.align import Declared
from unseen.computation.intersect.join import Joined, Terms, join
from unseen.computation.intersect.join_kind import MOST_CHOICES, PROFILES, Kind
from unseen.computation.intersect.keys import composite
from unseen.computation.profile import Role
from unseen.errors import DataError, MisuseError, PeerLostError, ProtocolError, RefusedError


def joined(left: Table, right: Table, terms: Terms, choices: Sequence[Sequence[int]] = ((0,),)) -> list[Joined]:
    """The left party is that of rank `terms.left`."""
    tables = (left, right) if terms.left == 0 else (right, left)
    found = run_parties(lambda circle: join(circle, keys_of(tables[circle.rank], choices), terms), 2)
    return found if terms.left == 0 else found[::-1]


modest = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.parametrize("kind", list(Kind))
@modest
@given(left=tables, right=tables, rank=st.integers(0, 1))
def test_repeated_and_missing_keys_join_as_in_pandas(kind: Kind, left: Table, right: Table, rank: int) -> None:
    found = joined(left, right, Terms(kind, left=rank))
    assert pairs_of(found, kind) == by_pandas(left, right, kind)


@pytest.mark.parametrize("kind", list(Kind))
@modest
@given(left=tables, right=tables)
def test_composite_keys_in_order_of_preference_join_as_in_pandas(kind: Kind, left: Table, right: Table) -> None:
    choices = ((0,), (1, 2), (1,))
    found = joined(left, right, Terms(kind), choices)
    assert pairs_of(found, kind) == by_pandas(left, right, kind, choices)
    assert found[0].common == found[1].common
    assert found[0].by_key == found[1].by_key


def test_thousands_of_rows_join_as_in_pandas() -> None:
    draw = np.random.default_rng(3)
    left: Table = [(f"c{number}",) for number in draw.integers(0, 3000, 6000)]
    right: Table = [(f"c{number}",) for number in draw.zipf(1.3, 4000) % 9000]
    found = joined(left, right, Terms(Kind.LEFT, minimum=10, most_repeats=2000))
    assert pairs_of(found, Kind.LEFT) == by_pandas(left, right, Kind.LEFT)


def test_a_join_without_repeats_tells_no_multiplicities() -> None:
    def tags(most: int) -> set[str]:
        sent: set[str] = set()

        def program(circle: Circle) -> None:
            listen(circle.others()[0], lambda tag, array: (sent.add(tag), array)[1])
            join(circle, keys_of([("a",), ("b",)], ((0,),)), Terms(Kind.INNER, most_repeats=most))

        run_parties(program, 2)
        return {tag for tag in sent if tag.startswith("join/")}

    assert tags(1) == set()
    assert tags(2) == {"join/times", "join/sum"}


def test_a_key_that_repeats_too_often_is_refused_before_anything_is_sent() -> None:
    sent: list[int] = []

    def program(circle: Circle) -> None:
        table: Table = [("a",)] * 4 if circle.rank == 0 else [("a",)]
        try:
            join(circle, keys_of(table, ((0,),)), Terms(Kind.INNER, most_repeats=3))
        finally:
            if circle.rank == 0:
                sent.append(circle.others()[0].counters.bytes_sent)

    with pytest.raises(DataError, match="key 1 occurs 4 times"):
        run_parties(program, 2)
    assert sent == [0]


def test_a_million_copies_of_one_value_are_named_and_a_difference_takes_them() -> None:
    copies: Table = [("unknown",)] * 1_000_000
    with pytest.raises(DataError, match="1,000,000 times"):
        joined(copies, [("a",)], Terms(Kind.INNER, minimum=0))
    found = joined([*copies, ("a",)], [("a",)], Terms(Kind.DIFFERENCE))
    np.testing.assert_array_equal(found[0].rows, np.arange(1_000_000))


def test_more_rows_than_declared_are_refused_here_and_named_there() -> None:
    table: Table = [("a",), ("a",), ("b",)]

    def run(own: tuple[int, int], theirs: tuple[int, int]) -> list[Joined]:
        def program(circle: Circle) -> Joined:
            declared = Declared(own[circle.rank], theirs[circle.rank])
            return join(circle, keys_of(table, ((0,),)), Terms(Kind.LEFT), declared=declared)

        return run_parties(program, 2)

    assert run((3, 3), (3, 3))[0].offered == ((2, 2),)
    with pytest.raises(RefusedError, match="declared-size"):
        run((2, 3), (3, 2))
    with pytest.raises(ProtocolError, match="party0: tells a number of rows"):
        run((3, 3), (3, 2))


def test_the_smallest_overlap_is_held_against_the_first_key() -> None:
    left: Table = [(f"a{i}", f"p{i}") for i in range(20)]
    right: Table = [(f"a{i}" if i < 4 else f"b{i}", f"p{i}") for i in range(20)]
    with pytest.raises(RefusedError, match="smallest-overlap"):
        joined(left, right, Terms(Kind.INNER, minimum=5), ((0,), (1,)))
    found = joined(left, right, Terms(Kind.INNER, minimum=4), ((0,), (1,)))
    assert found[0].common == (4, 16)


def test_a_later_key_matches_what_the_first_left_over_whatever_the_first_says() -> None:
    left: Table = [("1", "p"), ("2", "q"), (None, "p")]
    right: Table = [("1", "q"), ("3", "q"), ("4", "p")]
    found = joined(left, right, Terms(Kind.INNER), ((0,), (1,)))
    assert pairs_of(found, Kind.INNER) == Counter([(0, 0), (1, 1), (2, 2)])


def test_a_later_key_that_one_side_lacks_is_passed_over() -> None:
    left: Table = [("1", None), ("2", "")]
    found = joined(left, [("2", "p"), ("9", "p")], Terms(Kind.LEFT), ((0,), (1,)))
    assert pairs_of(found, Kind.LEFT) == Counter([(1, 0), (0, -1)])


def test_parts_of_a_composite_key_do_not_run_into_each_other() -> None:
    columns = [pa.array(["a", "ab", "a\x00", "a|"]), pa.array(["bc", "c", "c", "|c"])]
    keys = composite(columns)
    assert len({keys[row] for row in range(4)}) == 4
    assert keys[1] == b"\x02\0\0\0ab\x01\0\0\0c"


@settings(deadline=None)
@given(st.lists(st.tuples(st.one_of(st.none(), st.text(max_size=5)), st.one_of(st.none(), st.text(max_size=70)))))
def test_composite_keys_are_the_parts_after_their_lengths(rows: list[tuple[str | None, str | None]]) -> None:
    columns = [pa.array([row[place] for row in rows], pa.string()) for place in (0, 1)]
    keys = composite([columns[0], columns[1].cast(pa.large_string())])
    for row, parts in enumerate(rows):
        texts = [part.encode() for part in parts if part]
        whole = len(texts) == len(parts)
        assert keys[row] == b"".join(len(t).to_bytes(4, "little") + t for t in texts if whole)


@pytest.mark.parametrize(
    ("tag", "spoil"),
    [
        ("join/times", lambda array: array * 0),
        ("join/times", lambda array: array * 0 + 9),
        ("join/times", lambda array: array + 1),
        ("join/times", lambda array: array[:-1]),
        ("join/times", lambda array: array.astype(np.int64)),
        ("join/sum", lambda array: array ^ 1),
        ("join/left-over", lambda array: array * 0 - 1),
        ("join/left-over", lambda array: array * 0 + (1 << 40)),
        ("join/rest", lambda array: array * 0 - 1),
        ("join/rest", lambda array: array * 0 + (1 << 40)),
    ],
)
def test_a_lie_about_rows_is_bounded_and_named(tag: str, spoil: Callable[[Any], Any]) -> None:
    table: Table = [("a", "x"), ("a", "x"), ("b", "x"), (None, "y")]

    named: list[str] = []

    def program(circle: Circle) -> None:
        if circle.rank == 0:
            listen(circle.others()[0], lambda name, array: spoil(array) if name == tag else array)
        try:
            join(circle, keys_of(table, ((0,), (1,))), Terms(Kind.LEFT, most_repeats=4))
        except ProtocolError as error:
            if circle.rank == 1:
                named.append(error.party)
            raise

    with pytest.raises(ProtocolError):
        run_parties(program, 2)
    assert named == ["party0"]


@pytest.mark.parametrize("tag", ["join/times", "join/sum", "join/left-over", "join/rest"])
def test_a_peer_lost_before_any_message_ends_the_run_with_its_name(tag: str) -> None:
    table: Table = [("a", "x"), ("b", "x"), (None, "y")]

    def program(circle: Circle) -> None:
        channel = circle.others()[0]

        def lose(name: str, array: Any) -> Any:
            if name == tag and circle.rank == 0:
                raise PeerLostError(channel.peer, "its connection closed")
            return array

        listen(channel, lose)
        join(circle, keys_of(table, ((0,), (1,))), Terms(Kind.LEFT))

    with pytest.raises(PeerLostError):
        run_parties(program, 2)


def test_unusable_arguments_are_refused() -> None:
    one = keys_of([("a",)], ((0,),))
    for keys, words in (
        ([], "between 1 and"),
        (one * (MOST_CHOICES + 1), "between 1 and"),
        (keys_of([("",)], ((0,),)), "first key"),
    ):
        with pytest.raises(MisuseError, match=words):
            run_parties(lambda circle, keys=keys: join(circle, keys, Terms(Kind.INNER)), 2)  # type: ignore[misc]
    with pytest.raises(MisuseError, match="65,535"):
        Terms(Kind.INNER, most_repeats=1 << 16)
    with pytest.raises(MisuseError, match="same number of rows"):
        composite([pa.array(["a"]), pa.array(["a", "b"])])


@pytest.mark.parametrize("kind", list(Kind))
def test_what_is_sent_is_declared_and_what_is_told_is_in_the_profile(kind: Kind) -> None:
    sent: Counter[str] = Counter()
    profile = PROFILES[kind]

    def program(circle: Circle) -> None:
        if circle.rank == 0:
            listen(circle.others()[0], lambda tag, array: (sent.update([tag]), array)[1])
        table: Table = [(f"a{i % 1500}" if i % 2 else None, f"p{i}") for i in range(3000)]
        join(circle, keys_of(table, ((0,), (1,))), Terms(kind))

    run_parties(program, 2)
    for tag, count in sent.items():
        lines = [line for line in profile.messages or () if line.covers(tag)]
        assert lines or tag.startswith("seed/")
        assert all(line.most_messages is None or count <= line.most_messages for line in lines)
    roles = {Role.EACH: ("bank", "bureau"), Role.OWNER: ("bank",), Role.DEALER: ("operator",)}
    facts = {"keys": "tax, else phone and born", "smallest_overlap": "50", "most_repeats": "1000", "left": "bank"}
    told = profile.disclosures(roles, facts)
    assert any("how often" in line for line in told["bureau"]) == (kind is not Kind.DIFFERENCE)
    assert any("no partner" in line for line in told["bureau"]) == (kind is Kind.LEFT)
    assert any("no partner" in line for line in told["bank"]) == (kind is not Kind.INNER)


def listen(channel: Channel, change: Callable[[str, Any], Any]) -> None:
    """Let every array pass through `change` before it is sent."""
    honest = channel.send
    channel.send = lambda tag, array: honest(tag, change(tag, array))  # type: ignore[method-assign]
