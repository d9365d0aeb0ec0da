"""Scores that are opened: rows alike in all columns have one, whatever the last bits say."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from unseen.computation.circle import Circle
from unseen.computation.in_process import run_parties
from unseen.computation.learn.columns import Block
from unseen.computation.learn.fit import predict_scores, reveal_predictors, settled
from unseen.computation.learn.hidden_measures import hidden_measures
from unseen.computation.learn.logistic import fit_logistic
from unseen.computation.learn.measures import Measured, Predicted


def test_values_parted_by_rounding_are_made_one_and_others_stay() -> None:
    values = np.array([0.5, 0.25, 0.5 + 1e-9, 0.5 - 1e-9, 0.250001, -3.0])
    found = settled(values, 2e-9)
    assert found[0] == found[2] == found[3] == 0.5 - 1e-9
    np.testing.assert_array_equal(found[[1, 4, 5]], values[[1, 4, 5]])
    assert settled(np.empty(0), 1.0).size == 0


@pytest.mark.parametrize("parties", [2, 3])
def test_as_many_scores_as_there_are_different_rows_opened_or_ranked_on_shares(parties: int) -> None:
    draw = np.random.default_rng(3)
    columns = draw.integers(0, 3, size=(400, parties)) * 1.0
    label = (draw.random(400) < 1 / (1 + np.exp(1.0 - columns.sum(axis=1) * 0.7))).astype(float)

    def program(circle: Circle) -> tuple[np.ndarray | None, Measured | None]:
        blocks = [
            Block(rank, (f"x{rank}",), 400, columns[:, [rank]] if rank == circle.rank else None)
            for rank in range(parties)
        ]
        known = label if circle.rank == 0 else None
        scores = predict_scores(circle, blocks, fit_logistic(circle, blocks, known, 0))
        hidden = hidden_measures(Predicted.OUTCOME, scores, known, 0)
        return reveal_predictors(scores, circle.parties[0], "scores"), hidden

    (opened, measured), *others = run_parties(program, parties)
    assert others == [(None, None)] * (parties - 1)
    _, kinds = np.unique(columns, axis=0, return_inverse=True)
    assert opened is not None
    assert len(np.unique(opened)) == 3**parties
    assert all(len(np.unique(opened[kinds == kind])) == 1 for kind in range(3**parties))
    assert measured is not None
    assert measured.figures["auc"] == pytest.approx(roc_auc_score(label, opened), abs=1e-9)
