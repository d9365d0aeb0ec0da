"""Evaluation on shares against scikit-learn and SciPy in the clear."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ks_2samp
from sklearn.metrics import brier_score_loss, roc_auc_score

from unseen.computation.circle import Circle
from unseen.computation.in_process import run_parties
from unseen.computation.learn.hidden_quality import HiddenQuality, hidden_auc, hidden_quality
from unseen.computation.share.array import from_owner
from unseen.errors import DataError


def measured(scores: np.ndarray, chances: np.ndarray, bad: np.ndarray, parties: int = 2) -> list[HiddenQuality]:
    """Scores at party 0, outcomes at the last party, the result to party 0."""

    def program(circle: Circle) -> HiddenQuality | None:
        mine = circle.rank == 0
        shared = from_owner(circle, 0, scores if mine else None, scores.shape)
        chance = from_owner(circle, 0, chances if mine else None, chances.shape)
        last = circle.size - 1
        return hidden_quality(shared, chance, bad if circle.rank == last else None, last, "party0")

    return run_parties(program, parties)


def table(rows: int, ties: bool, seed: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    scores = draw.normal(size=rows)
    if ties:
        scores = np.round(scores)
    chances = 1 / (1 + np.exp(scores + 1))
    return scores, chances, (draw.random(rows) < chances).astype(float)


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("parties", [2, 3])
def test_measures_are_those_in_the_clear_ties_included(ties: bool, parties: int) -> None:
    scores, chances, bad = table(400, ties)
    results = measured(scores, chances, bad, parties)
    assert results[1:] == [None] * (parties - 1)
    found = results[0]
    assert found.quality.auc == pytest.approx(roc_auc_score(bad, -scores), abs=1e-12)
    assert found.quality.ks == pytest.approx(ks_2samp(scores[bad == 1], scores[bad == 0]).statistic, abs=1e-12)
    assert found.quality.gini == pytest.approx(2 * found.quality.auc - 1)
    assert found.brier == pytest.approx(brier_score_loss(bad, chances), abs=1e-5)


def test_bands_hold_what_the_sorted_rows_hold() -> None:
    scores, chances, bad = table(205, ties=False)
    found = measured(scores, chances, bad)[0].bands
    parts = np.split(np.argsort(scores), (205 * np.arange(1, 10)) // 10)
    assert [band.rows for band in found] == [len(part) for part in parts]
    assert [band.bad for band in found] == [bad[part].sum() for part in parts]
    np.testing.assert_allclose(
        [band.expected for band in found], [chances[part].sum() for part in parts], atol=1e-4
    )


def test_one_class_is_refused_at_all() -> None:
    scores, chances, _ = table(30, ties=False)
    with pytest.raises(DataError, match="good and bad"):
        measured(scores, chances, np.zeros(30))


def test_perfect_and_useless_scores() -> None:
    bad = np.array([1.0] * 10 + [0.0] * 30)
    perfect = measured(np.arange(40.0), np.full(40, 0.25), bad)[0].quality
    assert (perfect.auc, perfect.ks) == (1.0, 1.0)
    useless = measured(np.zeros(40), np.full(40, 0.25), bad)[0].quality
    assert (useless.auc, useless.ks) == (0.5, 0.0)


def test_the_auc_alone_needs_no_chances_and_counts_ties_half() -> None:
    scores, _, bad = table(300, ties=True)

    def program(circle: Circle) -> float | None:
        shared = from_owner(circle, 0, scores if circle.rank == 0 else None, scores.shape)
        return hidden_auc(shared, bad if circle.rank == 1 else None, 1)

    nothing, auc = run_parties(program, 2)
    assert nothing is None
    assert auc == pytest.approx(roc_auc_score(bad, -scores), abs=1e-12)
