"""Feature inference on shares against the R² of scikit-learn's least squares."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from unseen.computation.circle import Circle
from unseen.computation.in_process import run_parties
from unseen.computation.learn.feature_attack import feature_attack

ROWS = 250


def attacked(columns: np.ndarray, held: np.ndarray, parties: int = 2) -> np.ndarray:
    """Columns at the last party, what the attacker holds at party 0."""

    def program(circle: Circle) -> np.ndarray | None:
        last = circle.size - 1
        sizes = (len(columns), columns.shape[1], held.shape[1] - 1)
        own, theirs = (columns if circle.rank == last else None), (held if circle.rank == 0 else None)
        return feature_attack(circle, last, own, theirs, 0, sizes)

    *others, found = run_parties(program, parties)
    assert others == [None] * (parties - 1)
    assert found is not None
    return found


@pytest.mark.parametrize("parties", [2, 3])
@pytest.mark.parametrize("own", [0, 3])
def test_shares_of_variance_are_those_of_least_squares(own: int, parties: int) -> None:
    draw = np.random.default_rng(41)
    columns = draw.normal(size=(ROWS, 4)) * [1.0, 1e4, 1e-3, 1.0] + [0.0, 3e5, 0.0, 9.0]
    held = draw.normal(size=(ROWS, own + 1))
    if own:
        held[:, 0] += columns[:, 0]
        held[:, 2] = 3 * held[:, 1] - 1  # repeats another
    held[:, -1] = columns @ [0.5, 2e-4, 900.0, 0.0] + held[:, :own].sum(axis=1) + draw.normal(size=ROWS)
    found = attacked(columns, held, parties)
    for j, column in enumerate(columns.T):
        whole = LinearRegression().fit(held, column).score(held, column)
        alone = LinearRegression().fit(held[:, :own], column).score(held[:, :own], column) if own else 0.0
        assert found[:, j] == pytest.approx([alone, whole], abs=1e-4)


def test_a_single_missing_column_of_a_linear_model_is_solved_for() -> None:
    draw = np.random.default_rng(42)
    theirs, ours = draw.normal(size=(ROWS, 1)), draw.normal(size=(ROWS, 2))
    score = theirs[:, 0] * 0.01 + ours @ [3.0, -2.0]
    alone, whole = attacked(theirs, np.column_stack([ours, score]))
    assert alone[0] < 0.1
    assert whole[0] == pytest.approx(1.0, abs=1e-4)


def test_what_is_constant_or_follows_from_the_own_columns_tells_nothing_more() -> None:
    draw = np.random.default_rng(43)
    theirs = np.column_stack([draw.normal(size=ROWS), np.full(ROWS, 0.1)])
    ours = draw.normal(size=(ROWS, 2))
    alone, whole = attacked(theirs, np.column_stack([ours, ours @ [1.0, 2.0]]))
    np.testing.assert_allclose(alone, whole, atol=1e-6)
    assert whole[1] == 0.0
