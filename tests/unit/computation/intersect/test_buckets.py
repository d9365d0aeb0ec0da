"""Alignment bucket after bucket: against Python's sets, cut again, broken off and taken up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from bucket_doubles import Heard, Memory, dies_before, heard_by
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from unseen.computation.circle import Circle
from unseen.computation.in_process import run_parties
from unseen.computation.intersect import bucket_profile, bucket_sample, spool, store
from unseen.computation.intersect.align import Declared
from unseen.computation.intersect.buckets import aligned_in_buckets, begin, read
from unseen.computation.intersect.checkpoint import Checkpoint
from unseen.computation.intersect.keys import from_list
from unseen.computation.intersect.spool import Batch, Held, batches, filled, room
from unseen.errors import AbortedError, DataError, MisuseError, PeerLostError, ProtocolError, RefusedError

PLAN = bytes(32)


@dataclass(frozen=True, eq=False)
class Told:
    """One party's outcome: all its rows, in the joint order, and the sizes."""

    rows: list[int]
    common: int
    own: int
    theirs: int


Kept = tuple[Memory, Memory]
"""What outlives a run at each party."""


def run(
    left: list[bytes],
    right: list[bytes],
    cut: int = 4,
    minimum: int = 0,
    *,
    kept: Kept | None = None,
    plan: bytes = PLAN,
    declared: tuple[int, int] | None = None,
    spoil: Callable[[Circle], None] = lambda circle: None,
    listen: list[Heard] | None = None,
    batch: int = 7,
    recipient: int | None = None,
) -> list[Told]:
    kept, sizes = kept or (Memory(), Memory()), declared or (len(left), len(right))

    def program(circle: Circle) -> Told:
        if listen is not None:
            listen[circle.rank] = heard_by(circle)
        spoil(circle)
        keys, checkpoint = from_list((left, right)[circle.rank]), Checkpoint(kept[circle.rank])
        most = Declared(sizes[circle.rank], sizes[1 - circle.rank])
        agreed = begin(circle, plan, cut, most, checkpoint)
        held = read(circle, agreed, batches(keys, batch), Memory())
        found = aligned_in_buckets(circle, agreed, held, minimum, checkpoint, recipient=recipient)
        rows = [int(row) for some in found.rows() for row in some]
        return Told(rows, found.common, held.keys, found.theirs)

    return run_parties(program, 2)


def assert_common(left: list[bytes], right: list[bytes], cut: int = 4, **more: Any) -> list[Told]:
    found = run(left, right, cut, **more)
    assert [left[row] for row in found[0].rows] == [right[row] for row in found[1].rows]
    assert sorted(left[row] for row in found[0].rows) == sorted(set(left) & set(right))
    assert (found[0].own, found[0].theirs) == (found[1].theirs, found[1].own)
    return found


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sets(st.binary(min_size=1, max_size=3), min_size=1, max_size=40),
    st.sets(st.binary(min_size=1, max_size=3), min_size=1, max_size=40),
    st.sampled_from([1, 2, 8]),
)
def test_both_find_exactly_the_common_keys_in_one_order(left: set[bytes], right: set[bytes], cut: int) -> None:
    assert_common(sorted(left), sorted(right), cut)


@pytest.mark.parametrize(("mine", "theirs"), [(1, 1), (1, 3000), (3000, 1), (5000, 9000)])
@pytest.mark.parametrize("common", ["none", "one", "all"])
def test_sets_of_any_sizes_and_overlaps(mine: int, theirs: int, common: str) -> None:
    shared = {"none": 0, "one": 1, "all": min(mine, theirs)}[common]
    left = [b"both-%d" % i for i in range(shared)] + [b"left-%d" % i for i in range(mine - shared)]
    right = [b"right-%d" % i for i in range(theirs - shared)] + [b"both-%d" % i for i in range(shared)]
    assert_common(left, right, batch=1000)


def test_the_larger_number_of_buckets_is_taken_and_one_that_cannot_be_is_refused() -> None:
    keys, counted = [b"%d" % i for i in range(200)], []

    def program(circle: Circle) -> None:
        counted.append(begin(circle, PLAN, (2, 8)[circle.rank], Declared(9, 9), Checkpoint(Memory())).buckets)

    run_parties(program, 2)
    assert counted == [8, 8]
    for wrong in (0, 3, 1 << 13):
        with pytest.raises(MisuseError, match="power of two"):
            run(keys, keys, wrong)


def test_of_repeated_keys_the_first_counts_and_the_others_are_told_of() -> None:
    names = [b"%d" % (number % 50) for number in range(120)]
    held = filled(batches(from_list(names), 11), bytes(32), 4, Memory())
    assert (held.rows, held.repeated, held.keys) == (120, 70, 50)
    rows = np.concatenate([held.records(bucket)[:, 2] for bucket in range(4)])
    assert sorted(rows) == list(range(50))
    assert_common([*names, b"new"], [b"49", b"other", b"49"], declared=(121, 3))


def test_a_key_that_stands_in_very_many_rows_takes_no_more_than_a_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "PIECE", 100)
    merged, sizes = spool._merged, []
    monkeypatch.setattr(
        spool,
        "_merged",
        lambda first, chunks: (sizes.append(len(first) + 7 * len(chunks)), merged(first, chunks))[1],
    )
    names = [b"unknown"] * 20_000 + [b"%d" % number for number in range(300)] + [b"unknown"] * 20_000
    held = filled(batches(from_list(names), 7), bytes(32), 1, Memory())
    assert (held.rows, held.repeated, held.keys) == (40_300, 39_999, 301)
    assert sorted(held.records(0)[:, 2]) == [0, *range(20_000, 20_300)]
    assert max(sizes) < 1000


@pytest.mark.parametrize("cut", [1, 4])
@pytest.mark.parametrize("failing", [1, store.ATTEMPTS])
def test_keys_without_a_table_are_tried_under_other_seeds_and_end_the_run_if_none_does(
    failing: int, cut: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    solved, tried = store.solved, []

    def some_fail(*arguments: Any) -> Any:
        tried.append(arguments)
        return None if len(tried) <= failing else solved(*arguments)

    monkeypatch.setattr(store, "solved", some_fail)
    if failing < store.ATTEMPTS:
        assert_common(LEFT, RIGHT, cut)
        assert len(tried) == cut + failing
    else:
        with pytest.raises(AbortedError, match="no table was found"):
            run(LEFT, RIGHT, cut)


@pytest.mark.parametrize(("names", "words"), [([], "no keys"), ([b"a", b""], "empty")])
def test_unusable_keys_are_refused(names: list[bytes], words: str) -> None:
    with pytest.raises(DataError, match=words):
        filled(batches(from_list(names)), bytes(32), 2, Memory())


def test_a_buckets_room_is_eight_deviations_above_its_mean() -> None:
    assert room(5, 1) == 5
    assert room(10, 8) == 10
    for keys, cut in ((10**8, 32), (1 << 24, 4), (100_000, 8), (3000, 64), (500, 512), (9000, 4096)):
        assert binom.sf(room(keys, cut), keys, 1 / cut) < 2.0**-46


def test_an_overfull_bucket_ends_the_run_before_anything_is_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Held, "fits", property(lambda held: False))
    listen: list[Heard] = [[], []]
    with pytest.raises(AbortedError, match="run the step again"):
        run(LEFT, RIGHT, listen=listen)
    assert not any(tag == "align/table" for sent in listen for tag, _ in sent)


def test_a_bucket_with_more_than_its_room_does_not_fit() -> None:
    held = filled(batches(from_list([b"%d" % i for i in range(4000)])), bytes(32), 4, Memory())
    assert held.fits
    assert not replace(held, counts=np.array([1300, 900, 900, 900])).fits


def test_a_list_has_one_digest_in_whatever_order_it_comes_and_another_with_another_key() -> None:
    names = [b"%d" % (i % 90) for i in range(100)]
    first, turned = (filled(batches(from_list(n), 7), bytes(32), 4, Memory()) for n in (names, names[::-1]))
    other = filled(batches(from_list([*names[1:89], b"x"])), bytes(32), 4, Memory())
    assert first.digest == turned.digest != other.digest


class Labels:
    """Luggage: a word for each key."""

    def __init__(self, words: list[bytes]) -> None:
        self._words = words

    def packed(self, places: Any) -> bytes:
        return b" ".join(self._words[int(place)] for place in places)


def test_what_goes_with_a_key_lies_in_its_bucket_in_the_order_of_its_rows() -> None:
    names = [b"%d" % (i % 45) for i in range(60)]
    pieces = [
        Batch(
            from_list(names[start : start + 20]), np.arange(start, start + 20), Labels(names[start : start + 20])
        )
        for start in (0, 20, 40)
    ]
    held = filled(pieces, bytes(32), 4, Memory())
    for bucket in range(4):
        carried = b" ".join(held.luggage(bucket)).split()
        assert [names[int(row)] for row in held.records(bucket)[:, 2]] == list(dict.fromkeys(carried))
        held.forget(bucket)
        assert not list(held.luggage(bucket))


LEFT = [b"l%d" % i for i in range(500)]
RIGHT = [b"l%d" % (3 * i) for i in range(400)]


@pytest.mark.parametrize("tag", ["align/sum", "align/table", "align/known"])
def test_a_run_that_broke_off_is_taken_up_and_sends_nothing_of_what_is_done(tag: str) -> None:
    """RIGHT is the smaller list: party 1 receives, and sends tables."""
    kept = (Memory(), Memory())
    with pytest.raises(PeerLostError):
        run(LEFT, RIGHT, 8, 5, kept=kept, spoil=dies_before(tag, 3, 0 if tag == "align/sum" else 1))
    done = [Checkpoint(memory).done() for memory in kept]
    assert min(done) == 3
    assert max(done) <= 4
    listen: list[Heard] = [[], []]
    assert_common(LEFT, RIGHT, 8, minimum=5, kept=kept, listen=listen)
    for sent in listen:
        assert sum(name == "align/sum" for name, _ in sent) == 5
        assert not any(name == "align/sample" for name, _ in sent)
    assert sum(name == "align/table" for name, _ in listen[1]) == 5


@pytest.mark.parametrize("change", ["plan", "list", "one side only", "more buckets"])
def test_a_checkpoint_of_another_run_is_not_taken_up(change: str) -> None:
    kept = (Memory(), Memory())
    with pytest.raises(PeerLostError):
        run(LEFT, RIGHT, 8, kept=kept, spoil=dies_before("align/sum", 3))
    left, plan, cut = LEFT, PLAN, 8
    if change == "plan":
        plan = b"\1" * 32
    elif change == "list":
        left = [*LEFT[:-1], b"another"]
    elif change == "more buckets":
        cut = 16
    else:
        kept[0].chunks.clear()
    listen: list[Heard] = [[], []]
    assert_common(left, RIGHT, cut, kept=kept, plan=plan, listen=listen)
    assert sum(name == "align/sum" for name, _ in listen[0]) == cut


def test_a_run_goes_on_with_the_list_in_another_order() -> None:
    """As an engine may give it that reads with many threads: rows are those of the list as it is read again."""
    kept = (Memory(), Memory())
    with pytest.raises(PeerLostError):
        run(LEFT, RIGHT, 8, kept=kept, spoil=dies_before("align/sum", 3))
    listen: list[Heard] = [[], []]
    assert_common(LEFT[::-1], RIGHT[7:] + RIGHT[:7], 8, kept=kept, listen=listen)
    assert sum(name == "align/sum" for name, _ in listen[0]) == 5


@pytest.mark.parametrize("recipient", [0, 1])
def test_told_to_one_party_alone_the_other_hears_sizes_and_whether_there_are_enough(recipient: int) -> None:
    def heard(right: list[bytes]) -> tuple[list[Told], Heard]:
        listen: list[Heard] = [[], []]
        return run(LEFT, right, 4, 1, recipient=recipient, listen=listen), listen[recipient]

    found, sent = heard(RIGHT)
    own = (LEFT, RIGHT)[recipient]
    assert {own[row] for row in found[recipient].rows} == set(LEFT) & set(RIGHT)
    assert (found[1 - recipient].rows, found[1 - recipient].common) == ([], 0)
    assert sent == heard([*[b"r%d" % i for i in range(399)], b"l1"])[1]
    with pytest.raises(RefusedError, match="smallest-overlap"):
        run(LEFT, [b"r%d" % i for i in range(400)], 4, 1, recipient=recipient)


@pytest.mark.parametrize("recipient", [0, 1])
def test_a_broken_run_for_one_party_goes_on_and_a_sample_shows_first_that_there_are_enough(recipient: int) -> None:
    kept = (Memory(), Memory())
    with pytest.raises(PeerLostError):
        run(LEFT, RIGHT, 8, 5, kept=kept, spoil=dies_before("align/table", 3, recipient), recipient=recipient)
    assert {Checkpoint(memory).done() for memory in kept} <= {3, 4}
    listen: list[Heard] = [[], []]
    found = run(LEFT, RIGHT, 8, 5, kept=kept, recipient=recipient, listen=listen)
    assert sum(name == "align/table" for name, _ in listen[recipient]) == 5
    assert len(found[recipient].rows) == len(set(LEFT) & set(RIGHT))
    for limit in (len(set(LEFT) & set(RIGHT)) + 1, 2000):
        with pytest.raises(RefusedError, match="smallest-overlap"):
            run(LEFT, RIGHT, 8, limit, recipient=recipient)


def test_too_few_in_common_ends_it_before_the_first_bucket() -> None:
    left, right = (
        [b"a%d" % i for i in range(600)],
        [b"b%d" % i for i in range(600)] + [b"a%d" % i for i in range(9)],
    )
    for minimum, ended in ((10, True), (9, False)):
        listen: list[Heard] = [[], []]
        if ended:
            with pytest.raises(RefusedError, match="smallest-overlap") as caught:
                run(left, right, minimum=minimum, listen=listen)
            assert "9" not in str(caught.value)
        else:
            assert len(run(left, right, minimum=minimum, listen=listen)[0].rows) == 9
        assert any(name == "align/table" for sent in listen for name, _ in sent) is not ended


def test_a_sample_that_leaves_it_open_counts_as_too_few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bucket_sample, "MOST_COUNTED", 1024)
    left, right = [b"a%d" % i for i in range(2000)], [b"a%d" % i for i in range(1000, 3000)]
    assert len(run(left, right, minimum=300, batch=500)[0].rows) == 1000
    with pytest.raises(RefusedError, match="to be sure"):
        run(left, right, minimum=990, batch=500)


def test_more_keys_than_declared_end_it_at_home_or_by_name() -> None:
    with pytest.raises(RefusedError, match="declared-size"):
        run(LEFT, RIGHT, declared=(499, 400))

    def lie(circle: Circle) -> None:
        channel = circle.others()[0]
        honest = channel.send
        if circle.rank == 0:
            spoilt = {"align/offered": lambda array: array + np.array([1, 0, 0])}
            channel.send = lambda tag, array: honest(tag, spoilt.get(tag, lambda a: a)(array))  # type: ignore[method-assign]

    with pytest.raises(ProtocolError, match="party0: offers more"):
        run(LEFT, RIGHT, spoil=lie)


@pytest.mark.parametrize(
    ("tag", "spoil"),
    [
        ("align/broken", lambda array: array * np.uint64(3)),
        ("align/offered", lambda array: array * 0),
        ("align/offered", lambda array: array + 1),
        ("align/offered", lambda array: array[:-1]),
        ("align/offered", lambda array: array - np.array([40, 0, 0])),
        ("align/known", lambda array: ~array),
        ("align/tags", lambda array: array[:-1]),
        ("align/table", lambda array: array[:-1]),
        ("align/proof", lambda array: array ^ np.uint64(1)),
        ("align/sample", lambda array: array * 0 + (1 << 40)),
        ("align/sum", lambda array: array ^ np.uint64(1)),
    ],
)
def test_a_spoiled_message_ends_the_run_with_its_senders_name(tag: str, spoil: Callable[[Any], Any]) -> None:
    """Party 1 has the smaller list: it receives, sends tables and says which tags it knows."""
    liar = int(tag in ("align/table", "align/proof", "align/known"))

    def spoilt(circle: Circle) -> None:
        channel = circle.others()[0]
        honest = channel.send
        if circle.rank == liar:
            channel.send = lambda name, array: honest(name, spoil(array) if name == tag else array)  # type: ignore[method-assign]

    with pytest.raises(ProtocolError, match=f"party{liar}"):
        run(LEFT, RIGHT, minimum=5, declared=(501, 400), spoil=spoilt)


def test_what_is_sent_depends_on_the_sizes_alone() -> None:
    def sent(left: list[bytes], right: list[bytes]) -> list[Heard]:
        listen: list[Heard] = [[], []]
        run(left, right, 8, listen=listen)
        return listen

    first = sent(LEFT, RIGHT)
    assert first == sent([b"x%d" % (7 * i) for i in range(500)], [b"y%d" % i for i in range(400)])
    assert first == sent(LEFT[::-1], LEFT[:400])


def test_only_messages_of_the_profile_are_sent_and_no_more_than_it_says() -> None:
    listen: list[Heard] = [[], []]
    run(LEFT, RIGHT, 8, 5, listen=listen)
    for sent in listen:
        for kind in {tag for tag, _ in sent if not tag.startswith(("seed/", "ole/", "base/"))}:
            (line,) = (line for line in bucket_profile.PROFILE.messages or () if line.covers(kind))
            count, size = sum(tag == kind for tag, _ in sent), sum(n for tag, n in sent if tag == kind)
            assert line.most_messages is None or count <= line.most_messages
            assert line.most_bytes is None or size + 16 * count <= line.most_bytes
