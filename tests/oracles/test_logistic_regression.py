"""Logistic regression on shares against scikit-learn and statsmodels on the pooled data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from sklearn.linear_model import LogisticRegression

from unseen.computation.circle import Circle
from unseen.computation.in_process import run_parties
from unseen.computation.learn.columns import Block
from unseen.computation.learn.fit import predict_scores
from unseen.computation.learn.logistic import Settings, fit_logistic
from unseen.computation.learn.rows import RowTerms, RowValues
from unseen.computation.share.array import reveal
from unseen.errors import AbortedError, DataError, RangeError, UnseenError

SHARED = Path(__file__).parents[2].parent / "shared" / "data"


@dataclass(frozen=True)
class Outcome:
    intercept: float
    weights: np.ndarray
    errors: np.ndarray
    scores: np.ndarray
    steps: int


def fit(
    columns: np.ndarray,
    label: np.ndarray,
    widths: Sequence[int],
    label_owner: int = 0,
    settings: Settings | None = None,
    weights: np.ndarray | None = None,
    offset: np.ndarray | None = None,
    terms_owner: int = 1,
) -> Outcome:
    """Fit with the columns cut among as many parties as there are widths; all parties must agree."""
    rows, cuts = len(label), np.cumsum([0, *widths])

    def program(circle: Circle) -> Outcome:
        blocks = [
            Block(
                owner,
                tuple(f"x{j}" for j in range(start, end)),
                rows,
                columns[:, start:end] if owner == circle.rank else None,
            )
            for owner, (start, end) in enumerate(pairwise(cuts))
            if end > start
        ]
        mine = label if circle.rank == label_owner else None
        given = [
            None if term is None else RowValues(terms_owner, term if circle.rank == terms_owner else None)
            for term in (weights, offset)
        ]
        model = fit_logistic(circle, blocks, mine, label_owner, settings, terms=RowTerms(*given))
        unit = 2.0**-model.exponents
        variances = np.zeros(1) if model.variances is None else reveal(model.variances, "variances")
        return Outcome(
            float(reveal(model.intercept, "intercept")),
            reveal(model.weights, "weights") * unit,
            np.sqrt(np.abs(variances)) * (np.r_[1.0, unit] if len(variances) > 1 else 1.0),
            reveal(predict_scores(circle, blocks, model), "scores"),
            len(model.steps),
        )

    outcomes = run_parties(program, max(2, len(widths)), patience=60.0)
    for outcome in outcomes[1:]:
        np.testing.assert_array_equal(outcome.weights, outcomes[0].weights)
    return outcomes[0]


def synthetic(rows: int, width: int, seed: int = 7) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    columns = rng.normal(size=(rows, width))
    chance = 1.0 / (1.0 + np.exp(-(columns @ rng.normal(size=width) * 0.5 - 1.0)))
    return columns, (rng.random(rows) < chance).astype(float)


def test_coefficients_and_standard_errors_equal_statsmodels_on_pooled_columns() -> None:
    columns, label = synthetic(4000, 8)
    ours = fit(columns, label, [3, 5], settings=Settings(penalty=0.0))
    theirs = sm.Logit(label, sm.add_constant(columns)).fit(disp=0)
    np.testing.assert_allclose(np.r_[ours.intercept, ours.weights], theirs.params, atol=1e-3)
    np.testing.assert_allclose(ours.errors, theirs.bse, rtol=2e-3)
    np.testing.assert_allclose(ours.scores, sm.add_constant(columns) @ theirs.params, atol=5e-3)


@pytest.mark.parametrize("penalty", [0.1, 10.0, 1000.0])
def test_penalised_coefficients_equal_scikit_learn(penalty: float) -> None:
    columns, label = synthetic(2000, 5)
    ours = fit(columns, label, [2, 3], settings=Settings(penalty=penalty, errors=False))
    theirs = LogisticRegression(C=1.0 / penalty, tol=1e-10, max_iter=1000).fit(columns, label)
    np.testing.assert_allclose(ours.weights, theirs.coef_[0], atol=1e-3)
    assert ours.intercept == pytest.approx(theirs.intercept_[0], abs=1e-3)


@pytest.mark.parametrize("terms_owner", [0, 1, 2])
def test_weights_and_offset_at_any_party_equal_statsmodels(terms_owner: int) -> None:
    columns, label = synthetic(2000, 5)
    rng = np.random.default_rng(terms_owner)
    weights, offset = rng.integers(1, 5, len(label)) * 1.0, rng.normal(size=len(label)) - 1.5
    ours = fit(columns, label, [2, 1, 2], 0, Settings(penalty=0.0), weights, offset, terms_owner)
    family = sm.families.Binomial()
    theirs = sm.GLM(label, sm.add_constant(columns), family, freq_weights=weights, offset=offset).fit()
    np.testing.assert_allclose(np.r_[ours.intercept, ours.weights], theirs.params, atol=1e-3)
    np.testing.assert_allclose(ours.errors, theirs.bse, rtol=5e-3)


def test_weights_of_wide_spread_with_a_penalty_equal_scikit_learn() -> None:
    columns, label = synthetic(3000, 4)
    weights = np.exp(np.random.default_rng(1).normal(size=len(label)) * 1.2 + columns[:, 0])
    ours = fit(columns, label, [2, 2], settings=Settings(penalty=20.0, errors=False), weights=weights)
    theirs = LogisticRegression(C=1 / 20.0, tol=1e-10, max_iter=1000).fit(columns, label, weights)
    np.testing.assert_allclose(ours.weights, theirs.coef_[0], atol=1e-3)
    assert ours.intercept == pytest.approx(theirs.intercept_[0], abs=1e-3)


def test_three_parties_and_a_label_at_the_one_in_the_middle() -> None:
    columns, label = synthetic(1500, 6)
    ours = fit(columns, label, [2, 1, 3], label_owner=1, settings=Settings(errors=False))
    theirs = LogisticRegression(C=1.0, tol=1e-10, max_iter=1000).fit(columns, label)
    np.testing.assert_allclose(ours.weights, theirs.coef_[0], atol=1e-3)


def test_label_may_sit_with_a_party_without_columns() -> None:
    columns, label = synthetic(1000, 3)
    ours = fit(columns, label, [3, 0], label_owner=1, settings=Settings(errors=False))
    theirs = LogisticRegression(C=1.0, tol=1e-10, max_iter=1000).fit(columns, label)
    np.testing.assert_allclose(ours.weights, theirs.coef_[0], atol=1e-3)


def test_unscaled_columns_with_wild_scores_reach_the_optimum_too() -> None:
    """The card-default data as it is: amounts up to 1.7 million, and three clients with scores of -31."""
    table = pd.read_csv(SHARED / "uci_default_credit" / "UCI_Credit_Card.csv.gz")
    label, columns = table.iloc[:, -1].to_numpy(float), table.iloc[:, 1:-1].to_numpy(float)
    ours = fit(columns, label, [12, 11], settings=Settings(penalty=0.0))
    spread = columns.std(axis=0)
    theirs = sm.Logit(label, sm.add_constant(columns / spread)).fit(disp=0, method="newton")
    np.testing.assert_allclose(ours.weights * spread, theirs.params[1:], atol=1e-3)
    np.testing.assert_allclose(ours.errors[1:] * spread, theirs.bse[1:], rtol=1e-2)


def test_rare_labels_do_not_slow_training_down() -> None:
    rng = np.random.default_rng(3)
    columns = rng.normal(size=(6000, 4))
    label = (rng.random(6000) < 1.0 / (1.0 + np.exp(-(columns @ [0.5, -0.4, 0.3, 0.2] - 4.0)))).astype(float)
    ours = fit(columns, label, [2, 2], settings=Settings(errors=False))
    theirs = LogisticRegression(C=1.0, tol=1e-10, max_iter=1000).fit(columns, label)
    np.testing.assert_allclose(ours.weights, theirs.coef_[0], atol=1e-3)
    assert ours.steps <= 15


@pytest.mark.parametrize(("rows", "widths"), [(60, [1, 1]), (40, [1, 0]), (200, [20, 20])])
def test_small_and_wide_tables(rows: int, widths: list[int]) -> None:
    columns, label = synthetic(rows, sum(widths))
    ours = fit(columns, label, widths, settings=Settings(penalty=5.0, errors=False))
    theirs = LogisticRegression(C=0.2, tol=1e-10, max_iter=1000).fit(columns, label)
    np.testing.assert_allclose(ours.weights, theirs.coef_[0], atol=1e-3)


def test_three_rows_and_two_hundred_columns_of_three_parties() -> None:
    columns, label = np.array([[0.3], [-1.2], [2.0]]), np.array([0.0, 1.0, 1.0])
    ours = fit(columns, label, [1, 0], settings=Settings(errors=False))
    theirs = LogisticRegression(tol=1e-10).fit(columns, label)
    np.testing.assert_allclose(ours.weights, theirs.coef_[0], atol=1e-3)
    columns, label = synthetic(900, 200)
    ours = fit(columns, label, [80, 70, 50], 2, Settings(penalty=5.0, errors=False))
    theirs = LogisticRegression(C=0.2, tol=1e-10, max_iter=5000).fit(columns, label)
    np.testing.assert_allclose(ours.weights, theirs.coef_[0], atol=1e-3)


def test_collinear_columns_share_the_weight_as_the_penalty_says() -> None:
    columns, label = synthetic(1500, 3)
    columns = np.column_stack([columns, columns[:, 0]])
    ours = fit(columns, label, [2, 2], settings=Settings(penalty=20.0, errors=False))
    theirs = LogisticRegression(C=0.05, tol=1e-10, max_iter=5000).fit(columns, label)
    np.testing.assert_allclose(ours.weights, theirs.coef_[0], atol=2e-3)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda c, y: (c, np.zeros_like(y)), "one class"),
        (lambda c, y: (c, y + 1.0), "0 or 1"),
        (lambda c, y: (np.where(np.arange(4) == 2, 1.0, c), y), "'x2' has the same value"),
        (lambda c, y: (np.where(c == c[5, 1], np.nan, c), y), "'x1' holds missing"),
        (lambda c, y: (np.where(c == c[5, 3], np.inf, c), y), "'x3' holds missing or infinite"),
    ],
)
def test_unusable_columns_are_refused_by_name_before_anything_is_shared(spoil, words: str) -> None:  # type: ignore[no-untyped-def]
    columns, label = spoil(*synthetic(300, 4))
    with pytest.raises(DataError, match=words):
        fit(columns, label, [2, 2])


def test_separable_classes_end_in_an_error_not_in_a_wrong_model() -> None:
    columns, _ = synthetic(400, 2)
    label = (columns[:, 0] > 0.1).astype(float)
    with pytest.raises((DataError, RangeError)):
        fit(columns, label, [1, 1], settings=Settings(penalty=0.0))


def test_the_other_parties_hear_that_the_run_ended_but_not_which_value_was_wrong() -> None:
    columns, label = synthetic(100, 2)
    columns[3, 0] = np.nan
    seen: list[UnseenError] = []

    def program(circle: Circle) -> None:
        blocks = [Block(o, (f"x{o}",), 100, columns[:, o : o + 1] if o == circle.rank else None) for o in (0, 1)]
        try:
            fit_logistic(circle, blocks, label if circle.rank == 1 else None, 1)
        except UnseenError as error:
            if circle.rank == 1:
                seen.append(error)
            raise

    with pytest.raises(DataError):
        run_parties(program, 2)
    assert isinstance(seen[0], AbortedError)
    assert "nan" not in str(seen[0]).lower()


def test_columns_too_long_for_a_backlog_go_in_turns_to_the_same_model(monkeypatch: pytest.MonkeyPatch) -> None:
    columns, label = synthetic(300, 4)
    together = fit(columns, label, [2, 2])
    monkeypatch.setattr("unseen.computation.learn.columns.BACKLOG_LIMIT", 64)
    in_turns = fit(columns, label, [2, 2])
    np.testing.assert_allclose(in_turns.weights, together.weights, atol=1e-4)
