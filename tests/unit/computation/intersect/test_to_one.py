"""The alignment that tells one of two parties alone: against Python's sets, and what the other one hears."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unseen.computation.blocks import BLOCKS
from unseen.computation.circle import Circle
from unseen.computation.in_process import run_parties
from unseen.computation.intersect import to_one
from unseen.computation.intersect.align import Aligned, Declared, Method
from unseen.computation.intersect.to_one import PROFILE, aligned_to_one
from unseen.errors import DataError, MisuseError, PeerLostError, ProtocolError, RefusedError

METHODS = list(Method)
Lists = tuple[list[bytes], list[bytes]]


@pytest.fixture(autouse=True, scope="module")
def _small_samples() -> Iterator[None]:
    """Samples of 128 keys instead of 1024: an eighth of the curves' time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(to_one, "SAMPLE", 128)
        yield


def aligned(lists: Lists, recipient: int, minimum: int = 0, method: Method | None = None) -> list[Aligned]:
    return run_parties(
        lambda circle: aligned_to_one(circle, lists[circle.rank], minimum, recipient, method=method), 2
    )


def assert_told(lists: Lists, recipient: int, method: Method | None, minimum: int = 0) -> None:
    results = aligned(lists, recipient, minimum, method)
    rows = results[recipient].rows
    assert len(results[1 - recipient].rows) == 0
    assert len(set(rows)) == len(rows)
    assert {lists[recipient][row] for row in rows} == set(lists[0]) & set(lists[1])


@pytest.mark.parametrize("recipient", [0, 1])
@pytest.mark.parametrize("method", METHODS)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sets(st.binary(min_size=1, max_size=3), min_size=1, max_size=25),
    st.sets(st.binary(min_size=1, max_size=3), min_size=1, max_size=25),
)
def test_one_finds_exactly_the_common_keys_and_the_other_none(
    method: Method, recipient: int, left: set[bytes], right: set[bytes]
) -> None:
    assert_told((sorted(left), sorted(right)), recipient, method)
    assert_told((sorted(left | right), sorted(right)), recipient, method)


@pytest.mark.parametrize("recipient", [0, 1])
@pytest.mark.parametrize(("mine", "theirs"), [(1, 4000), (4000, 1), (3000, 40_000), (20_000, 20_000)])
@pytest.mark.parametrize("shared", [0, 1])
def test_sets_of_any_sizes_whichever_side_is_told(mine: int, theirs: int, shared: int, recipient: int) -> None:
    left = [b"both-%d" % i for i in range(shared)] + [b"left-%d" % i for i in range(mine - shared)]
    right = [b"right-%d" % i for i in range(theirs - shared)] + [b"both-%d" % i for i in range(shared)]
    assert_told((left, right), recipient, None)


@pytest.mark.parametrize("recipient", [0, 1])
def test_many_common_are_seen_on_a_sample_before_members_are_found(recipient: int) -> None:
    keys = [b"k%d" % number for number in range(1500)]
    assert_told((keys, keys[250:]), recipient, Method.OLE, minimum=200)
    tags = [tag for tag, _ in heard((keys, keys[250:]), recipient, 200, Method.OLE)]
    assert tags.index("align/shown") < tags.index("align/table")
    assert "align/order" not in tags


@pytest.mark.parametrize("recipient", [0, 1])
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("size", "minimum"), [(20, 8), (300, 8)])
def test_below_the_minimum_both_are_told_that_it_is_too_few_and_nothing_else(
    method: Method, recipient: int, size: int, minimum: int
) -> None:
    left = [b"a%d" % number for number in range(size)]
    right = [b"b%d" % number for number in range(size)] + left[:7]
    told = []

    def program(circle: Circle) -> None:
        try:
            aligned_to_one(circle, (left, right)[circle.rank], minimum, recipient, method=method)
        except RefusedError as error:
            told.append(str(error))

    run_parties(program, 2)
    assert len(told) == 2
    assert told[0] == told[1]
    assert "smallest-overlap" in told[0]
    assert "7" not in told[0]
    assert len(aligned((left, right), recipient, 7, method)[recipient].rows) == 7


def heard(lists: Lists, recipient: int, minimum: int = 0, method: Method | None = None) -> list[tuple[str, Any]]:
    """All that the recipient sends to the other side."""
    messages = []

    def program(circle: Circle) -> None:
        if circle.rank == recipient:
            channel = circle.others()[0]
            honest = channel.send

            def send(tag: str, array: Any) -> None:
                messages.append((tag, np.array(array)))
                honest(tag, array)

            channel.send = send  # type: ignore[method-assign]
        aligned_to_one(circle, lists[circle.rank], minimum, recipient, method=method)

    run_parties(program, 2)
    return messages


TELLING = {"align/known", "align/sum", "align/twice", "align/order"}


@pytest.mark.parametrize("recipient", [0, 1])
@pytest.mark.parametrize("method", METHODS)
def test_the_other_side_hears_the_same_sizes_whatever_is_common_and_no_match(
    method: Method, recipient: int
) -> None:
    left = [b"left-%d" % number for number in range(300)]
    right = [b"right-%d" % number for number in range(200)]
    none = heard((left, right), recipient, 0, method)
    everyone = heard((left, left[:200]), recipient, 0, method)
    assert [(tag, array.nbytes) for tag, array in none] == [(tag, array.nbytes) for tag, array in everyone]
    assert not TELLING & {tag for tag, _ in none}
    for (tag, one), (_, other) in zip(none, everyone, strict=True):
        if tag in {"align/size", "align/enough", "align/attempt"}:
            assert np.array_equal(one, other)


@pytest.mark.parametrize("recipient", [0, 1])
@pytest.mark.parametrize("method", METHODS)
def test_all_that_is_sent_is_declared_and_within_its_bounds(method: Method, recipient: int) -> None:
    keys = [b"k%d" % number for number in range(500)]
    lists = (keys, keys[:400]) if method is Method.OLE else (keys[:40], keys[:30])
    for tag, array in heard(lists, recipient, 20, method):
        lines = [line for line in (*(PROFILE.messages or ()), *BLOCKS) if line.covers(tag)]
        assert lines, tag
        assert all(line.most_bytes is None or array.nbytes + 16 <= line.most_bytes for line in lines)


@pytest.mark.parametrize(("keys", "words"), [([b"a", b"a"], "twice"), ([b"a", b""], "empty"), ([], "no keys")])
def test_unusable_keys_are_refused(keys: list[bytes], words: str) -> None:
    with pytest.raises(DataError, match=words):
        aligned((keys, [b"x"]), 1)


def test_more_than_declared_is_refused_or_named() -> None:
    def program(circle: Circle) -> Aligned:
        most = Declared(4, 4) if circle.rank else Declared(5, 4)
        return aligned_to_one(circle, [b"%d" % number for number in range(5 - circle.rank)], 0, 0, declared=most)

    with pytest.raises(ProtocolError, match="party0: offers more"):
        run_parties(program, 2)


def test_a_recipient_that_does_not_take_part_is_misuse() -> None:
    with pytest.raises(MisuseError, match="one of its two parties"):
        aligned(([b"a"], [b"a"]), 2)


def disturbed(who: int, disturb: Callable[[str, Any], tuple[str, Any]], method: Method) -> None:
    """Party 1 is told. By vector OLE a sample of the keys is counted first."""
    keys = [b"k%d" % number for number in range(400 if method is Method.OLE else 12)]

    def program(circle: Circle) -> None:
        channel = circle.others()[0]
        if circle.rank == who:
            honest = channel.send
            channel.send = lambda tag, array: honest(*disturb(tag, array))  # type: ignore[method-assign]
        aligned_to_one(circle, keys if circle.rank else [*keys, b"own"], 3, 1, method=method)

    run_parties(program, 2)


OTHER, TOLD = 0, 1
SENT = [
    *((Method.CURVES, OTHER, f"align/{tag}") for tag in ("size", "once", "twice", "order")),
    *((Method.CURVES, TOLD, f"align/{tag}") for tag in ("size", "once", "enough")),
    *((Method.OLE, OTHER, f"align/{tag}") for tag in ("sample", "trial", "tags")),
    *((Method.OLE, TOLD, f"align/{tag}") for tag in ("sample", "shown", "table", "proof", "enough")),
]


@pytest.mark.parametrize(("method", "who", "tag"), SENT)
def test_a_message_under_another_name_ends_the_run_with_its_senders(method: Method, who: int, tag: str) -> None:
    with pytest.raises(ProtocolError, match=f"party{who}"):
        disturbed(who, lambda name, array: (f"{name}x" if name == tag else name, array), method)


@pytest.mark.parametrize(("method", "who", "tag"), SENT)
def test_a_peer_lost_before_any_message_ends_the_run(method: Method, who: int, tag: str) -> None:
    def lose(name: str, array: Any) -> tuple[str, Any]:
        if name == tag:
            raise PeerLostError(f"party{1 - who}", "its connection closed")
        return name, array

    with pytest.raises(PeerLostError, match=f"party{1 - who}"):
        disturbed(who, lose, method)


@pytest.mark.parametrize(
    ("method", "liar", "tag", "spoil"),
    [
        (Method.CURVES, OTHER, "align/twice", lambda array: array[:-1]),
        (Method.CURVES, OTHER, "align/once", lambda array: np.full_like(array, 0xFF)),
        (Method.CURVES, OTHER, "align/order", lambda array: array * 0),
        (Method.CURVES, TOLD, "align/enough", lambda array: array + 2),
        (Method.OLE, TOLD, "align/shown", lambda array: array + 2),
        (Method.OLE, TOLD, "align/proof", lambda array: array ^ np.uint64(1)),
        (Method.OLE, TOLD, "align/table", lambda array: array[:-1]),
        (Method.OLE, OTHER, "align/tags", lambda array: array[:-1]),
    ],
)
def test_a_spoiled_message_ends_the_run_with_its_senders_name(
    method: Method, liar: int, tag: str, spoil: Callable[[Any], Any]
) -> None:
    with pytest.raises(ProtocolError, match=f"party{liar}"):
        disturbed(liar, lambda name, array: (name, spoil(array) if name == tag else array), method)


def test_samples_are_those_of_the_alignment_for_both() -> None:
    """The same shares of all keys, none of them the half or more."""
    for everyone in (100, 256, 258, 100_000, 1 << 25):
        rates = to_one._rates(everyone)
        assert all(rate * everyone < everyone // 2 for rate in rates)
        assert len(rates) <= 8
        assert [round(rate * everyone) for rate in rates] == [128 * 8**step for step in range(len(rates))]
