"""Boosted trees on shares against XGBoost on the pooled columns, bin for bin."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import xgboost
from sklearn.metrics import roc_auc_score

from unseen.computation.circle import Circle
from unseen.computation.in_process import run_parties
from unseen.computation.learn.boosting import Boosted, Columns, fit_boosting, reveal_scores
from unseen.computation.learn.boosting_settings import Objective, Settings
from unseen.errors import DataError, MisuseError

WIDTH, COLUMNS = 17, 6
MISSING = WIDTH - 1
ROWS = 3000


@dataclass(frozen=True)
class Table:
    """Bin numbers of all columns, the last bin for missing values; an outcome and a number to predict."""

    places: np.ndarray
    outcome: np.ndarray
    number: np.ndarray

    def pooled(self, label: np.ndarray) -> xgboost.DMatrix:
        values = np.where(self.places == MISSING, np.nan, self.places.astype(np.float64))
        return xgboost.DMatrix(values, label=label)


@pytest.fixture(scope="module")
def table() -> Table:
    draw = np.random.default_rng(1)
    places = draw.integers(0, WIDTH - 1, (ROWS, COLUMNS))
    places[draw.random(places.shape) < 0.1] = MISSING
    known = np.where(places == MISSING, 5, places)
    odds = known[:, 0] * 0.2 - known[:, 1] * 0.15 + (known[:, 3] > 8) * 1.5 * (places[:, 4] == MISSING) - 0.5
    outcome = (draw.random(ROWS) < 1 / (1 + np.exp(-odds))).astype(np.float64)
    number = known[:, 0] * 0.3 - (known[:, 2] > 4) * 2 + (places[:, 5] == MISSING) + draw.normal(size=ROWS) * 0.3
    return Table(places, outcome, number)


def theirs(table: Table, label: np.ndarray, trees: int, **settings: Any) -> np.ndarray:
    """XGBoost's scores of the same rows, candidates and settings."""
    asked = {"max_depth": 3, "eta": 0.3, "tree_method": "hist", "max_bin": 64, "base_score": 0.5, **settings}
    model = xgboost.train(asked, table.pooled(label), trees)
    return np.asarray(model.predict(table.pooled(label), output_margin=True))


Fitted = tuple[np.ndarray, Boosted]


def ours(
    table: Table,
    label: np.ndarray,
    settings: Settings,
    parties: int = 2,
    directions: tuple[int, ...] = (0,) * COLUMNS,
    fit: Callable[[Circle, list[Columns], np.ndarray | None], Boosted] | None = None,
) -> list[tuple[np.ndarray | None, Boosted]]:
    """Each party's opened scores (the first party's only) and part of the model; columns cut among the parties."""
    cuts = np.linspace(0, COLUMNS, parties + 1).astype(int)

    def program(circle: Circle) -> tuple[np.ndarray | None, Boosted]:
        sides = [
            Columns(
                rank,
                (WIDTH,) * (end - start),
                (True,) * (end - start),
                table.places[:, start:end] if circle.rank == rank else None,
                directions[start:end],
            )
            for rank, (start, end) in enumerate(pairwise(cuts))
        ]
        known = label if circle.rank == 0 else None
        model = fit(circle, sides, known) if fit else fit_boosting(circle, sides, known, 0, ROWS, settings)
        own = table.places[:, cuts[circle.rank] : cuts[circle.rank + 1]]
        return reveal_scores(model.scores(own, ROWS), circle.parties[0], settings.objective), model

    return run_parties(program, parties)


def first(results: list[tuple[np.ndarray | None, Boosted]]) -> np.ndarray:
    scores = results[0][0]
    assert scores is not None
    return scores


@pytest.mark.parametrize("parties", [2, 3])
def test_trees_are_those_of_xgboost_missing_values_included(table: Table, parties: int) -> None:
    results = ours(table, table.outcome, Settings(trees=3, depth=3), parties)
    expected = theirs(table, table.outcome, 3, objective="binary:logistic")
    np.testing.assert_allclose(first(results), expected, atol=1e-3)
    assert abs(roc_auc_score(table.outcome, first(results)) - roc_auc_score(table.outcome, expected)) < 1e-3
    assert all(scores is None for scores, _ in results[1:])


def test_a_number_is_predicted_as_by_xgboost(table: Table) -> None:
    settings = Settings(trees=3, depth=3, objective=Objective.SQUARED)
    expected = theirs(table, table.number, 3, objective="reg:squarederror", base_score=0.0)
    np.testing.assert_allclose(first(ours(table, table.number, settings)), expected, atol=1e-3)


def test_scores_only_rise_and_fall_where_they_must(table: Table) -> None:
    settings = Settings(trees=3, depth=3, objective=Objective.SQUARED)
    directions = (1, 0, -1, 0, 0, 0)
    expected = theirs(
        table, table.number, 3, objective="reg:squarederror", base_score=0.0, monotone_constraints=directions
    )
    np.testing.assert_allclose(first(ours(table, table.number, settings, 2, directions)), expected, atol=1e-3)
    against = first(ours(table, table.number, settings, 2, (-1, 0, 1, 0, 0, 0)))
    steps = np.array([against[table.places[:, 0] == place].mean() for place in range(MISSING)])
    assert np.ptp(steps) < 0.5 < np.ptp([table.number[table.places[:, 0] == p].mean() for p in range(MISSING)])


def test_each_party_holds_its_own_splits_and_a_random_part_of_the_leaves(table: Table) -> None:
    results = ours(table, table.outcome, Settings(trees=2, depth=3))
    for tree, other in zip(results[0][1].trees, results[1][1].trees, strict=True):
        nodes = [split.node for split in (*tree.splits, *other.splits)]
        assert len(set(nodes)) == len(nodes) <= 7
        whole = (tree.leaves + other.leaves).view(np.int64) * 2.0**-20
        assert (np.abs(whole) < 2).all()
        assert (np.abs(tree.leaves.view(np.int64).astype(float)) > 2.0**40).any()


def test_training_goes_on_where_an_earlier_model_ended(table: Table) -> None:
    settings = Settings(trees=2, depth=3)

    def twice(circle: Circle, sides: list[Columns], label: np.ndarray | None) -> Boosted:
        begun = fit_boosting(circle, sides, label, 0, ROWS, settings)
        return fit_boosting(circle, sides, label, 0, ROWS, settings, start=begun)

    expected = theirs(table, table.outcome, 4, objective="binary:logistic")
    np.testing.assert_allclose(first(ours(table, table.outcome, settings, fit=twice)), expected, atol=1e-3)


def test_training_stops_when_held_out_rows_get_no_better(table: Table) -> None:
    settings = Settings(trees=12, depth=4, learning_rate=0.9, held_out=800, patience=2)
    _, model = ours(table, table.outcome, settings)[0]
    best = int(np.argmin(model.losses))
    assert len(model.trees) == best + 1
    assert len(model.losses) == best + 3
    assert 0.1 < min(model.losses) < 0.25


def test_trees_see_the_rows_and_columns_that_the_public_seed_draws(table: Table) -> None:
    settings = Settings(trees=2, depth=2, row_share=0.6, column_share=0.5, seed=7)
    one, again = (first(ours(table, table.outcome, settings)) for _ in range(2))
    np.testing.assert_allclose(one, again, atol=1e-3)
    other = Settings(trees=2, depth=2, row_share=0.6, column_share=0.5, seed=8)
    assert np.abs(first(ours(table, table.outcome, other)) - one).max() > 0.01


def test_constant_columns_give_a_tree_without_splits() -> None:
    draw = np.random.default_rng(3)
    outcome = (draw.random(200) < 0.3).astype(np.float64)

    def program(circle: Circle) -> tuple[np.ndarray | None, int]:
        sides = [
            Columns(rank, (2,), (True,), np.zeros((200, 1), dtype=int) if rank == circle.rank else None)
            for rank in range(2)
        ]
        model = fit_boosting(
            circle, sides, outcome if circle.rank == 0 else None, 0, 200, Settings(trees=1, depth=2)
        )
        scores = model.scores(np.zeros((200, 1), dtype=int), 200)
        return reveal_scores(scores, circle.parties[0], Objective.LOGISTIC), len(model.trees[0].splits)

    (scores, mine), (_, other) = run_parties(program)
    gradient, hessian = (0.5 - outcome).sum(), 0.25 * 200
    assert scores is not None
    np.testing.assert_allclose(scores, -0.3 * gradient / (hessian + 1), atol=1e-3)
    assert mine == other == 0 or np.ptp(scores) == 0


def test_of_splits_that_cut_rows_alike_the_one_with_the_fewest_bins_on_the_left_is_taken() -> None:
    """Bins 2 to 6 are empty, and no value is missing: ten candidates of each column are worth the same."""
    draw = np.random.default_rng(4)
    places = np.where(draw.random((400, 2)) < 0.5, 1, 7)
    outcome = (draw.random(400) < np.where(places[:, 0] == 7, 0.8, 0.2)).astype(np.float64)

    def program(circle: Circle) -> list[tuple[int, int, bool]]:
        sides = [
            Columns(rank, (9,), (True,), places[:, rank : rank + 1] if rank == circle.rank else None)
            for rank in range(2)
        ]
        known = outcome if circle.rank == 0 else None
        model = fit_boosting(circle, sides, known, 0, len(outcome), Settings(trees=3, depth=2))
        return [(split.node, split.threshold, split.missing_left) for tree in model.trees for split in tree.splits]

    for _ in range(3):
        mine, other = run_parties(program)
        real = [split for split in (*mine, *other) if split[1] < 7]  # others send all rows left: no split
        assert [split[0] for split in mine].count(0) == 3
        assert {(threshold, missing) for _, threshold, missing in real} == {(1, False)}


def test_settings_out_of_range_and_bins_out_of_range_are_refused() -> None:
    with pytest.raises(MisuseError, match="depth"):
        Settings(depth=11)
    with pytest.raises(MisuseError, match="held-out"):
        Settings(patience=3)

    def program(circle: Circle) -> None:
        sides = [Columns(0, (2,), (False,), np.full((5, 1), 9) if circle.rank == 0 else None)]
        fit_boosting(circle, sides, np.zeros(5) if circle.rank == 0 else None, 0, 5, Settings(trees=1))

    with pytest.raises(DataError, match="bin number"):
        run_parties(program)
