"""Sorting, ranks and quantiles of shared values, against NumPy."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ranges import FRACTION, drawn

from unseen.computation.circle import Circle
from unseen.computation.in_process import run_parties
from unseen.computation.share import sort as sorting
from unseen.computation.share.array import Shared, from_owner, reveal
from unseen.computation.share.precedence import PRECEDENCE, ask_precedence, precedes
from unseen.computation.share.sort import argsort, median, order_statistics, place, quantiles, sort, sort_by, top
from unseen.computation.share.together import together
from unseen.errors import MisuseError

FEW = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
PARTIES = st.sampled_from([2, 2, 3, 5])
KEYS = st.one_of(
    st.lists(st.integers(-3, 3), min_size=1, max_size=150),
    st.lists(st.integers(-(2**62) + 1, 2**62 - 1), min_size=1, max_size=60),
)


def enter(circle: Circle, values: np.ndarray, fraction: int = 20, owner: int = 0) -> Shared:
    return from_owner(circle, owner, values if circle.rank == owner else None, values.shape, fraction)


def whole(circle: Circle, values: np.ndarray) -> Shared:
    """Whole numbers of the ring, halves of them at two parties."""
    words = values.astype(np.int64).view(np.uint64)
    mask = np.random.default_rng(1).integers(0, 2**64, len(words), dtype=np.uint64)
    mine = {0: words - mask, 1: mask}.get(circle.rank, np.zeros_like(words))
    return Shared(circle, mine, 0)


def opened(shared: Shared) -> np.ndarray:
    (words,) = shared.circle.open_words("opened", shared.words)
    return words.view(np.int64)


@FEW
@given(keys=KEYS, parties=PARTIES, descending=st.booleans())
def test_keys_of_the_whole_range_are_sorted_and_equal_ones_keep_their_order(
    keys: list[int], parties: int, descending: bool
) -> None:
    values = np.array(keys, dtype=np.int64)
    columns = np.stack([np.arange(len(values)), values % 7], axis=1).astype(float)

    def program(circle: Circle) -> tuple[np.ndarray, np.ndarray]:
        found, moved = sort_by(whole(circle, values), [enter(circle, columns)], descending)
        return opened(found), reveal(moved, "columns")

    order = np.argsort(-values if descending else values, kind="stable")
    for found, moved in run_parties(program, parties):
        np.testing.assert_array_equal(found, values[order])
        np.testing.assert_allclose(moved, columns[order])


def test_samples_of_every_size_lead_to_the_right_order() -> None:
    values = np.round(np.random.default_rng(3).lognormal(3, 2, 9000))
    assert len(np.unique(values)) < 2000
    (found, _) = run_parties(lambda circle: reveal(sort(enter(circle, values)), "sorted"))
    np.testing.assert_allclose(found, np.sort(values), atol=1e-6)


@FEW
@given(keys=st.lists(st.integers(-9, 9), min_size=1, max_size=60), parties=PARTIES)
def test_an_argsort_sorts_and_placing_rows_undoes_it(keys: list[int], parties: int) -> None:
    values = np.array(keys, dtype=np.float64)

    def program(circle: Circle) -> tuple[np.ndarray, np.ndarray]:
        shared = enter(circle, values)
        order, ordered = argsort(shared), sort(shared)
        return reveal(order, "order"), reveal(place(ordered, order), "back")

    for order, back in run_parties(program, parties):
        np.testing.assert_array_equal(order, np.argsort(values, kind="stable"))
        np.testing.assert_allclose(back, values)


@FEW
@given(
    size=st.integers(1, 400),
    levels=st.lists(st.floats(0, 1), min_size=1, max_size=4),
    parties=PARTIES,
    seed=st.integers(0, 2**32),
)
def test_quantiles_are_those_of_numpy(size: int, levels: list[float], parties: int, seed: int) -> None:
    values = drawn(seed, 37 - FRACTION, size)  # any two of them less than 2^(38 - fraction) apart

    def program(circle: Circle) -> tuple[np.ndarray, np.ndarray]:
        shared = enter(circle, values)
        return reveal(quantiles(shared, levels), "quantiles"), reveal(median(shared), "median")

    for found, middle in run_parties(program, parties):
        off = 2.0**-FRACTION + 2.0 ** (38 - FRACTION - 24)
        np.testing.assert_allclose(found, np.quantile(values, levels), atol=off)
        np.testing.assert_allclose(middle, np.median(values), atol=2.0**-FRACTION)


def test_the_largest_come_with_their_columns() -> None:
    values = np.random.default_rng(5).normal(size=700)

    def program(circle: Circle) -> tuple[np.ndarray, np.ndarray]:
        shared = enter(circle, values)
        keys, numbers = top(shared, 5, [sorting.row_numbers(shared)])
        return reveal(keys, "keys"), reveal(numbers, "numbers")

    largest = np.argsort(-values)[:5]
    for keys, numbers in run_parties(program, 3):
        np.testing.assert_allclose(keys, values[largest], atol=1e-5)
        np.testing.assert_array_equal(numbers, largest)


def test_a_few_ranks_cost_far_fewer_comparisons_than_all() -> None:
    values = np.random.default_rng(6).normal(size=3000)

    def sent(work: Callable[[Shared], object]) -> int:
        def program(circle: Circle) -> int:
            work(enter(circle, values))
            return circle.others()[0].counters.bytes_sent

        return max(run_parties(program))

    assert sent(lambda shared: order_statistics(shared, [1500])) < sent(sort) / 2


def test_the_order_told_to_all_is_uniform_even_where_all_keys_are_equal(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[int, ...]] = []
    honest = sorting._order

    def watched(circle: Circle, *rest: object) -> np.ndarray:
        found = honest(circle, *rest)  # type: ignore[arg-type]
        if circle.rank == 0:
            seen.append(tuple(found.tolist()))
        return found

    monkeypatch.setattr(sorting, "_order", watched)
    for values in (np.zeros(3), np.array([0.0, 5.0, 9.0])):
        seen.clear()

        def program(circle: Circle, values: np.ndarray = values) -> None:
            for _ in range(120):
                sort(enter(circle, values))

        run_parties(program)
        orders, counts = np.unique(np.array(seen), axis=0, return_counts=True)
        assert len(orders) == 6
        assert np.square(counts - 20).sum() / 20 < 35.9  # χ² with 5 degrees of freedom, 10^-6


@pytest.mark.parametrize("parties", [2, 3, 5])
def test_rounds_and_bytes_of_a_comparison_are_those_of_the_profile(parties: int) -> None:
    left, right = np.zeros(130, dtype=np.int64), np.arange(1, 131)

    def program(circle: Circle) -> tuple[int, int]:
        numbers = sorting.row_numbers(enter(circle, np.zeros(131))).words.astype(np.uint32)
        counters, rounds = [c.counters for c in circle.others()], circle.others()[0].rounds
        asked = ask_precedence(circle, 200, 131)
        circle.zero_bits(1)
        circle.open_words("level", np.zeros(1, dtype=np.uint64))
        before, passed = sum(c.bytes_sent - 16 * c.messages_sent for c in counters), rounds.count
        together(precedes.steps(circle, np.zeros(131, dtype=np.uint64), numbers, left, right, asked))
        return sum(c.bytes_sent - 16 * c.messages_sent for c in counters) - before, rounds.count - passed

    found = run_parties(program, parties)
    assert PRECEDENCE.bytes_sent is not None
    assert PRECEDENCE.rounds is not None
    assert sum(sent for sent, _ in found) == PRECEDENCE.bytes_sent(130, parties)
    assert max(passed for _, passed in found) <= PRECEDENCE.rounds(130)


def test_what_cannot_be_sorted_is_misuse() -> None:
    def program(circle: Circle) -> None:
        square, line = enter(circle, np.ones((2, 2))), enter(circle, np.ones(3))
        for work in (
            lambda: sort(square),
            lambda: sort_by(line, [square]),
            lambda: order_statistics(line, [3]),
            lambda: order_statistics(line, [-1]),
            lambda: quantiles(line, [1.5]),
            lambda: place(line, line),
            lambda: top(line, 4),
        ):
            with pytest.raises(MisuseError):
                work()

    run_parties(program)
