"""Numbers of common customers of pairs against Python's sets: who learns which, and who hears nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unseen.computation.blocks import BLOCKS
from unseen.computation.circle import Circle
from unseen.computation.in_process import run_parties
from unseen.computation.intersect.keys import from_list
from unseen.computation.intersect.pairs import PROFILE, Pair, Told, count_pairs
from unseen.errors import MisuseError, ProtocolError, RefusedError

ALL: Mapping[Pair, Sequence[str]] = {
    ("party0", "party1"): (),
    ("party0", "party2"): (),
    ("party1", "party2"): (),
}


def counted(
    lists: Sequence[list[bytes]], pairs: Mapping[Pair, Sequence[str]] = ALL, minimum: int = 0, **more: Any
) -> list[dict[Pair, Told]]:
    return run_parties(
        lambda circle: count_pairs(circle, from_list(lists[circle.rank]), pairs, minimum, **more), len(lists)
    )


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.sets(st.binary(min_size=1, max_size=2), min_size=1, max_size=15), min_size=3, max_size=3))
def test_each_pair_learns_its_number_and_no_other(sets: list[set[bytes]]) -> None:
    common = {b"\x00"}
    sets = [sets[0] | common, sets[1], sets[2] | common]
    results = counted([sorted(keys) for keys in sets])
    for rank, learned in enumerate(results):
        assert set(learned) == {pair for pair in ALL if f"party{rank}" in pair}
        for pair, told in learned.items():
            one, two = (sets[int(name[-1])] for name in pair)
            assert told == Told(len(one & two))


LISTS = [
    [b"%d" % number for number in range(40)],
    [b"%d" % number for number in range(25, 70)],
    [b"%d" % number for number in range(38, 60)],
]
"""15 common to the first two, 2 to the first and third, 22 to the second and third."""


def test_whoever_is_told_besides_learns_the_number_too() -> None:
    results = counted(LISTS, {("party0", "party1"): ("party2",)})
    assert [result[("party0", "party1")].common for result in results] == [15, 15, 15]
    one = counted(LISTS, {("party0", "party1"): ()})
    assert one[2] == {}


def test_an_institution_of_no_pair_brings_nothing_and_hears_nothing() -> None:
    heard: list[str] = []

    def program(circle: Circle) -> dict[Pair, Told]:
        if circle.rank == 2:
            for channel in circle.others():
                channel.receive = lambda tag, *_: heard.append(tag)  # type: ignore[assignment,return-value,method-assign]
        keys = None if circle.rank == 2 else from_list(LISTS[circle.rank])
        return count_pairs(circle, keys, {("party0", "party1"): ()}, 0)

    assert run_parties(program, 3)[0][("party0", "party1")].common == 15
    assert not heard


def test_a_pair_with_too_few_has_no_number_and_the_others_go_on() -> None:
    results = counted(LISTS, {**ALL, ("party0", "party2"): ("party1",)}, 3)
    assert results[0] == {("party0", "party1"): Told(15), ("party0", "party2"): Told(None)}
    assert results[1][("party0", "party2")] == Told(None)
    assert results[2][("party1", "party2")] == Told(22)


def test_numbers_are_rounded_and_many_are_counted_on_a_sample() -> None:
    assert counted(LISTS, round_to=10)[1][("party1", "party2")].common == 20
    many = [[b"%d" % number for number in range(start, start + 900)] for start in (0, 300, 600)]
    results = counted(many, {("party0", "party1"): ("party2",)}, most_exact=600)
    assert results[0] == results[1] == results[2]
    (told,) = results[2].values()
    assert told.common is not None
    assert told.interval is not None
    assert abs(told.common - 600) < 210  # six standard deviations
    assert told.interval[0] <= told.common <= told.interval[1]
    assert told.rate == pytest.approx(1 / 3)


def test_declared_sizes_are_held_to() -> None:
    with pytest.raises(RefusedError, match="declared-size"):
        counted(LISTS, declared={"party0": 40, "party1": 44, "party2": 22})


@pytest.mark.parametrize(
    "pairs",
    [
        {("party1", "party0"): ()},
        {("party0", "party0"): ()},
        {("party0", "party1"): ("party1",)},
        {("party0", "stranger"): ()},
    ],
)
def test_what_is_no_pair_is_misuse(pairs: Any) -> None:
    with pytest.raises(MisuseError):
        counted(LISTS, pairs)


@pytest.mark.parametrize(
    "told", [[-2.0, 1.0, -1.0, -1.0], [1.5, 1.0, -1.0, -1.0], [3.0, 0.0, -1.0, -1.0], [1e12, 1, 0, 0]]
)
def test_a_number_that_is_none_names_who_told_it(told: list[float]) -> None:
    def program(circle: Circle) -> None:
        if circle.rank == 0:
            channel = circle.channel(2)
            honest = channel.send
            channel.send = lambda tag, array: honest(tag, np.array(told))  # type: ignore[method-assign]
        count_pairs(circle, from_list(LISTS[circle.rank]), {("party0", "party1"): ("party2",)}, 0)

    with pytest.raises(ProtocolError, match="party0: tells a number"):
        run_parties(program, 3)


def test_all_that_is_sent_is_declared_and_depends_on_sizes_alone() -> None:
    def sent(lists: Sequence[list[bytes]]) -> list[list[tuple[str, str, int]]]:
        def program(circle: Circle) -> list[tuple[str, str, int]]:
            messages: list[tuple[str, str, int]] = []
            for channel in circle.others():

                def send(tag: str, array: Any, peer: str = channel.peer, honest: Any = channel.send) -> None:
                    messages.append((peer, tag, array.nbytes))
                    honest(tag, array)

                channel.send = send  # type: ignore[method-assign]
            pairs = {**ALL, ("party0", "party1"): ("party2",)}
            count_pairs(circle, from_list(lists[circle.rank]), pairs, 0)
            return messages

        return run_parties(program, 3)

    first = sent(LISTS)
    assert first == sent(
        [[b"%d-%d" % (rank, number) for number in range(len(keys))] for rank, keys in enumerate(LISTS)]
    )
    tags = {tag for messages in first for _, tag, _ in messages}
    assert "align/order" not in tags
    for tag in tags:
        assert any(line.covers(tag) for line in (*(PROFILE.messages or ()), *BLOCKS)), tag
