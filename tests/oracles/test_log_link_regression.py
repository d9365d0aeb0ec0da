"""Poisson and gamma regression on shares against statsmodels on the pooled data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from unseen.computation.circle import Circle
from unseen.computation.in_process import run_parties
from unseen.computation.learn.choose import Choice
from unseen.computation.learn.columns import Block
from unseen.computation.learn.fit import predict_scores
from unseen.computation.learn.log_link import LogLink, Settings, fit_log_link
from unseen.computation.learn.rows import RowTerms, RowValues
from unseen.computation.learn.selection import Direction, Selection
from unseen.computation.share.array import reveal
from unseen.errors import DataError, RangeError

DATA = Path(__file__).parents[2].parent / "shared" / "data"
FAMILIES = {LogLink.POISSON: sm.families.Poisson(), LogLink.GAMMA: sm.families.Gamma(sm.families.links.Log())}


@dataclass(frozen=True)
class Outcome:
    coefficients: np.ndarray
    errors: np.ndarray
    scores: np.ndarray
    kept: tuple[int, ...]
    steps: int


def fit(
    columns: np.ndarray,
    label: np.ndarray,
    widths: Sequence[int],
    settings: Settings,
    weights: np.ndarray | None = None,
    offset: np.ndarray | None = None,
    owners: Sequence[int] = (0, 1, 1),
) -> Outcome:
    """`owners` are those of label, weights and offset."""
    rows, cuts = len(label), np.cumsum([0, *widths])

    def program(circle: Circle) -> Outcome:
        blocks = [
            Block(o, tuple(f"x{j}" for j in range(a, b)), rows, columns[:, a:b] if circle.rank == o else None)
            for o, (a, b) in enumerate(pairwise(cuts))
        ]
        terms = [
            None if term is None else RowValues(owner, term if circle.rank == owner else None)
            for term, owner in zip((weights, offset), owners[1:], strict=True)
        ]
        mine = label if circle.rank == owners[0] else None
        model = fit_log_link(circle, blocks, mine, owners[0], settings, terms=RowTerms(*terms))
        unit = np.r_[1.0, 2.0**-model.exponents]
        assert model.variances is not None
        return Outcome(
            np.r_[reveal(model.intercept, "i"), reveal(model.weights, "w")] * unit,
            np.sqrt(np.abs(reveal(model.variances, "v"))) * unit,
            reveal(predict_scores(circle, blocks, model), "scores"),
            tuple(place - 1 for place in model.kept[1:]),
            len(model.steps),
        )

    return run_parties(program, len(widths), patience=60.0)[0]


def doctor_visits() -> tuple[np.ndarray, np.ndarray]:
    """FATE's count data: 5,190 persons, visits to a doctor."""
    guest, host = (pd.read_csv(DATA / "fate_small" / f"dvisits_hetero_{s}.csv.gz") for s in ("guest", "host"))
    joined = guest.merge(host, on="id")
    return joined.iloc[:, 2:].to_numpy(float), joined["doctorco"].to_numpy(float)


def credit_amounts() -> tuple[np.ndarray, np.ndarray]:
    """German credit: amounts of 250 to 18,424 marks by months, rate, age and other numbers."""
    table = pd.read_csv(DATA / "german_credit" / "german.data", sep=" ", header=None)
    return table[[1, 7, 10, 12, 15, 17]].to_numpy(float), table[4].to_numpy(float)


def test_counts_of_doctor_visits_equal_statsmodels() -> None:
    columns, label = doctor_visits()
    ours = fit(columns, label, [3, 9], Settings())
    theirs = sm.GLM(label, sm.add_constant(columns), FAMILIES[LogLink.POISSON]).fit(tol=1e-12)
    spread = np.r_[1.0, columns.std(axis=0)]
    np.testing.assert_allclose(ours.coefficients * spread, theirs.params * spread, atol=1e-3)
    np.testing.assert_allclose(ours.errors, theirs.bse, rtol=5e-3)
    np.testing.assert_allclose(np.exp(ours.scores), theirs.fittedvalues, rtol=3e-3)


def test_amounts_of_credit_equal_statsmodels() -> None:
    columns, label = credit_amounts()
    ours = fit(columns, label, [2, 4], Settings(LogLink.GAMMA))
    theirs = sm.GLM(label, sm.add_constant(columns), FAMILIES[LogLink.GAMMA]).fit(tol=1e-12)
    spread = np.r_[1.0, columns.std(axis=0)]
    np.testing.assert_allclose(ours.coefficients[1:] * spread[1:], theirs.params[1:] * spread[1:], atol=1e-3)
    np.testing.assert_allclose(ours.errors, theirs.bse, rtol=5e-3)
    np.testing.assert_allclose(np.exp(ours.scores), theirs.fittedvalues, rtol=3e-3)


@pytest.mark.parametrize("family", list(LogLink))
@pytest.mark.parametrize("owners", [(0, 1, 2), (1, 1, 1), (2, 0, 1)])
def test_exposure_and_weights_at_any_party(family: LogLink, owners: tuple[int, int, int]) -> None:
    rng = np.random.default_rng(3)
    columns = rng.normal(size=(1200, 4))
    exposure, weights = rng.uniform(0.1, 30.0, 1200), rng.integers(1, 5, 1200) * 1.0
    means = np.exp(columns @ [0.5, -0.4, 0.2, 0.1] - 1.5) * exposure
    label = rng.poisson(means) * 1.0 if family is LogLink.POISSON else rng.gamma(2.0, means / 2.0)
    ours = fit(columns, label, [1, 2, 1], Settings(family), weights, np.log(exposure), owners)
    counted = {"freq_weights": weights} if family is LogLink.POISSON else {"var_weights": weights}
    theirs = sm.GLM(label, sm.add_constant(columns), FAMILIES[family], offset=np.log(exposure), **counted).fit()
    np.testing.assert_allclose(ours.coefficients, theirs.params, atol=1e-3)
    np.testing.assert_allclose(ours.errors, theirs.bse, rtol=1e-2)


def test_strong_effects_and_rare_counts_converge() -> None:
    rng = np.random.default_rng(9)
    columns = rng.normal(size=(3000, 3))
    label = rng.poisson(np.exp(columns @ [1.0, -0.8, 0.5] - 4.0)) * 1.0
    ours = fit(columns, label, [2, 1], Settings())
    theirs = sm.GLM(label, sm.add_constant(columns), FAMILIES[LogLink.POISSON]).fit(tol=1e-12)
    np.testing.assert_allclose(ours.coefficients, theirs.params, atol=2e-3)
    assert ours.steps < 30


def test_columns_of_a_gamma_model_are_selected_and_keep_their_sign() -> None:
    columns, label = credit_amounts()
    choice = Choice(signs=[1, -1, 1, 1, 1, 1], selection=Selection(Direction.BACKWARD, enter=0.05, leave=0.05))
    ours = fit(columns, label, [2, 4], Settings(LogLink.GAMMA, choice=choice))
    kept = list(range(6))
    while True:
        model = sm.GLM(label, sm.add_constant(columns[:, kept]), FAMILIES[LogLink.GAMMA]).fit()
        if model.pvalues[1:].max() <= 0.05:
            break
        del kept[int(model.pvalues[1:].argmax())]
    assert list(ours.kept) == kept
    assert 0 < len(kept) < 6


@pytest.mark.parametrize(
    ("family", "label", "words"),
    [
        (LogLink.POISSON, np.r_[-1.0, np.ones(99)], "never negative"),
        (LogLink.POISSON, np.zeros(100), "nor zero in every row"),
        (LogLink.GAMMA, np.r_[0.0, np.ones(99)], "above zero in every row"),
        (LogLink.GAMMA, np.r_[np.inf, np.ones(99)], "missing or infinite"),
    ],
)
def test_labels_that_cannot_be_used_are_refused(family: LogLink, label: np.ndarray, words: str) -> None:
    columns = np.random.default_rng(0).normal(size=(100, 2))
    with pytest.raises(DataError, match=words):
        fit(columns, label, [1, 1], Settings(family))


def test_predictions_out_of_range_end_in_an_error_not_in_a_wrong_model() -> None:
    columns = np.random.default_rng(0).normal(size=(500, 2))
    columns[0] = 60.0
    label = np.random.default_rng(1).poisson(np.exp(columns[:, 0].clip(-3, 3) * 0.7)) * 1.0
    label[0] = 0.0
    with pytest.raises((RangeError, DataError)):
        fit(columns, label, [1, 1], Settings())
