"""Counting a partner's bins against the label."""

from __future__ import annotations

import numpy as np
import pytest

from unseen.computation.circle import Circle
from unseen.computation.in_process import run_parties
from unseen.computation.learn.woe import outcome_counts
from unseen.errors import DataError

ROWS, WIDTHS = 500, (4, 7, 2)


def table(seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.integers(0, WIDTHS, size=(ROWS, len(WIDTHS))), rng.integers(0, 2, ROWS).astype(float)


@pytest.mark.parametrize(("parties", "owner", "label_owner"), [(2, 1, 0), (2, 0, 1), (3, 2, 1), (3, 0, 2)])
def test_the_label_holder_learns_the_counts_and_nobody_else_does(
    parties: int, owner: int, label_owner: int
) -> None:
    bins, label = table()

    def program(circle: Circle) -> object:
        return outcome_counts(
            circle,
            owner,
            bins if circle.rank == owner else None,
            WIDTHS,
            label if circle.rank == label_owner else None,
            label_owner,
            ROWS,
        )

    results = run_parties(program, parties)
    assert [result is not None for result in results] == [rank == label_owner for rank in range(parties)]
    for column, counts in enumerate(results[label_owner]):
        expected = np.bincount(bins[:, column], minlength=WIDTHS[column])
        bad = np.bincount(bins[:, column], weights=label, minlength=WIDTHS[column])
        np.testing.assert_array_equal(counts, np.column_stack([expected, bad]))


def test_a_bin_number_out_of_range_is_refused_at_its_owner() -> None:
    bins, label = table()
    bins[3, 1] = 7

    def program(circle: Circle) -> object:
        mine = circle.rank == 1
        return outcome_counts(circle, 1, bins if mine else None, WIDTHS, None if mine else label, 0, ROWS)

    with pytest.raises(DataError, match="outside the column's bins"):
        run_parties(program, 2)
