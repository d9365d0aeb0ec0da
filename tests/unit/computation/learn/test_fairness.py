"""Approvals by protected group against scikit-learn's rates in the clear."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import recall_score

from unseen.computation.circle import Circle
from unseen.computation.in_process import run_parties
from unseen.computation.learn.fairness import Fairness, Groups, fairness
from unseen.computation.share.array import from_owner
from unseen.errors import DataError

ROWS, CUTOFF = 300, 0.25


def table() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    draw = np.random.default_rng(2)
    group = draw.integers(0, 3, ROWS)
    scores = draw.normal(size=ROWS) + 0.4 * group
    return scores, group, (draw.random(ROWS) < 1 / (1 + np.exp(scores))).astype(float)


def judged(parties: int, smallest: int = 1) -> list[Fairness]:
    """The score's parts at the first party, the outcomes too, the attribute at the last, the result to it."""
    scores, group, bad = table()

    def program(circle: Circle) -> Fairness | None:
        last = circle.size - 1
        shared = from_owner(circle, 0, scores if circle.rank == 0 else None, (ROWS,))
        own = Groups(group, 3) if circle.rank == last else None
        outcome = bad if circle.rank == 0 else None
        return fairness(shared, CUTOFF, own, 3, last, outcome, 0, circle.parties[last], smallest)

    return run_parties(program, parties)


@pytest.mark.parametrize("parties", [2, 3])
def test_rates_are_those_in_the_clear_and_only_the_recipient_has_them(parties: int) -> None:
    scores, group, bad = table()
    results = judged(parties)
    assert results[:-1] == [None] * (parties - 1)
    found, approved = results[-1], scores >= CUTOFF
    rates = [approved[group == number].mean() for number in range(3)]
    np.testing.assert_allclose(found.approval_rates, rates)
    assert found.disparate_impact == pytest.approx(min(rates) / max(rates))
    recalls = [recall_score(1 - bad[group == number], approved[group == number]) for number in range(3)]
    assert found.equal_opportunity == pytest.approx(max(recalls) - min(recalls))
    np.testing.assert_array_equal(found.persons, np.bincount(group))


def test_a_small_protected_group_is_refused_at_its_owner() -> None:
    with pytest.raises(DataError, match="fewer than 290 persons"):
        judged(2, smallest=290)


def test_nobody_approved_is_no_adverse_impact() -> None:
    nobody = np.zeros(2, dtype=np.int64)
    assert Fairness(np.array([5, 5]), nobody, np.array([3, 2]), nobody).disparate_impact == 1.0
