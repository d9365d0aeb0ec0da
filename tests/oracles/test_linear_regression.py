"""Linear regression on shares against statsmodels and scikit-learn on the pooled data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from sklearn.linear_model import Ridge

from unseen.computation.circle import Circle
from unseen.computation.in_process import run_parties
from unseen.computation.learn.columns import Block
from unseen.computation.learn.fit import predict_scores
from unseen.computation.learn.linear import Settings, fit_linear
from unseen.computation.learn.rows import RowValues
from unseen.computation.share.array import reveal
from unseen.errors import DataError

FATE = Path(__file__).parents[2].parent / "shared" / "data" / "fate_small"


@dataclass(frozen=True)
class Outcome:
    coefficients: np.ndarray
    errors: np.ndarray
    predicted: np.ndarray
    r_squared: float


def fit(
    columns: np.ndarray,
    label: np.ndarray,
    widths: Sequence[int],
    label_owner: int = 0,
    settings: Settings | None = None,
    weights: np.ndarray | None = None,
    weights_owner: int = 1,
) -> Outcome:
    """Fit with the columns cut among as many parties as there are widths; all parties must agree."""
    rows, cuts = len(label), np.cumsum([0, *widths])

    def program(circle: Circle) -> Outcome:
        blocks = [
            Block(
                owner, tuple(f"x{j}" for j in range(a, b)), rows, columns[:, a:b] if owner == circle.rank else None
            )
            for owner, (a, b) in enumerate(pairwise(cuts))
            if b > a
        ]
        given = None
        if weights is not None:
            given = RowValues(weights_owner, weights if circle.rank == weights_owner else None)
        mine = label if circle.rank == label_owner else None
        fitted = fit_linear(circle, blocks, mine, label_owner, settings, given)
        model = fitted.model
        unit, scale = 2.0**-model.exponents, 2.0**model.label_exponent
        assert model.variances is not None
        return Outcome(
            np.r_[reveal(model.intercept, "i"), reveal(model.weights, "w") * unit] * scale,
            np.sqrt(reveal(model.variances, "v")) * np.r_[1.0, unit] * scale,
            reveal(predict_scores(circle, blocks, model), "scores") * scale,
            float(reveal(fitted.r_squared, "r")),
        )

    outcomes = run_parties(program, max(2, len(widths)), patience=60.0)
    for outcome in outcomes[1:]:
        np.testing.assert_array_equal(outcome.coefficients, outcomes[0].coefficients)
    return outcomes[0]


def halves(name: str, key: str) -> tuple[np.ndarray, np.ndarray, list[int]]:
    """FATE's vertical split: all columns, the label, and how many columns each party has."""
    guest, host = (pd.read_csv(FATE / f"{name}_hetero_{side}.csv.gz").set_index(key) for side in ("guest", "host"))
    label, own = guest.iloc[:, 0], guest.iloc[:, 1:]
    joined = own.add_prefix("guest_").join(host, how="inner")
    return joined.to_numpy(float), label[joined.index].to_numpy(float), [own.shape[1], host.shape[1]]


@pytest.mark.parametrize(("name", "key"), [("motor", "idx"), ("student", "id")])
def test_real_data_gives_the_coefficients_errors_and_r_squared_of_statsmodels(name: str, key: str) -> None:
    columns, label, widths = halves(name, key)
    ours, theirs = fit(columns, label, widths), sm.OLS(label, sm.add_constant(columns)).fit()
    np.testing.assert_allclose(ours.coefficients, theirs.params, atol=1e-3 * label.std())
    np.testing.assert_allclose(ours.errors, theirs.bse, rtol=2e-3)
    np.testing.assert_allclose(ours.predicted, theirs.fittedvalues, atol=1e-3 * label.std())
    assert ours.r_squared == pytest.approx(theirs.rsquared, abs=1e-4)


@pytest.mark.parametrize("penalty", [0.1, 100.0])
def test_a_penalty_gives_the_coefficients_of_scikit_learn(penalty: float) -> None:
    columns, label, widths = halves("student", "id")
    ours = fit(columns, label, widths, settings=Settings(penalty))
    theirs = Ridge(alpha=penalty).fit(columns, label)
    np.testing.assert_allclose(ours.coefficients, np.r_[theirs.intercept_, theirs.coef_], atol=1e-3 * label.std())


@pytest.mark.parametrize("weights_owner", [0, 1, 2])
def test_weights_at_any_party_give_weighted_least_squares(weights_owner: int) -> None:
    rng = np.random.default_rng(2)
    columns = rng.normal(size=(700, 5)) * [1, 1000, 0.01, 5, 1] + [0, 50, 1, -100, 3]
    weights = rng.integers(1, 6, 700) * 0.7
    label = columns @ [3, 0.002, 100, -1, 0.5] + rng.normal(size=700) * 4 + 1e4
    ours = fit(columns, label, [2, 1, 2], 2, weights=weights, weights_owner=weights_owner)
    theirs = sm.WLS(label, sm.add_constant(columns), weights=weights).fit()
    np.testing.assert_allclose(ours.coefficients[1:], theirs.params[1:], rtol=1e-3)
    np.testing.assert_allclose(ours.errors, theirs.bse, rtol=2e-3)
    np.testing.assert_allclose(ours.predicted, theirs.fittedvalues, atol=1e-3 * label.std())
    assert ours.r_squared == pytest.approx(theirs.rsquared, abs=1e-3)


@pytest.mark.parametrize(("rows", "widths"), [(4, [1, 0]), (40, [1, 1]), (260, [20, 100])])
def test_small_and_wide_tables(rows: int, widths: list[int]) -> None:
    rng = np.random.default_rng(rows)
    columns = rng.normal(size=(rows, sum(widths)))
    label = columns.sum(axis=1) + rng.normal(size=rows)
    ours, theirs = fit(columns, label, widths, 1), sm.OLS(label, sm.add_constant(columns)).fit()
    np.testing.assert_allclose(ours.coefficients, theirs.params, atol=1e-3)
    np.testing.assert_allclose(ours.errors, theirs.bse, rtol=1e-2)


def test_collinear_columns_are_refused_and_a_penalty_mends_them() -> None:
    rng = np.random.default_rng(1)
    columns = rng.normal(size=(300, 3))
    columns = np.column_stack([columns, columns[:, 0] - columns[:, 2]])
    label = columns.sum(axis=1) + rng.normal(size=300)
    with pytest.raises(DataError, match="sums of others"):
        fit(columns, label, [2, 2])
    theirs = Ridge(alpha=5.0).fit(columns, label)
    ours = fit(columns, label, [2, 2], settings=Settings(5.0))
    np.testing.assert_allclose(ours.coefficients[1:], theirs.coef_, atol=2e-3)


@pytest.mark.parametrize(
    ("label", "weights", "words"),
    [
        (np.full(50, 3.0), None, "the same value in every row"),
        (np.r_[np.nan, np.ones(49)], None, "missing or infinite"),
        (np.arange(50.0), np.full(50, -1.0), "not be negative"),
        (np.arange(50.0), np.zeros(50), "all zero"),
        (np.arange(50.0), np.full(50, np.inf), "sample weights are missing or infinite"),
    ],
)
def test_labels_and_weights_that_cannot_be_used_are_refused(
    label: np.ndarray, weights: np.ndarray | None, words: str
) -> None:
    with pytest.raises(DataError, match=words):
        fit(np.random.default_rng(0).normal(size=(50, 2)), label, [1, 1], weights=weights)


def test_as_many_coefficients_as_rows_are_refused() -> None:
    with pytest.raises(DataError, match="3 rows do not determine 3 coefficients"):
        fit(np.random.default_rng(0).normal(size=(3, 2)), np.arange(3.0), [1, 1])
