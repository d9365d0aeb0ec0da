"""Alignment against Python's sets, and its refusals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from unseen.computation.circle import Circle
from unseen.computation.in_process import run_parties
from unseen.computation.intersect.align import Method, align, chosen, tail
from unseen.computation.intersect.keys import from_arrow
from unseen.errors import DataError, PeerLostError, ProtocolError, RefusedError

METHODS = list(Method)


def aligned(left: Any, right: Any, minimum: int = 0, method: Method | None = None) -> list[np.ndarray]:
    return run_parties(lambda circle: align(circle, (left, right)[circle.rank], minimum, method=method), 2)


@pytest.mark.parametrize("method", METHODS)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sets(st.binary(min_size=1, max_size=40), min_size=1, max_size=25), st.data())
def test_both_find_exactly_the_common_keys_in_one_order(
    method: Method, left: set[bytes], data: st.DataObject
) -> None:
    shared = data.draw(st.sets(st.sampled_from(sorted(left))))
    right = shared | data.draw(st.sets(st.binary(min_size=41, max_size=60), min_size=1, max_size=25))
    ours, theirs = sorted(left), sorted(right)
    rows = aligned(ours, theirs, method=method)
    assert [ours[row] for row in rows[0]] == [theirs[row] for row in rows[1]]
    assert {ours[row] for row in rows[0]} == left & right


@pytest.mark.parametrize("method", METHODS)
def test_the_order_is_fresh_in_every_run_and_not_that_of_the_rows(method: Method) -> None:
    keys = [b"customer-%d" % number for number in range(60)]
    first, second = aligned(keys, keys, method=method)[0], aligned(keys, keys, method=method)[0]
    assert sorted(first) == sorted(second) == list(range(60))
    assert list(first) != list(second)
    assert list(first) != sorted(first)


@pytest.mark.parametrize("method", METHODS)
def test_below_the_minimum_both_are_told_that_it_is_too_few_and_nothing_else(method: Method) -> None:
    left = [b"a%d" % number for number in range(20)]
    right = [b"b%d" % number for number in range(20)] + left[:7]
    with pytest.raises(RefusedError, match="smallest-overlap") as caught:
        aligned(left, right, 8, method)
    assert "7" not in str(caught.value)
    assert len(aligned(left, right, 7, method)[0]) == 7


@pytest.mark.parametrize(
    ("keys", "words"), [([b"a", b"b", b"a"], "twice"), ([b"a", b""], "empty"), ([], "no keys")]
)
def test_unusable_keys_are_refused_before_anything_of_them_is_sent(keys: list[bytes], words: str) -> None:
    sent: list[int] = []

    def program(circle: Circle) -> None:
        try:
            align(circle, keys if circle.rank == 0 else [b"x"], 0)
        finally:
            if circle.rank == 0:
                sent.append(circle.others()[0].counters.bytes_sent)

    with pytest.raises(DataError, match=words):
        run_parties(program, 2)
    assert sent[0] < 100  # the contribution to the joint seed


@pytest.mark.parametrize(
    ("method", "liar", "tag", "spoil"),
    [
        (Method.CURVES, 1, "align/size", lambda array: array * 0 - 1),
        (Method.CURVES, 1, "align/once", lambda array: np.full_like(array, 0xFF)),
        (Method.CURVES, 1, "align/order", lambda array: array * 0),
        (Method.OLE, 0, "align/size", lambda array: array * 0 + (1 << 40)),
        (Method.OLE, 0, "align/size", lambda array: array + 1),
        (Method.OLE, 0, "align/size", lambda array: array + 100),
        (Method.OLE, 1, "align/attempt", lambda array: array + 100),
        (Method.OLE, 1, "align/table", lambda array: array[:-1]),
        (Method.OLE, 0, "align/trial", lambda array: array[:-1]),
        (Method.OLE, 1, "align/proof", lambda array: array ^ np.uint64(1)),
        (Method.OLE, 0, "align/tags", lambda array: array[:-1]),
        (Method.OLE, 1, "align/known", lambda array: ~array),
        (Method.OLE, 0, "align/sum", lambda array: array ^ np.uint64(1)),
        (Method.OLE, 1, "align/sum", lambda array: array ^ np.uint64(1)),
    ],
)
def test_a_spoiled_message_ends_the_run_with_its_senders_name(
    method: Method, liar: int, tag: str, spoil: Callable[[Any], Any]
) -> None:
    """Also a lie about the size: the table or the tags do not fit it. Party 1 has fewer keys: it receives."""
    keys = [b"k%d" % number for number in range(12)]

    def program(circle: Circle) -> None:
        channel = circle.others()[0]
        honest = channel.send
        if circle.rank == liar:
            channel.send = lambda name, array: honest(name, spoil(array) if name == tag else array)  # type: ignore[method-assign]
        align(circle, keys if circle.rank else [*keys, b"own"], 1, method=method)

    with pytest.raises(ProtocolError, match=f"party{liar}"):
        run_parties(program, 2)


@pytest.mark.parametrize("tag", ["align/table", "align/proof", "align/tags", "align/known", "align/sum"])
def test_a_peer_lost_before_any_message_ends_the_run_with_its_name(tag: str) -> None:
    keys = [b"k%d" % number for number in range(12)]

    def program(circle: Circle) -> None:
        channel = circle.others()[0]
        honest = channel.send

        def send(name: str, array: Any) -> None:
            if name == tag:
                raise PeerLostError(channel.peer, "its connection closed")
            honest(name, array)

        channel.send = send  # type: ignore[method-assign]
        align(circle, keys, 1, method=Method.OLE)

    with pytest.raises(PeerLostError):
        run_parties(program, 2)


@pytest.mark.parametrize(("mine", "theirs"), [(1, 4000), (4000, 1), (3000, 5000), (5000, 3000), (40_000, 40_000)])
@pytest.mark.parametrize("common", ["none", "one", "half", "all"])
def test_sets_of_any_sizes_and_overlaps(mine: int, theirs: int, common: str) -> None:
    small = min(mine, theirs)
    shared = {"none": 0, "one": 1, "half": -(-small // 2), "all": small}[common]
    left = [b"both-%d" % i for i in range(shared)] + [b"left-%d" % i for i in range(mine - shared)]
    right = [b"right-%d" % i for i in range(theirs - shared)] + [b"both-%d" % i for i in range(shared)]
    rows = aligned(left, right, method=Method.OLE)
    assert sorted(rows[0]) == list(range(shared))
    assert [left[row] for row in rows[0]] == [right[row] for row in rows[1]]


def test_not_one_identifier_is_lost_or_made_up_in_many_runs() -> None:
    draw = np.random.default_rng(5)
    for _ in range(25):
        left = draw.choice(60_000, size=int(draw.integers(2000, 9000)), replace=False)
        right = draw.choice(60_000, size=int(draw.integers(2000, 9000)), replace=False)
        rows = aligned([b"%d" % i for i in left], [b"%d" % i for i in right])
        assert set(left[rows[0]]) == set(left) & set(right)
        np.testing.assert_array_equal(left[rows[0]], right[rows[1]])


def test_odd_keys_short_long_and_alike() -> None:
    keys = [b"\x00", b"\x00\x00", bytes(64), bytes(65), bytes(65536), "é".encode(), "e\u0301".encode(), b"e"]
    for method in METHODS:
        rows = aligned(keys, keys[::-1], method=method)
        assert sorted(rows[0]) == list(range(8))
        assert [keys[row] for row in rows[0]] == [keys[::-1][row] for row in rows[1]]


def test_keys_come_straight_from_arrow_also_from_the_middle_of_an_array() -> None:
    left = pa.array([f"n{i}" for i in range(100)])
    right = pa.array([f"n{i}" for i in range(100)], pa.large_string()).slice(30, 50)
    rows = aligned(from_arrow(left), from_arrow(right), method=Method.OLE)
    assert sorted(rows[0]) == list(range(30, 80))
    np.testing.assert_array_equal(rows[0], rows[1] + 30)
    with pytest.raises(DataError, match="empty"):
        from_arrow(pa.array(["a", None]))


def test_what_is_sent_depends_on_the_sizes_alone() -> None:
    def lengths(keys: list[bytes]) -> list[list[int]]:
        def program(circle: Circle) -> list[int]:
            channel, sent = circle.others()[0], []
            honest = channel.send
            channel.send = lambda name, array: (sent.append(array.nbytes), honest(name, array))[1]  # type: ignore[method-assign]
            align(circle, [keys, [b"%d" % i for i in range(3000)]][circle.rank], 0)
            return sent

        return run_parties(program, 2)

    assert lengths([b"x%d" % i for i in range(2500)]) == lengths(
        [bytes([7, i % 256, i // 256]) for i in range(2500)]
    )


def test_a_sample_lets_the_fast_way_go_on_only_where_enough_are_common() -> None:
    """Curves on a sample first: with plenty in common they end there; with few, all keys are counted."""
    left, notes = [b"a%d" % i for i in range(3000)], []

    def run(right: list[bytes], minimum: int) -> int:
        notes.clear()

        def watch(done: float, note: str) -> None:
            notes.append(note)

        return len(run_parties(lambda c: align(c, (left, right)[c.rank], minimum, watch), 2)[0])

    assert run(left[:2000] + [b"b%d" % i for i in range(1000)], 20) == 2000
    assert any("waiting for the partner's tags" in note for note in notes)
    with pytest.raises(RefusedError, match="smallest-overlap"):
        run(left[:19] + [b"b%d" % i for i in range(600)], 20)
    assert not any("tags" in note for note in notes)


def test_the_chance_that_a_sample_misleads_is_the_binomial_tail() -> None:
    for draws, rate, least in ((99, 0.001, 3), (99, 0.02, 0), (19, 0.3, 19), (1000, 0.01, 40)):
        assert tail(draws, rate, least) == pytest.approx(binom.sf(least - 1, draws, rate), rel=1e-9)


def test_few_keys_go_by_curves_and_many_by_vector_ole() -> None:
    assert chosen(500, 500) is Method.CURVES
    assert chosen(10_000, 10_000) is Method.OLE
