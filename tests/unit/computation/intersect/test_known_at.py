"""Counts of customers known at several institutions, against Python's Counter."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unseen.computation.blocks import BLOCKS
from unseen.computation.circle import Circle
from unseen.computation.in_process import run_parties
from unseen.computation.intersect.known_at import PROFILE, count_known
from unseen.errors import DataError, MisuseError, PeerLostError, ProtocolError, RefusedError

Lists = Sequence[Sequence[bytes]]


def counted(lists: Lists, least: int, minimum: int = 0, among: Sequence[str] | None = None) -> list[int]:
    return run_parties(
        lambda circle: count_known(circle, lists[circle.rank], least, minimum, among), len(lists), patience=60
    )


def expected(lists: Lists, least: int) -> int:
    return sum(times >= least for times in Counter(key for keys in lists for key in keys).values())


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.sets(st.integers(0, 20), min_size=1, max_size=12), min_size=2, max_size=4), st.data())
def test_the_number_is_that_of_customers_known_at_so_many_or_more(
    sets: list[set[int]], data: st.DataObject
) -> None:
    lists = [[b"%d" % number for number in numbers] for numbers in sets]
    least = data.draw(st.integers(1, len(lists)))
    assert counted(lists, least) == [expected(lists, least)] * len(lists)


@pytest.mark.parametrize("least", [1, 2, 3])
def test_thousands_of_customers(least: int) -> None:
    draw = np.random.default_rng(least)
    lists = [[b"%d" % i for i in draw.choice(2500, size=size, replace=False)] for size in (1500, 400, 1100)]
    assert counted(lists, least)[0] == expected(lists, least)


def test_the_overlap_of_one_pair_of_three_is_counted_where_only_these_two_enter() -> None:
    lists = [[b"a", b"b", b"c"], [], [b"b", b"c", b"d", b"e"]]
    assert counted(lists, 2, among=("party0", "party2")) == [2, 2, 2]
    with pytest.raises(MisuseError, match="not among"):
        counted([[b"a"], [b"b"], [b"c"]], 2, among=("party0", "party2"))


def test_below_the_minimum_nothing_but_that_is_opened_anywhere() -> None:
    lists = [[b"a", b"b", b"c"], [b"b", b"c"], [b"c", b"d"]]
    opened: list[str] = []

    def program(circle: Circle) -> None:
        for channel in circle.others():
            honest = channel.send
            channel.send = lambda tag, array, honest=honest: (opened.append(tag), honest(tag, array))[1]  # type: ignore[method-assign]
        with pytest.raises(RefusedError, match="smallest-overlap"):
            count_known(circle, lists[circle.rank], 2, 3)

    run_parties(program, 3)
    assert {tag for tag in opened if tag.startswith("reveal/")} == {"reveal/known-enough"}
    assert counted(lists, 2, 2) == [2, 2, 2]


@pytest.mark.parametrize(
    ("least", "among"), [(0, None), (4, None), (3, ("party0", "party1")), (1, ("party0",) * 2)]
)
def test_a_number_of_institutions_that_there_is_not_is_refused(least: int, among: Sequence[str] | None) -> None:
    with pytest.raises(MisuseError, match="between one and all"):
        counted([[b"a"]] * 3, least, among=among)


def test_unusable_keys_are_refused() -> None:
    for keys, words in (([b"a", b"a"], "twice"), ([], "no keys"), ([b"a", b""], "empty")):
        with pytest.raises(DataError, match=words):
            counted([keys, [b"x"], [b"y"]], 2)


@pytest.mark.parametrize(
    ("tag", "spoil"),
    [
        ("known/size", lambda array: array - 50),
        ("known/size", lambda array: array + (1 << 40)),
        ("shuffle", lambda array: array[:-1]),
        ("equality", lambda array: array[:-1]),
        ("reveal/known", lambda array: np.append(array, array)),
    ],
)
def test_a_spoiled_message_ends_the_run_with_its_senders_name(tag: str, spoil: Callable[[Any], Any]) -> None:
    def program(circle: Circle) -> None:
        if circle.rank == 1:
            channel = circle.channel(0)
            honest = channel.send
            channel.send = lambda name, array: honest(name, spoil(array) if name == tag else array)  # type: ignore[method-assign]
        count_known(circle, [b"a", b"b", b"c"], 2, 1)

    with pytest.raises(ProtocolError, match="party1"):
        run_parties(program, 3)


@pytest.mark.parametrize("tag", ["known/size", "shuffle", "equality", "reveal/known-enough", "reveal/known"])
def test_a_peer_lost_before_any_message_ends_the_run(tag: str) -> None:
    def program(circle: Circle) -> None:
        channel = circle.others()[0]
        honest = channel.send

        def send(name: str, array: Any) -> None:
            if name == tag and circle.rank == 1:
                raise PeerLostError(channel.peer, "its connection closed")
            honest(name, array)

        channel.send = send  # type: ignore[method-assign]
        count_known(circle, [b"a", b"b", b"c"], 2, 1)

    with pytest.raises(PeerLostError, match="party0"):
        run_parties(program, 3)


def test_all_that_is_sent_is_declared() -> None:
    sent: set[str] = set()

    def program(circle: Circle) -> None:
        for channel in circle.others():
            honest = channel.send
            channel.send = lambda tag, array, honest=honest: (sent.add(tag), honest(tag, array))[1]  # type: ignore[method-assign]
        count_known(circle, [b"%d" % number for number in range(50)], 2, 1)

    run_parties(program, 3)
    assert all(any(line.covers(tag) for line in (*(PROFILE.messages or ()), *BLOCKS)) for tag in sent)


def test_a_party_over_its_declared_size_stops_itself_or_is_named_by_the_others() -> None:
    declared = {"party0": 5, "party1": 4, "party2": 5}
    keys = [b"%d" % number for number in range(5)]
    with pytest.raises(RefusedError, match=r"declared-size.*party1 holds more"):
        run_parties(lambda circle: count_known(circle, keys, 2, 0, declared=declared), 3)

    def program(circle: Circle) -> None:
        said = {**declared, "party1": 5} if circle.rank == 1 else declared
        count_known(circle, keys, 2, 0, declared=said)

    with pytest.raises(ProtocolError, match="party1: offers more identifiers than the 4"):
        run_parties(program, 3)
