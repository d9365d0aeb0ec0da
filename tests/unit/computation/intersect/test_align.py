"""Alignment against Python's sets, and its refusals."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unseen.computation.circle import Circle
from unseen.computation.in_process import run_parties
from unseen.computation.intersect.align import align
from unseen.errors import DataError, ProtocolError, RefusedError


def aligned(left: list[bytes], right: list[bytes], minimum: int = 0) -> list[np.ndarray]:
    return run_parties(lambda circle: align(circle, (left, right)[circle.rank], minimum), 2)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sets(st.binary(min_size=1, max_size=40), min_size=1, max_size=25), st.data())
def test_both_find_exactly_the_common_keys_in_one_order(left: set[bytes], data: st.DataObject) -> None:
    shared = data.draw(st.sets(st.sampled_from(sorted(left))))
    right = shared | data.draw(st.sets(st.binary(min_size=41, max_size=60), min_size=1, max_size=25))
    ours, theirs = sorted(left), sorted(right)
    rows = aligned(ours, theirs)
    assert [ours[row] for row in rows[0]] == [theirs[row] for row in rows[1]]
    assert {ours[row] for row in rows[0]} == left & right


def test_the_order_is_fresh_in_every_run_and_not_that_of_the_rows() -> None:
    keys = [b"customer-%d" % number for number in range(60)]
    first, second = aligned(keys, keys)[0], aligned(keys, keys)[0]
    assert sorted(first) == sorted(second) == list(range(60))
    assert list(first) != list(second)
    assert list(first) != sorted(first)


def test_below_the_minimum_both_are_told_that_it_is_too_few_and_nothing_else() -> None:
    left = [b"a%d" % number for number in range(20)]
    right = [b"b%d" % number for number in range(20)] + left[:7]
    with pytest.raises(RefusedError, match="smallest-overlap") as caught:
        aligned(left, right, minimum=8)
    assert "7" not in str(caught.value)
    assert len(aligned(left, right, minimum=7)[0]) == 7


@pytest.mark.parametrize(
    ("keys", "words"), [([b"a", b"b", b"a"], "twice"), ([b"a", b""], "empty"), ([], "no keys")]
)
def test_unusable_keys_are_refused_before_anything_is_sent(keys: list[bytes], words: str) -> None:
    sent: list[int] = []

    def program(circle: Circle) -> None:
        try:
            align(circle, keys if circle.rank == 0 else [b"x"], 0)
        finally:
            if circle.rank == 0:
                sent.append(circle.others()[0].counters.messages_sent)

    with pytest.raises(DataError, match=words):
        run_parties(program, 2)
    assert sent == [0]


@pytest.mark.parametrize(
    ("tag", "spoil"),
    [
        ("align/size", lambda array: array * 0 - 1),
        ("align/once", lambda array: np.full_like(array, 0xFF)),
        ("align/order", lambda array: array * 0),
    ],
)
def test_a_spoiled_message_ends_the_run_with_its_senders_name(tag: str, spoil) -> None:  # type: ignore[no-untyped-def]
    keys = [b"k%d" % number for number in range(12)]

    def program(circle: Circle) -> None:
        channel = circle.others()[0]
        honest = channel.send
        if circle.rank == 1:
            channel.send = lambda name, array: honest(name, spoil(array) if name == tag else array)  # type: ignore[method-assign]
        align(circle, keys, 1)

    with pytest.raises(ProtocolError, match="party1"):
        run_parties(program, 2)
