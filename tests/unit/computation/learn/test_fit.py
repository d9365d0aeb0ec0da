"""Scores that are opened: rows alike in all columns have one, whatever the last bits say."""

from __future__ import annotations

import numpy as np
import pytest

from unseen.computation.circle import Circle
from unseen.computation.in_process import run_parties
from unseen.computation.learn.columns import Block
from unseen.computation.learn.fit import predict_scores, reveal_scores, settled
from unseen.computation.learn.logistic import fit_logistic


def test_values_parted_by_rounding_are_made_one_and_others_stay() -> None:
    values = np.array([0.5, 0.25, 0.5 + 1e-9, 0.5 - 1e-9, 0.250001, -3.0])
    found = settled(values, 2e-9)
    assert found[0] == found[2] == found[3] == 0.5 - 1e-9
    np.testing.assert_array_equal(found[[1, 4, 5]], values[[1, 4, 5]])
    assert settled(np.empty(0), 1.0).size == 0


@pytest.mark.parametrize("parties", [2, 3])
def test_as_many_scores_are_opened_as_there_are_different_rows(parties: int) -> None:
    draw = np.random.default_rng(3)
    columns = draw.integers(0, 3, size=(400, parties)) * 1.0
    label = (draw.random(400) < 1 / (1 + np.exp(1.0 - columns.sum(axis=1) * 0.7))).astype(float)

    def program(circle: Circle) -> np.ndarray | None:
        blocks = [
            Block(rank, (f"x{rank}",), 400, columns[:, [rank]] if rank == circle.rank else None)
            for rank in range(parties)
        ]
        model = fit_logistic(circle, blocks, label if circle.rank == 0 else None, 0)
        return reveal_scores(predict_scores(circle, blocks, model), circle.parties[0], "scores")

    opened, *others = run_parties(program, parties)
    assert others == [None] * (parties - 1)
    _, kinds = np.unique(columns, axis=0, return_inverse=True)
    assert opened is not None
    assert len(np.unique(opened)) == 3**parties
    assert all(len(np.unique(opened[kinds == kind])) == 1 for kind in range(3**parties))
