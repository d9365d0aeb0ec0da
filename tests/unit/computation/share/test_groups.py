"""Largest values along axes, compaction and group-by on shares, against NumPy and pandas."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ranges import LIMIT, drawn, exact, rounded, tied

from unseen.computation.circle import Circle
from unseen.computation.in_process import run_parties
from unseen.computation.share.array import Shared, from_owner, reveal
from unseen.computation.share.boolean import bits_from_owner, popcount
from unseen.computation.share.extremes import LARGEST, TOP, argmax, largest, maximum, minimum, top_along
from unseen.computation.share.groups import compact, group_by, group_extremes
from unseen.errors import MisuseError

FEW = settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
PARTIES = st.sampled_from([2, 3, 5])


def enter(circle: Circle, values: np.ndarray, fraction: int = 20) -> Shared:
    return from_owner(circle, 0, values if circle.rank == 0 else None, values.shape, fraction)


@FEW
@given(
    shape=st.tuples(st.integers(1, 5), st.integers(1, 9), st.integers(1, 4)),
    axis=st.integers(-3, 2),
    parties=PARTIES,
    seed=st.integers(0, 2**32),
)
def test_extremes_along_any_axis_are_those_of_numpy(
    shape: tuple[int, int, int], axis: int, parties: int, seed: int
) -> None:
    values = tied(seed, LIMIT, *shape)

    def program(circle: Circle) -> list[np.ndarray]:
        shared = enter(circle, values)
        found = (maximum(shared, axis), minimum(shared, axis), argmax(shared, axis))
        return [reveal(part, "extremes") for part in found]

    for high, low, place in run_parties(program, parties):
        np.testing.assert_array_equal(high, values.max(axis))
        np.testing.assert_array_equal(low, values.min(axis))
        np.testing.assert_array_equal(place, values.argmax(axis))


def test_the_largest_is_found_at_the_edges_of_the_range() -> None:
    edge = 2.0**62 - 2.0**10
    values = np.array([[-edge, edge], [edge, -edge], [0.0, -edge]])
    for high, place in run_parties(lambda c: [reveal(p, "x") for p in largest(enter(c, values, 0))], 3):
        np.testing.assert_array_equal(high, values.max(1))
        np.testing.assert_array_equal(place, [1, 0, 0])


@FEW
@given(
    lines=st.integers(1, 6), width=st.integers(1, 8), parties=PARTIES, seed=st.integers(0, 2**32), data=st.data()
)
def test_the_top_few_of_short_lines(lines: int, width: int, parties: int, seed: int, data: st.DataObject) -> None:
    values = tied(seed, LIMIT, lines, width)
    count = data.draw(st.integers(1, width))

    def program(circle: Circle) -> list[np.ndarray]:
        return [reveal(part, "top") for part in top_along(enter(circle, values), count)]

    places = np.argsort(-values, axis=1, kind="stable")[:, :count]
    for found, where in run_parties(program, parties):
        np.testing.assert_array_equal(where, places)
        np.testing.assert_array_equal(found, np.take_along_axis(values, places, axis=1))


@pytest.mark.parametrize("parties", [2, 3, 5])
def test_a_tournament_costs_what_its_profile_says(parties: int) -> None:
    def program(circle: Circle) -> tuple[int, int]:
        shared = enter(circle, np.zeros((70, 6)))
        counters, rounds = [c.counters for c in circle.others()], circle.others()[0].rounds
        sent, passed = sum(c.bytes_sent - 16 * c.messages_sent for c in counters), rounds.count
        largest(shared)
        after = sum(c.bytes_sent - 16 * c.messages_sent for c in counters)
        top_along(shared, 2)
        assert rounds.count > passed
        return after - sent, rounds.count - passed

    found = run_parties(program, parties)
    assert LARGEST.bytes_sent is not None
    assert LARGEST.rounds is not None
    assert TOP.rounds is not None
    assert sum(sent for sent, _ in found) == LARGEST.bytes_sent(70, 6, parties)
    assert min(passed for _, passed in found) == LARGEST.rounds(70, 6) + TOP.rounds(70, 6, 2)


@FEW
@given(
    rows=st.integers(1, 60),
    parties=PARTIES,
    seed=st.integers(0, 2**32),
)
def test_sums_counts_and_extremes_of_groups_are_those_of_pandas(rows: int, parties: int, seed: int) -> None:
    summed = [drawn(seed + i, LIMIT - np.log2(2 * rows), rows) for i in (1, 2)]
    columns = {"key": tied(seed, LIMIT, rows), "a": summed[0], "b": summed[1], "c": drawn(seed, LIMIT, rows)}
    frame = pd.DataFrame({name: exact(values) for name, values in columns.items()})  # integers of any length

    def program(circle: Circle) -> list[np.ndarray]:
        key, a, b, c = (enter(circle, values) for values in columns.values())
        sums, ends = group_by(key, [a, b]), group_extremes(key, c)
        parts = (
            sums.number,
            sums.keys,
            sums.counts,
            *sums.sums,
            ends.keys,
            ends.counts,
            *ends.smallest,
            *ends.largest,
        )
        return [reveal(part, "groups") for part in parts]

    groups = frame.groupby("key")
    names, sizes = rounded(groups["a"].sum().index), groups.size().to_numpy()
    expected = [
        names,
        sizes,
        rounded(groups["a"].sum()),
        rounded(groups["b"].sum()),
        names,
        sizes,
        rounded(groups["c"].min()),
        rounded(groups["c"].max()),
    ]
    for number, *found in run_parties(program, parties):
        assert number == len(groups)
        for part, right in zip(found, expected, strict=True):
            np.testing.assert_array_equal(part[: len(groups)], right)
            np.testing.assert_array_equal(part[len(groups) :], 0)


@FEW
@given(rows=st.integers(1, 80), parties=PARTIES, seed=st.integers(0, 2**32), data=st.data())
def test_chosen_rows_come_to_the_front_in_their_order(
    rows: int, parties: int, seed: int, data: st.DataObject
) -> None:
    truth, values = np.random.default_rng(seed).random(rows) < 0.4, drawn(seed, LIMIT, rows)
    most = data.draw(st.integers(1, rows))

    def program(circle: Circle) -> tuple[np.ndarray, np.ndarray]:
        bits = bits_from_owner(circle, 1, truth if circle.rank == 1 else None, truth.shape)
        (front,), valid = compact(bits, [enter(circle, values)], most)
        return reveal(front, "front"), reveal(valid, "valid")

    chosen = np.zeros(rows)
    chosen[: truth.sum()] = values[truth]
    for front, valid in run_parties(program, parties):
        np.testing.assert_array_equal(front, chosen[:most])
        np.testing.assert_array_equal(valid, (np.arange(rows) < truth.sum())[:most])


@FEW
@given(rows=st.integers(1, 70), columns=st.integers(1, 3), parties=PARTIES, seed=st.integers(0, 2**32))
def test_bits_are_counted_and_running_sums_taken(rows: int, columns: int, parties: int, seed: int) -> None:
    truth = np.random.default_rng(seed).random((rows, columns)) < 0.5

    def program(circle: Circle) -> list[np.ndarray]:
        bits = bits_from_owner(circle, 1, truth if circle.rank == 1 else None, truth.shape)
        running = enter(circle, truth.astype(float)).cumsum()
        return [reveal(part, "x") for part in (popcount(bits), popcount(bits, 0), popcount(bits, 1), running)]

    for whole, down, across, running in run_parties(program, parties):
        assert whole == truth.sum()
        np.testing.assert_array_equal(down, truth.sum(0))
        np.testing.assert_array_equal(across, truth.sum(1))
        np.testing.assert_allclose(running, np.cumsum(truth, axis=0))


def test_shapes_that_do_not_fit_are_misuse() -> None:
    def program(circle: Circle) -> None:
        line, square = enter(circle, np.ones(3)), enter(circle, np.ones((2, 2)))
        bits = bits_from_owner(circle, 0, np.ones(2, dtype=bool) if circle.rank == 0 else None, (2,))
        for work in (
            lambda: largest(line, 1),
            lambda: top_along(line, 4),
            lambda: group_by(square),
            lambda: group_by(line, [square]),
            lambda: group_extremes(line, square),
            lambda: compact(bits, [line]),
        ):
            with pytest.raises(MisuseError):
                work()

    run_parties(program)
