"""Histograms of shared vectors over one party's columns, against numpy.bincount."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ranges import drawn

from unseen.computation.circle import Circle
from unseen.computation.in_process import run_parties
from unseen.computation.share.array import from_owner, reveal
from unseen.computation.share.binned import BIN_SUMS, binned_columns
from unseen.errors import DataError, MisuseError

FRACTION = 40


def counted(places: np.ndarray, widths: list[int], vectors: np.ndarray) -> np.ndarray:
    return np.concatenate(
        [
            np.stack([np.bincount(places[:, j], weights=vector, minlength=width) for vector in vectors], axis=1)
            for j, width in enumerate(widths)
        ]
    )


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    rows=st.integers(1, 3000),
    widths=st.lists(st.sampled_from([1, 2, 7, 32, 256]), min_size=1, max_size=4),
    vectors=st.integers(1, 11),
    parties=st.sampled_from([2, 3, 5]),
    seed=st.integers(0, 2**32),
)
def test_sums_by_bin_are_those_of_numpy(
    rows: int, widths: list[int], vectors: int, parties: int, seed: int
) -> None:
    random = np.random.default_rng(seed)
    places = np.stack([random.integers(0, width, rows) for width in widths], axis=1)
    values = drawn(seed, 62 - FRACTION - np.log2(2 * rows), vectors, rows, fraction=FRACTION)
    owner = parties - 1

    def program(circle: Circle) -> np.ndarray:
        columns = binned_columns(circle, owner, places if circle.rank == owner else None, widths, rows)
        shared = from_owner(circle, 0, values if circle.rank == 0 else None, values.shape, FRACTION)
        return reveal(columns.sums(shared), "sums")

    # Seven standard deviations of the masks' errors, and what numbers of 62 bits lose as floating point.
    off = 7 * 9459 * np.sqrt(rows * (parties - 1)) * 2.0**-FRACTION + 2.0 ** (62 - FRACTION - 50)
    for found in run_parties(program, parties):
        np.testing.assert_allclose(found, counted(places, widths, values), rtol=0, atol=off)


@pytest.mark.parametrize("parties", [2, 3, 5])
def test_rounds_and_bytes_are_those_of_the_profile(parties: int) -> None:
    rows, widths = 1000, [4, 9]

    def program(circle: Circle) -> tuple[int, int]:
        places = np.zeros((rows, 2), dtype=np.int64)
        columns = binned_columns(circle, 0, places if circle.rank == 0 else None, widths, rows)
        shared = from_owner(circle, 0, np.ones((1, rows)) if circle.rank == 0 else None, (1, rows), 20)
        counters, rounds = [c.counters for c in circle.others()], circle.others()[0].rounds
        payload, passed = sum(c.bytes_sent - 16 * c.messages_sent for c in counters), rounds.count
        columns.sums(shared)
        return sum(c.bytes_sent - 16 * c.messages_sent for c in counters) - payload, rounds.count - passed

    found = run_parties(program, parties)
    assert BIN_SUMS.bytes_sent is not None
    assert BIN_SUMS.rounds is not None
    assert sum(sent for sent, _ in found) == BIN_SUMS.bytes_sent(rows, parties)
    assert max(passed for _, passed in found) <= BIN_SUMS.rounds(rows)


def test_a_bin_out_of_range_is_refused_at_home_and_ends_the_run() -> None:
    places = np.array([[0], [3]])

    def program(circle: Circle) -> None:
        binned_columns(circle, 0, places if circle.rank == 0 else None, [3], 2)

    with pytest.raises(DataError, match="outside the column's bins"):
        run_parties(program)


def test_vectors_of_another_length_are_misuse() -> None:
    def program(circle: Circle) -> None:
        columns = binned_columns(circle, 0, np.zeros((5, 1), dtype=int) if circle.rank == 0 else None, [1], 5)
        columns.sums(from_owner(circle, 0, np.ones((1, 4)) if circle.rank == 0 else None, (1, 4), 20))

    with pytest.raises(MisuseError, match="shape"):
        run_parties(program)
