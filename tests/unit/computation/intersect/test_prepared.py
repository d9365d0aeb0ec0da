"""The prepared alignment of a small set with a large one: against Python's sets, one run each, and its faults."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unseen.computation.blocks import BLOCKS
from unseen.computation.circle import Circle
from unseen.computation.in_process import run_parties
from unseen.computation.intersect import prepared
from unseen.computation.intersect.prepared import align_large, align_small, prepare_large, prepare_small
from unseen.computation.intersect.prepared_state import Large, Small, size_of
from unseen.errors import AbortedError, DataError, MisuseError, PeerLostError, ProtocolError, RefusedError

LARGE, SMALL = 0, 1
MANY = [b"many-%d" % number for number in range(400)]
FEW = [b"many-%d" % (7 * number) for number in range(20)] + [b"few-%d" % number for number in range(9)]


def prepare(large: list[bytes], capacity: int, rank: int = LARGE) -> tuple[Large, Small]:
    """Both sides' states; the party of that rank has the large set."""

    def program(circle: Circle) -> Any:
        return prepare_large(circle, large, capacity) if circle.rank == rank else prepare_small(circle, capacity)

    states = run_parties(program, 2)
    return states[rank], states[1 - rank]


def run(
    large: Large, small: Small, few: list[bytes], minimum: int = 0, to_both: bool = True, rank: int = LARGE
) -> tuple[Any, Any]:
    """Both sides' rows: the large one's, the small one's."""

    def program(circle: Circle) -> Any:
        if circle.rank == rank:
            return align_large(circle, large, minimum, to_both)
        return align_small(circle, small, few, minimum, to_both)

    rows = run_parties(program, 2)
    return rows[rank], rows[1 - rank]


def aligned(many: list[bytes], few: list[bytes], capacity: int = 0, to_both: bool = True, rank: int = 0) -> Any:
    return run(*prepare(many, capacity or len(few), rank), few, 0, to_both, rank)


def assert_common(many: list[bytes], few: list[bytes], capacity: int = 0, rank: int = LARGE) -> None:
    theirs, ours = aligned(many, few, capacity, rank=rank)
    assert [many[row] for row in theirs] == [few[row] for row in ours]
    assert len(set(ours)) == len(ours)
    assert {few[row] for row in ours} == set(many) & set(few)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sets(st.binary(min_size=1, max_size=3), min_size=1, max_size=40),
    st.sets(st.binary(min_size=1, max_size=3), min_size=1, max_size=12),
    st.integers(0, 30),
    st.integers(0, 1),
)
def test_both_find_exactly_the_common_keys_in_one_order(
    many: set[bytes], few: set[bytes], room: int, rank: int
) -> None:
    assert_common(sorted(many), sorted(few), len(few) + room, rank)
    assert_common(sorted(many | few), sorted(few), len(few) + room, rank)


@pytest.mark.parametrize(("many", "few"), [(1, 1), (30_000, 1), (30_000, 4096), (5000, 40_000), (600_000, 300)])
@pytest.mark.parametrize("common", ["none", "one", "half", "all"])
def test_sets_of_any_sizes_and_overlaps(many: int, few: int, common: str) -> None:
    least = min(many, few)
    shared = {"none": 0, "one": 1, "half": -(-least // 2), "all": least}[common]
    left = [b"both-%d" % i for i in range(shared)] + [b"left-%d" % i for i in range(many - shared)]
    right = [b"right-%d" % i for i in range(few - shared)] + [b"both-%d" % i for i in range(shared)]
    assert_common(left, right)


def test_not_one_identifier_is_lost_or_made_up_in_many_runs() -> None:
    draw = np.random.default_rng(17)
    for _ in range(20):
        many, few = draw.integers(1, 9000), draw.integers(1, 700)
        lists = [[b"%d" % i for i in draw.choice(10_000, size=size, replace=False)] for size in (many, few)]
        assert_common(lists[0], lists[1], int(few + draw.integers(0, 300)))


def test_keys_of_one_byte_and_of_64_kibibytes() -> None:
    long = [bytes([number]) * (1 << 16) for number in range(3)]
    assert_common([b"a", b"b", *long], [b"b", long[2], b"c"])


def test_the_order_is_not_that_of_either_sides_rows() -> None:
    theirs, ours = aligned(MANY, MANY[:200])
    assert sorted(theirs) == sorted(ours) == list(range(200))
    assert list(theirs) != sorted(theirs)


def test_the_state_outlives_its_process_as_bytes() -> None:
    large, small = prepare(MANY, 40)
    written = large.to_bytes(), small.to_bytes()
    assert len(written[0]) - size_of(Large, 40, 400, large.terms.length) < 300
    assert len(written[1]) - size_of(Small, 40, 400, small.terms.length) < 300
    theirs, ours = run(Large.from_bytes(written[0]), Small.from_bytes(written[1]), FEW)
    assert {FEW[row] for row in ours} == {MANY[row] for row in theirs} == set(MANY) & set(FEW)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_stored_bytes_that_were_changed_are_refused(data: st.DataObject) -> None:
    spoiled = bytearray(data.draw(st.sampled_from(STORED)))
    place, cut = data.draw(st.integers(0, len(spoiled) - 1)), data.draw(st.booleans())
    if cut:
        del spoiled[place:]
    else:
        spoiled[place] ^= data.draw(st.integers(1, 255))
    for side in (Large, Small):
        with pytest.raises(MisuseError):
            side.from_bytes(bytes(spoiled))


STORED = [state.to_bytes() for state in prepare(MANY[:5], 3)]


def test_one_sides_stored_state_is_not_the_others() -> None:
    with pytest.raises(MisuseError, match="not of this side"):
        Small.from_bytes(STORED[0])


def test_nothing_secret_is_shown() -> None:
    large, small = prepare(MANY[:5], 3)
    assert all(len(repr(state)) < 90 for state in (large, small))


@pytest.mark.parametrize("again", ["large", "small", "both"])
def test_a_preparation_serves_one_run(again: str) -> None:
    large, small = prepare(MANY, 40)
    stored = large.to_bytes(), small.to_bytes()
    run(large, small, FEW)
    if again == "large":
        small = Small.from_bytes(stored[1])
    elif again == "small":
        large = Large.from_bytes(stored[0])
    with pytest.raises(RefusedError, match="prepared-once"):
        run(large, small, FEW)


def test_unfit_keys_leave_the_preparation_unspent() -> None:
    large, small = prepare(MANY, 40)
    unfit = {
        "empty": [b"a", b""],
        "twice": [b"a", b"a"],
        "declared-size": [b"%d" % number for number in range(41)],
    }
    for words, keys in unfit.items():
        with pytest.raises((DataError, RefusedError), match=words):
            run(large, small, keys)
    assert len(run(large, small, FEW)[1]) == 20


def test_two_different_preparations_do_not_go_together() -> None:
    (large, _), (_, small) = prepare(MANY, 40), prepare(MANY, 40)
    with pytest.raises(ProtocolError, match="another preparation"):
        run(large, small, FEW)


@pytest.mark.parametrize(
    ("keys", "words"),
    [([b"a", b"b", b"a"], "twice"), ([b"a"] * 5000, "twice"), ([b"a", b""], "empty"), ([], "takes 1")],
)
def test_an_unusable_large_set_is_refused_before_anything_of_it_is_sent(keys: list[bytes], words: str) -> None:
    sent: list[str] = []

    def program(circle: Circle) -> Any:
        if circle.rank == SMALL:
            return prepare_small(circle, 10)
        channel = circle.others()[0]
        honest = channel.send
        channel.send = lambda tag, array: (sent.append(tag), honest(tag, array))[1]  # type: ignore[method-assign,func-returns-value]
        return prepare_large(circle, keys, 10)

    with pytest.raises(DataError, match=words):
        run_parties(program, 2)
    assert not {tag for tag in sent if tag.startswith(("prepared", "align"))}


def test_declared_sizes_are_held_to() -> None:
    def program(circle: Circle) -> Any:
        if circle.rank == LARGE:
            return prepare_large(circle, MANY, 40, most=399)
        return prepare_small(circle, 40)

    with pytest.raises(RefusedError, match="declared-size"):
        run_parties(program, 2)

    def other(circle: Circle) -> Any:
        if circle.rank == LARGE:
            return prepare_large(circle, MANY, 40)
        return prepare_small(circle, 40, most=399)

    with pytest.raises(ProtocolError, match="party0: offers more"):
        run_parties(other, 2)


@pytest.mark.parametrize("capacity", [0, -1, prepared.MOST_CAPACITY + 1])
def test_a_capacity_out_of_bounds_is_refused(capacity: int) -> None:
    with pytest.raises(MisuseError, match="small side"):
        prepare(MANY, capacity)


@pytest.mark.parametrize("to_both", [True, False])
def test_below_the_minimum_both_are_told_that_it_is_too_few_and_nothing_else(to_both: bool) -> None:
    told = []
    large, small = prepare(MANY, 40)

    def program(circle: Circle) -> None:
        try:
            if circle.rank == LARGE:
                align_large(circle, large, 21, to_both)
            else:
                align_small(circle, small, FEW, 21, to_both)
        except RefusedError as error:
            told.append(str(error))

    run_parties(program, 2)
    assert len(told) == 2
    assert told[0] == told[1]
    assert "smallest-overlap" in told[0]
    assert "20" not in told[0]


def sent_in_run(many: list[bytes], few: list[bytes], capacity: int, to_both: bool) -> list[list[tuple[str, Any]]]:
    """What each side sends in the run: tag and array, the large side's first."""
    large, small = prepare(many, capacity)
    messages: list[list[tuple[str, Any]]] = [[], []]

    def program(circle: Circle) -> None:
        channel = circle.others()[0]
        honest = channel.send

        def send(tag: str, array: Any) -> None:
            messages[circle.rank].append((tag, np.array(array)))
            honest(tag, array)

        channel.send = send  # type: ignore[method-assign]
        if circle.rank == LARGE:
            align_large(circle, large, 0, to_both)
        else:
            align_small(circle, small, few, 0, to_both)

    run_parties(program, 2)
    return messages


@pytest.mark.parametrize("to_both", [True, False])
def test_what_is_sent_depends_on_the_declared_sizes_alone(to_both: bool) -> None:
    def shapes(many: list[bytes], few: list[bytes]) -> list[list[tuple[str, int]]]:
        return [[(tag, array.nbytes) for tag, array in side] for side in sent_in_run(many, few, 40, to_both)]

    apart = [b"%d" % number for number in range(400)]
    assert shapes(MANY, FEW) == shapes(apart, FEW) == shapes(MANY, MANY[:40]) == shapes(MANY, [b"one"])


def test_a_result_for_the_small_side_alone_tells_the_large_side_nothing_of_it() -> None:
    """The large side hears a table under a uniform mask and whether it is enough; nothing that differs."""
    none = sent_in_run(MANY, [b"few-%d" % number for number in range(40)], 40, to_both=False)
    everyone = sent_in_run(MANY, MANY[:40], 40, to_both=False)
    for one, other in zip(none[SMALL], everyone[SMALL], strict=True):
        assert one[0] == other[0]
        assert one[0] in {"prepared/which", "prepared/table", "prepared/enough"}
        if one[0] == "prepared/enough":
            assert np.array_equal(one[1], other[1])
    assert aligned(MANY, FEW, to_both=False)[0] is None
    assert len(aligned(MANY, FEW, to_both=False)[1]) == 20


def test_all_that_is_sent_is_declared_and_within_its_bounds() -> None:
    for profile, to_both in ((prepared.FOR_BOTH, True), (prepared.FOR_SMALL, False)):
        for side in sent_in_run(MANY, FEW, 40, to_both):
            for tag, array in side:
                lines = [line for line in (*(profile.messages or ()), *BLOCKS) if line.covers(tag)]
                assert lines, tag
                for line in lines:
                    assert line.most_bytes is None or array.nbytes + 16 <= line.most_bytes


def test_the_answer_is_uniform_though_the_same_keys_meet() -> None:
    """The correction of two runs on the same keys has nothing in common, and no cell of it is empty."""
    answers = [dict(sent_in_run(MANY, FEW, 40, to_both=True)[LARGE])["prepared/answer"] for _ in range(2)]
    assert not (answers[0] == answers[1]).any()
    assert (answers[0] != 0).all()


def disturbed(who: int, disturb: Callable[[str, Any], tuple[str, Any]]) -> None:
    """Preparation and run, in which party `who` sends what `disturb` makes of it."""

    def program(circle: Circle) -> None:
        channel = circle.others()[0]
        if circle.rank == who:
            honest = channel.send
            channel.send = lambda tag, array: honest(*disturb(tag, array))  # type: ignore[method-assign]
        if circle.rank == LARGE:
            align_large(circle, prepare_large(circle, MANY, 40), 1, to_both=True)
        else:
            align_small(circle, prepare_small(circle, 40), FEW, 1, to_both=True)

    run_parties(program, 2)


@pytest.mark.parametrize(
    ("liar", "tag", "spoil"),
    [
        (LARGE, "prepared/size", lambda array: array * 0 - 1),
        (LARGE, "prepared/size", lambda array: array * 0 + (1 << 40)),
        (LARGE, "prepared/size", lambda array: array + 1),
        (SMALL, "align/proof", lambda array: array ^ np.uint64(1)),
        (LARGE, "align/trial", lambda array: array[:-1]),
        (LARGE, "prepared/heads", lambda array: array[::-1].copy()),
        (LARGE, "prepared/heads", lambda array: array[:-1]),
        (LARGE, "prepared/rests", lambda array: array ^ np.uint8(1)),
        (LARGE, "prepared/which", lambda array: array ^ np.uint64(1)),
        (SMALL, "prepared/which", lambda array: array ^ np.uint64(1)),
        (SMALL, "prepared/table", lambda array: array[:-1]),
        (LARGE, "prepared/answer", lambda array: array[:-1]),
        (LARGE, "prepared/answer", lambda array: array ^ np.uint64(1 << 40)),
        (SMALL, "prepared/enough", lambda array: array + 2),
        (SMALL, "prepared/found", lambda array: array[::-1].copy()),
        (SMALL, "prepared/found", lambda array: array * 0 + 1_000_000),
        (SMALL, "prepared/found", lambda array: np.where(array == array.max(), 3, array).astype(np.uint32)),
        (SMALL, "prepared/found", lambda array: np.array([*array[1:], 0xFFFFFFFF], dtype=np.uint32)),
        (LARGE, "prepared/sum", lambda array: array ^ np.uint64(1)),
        (SMALL, "prepared/sum", lambda array: array ^ np.uint64(1)),
    ],
)
def test_a_spoiled_message_ends_the_run_with_its_senders_name(
    liar: int, tag: str, spoil: Callable[[Any], Any]
) -> None:
    with pytest.raises(ProtocolError, match=f"party{liar}"):
        disturbed(liar, lambda name, array: (name, spoil(array) if name == tag else array))


SENT = [
    *((LARGE, f"prepared/{tag}") for tag in ("size", "heads", "rests", "which", "answer", "sum")),
    *((SMALL, f"prepared/{tag}") for tag in ("which", "table", "enough", "found", "sum")),
    (LARGE, "align/trial"),
    (SMALL, "align/proof"),
]


@pytest.mark.parametrize(("who", "tag"), SENT)
def test_a_message_under_another_name_ends_the_run_with_its_senders(who: int, tag: str) -> None:
    with pytest.raises(ProtocolError, match=f"party{who}"):
        disturbed(who, lambda name, array: (f"{name}x" if name == tag else name, array))


@pytest.mark.parametrize(("who", "tag"), SENT)
def test_a_peer_lost_before_any_message_ends_the_run(who: int, tag: str) -> None:
    def lose(name: str, array: Any) -> tuple[str, Any]:
        if name == tag:
            raise PeerLostError(f"party{1 - who}", "its connection closed")
        return name, array

    with pytest.raises(PeerLostError, match=f"party{1 - who}"):
        disturbed(who, lose)


def test_a_false_claim_of_a_common_customer_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The small side names a customer of the large one's that it does not hold: it cannot know its check."""
    honest = prepared._looked_up

    def claiming(state: Small, outputs: Any) -> Any:
        places = honest(state, outputs)
        missing = np.flatnonzero(places < 0)
        free = np.setdiff1d(np.arange(state.terms.listed), places)
        places[missing[0]] = free[0]
        return places

    large, small = prepare(MANY, 40)
    monkeypatch.setattr(prepared, "_looked_up", claiming)
    with pytest.raises(ProtocolError, match="party"):
        run(large, small, FEW)


def test_a_partner_that_calls_fewer_enough_is_named() -> None:
    large, small = prepare(MANY, 40)

    def program(circle: Circle) -> Any:
        if circle.rank == LARGE:
            return align_large(circle, large, 21, to_both=True)
        return align_small(circle, small, FEW, 20, to_both=True)

    with pytest.raises(ProtocolError, match="party1: says that enough"):
        run_parties(program, 2)


def test_tags_whose_first_words_are_alike_are_told_apart() -> None:
    _, small = prepare(MANY[:20], 40)
    small = Small.from_bytes(small.to_bytes())
    small.heads = np.repeat(small.heads[:1], len(small.heads))
    small.rests = np.arange(small.rests.size, dtype=np.uint8).reshape(small.rests.shape)
    outputs = np.zeros((3, 4), dtype=np.uint64)
    outputs[:, 0] = small.heads[0]
    outputs.view(np.uint8).reshape(3, 32)[:2, 8 : 8 + small.rests.shape[1]] = small.rests[[17, 4]]
    outputs[2, 1] = np.uint64(250)
    assert list(prepared._looked_up(small, outputs)) == [17, 4, -1]


def test_keys_without_a_table_end_the_run_and_leave_the_preparation_unspent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    large, small = prepare(MANY, 40)
    with monkeypatch.context() as patch:
        patch.setattr(prepared.store, "solved", lambda *_: None)
        with pytest.raises(AbortedError, match="prepare again"):
            run(large, small, FEW)
    assert len(run(large, small, FEW)[1]) == 20
