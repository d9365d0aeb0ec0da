"""Counting common keys against Python's sets: all keys, a sample, floors, rounding, declared sizes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unseen.computation.circle import Circle
from unseen.computation.in_process import run_parties
from unseen.computation.intersect.align import Declared, Method, aligned
from unseen.computation.intersect.cardinality import PROFILE, Count, count_common, interval, rounded
from unseen.errors import MisuseError, PeerLostError, ProtocolError, RefusedError
from unseen.interaction.testimony import by_kind

COUNT: Callable[..., Any] = count_common


def keys(start: int, count: int) -> list[bytes]:
    return [b"customer-%d" % number for number in range(start, start + count)]


def counted(left: list[bytes], right: list[bytes], minimum: int = 1, **more: Any) -> list[Count]:
    return run_parties(lambda circle: count_common(circle, (left, right)[circle.rank], minimum, **more), 2)


@settings(max_examples=15, deadline=None)
@given(st.sets(st.binary(min_size=1, max_size=12), min_size=1, max_size=20), st.data())
def test_both_learn_how_many_are_common_as_pythons_sets_say(left: set[bytes], data: st.DataObject) -> None:
    right = data.draw(st.sets(st.sampled_from(sorted(left)) | st.binary(min_size=1, max_size=2), min_size=1))
    for count in counted(sorted(left), sorted(right), minimum=0):
        assert (count.common, count.estimated) == (len(left & right), False)


def test_no_message_is_sent_that_would_say_which() -> None:
    """The order of the blinded keys, which tells the members, is never told."""

    def program(circle: Circle) -> set[str]:
        count_common(circle, keys(circle.rank * 20, 60), 1)
        return set(by_kind(circle.others()[0].counters.by_tag))

    declared = {line.kind for line in PROFILE.messages or ()} | {"seed/align"}
    for kinds in run_parties(program, 2):
        assert "align/order" not in kinds
        assert kinds <= declared


def test_a_sample_gives_an_estimate_with_its_interval() -> None:
    for count in counted(keys(0, 3000), keys(1000, 3000), minimum=20, most_exact=1500):
        assert count.estimated
        assert count.interval is not None
        low, high = count.interval
        assert 0 < low <= count.common <= high <= 3000
        assert count.rate == 0.25
        assert abs(count.common - 2000) < 6 * np.sqrt(2000 * 0.75 / 0.25)  # six standard deviations


def test_the_interval_holds_the_truth_nineteen_times_in_twenty() -> None:
    draw = np.random.default_rng(1)
    for common, rate in ((500, 0.1), (20_000, 0.01), (50, 0.5)):
        within = [
            low <= common <= high
            for low, high in (interval(int(seen), rate, 10**9) for seen in draw.binomial(common, rate, 2000))
        ]
        assert 0.93 < np.mean(within) < 0.975


def test_below_the_smallest_overlap_there_is_no_number() -> None:
    left, right = keys(0, 40), keys(33, 40)  # 7 in common
    with pytest.raises(RefusedError, match="smallest-overlap") as caught:
        counted(left, right, minimum=8)
    assert "7" not in str(caught.value)
    assert counted(left, right, minimum=7)[0].common == 7


@pytest.mark.parametrize("common", [0, 30])
def test_a_sample_that_leaves_it_open_counts_as_too_few(common: int) -> None:
    with pytest.raises(RefusedError, match=r"smallest-overlap.*exact_up_to"):
        counted(keys(0, 2000), keys(2000 - common, 2000), minimum=25, most_exact=800)


def test_numbers_are_rounded_to_the_agreed_unit_and_intervals_outwards() -> None:
    assert counted(keys(0, 40), keys(17, 40), round_to=10)[0].common == 20  # 23 in common
    count = counted(keys(0, 3000), keys(1000, 3000), minimum=20, most_exact=1500, round_to=100)[0]
    assert count.interval is not None
    assert all(number % 100 == 0 for number in (count.common, *count.interval))
    assert (rounded(25, 10), rounded(24, 10), rounded(4, 10)) == (30, 20, 0)
    with pytest.raises(MisuseError, match="positive"):
        counted(keys(0, 2), keys(0, 2), round_to=0)


@pytest.mark.parametrize("program", [aligned, COUNT], ids=["align", "count"])
def test_who_offers_more_than_declared_raises_at_home_before_anything_is_sent(program: Callable[..., Any]) -> None:
    sent: list[int] = []

    def run(circle: Circle) -> None:
        try:
            program(circle, keys(0, 21 - circle.rank), 1, declared=Declared(20, 20))
        finally:
            if circle.rank == 0:
                sent.append(circle.others()[0].counters.bytes_sent)

    with pytest.raises(RefusedError, match=r"declared-size.*party0"):
        run_parties(run, 2)
    assert sent == [0]


@pytest.mark.parametrize("program", [aligned, COUNT], ids=["align", "count"])
def test_a_peer_that_offers_more_than_it_declared_is_named(program: Callable[..., Any]) -> None:
    """Party 0 was told another number: it offers 21 where 20 are declared."""

    def run(circle: Circle) -> None:
        declared = Declared(50, 20) if circle.rank else Declared(21, 50)
        program(circle, keys(0, 21), 1, declared=declared)

    with pytest.raises(ProtocolError, match=r"party0: offers more identifiers than the 20"):
        run_parties(run, 2)


@pytest.mark.parametrize("method", list(Method))
def test_as_many_as_declared_are_aligned(method: Method) -> None:
    found = run_parties(lambda c: aligned(c, keys(c.rank * 5, 20), 1, method=method, declared=Declared(20, 20)), 2)
    assert [(len(f.rows), f.own, f.theirs, f.method) for f in found] == [(15, 20, 20, method)] * 2


@pytest.mark.parametrize(
    ("tag", "spoil"),
    [
        ("align/size", lambda array: array * 0),
        ("align/size", lambda array: array + (1 << 40)),
        ("align/sample", lambda array: array * 0 - 1),
        ("align/sample", lambda array: array + (1 << 40)),
        ("align/once", lambda array: np.full_like(array, 0xFF)),
        ("align/once", lambda array: array[:-1]),
        ("align/twice", lambda array: array[:-1]),
    ],
)
def test_a_spoiled_message_ends_the_count_with_its_senders_name(tag: str, spoil: Callable[[Any], Any]) -> None:
    def program(circle: Circle) -> None:
        channel = circle.others()[0]
        honest = channel.send
        if circle.rank == 1:
            channel.send = lambda name, array: honest(name, spoil(array) if name == tag else array)  # type: ignore[method-assign]
        count_common(circle, keys(0, 60), 1, most_exact=60)

    with pytest.raises(ProtocolError, match="party1"):
        run_parties(program, 2)


@pytest.mark.parametrize("tag", ["align/size", "align/sample", "align/once", "align/twice"])
def test_a_peer_lost_before_any_message_ends_the_count(tag: str) -> None:
    def program(circle: Circle) -> None:
        channel = circle.others()[0]
        honest = channel.send

        def send(name: str, array: Any) -> None:
            if name == tag:
                raise PeerLostError(channel.peer, "its connection closed")
            honest(name, array)

        channel.send = send  # type: ignore[method-assign]
        count_common(circle, keys(0, 60), 1, most_exact=60)

    with pytest.raises(PeerLostError):
        run_parties(program, 2)


def test_what_is_sent_of_all_keys_depends_on_the_sizes_alone() -> None:
    def lengths(left: list[bytes]) -> list[list[int]]:
        def program(circle: Circle) -> list[int]:
            channel, sent = circle.others()[0], []
            honest = channel.send
            channel.send = lambda name, array: (sent.append(array.nbytes), honest(name, array))[1]  # type: ignore[method-assign]
            count_common(circle, [left, keys(0, 30)][circle.rank], 0)
            return sent

        return run_parties(program, 2)

    assert lengths(keys(0, 20)) == lengths([bytes([number]) * 50 for number in range(1, 21)])
