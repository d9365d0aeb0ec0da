"""Orders known to one party and to none, against NumPy's indexing."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ranges import LIMIT, drawn

from unseen.computation.circle import Circle
from unseen.computation.in_process import run_parties
from unseen.computation.kernels import permute
from unseen.computation.share.array import Shared, from_owner, reveal
from unseen.computation.share.private_order import PRIVATE_GATHER, PRIVATE_ORDER, private_gather, private_order
from unseen.computation.share.shuffle import SHUFFLE, shuffle
from unseen.errors import DataError, MisuseError, ProtocolError

FEW = settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
PARTIES = st.sampled_from([2, 3, 5])


def enter(circle: Circle, values: np.ndarray) -> Shared:
    return from_owner(circle, 0, values if circle.rank == 0 else None, values.shape, 20)


def cost(circle: Circle, work: Callable[[], object]) -> tuple[int, int]:
    """Bytes of payload that this party sends the others, and its rounds, for a piece of work."""
    counters, rounds = [c.counters for c in circle.others()], circle.others()[0].rounds
    sent, passed = sum(c.bytes_sent - 16 * c.messages_sent for c in counters), rounds.count
    work()
    return sum(c.bytes_sent - 16 * c.messages_sent for c in counters) - sent, rounds.count - passed


@settings(deadline=None)
@given(st.integers(0, 200), st.integers(0, 2**32))
def test_a_drawn_permutation_is_one_and_its_inverse_undoes_it(count: int, seed: int) -> None:
    drawn = np.random.default_rng(seed).integers(0, 2**64, count + permute.SPARE, dtype=np.uint64)
    places = permute.permutation(drawn)
    assert permute.is_permutation(places.astype(np.uint32))
    np.testing.assert_array_equal(places[permute.inverse(places)], np.arange(count))


def test_permutations_of_three_are_equally_likely() -> None:
    drawn = np.random.default_rng(5).integers(0, 2**64, (6000, 3 + permute.SPARE), dtype=np.uint64)
    orders, counts = np.unique([permute.permutation(row) for row in drawn], axis=0, return_counts=True)
    assert len(orders) == 6
    assert np.square(counts - 1000).sum() / 1000 < 25.7  # χ² with 5 degrees of freedom, 10^-4


def test_a_draw_that_would_be_biased_is_rejected() -> None:
    drawn = np.full(3 + permute.SPARE, 2**63, dtype=np.uint64)
    drawn[0] = 0  # 2^64 modulo 3 is 1: the product's rest of 0 is the one value in excess
    np.testing.assert_array_equal(permute.permutation(drawn), permute.permutation(np.roll(drawn, -1)))
    with pytest.raises(MisuseError, match="rejected"):
        permute.permutation(np.zeros(3 + permute.SPARE, dtype=np.uint64))


@pytest.mark.parametrize("wrong", [[0, 0], [0, 2], [1, 2**32 - 1]])
def test_what_is_no_permutation_is_seen(wrong: list[int]) -> None:
    assert not permute.is_permutation(np.array(wrong, dtype=np.uint32))


@FEW
@given(rows=st.integers(1, 300), columns=st.integers(1, 4), parties=PARTIES, seed=st.integers(0, 2**32))
def test_shuffled_rows_are_the_same_rows(rows: int, columns: int, parties: int, seed: int) -> None:
    values = drawn(seed, LIMIT, rows, columns)
    for found in run_parties(lambda circle: reveal(shuffle(enter(circle, values)), "rows"), parties):
        assert sorted(map(tuple, found)) == sorted(map(tuple, values))


def test_every_order_of_a_shuffle_comes_up() -> None:
    def program(circle: Circle) -> np.ndarray:
        columns = np.broadcast_to(np.arange(3.0), (400, 3))
        return np.stack([reveal(shuffle(enter(circle, row)), "rows") for row in columns])

    orders, counts = np.unique(run_parties(program, 3)[0], axis=0, return_counts=True)
    assert len(orders) == 6
    assert np.square(counts - 400 / 6).sum() / (400 / 6) < 35.9  # χ² with 5 degrees of freedom, 10^-6


@FEW
@given(
    rows=st.integers(1, 200),
    columns=st.integers(1, 3),
    parties=PARTIES,
    seed=st.integers(0, 2**32),
    data=st.data(),
)
def test_an_order_known_to_one_party_is_applied_and_undone(
    rows: int, columns: int, parties: int, seed: int, data: st.DataObject
) -> None:
    values, order = drawn(seed, LIMIT, rows, columns), np.random.default_rng(seed).permutation(rows)
    owner, chosen = data.draw(st.integers(0, parties - 1)), data.draw(st.integers(0, rows))

    def program(circle: Circle) -> list[np.ndarray]:
        mine = order if circle.rank == owner else None
        whole = private_order(circle, owner, mine, rows)
        some = private_order(circle, owner, None if mine is None else mine[:chosen], rows, chosen)
        table = enter(circle, values)
        once, again = whole.apply(table), whole.apply(table[:, 0])
        parts = [once, again, whole.undo(table), whole.undo(once), some.apply(table)]
        whole.forget()
        return [reveal(part, "rows") for part in parts]

    for once, again, back, same, some in run_parties(program, parties):
        np.testing.assert_array_equal(once, values[order])
        np.testing.assert_array_equal(again, values[order, 0])
        np.testing.assert_array_equal(back[order], values)
        np.testing.assert_array_equal(same, values)
        np.testing.assert_array_equal(some, values[order[:chosen]])


@FEW
@given(
    rows=st.integers(1, 100),
    chosen=st.integers(0, 150),
    parties=PARTIES,
    seed=st.integers(0, 2**32),
)
def test_a_gather_takes_rows_as_often_as_its_owner_likes(rows: int, chosen: int, parties: int, seed: int) -> None:
    values, index = drawn(seed, LIMIT, rows, 2), np.random.default_rng(seed).integers(0, rows, chosen)

    def program(circle: Circle) -> np.ndarray:
        return reveal(
            private_gather(circle, 1, index if circle.rank == 1 else None, chosen, enter(circle, values)), "rows"
        )

    for found in run_parties(program, parties):
        np.testing.assert_array_equal(found, values[index])


@pytest.mark.parametrize("parties", [2, 3, 5])
def test_rounds_and_bytes_are_those_of_the_profiles(parties: int) -> None:
    values = np.arange(300.0).reshape(100, 3)
    index = np.zeros(40, dtype=np.int64)

    def program(circle: Circle) -> list[tuple[int, int]]:
        order = private_order(circle, 1, np.arange(100) if circle.rank == 1 else None, 100)
        table, mine = enter(circle, values), index if circle.rank == 1 else None
        circle.open_words("level", np.zeros(1, dtype=np.uint64))
        return [
            cost(circle, lambda: shuffle(table)),
            cost(circle, lambda: order.apply(table)),
            cost(circle, lambda: private_gather(circle, 1, mine, 40, table)),
        ]

    results = run_parties(program, parties)
    sizes = {SHUFFLE: (100, 3), PRIVATE_ORDER: (100, 3), PRIVATE_GATHER: (100, 40, 3)}
    for (profile, size), found in zip(sizes.items(), zip(*results, strict=True), strict=True):
        assert profile.bytes_sent is not None
        assert profile.rounds is not None
        assert sum(sent for sent, _ in found) == profile.bytes_sent(*size, parties)
        assert max(passed for _, passed in found) <= profile.rounds(*size, *([parties] * (profile is SHUFFLE)))


@pytest.mark.parametrize(
    ("order", "error"),
    [([0, 0, 1], "repeated"), ([0, 1, 3], "outside"), ([-1, 1, 2], "outside")],
)
def test_an_order_that_is_none_is_refused_at_home(order: list[int], error: str) -> None:
    def program(circle: Circle) -> None:
        private_order(circle, 0, np.array(order) if circle.rank == 0 else None, 3)

    with pytest.raises(DataError, match=error):
        run_parties(program)


def test_a_peer_that_sends_no_order_is_named() -> None:
    def program(circle: Circle) -> None:
        honest = circle.others()[0].send
        if circle.rank == 0:
            circle.others()[0].send = lambda tag, array: honest(tag, array * 0 + 7)  # type: ignore[method-assign]
        private_order(circle, 0, np.arange(3) if circle.rank == 0 else None, 3)
        circle.open_words("after", np.zeros(1, dtype=np.uint64))

    with pytest.raises(ProtocolError, match=r"party0.*order"):
        run_parties(program)


def test_tables_of_another_length_and_choices_to_be_undone_are_misuse() -> None:
    def program(circle: Circle) -> None:
        order = private_order(circle, 0, np.arange(2) if circle.rank == 0 else None, 3, 2)
        for misuse in (
            lambda: order.apply(enter(circle, np.ones(4))),
            lambda: order.undo(enter(circle, np.ones(2))),
        ):
            with pytest.raises(MisuseError):
                misuse()
        with pytest.raises(MisuseError):
            shuffle(enter(circle, np.array(1.0)))
        with pytest.raises(MisuseError):
            private_order(circle, 0, None, 3, 4)

    run_parties(program)


def test_what_is_asked_and_sent_depends_on_sizes_alone() -> None:
    """Kinds asked for, and the kinds and sizes of messages, for two tables and two orders."""

    def program_for(values: np.ndarray, order: np.ndarray) -> Callable[[Circle], object]:
        def program(circle: Circle) -> object:
            asked = []
            honest = circle.source.ask
            circle.source.ask = lambda kind: (asked.append(kind), honest(kind))[1]  # type: ignore[method-assign]
            table, mine = enter(circle, values), order if circle.rank == 0 else None
            whole = private_order(circle, 0, np.argsort(-values) if mine is not None else None, len(order))
            shuffle(whole.apply(table))
            private_gather(circle, 0, mine, len(order), table)
            return asked, [c.counters.bytes_sent for c in circle.others()]

        return program

    one = run_parties(program_for(np.zeros(9), np.zeros(9, dtype=np.int64)))
    other = run_parties(program_for(np.arange(9.0) ** 4, np.arange(9)[::-1]))
    assert one == other
