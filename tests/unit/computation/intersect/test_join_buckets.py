"""Joins bucket after bucket against pandas.merge: cut, broken off at any place, taken up, spoiled and lied to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from bucket_doubles import Heard, Memory, dies_before, heard_by
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from join_oracle import Table, by_pandas, keys_of, pairs_of, tables

from unseen.computation.circle import Circle
from unseen.computation.in_process import run_parties
from unseen.computation.intersect import join_buckets, row_spool
from unseen.computation.intersect.align import Declared
from unseen.computation.intersect.bucket_profile import JOINS
from unseen.computation.intersect.buckets import begin
from unseen.computation.intersect.checkpoint import Checkpoint
from unseen.computation.intersect.join import Terms
from unseen.computation.intersect.join_buckets import WORDS, joined_in_buckets, read_rows
from unseen.computation.intersect.join_kind import Kind
from unseen.computation.intersect.keys import Keys
from unseen.computation.intersect.row_spool import LeftOver, RowBatch
from unseen.errors import AbortedError, DataError, PeerLostError, ProtocolError, RefusedError

Choices = Sequence[Sequence[int]]
Kept = tuple[Memory, Memory]
"""What outlives a run at each party."""


@dataclass(frozen=True, eq=False)
class Told:
    """One party's outcome: all its rows in the joint order, -1 where it has none, and the numbers."""

    rows: list[int]
    offered: tuple[tuple[int, int], ...]
    common: tuple[int, ...]
    by_key: tuple[int, ...]
    rest: int


def batches(table: Table, choices: Choices, rows: int) -> Any:
    for start in range(0, len(table), rows):
        some = table[start : start + rows]
        yield RowBatch(keys_of(some, choices), np.arange(start, start + len(some), dtype=np.int64))


def joined(
    left: Table,
    right: Table,
    terms: Terms,
    choices: Choices = ((0,),),
    cut: int = 4,
    *,
    kept: Kept | None = None,
    declared: tuple[int, int] | None = None,
    spoil: Callable[[Circle], None] = lambda circle: None,
    listen: list[Heard] | None = None,
    batch: int = 5,
) -> list[Told]:
    """The left party is that of rank `terms.left`; it comes first in what is returned."""
    both = (left, right) if terms.left == 0 else (right, left)
    kept, sizes = kept or (Memory(), Memory()), declared or (len(both[0]), len(both[1]))

    def program(circle: Circle) -> Told:
        if listen is not None:
            listen[circle.rank] = heard_by(circle)
        spoil(circle)
        checkpoint = Checkpoint(kept[circle.rank], WORDS)
        most = Declared(sizes[circle.rank], sizes[1 - circle.rank])
        agreed = begin(circle, bytes(32), cut, most, checkpoint)
        source = batches(both[circle.rank], choices, batch)
        held = read_rows(circle, agreed, source, len(choices), terms, Memory())
        found = joined_in_buckets(circle, agreed, held, terms, checkpoint)
        rows = [int(row) for pairs in found.pairs() for some in pairs.rows() for row in some]
        if found.rest:
            alone = np.flatnonzero(found.held.matched_by == 0).tolist()
            rows += alone if circle.rank == terms.left else [-1] * found.rest
            assert len(alone) == found.rest or circle.rank != terms.left
        return Told(rows, found.offered, found.common, found.by_key, found.rest)

    found = run_parties(program, 2)
    return found if terms.left == 0 else found[::-1]


modest = settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.parametrize("kind", list(Kind))
@modest
@given(left=tables, right=tables, rank=st.integers(0, 1), cut=st.sampled_from([1, 4]))
def test_repeated_and_missing_keys_join_as_in_pandas(
    kind: Kind, left: Table, right: Table, rank: int, cut: int
) -> None:
    found = joined(left, right, Terms(kind, left=rank), cut=cut)
    assert pairs_of(found, kind) == by_pandas(left, right, kind)


@pytest.mark.parametrize("kind", list(Kind))
@modest
@given(left=tables, right=tables)
def test_composite_keys_in_order_of_preference_join_as_in_pandas(kind: Kind, left: Table, right: Table) -> None:
    choices = ((0,), (1, 2), (1,))
    found = joined(left, right, Terms(kind), choices, 2)
    assert pairs_of(found, kind) == by_pandas(left, right, kind, choices)
    assert found[0].common == found[1].common
    assert found[0].by_key == found[1].by_key
    assert found[0].offered == tuple(pair[::-1] for pair in found[1].offered)


def crowds() -> tuple[Table, Table]:
    """Thousands of rows, some keys in many of them, with a second key."""
    draw = np.random.default_rng(3)
    left: Table = [(f"c{n}" if n % 7 else None, f"p{n % 50}") for n in draw.integers(0, 3000, 4000)]
    right: Table = [(f"c{n % 9000}", f"p{n % 60}") for n in draw.zipf(1.3, 3000)]
    return left, right


def test_thousands_of_rows_join_as_in_pandas_also_in_small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(join_buckets, "PIECE_ROWS", 100)
    monkeypatch.setattr(row_spool, "PIECE", 64)
    left, right = crowds()
    found = joined(left, right, Terms(Kind.LEFT, minimum=10, most_repeats=2000), ((0,),), 4, batch=700)
    assert pairs_of(found, Kind.LEFT) == by_pandas(left, right, Kind.LEFT)
    choices = ((0,), (1,))
    found = joined(left, right, Terms(Kind.DIFFERENCE, left=1), choices, 4, batch=700)
    assert pairs_of(found, Kind.DIFFERENCE) == by_pandas(left, right, Kind.DIFFERENCE, choices)


LEFT: Table = [(f"a{i % 300}" if i % 3 else None, f"p{i}", "x") for i in range(400)]
RIGHT: Table = [(f"a{2 * i % 500}", f"p{i}", "x") for i in range(350)]
CHOICES = ((0,), (1,))


@pytest.mark.parametrize(
    ("tag", "rank", "bucket", "turned"),
    [("join/times", 0, 1, False), ("join/sum", 1, 5, True), ("align/sum", 0, 6, False), ("align/sum", 1, 2, True)],
)
def test_a_join_that_broke_off_by_either_key_is_taken_up(tag: str, rank: int, bucket: int, turned: bool) -> None:
    """Also with the rows in another order: their numbers are those of the table as it is read again."""
    kept = (Memory(), Memory())
    terms = Terms(Kind.LEFT, minimum=5)
    with pytest.raises(PeerLostError):
        joined(LEFT, RIGHT, terms, CHOICES, 4, kept=kept, spoil=dies_before(tag, bucket, rank))
    done = min(Checkpoint(memory, WORDS).done() for memory in kept)
    assert done == bucket
    listen: list[Heard] = [[], []]
    left, right = (LEFT[::-1], RIGHT[9:] + RIGHT[:9]) if turned else (LEFT, RIGHT)
    found = joined(left, right, terms, CHOICES, 4, kept=kept, listen=listen)
    assert pairs_of(found, Kind.LEFT) == by_pandas(left, right, Kind.LEFT, CHOICES)
    assert sum(name == "align/sum" for name, _ in listen[0]) == 8 - done
    assert not any(name == "align/sample" for name, _ in listen[0])


EVERY_MESSAGE = [
    "align/broken",
    "align/reading",
    "align/offered",
    "align/sample",
    "align/once",
    "align/twice",
    "align/attempt",
    "align/table",
    "align/question",
    "align/trial",
    "align/answer",
    "align/proof",
    "align/tags",
    "align/known",
    "align/sum",
    "join/times",
    "join/sum",
    "join/left-over",
    "join/rest",
]


@pytest.mark.parametrize("tag", EVERY_MESSAGE)
def test_a_connection_lost_before_any_message_ends_the_run_and_a_later_one_is_right(tag: str) -> None:
    left, right = LEFT[:90], RIGHT[:80]
    kept, terms = (Memory(), Memory()), Terms(Kind.LEFT, minimum=5)

    def lost(circle: Circle) -> None:
        for rank in (0, 1):
            dies_before(tag, 0, rank)(circle)

    with pytest.raises(PeerLostError):
        joined(left, right, terms, CHOICES, 1, kept=kept, spoil=lost)
    found = joined(left, right, terms, CHOICES, 1, kept=kept)
    assert pairs_of(found, Kind.LEFT) == by_pandas(left, right, Kind.LEFT, CHOICES)


def test_a_table_that_has_changed_begins_anew() -> None:
    """Also where every key has the same values, and rows have other second keys."""
    kept = (Memory(), Memory())
    with pytest.raises(PeerLostError):
        joined(LEFT, RIGHT, Terms(Kind.LEFT), CHOICES, 4, kept=kept, spoil=dies_before("join/times", 3))
    changed = [(LEFT[i][0], LEFT[i ^ 1][1], "x") for i in range(len(LEFT))]
    listen: list[Heard] = [[], []]
    found = joined(changed, RIGHT, Terms(Kind.LEFT), CHOICES, 4, kept=kept, listen=listen)
    assert pairs_of(found, Kind.LEFT) == by_pandas(changed, RIGHT, Kind.LEFT, CHOICES)
    assert sum(name == "align/sum" for name, _ in listen[0]) == 8


def test_one_value_in_very_many_rows_is_named_and_a_difference_takes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """No more than a piece of its records is ever in memory: what is counted at once is bounded."""
    monkeypatch.setattr(row_spool, "PIECE", 1000)
    sizes: list[int] = []
    counted = row_spool._counted
    monkeypatch.setattr(
        row_spool, "_counted", lambda parts: (sizes.append(sum(map(len, parts))), counted(parts))[1]
    )
    copies = Keys(np.frombuffer(b"u" * 1_000_000, np.uint8), np.arange(1_000_001, dtype=np.int64))

    def run(kind: Kind) -> Any:
        def program(circle: Circle) -> Any:
            many = circle.rank == 0
            rows = 1_000_001 if many else 1
            cut = begin(circle, bytes(32), 4, Declared(rows, 1_000_002 - rows), Checkpoint(Memory(), WORDS))
            source: list[RowBatch] = []
            if many:
                for start in range(0, 1_000_000, 500):
                    some = Keys(copies.data, copies.offsets[start : start + 501])
                    source.append(RowBatch([some], np.arange(start, start + 500)))
            source.append(RowBatch(keys_of([("a",)], ((0,),)), np.array([1_000_000 if many else 0])))
            read = read_rows(circle, cut, source, 1, Terms(kind), Memory())
            return joined_in_buckets(circle, cut, read, Terms(kind), Checkpoint(Memory(), WORDS))

        return run_parties(program, 2)

    with pytest.raises(DataError, match="key 1 occurs 1,000,000 times, over the agreed 1,000"):
        run(Kind.INNER)
    left, _ = run(Kind.DIFFERENCE)
    assert (left.rest, left.common) == (1_000_000, (1,))
    np.testing.assert_array_equal(np.flatnonzero(left.held.matched_by), [1_000_000])
    assert max(sizes) <= 2500


def test_too_few_by_the_first_key_end_it_before_the_first_bucket() -> None:
    left: Table = [(f"a{i}", f"p{i}") for i in range(600)]
    right: Table = [(f"a{i}" if i < 9 else f"b{i}", f"p{i}") for i in range(600)]
    listen: list[Heard] = [[], []]
    kept = (Memory(), Memory())
    with pytest.raises(RefusedError, match="smallest-overlap") as caught:
        joined(left, right, Terms(Kind.INNER, minimum=10), CHOICES, listen=listen, kept=kept, batch=100)
    assert "9" not in str(caught.value)
    assert not any(name == "align/table" for sent in listen for name, _ in sent)
    assert joined(left, right, Terms(Kind.INNER, minimum=9), CHOICES, batch=100)[0].common == (9, 591)


def test_more_rows_than_declared_no_first_key_and_no_rows_are_refused() -> None:
    with pytest.raises(RefusedError, match="declared-size"):
        joined(LEFT, RIGHT, Terms(Kind.LEFT), declared=(399, 350))
    with pytest.raises(DataError, match="first key"):
        joined([(None, "p")], [("a", "p")], Terms(Kind.LEFT), CHOICES)
    with pytest.raises(DataError, match="no rows"):
        joined([], [("a", "p")], Terms(Kind.LEFT), CHOICES)


def test_an_uneven_later_key_ends_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    fits = LeftOver.fits.fget  # type: ignore[attr-defined]
    monkeypatch.setattr(LeftOver, "fits", property(lambda key: key.number == 0 and fits(key)))
    with pytest.raises(AbortedError, match="run the step again"):
        joined(LEFT, RIGHT, Terms(Kind.INNER), CHOICES)


@pytest.mark.parametrize(
    ("tag", "spoil"),
    [
        ("align/offered", lambda array: array + np.array([1, 0, 0])),
        ("align/offered", lambda array: array - np.array([30, 0, 0])),
        ("align/known", lambda array: ~array),
        ("join/times", lambda array: array * 0),
        ("join/times", lambda array: array * 0 + 1001),
        ("join/times", lambda array: array + 1),
        ("join/times", lambda array: array[:-1]),
        ("join/sum", lambda array: array ^ 1),
        ("join/left-over", lambda array: array * 0 - 1),
        ("join/left-over", lambda array: array * 0 + (1 << 40)),
        ("join/left-over", lambda array: array + np.array([-30, 0])),
        ("join/left-over", lambda array: array[:1]),
        ("join/rest", lambda array: array * 0 - 1),
        ("join/rest", lambda array: array * 0 + (1 << 40)),
    ],
)
@pytest.mark.parametrize("liar", [0, 1])
def test_a_lie_is_bounded_and_named_or_changes_nothing(tag: str, spoil: Callable[[Any], Any], liar: int) -> None:
    """Both ways round: the party with fewer values receives, and says which are known."""
    sent: list[str] = []
    named: list[str] = []

    def spoilt(circle: Circle) -> None:
        channel = circle.others()[0]
        honest = channel.send

        def send(name: str, array: Any) -> None:
            sent.append(name)
            honest(name, spoil(array) if name == tag else array)

        if circle.rank == liar:
            channel.send = send  # type: ignore[method-assign]

    try:
        found = joined(LEFT, RIGHT, Terms(Kind.LEFT, left=0), CHOICES, 2, spoil=spoilt)
    except ProtocolError as error:
        named.append(error.party)
    else:
        assert pairs_of(found, Kind.LEFT) == by_pandas(LEFT, RIGHT, Kind.LEFT, CHOICES)
    harmless = tag == "align/offered" and not named  # one more than there are: as many random records
    assert bool(named) == (tag in sent) or harmless


def test_what_is_sent_depends_on_sizes_and_on_what_is_common() -> None:
    def sent(left: Table, right: Table) -> list[Heard]:
        listen: list[Heard] = [[], []]
        joined(left, right, Terms(Kind.LEFT), CHOICES, 4, listen=listen)
        return [[line for line in heard if line[0] not in ("join/times", "join/sum")] for heard in listen]

    renamed = lambda table: [(f"n{row[0]}" if row[0] else None, f"q{row[1]}", "x") for row in table]  # noqa: E731
    first = sent(LEFT, RIGHT)
    assert first == sent(renamed(LEFT), renamed(RIGHT))
    assert first == sent(LEFT[::-1], RIGHT[::-1])


@pytest.mark.parametrize("kind", list(Kind))
def test_only_messages_of_the_profile_are_sent_and_no_more_than_it_says(kind: Kind) -> None:
    listen: list[Heard] = [[], []]
    joined(LEFT, RIGHT, Terms(kind, minimum=5), CHOICES, 2, listen=listen)
    for sent in listen:
        counts = Counter(tag for tag, _ in sent if not tag.startswith(("seed/", "ole/", "base/")))
        for tag, count in counts.items():
            (line,) = (line for line in JOINS[kind].messages or () if line.covers(tag))
            size = sum(n for name, n in sent if name == tag)
            assert line.most_messages is None or count <= line.most_messages
            assert line.most_bytes is None or size + 16 * count <= line.most_bytes
