"""Sign constraints against scipy's bounded optimum, selection against the same procedure with statsmodels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy.optimize import minimize

from unseen.computation.circle import Circle
from unseen.computation.in_process import run_parties
from unseen.computation.learn import linear, logistic
from unseen.computation.learn.choose import Choice
from unseen.computation.learn.columns import Block
from unseen.computation.learn.problem import Criterion
from unseen.computation.learn.selection import Direction, Selection
from unseen.computation.share.array import reveal
from unseen.errors import MisuseError

DATA = Path(__file__).parents[2].parent / "shared" / "data"
LOGISTIC, LINEAR = logistic.Settings(penalty=0.0), linear.Settings()


@dataclass(frozen=True)
class Outcome:
    weights: np.ndarray
    errors: np.ndarray
    kept: tuple[int, ...]
    """Columns in the model, counted from 0 without the intercept."""


def fit(
    columns: np.ndarray,
    label: np.ndarray,
    widths: Sequence[int],
    settings: logistic.Settings | linear.Settings,
    choice: Choice,
) -> Outcome:
    rows, cuts = len(label), np.cumsum([0, *widths])

    def program(circle: Circle) -> Outcome:
        blocks = [
            Block(o, tuple(f"x{j}" for j in range(a, b)), rows, columns[:, a:b] if circle.rank == o else None)
            for o, (a, b) in enumerate(pairwise(cuts))
        ]
        mine, asked = label if circle.rank == 0 else None, replace(settings, choice=choice)
        if isinstance(asked, logistic.Settings):
            model = logistic.fit_logistic(circle, blocks, mine, 0, asked)
        else:
            model = linear.fit_linear(circle, blocks, mine, 0, asked).model
        unit = 2.0**-model.exponents * 2.0**model.label_exponent
        assert model.variances is not None
        return Outcome(
            reveal(model.weights, "weights") * unit,
            np.sqrt(np.maximum(reveal(model.variances, "variances")[1:], 0)) * unit,
            tuple(place - 1 for place in model.kept[1:]),
        )

    outcomes = run_parties(program, len(widths), patience=60.0)
    assert all(outcome.kept == outcomes[0].kept for outcome in outcomes)
    return outcomes[0]


def tangled(rows: int, width: int, seed: int) -> np.ndarray:
    """Columns that share a factor, so that some coefficients flip."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(rows, width)) + 1.2 * rng.normal(size=(rows, 1))


def outcomes(columns: np.ndarray, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    weights = rng.normal(size=columns.shape[1]) * 0.5
    return (rng.random(len(columns)) < 1 / (1 + np.exp(-(columns @ weights) + 1))).astype(float)


def bounded_optimum(columns: np.ndarray, label: np.ndarray, signs: Sequence[int], penalty: float) -> np.ndarray:
    full = sm.add_constant(columns)

    def loss(w: np.ndarray) -> tuple[float, np.ndarray]:
        z = full @ w
        value = np.logaddexp(0, z).sum() - label @ z + penalty / 2 * (w[1:] ** 2).sum()
        return value, full.T @ (1 / (1 + np.exp(-z)) - label) + penalty * np.r_[0, w[1:]]

    limits = [(None, None)] + [(0 if s > 0 else None, 0 if s < 0 else None) for s in signs]
    found = minimize(loss, np.zeros(full.shape[1]), jac=True, bounds=limits, method="L-BFGS-B", tol=1e-14)
    return np.asarray(found.x[1:])


@pytest.mark.parametrize(("seed", "penalty"), [(4, 0.0), (2, 5.0), (3, 0.0)])
def test_logistic_coefficients_with_signs_are_the_bounded_optimum(seed: int, penalty: float) -> None:
    columns = tangled(1500, 8, seed)
    label, signs = outcomes(columns, seed), [1, 1, 1, -1, 0, 1, -1, 1]
    ours = fit(columns, label, [3, 5], replace(LOGISTIC, penalty=penalty), Choice(signs))
    theirs = bounded_optimum(columns, label, signs, penalty)
    assert 0 < sum(theirs == 0) < 8
    np.testing.assert_allclose(ours.weights, theirs, atol=1e-3)
    assert (ours.weights * signs >= 0).all()
    assert set(ours.kept) == set(np.flatnonzero(ours.weights))


def test_linear_coefficients_with_signs_are_the_bounded_optimum() -> None:
    columns = tangled(400, 6, 5)
    label = columns @ [1, -0.3, 0.2, 0.5, -0.1, 2] + np.random.default_rng(5).normal(size=400) * 3
    ours = fit(columns, label, [2, 4], LINEAR, Choice([1] * 6))
    centred = columns - columns.mean(axis=0)
    gram, right = centred.T @ centred, centred.T @ (label - label.mean())
    found = minimize(
        lambda w: (w @ gram @ w / 2 - right @ w, gram @ w - right), np.zeros(6), jac=True, bounds=[(0, None)] * 6
    )
    np.testing.assert_allclose(ours.weights, found.x, atol=2e-3)
    assert sum(ours.weights == 0) == 2


def test_free_signs_and_signs_that_hold_anyway_change_nothing() -> None:
    columns = tangled(800, 4, 8)
    label = outcomes(columns, 8)
    free = fit(columns, label, [2, 2], LOGISTIC, Choice())
    held = fit(columns, label, [2, 2], LOGISTIC, Choice(np.sign(free.weights).astype(int).tolist()))
    np.testing.assert_allclose(held.weights, free.weights, atol=2e-4)
    assert held.kept == free.kept == (0, 1, 2, 3)


def test_signs_for_another_number_of_columns_are_misuse() -> None:
    columns = tangled(60, 3, 0)
    with pytest.raises(MisuseError, match="one for each column"):
        fit(columns, outcomes(columns, 0), [2, 1], LOGISTIC, Choice([1, 1]))


class Reference:
    """Selection by the p-values of statsmodels."""

    def __init__(self, columns: np.ndarray, label: np.ndarray, classifies: bool) -> None:
        self.columns, self.label, self.classifies = columns, label, classifies

    def model(self, kept: Sequence[int]):  # type: ignore[no-untyped-def]
        exog = np.column_stack([np.ones(len(self.label)), self.columns[:, list(kept)]])
        if self.classifies:
            return sm.GLM(self.label, exog, sm.families.Binomial()).fit(tol=1e-12)
        return sm.OLS(self.label, exog).fit()

    def leave(self, kept: list[int], level: float) -> list[int]:
        worst = np.argmax(self.model(kept).pvalues[1:])
        return [j for i, j in enumerate(kept) if i != worst or self.model(kept).pvalues[1:][worst] <= level]

    def enter(self, kept: list[int], level: float) -> list[int]:
        others = [j for j in range(self.columns.shape[1]) if j not in kept]
        if self.classifies:
            now = self.model(kept)
            p = [now.score_test(exog_extra=self.columns[:, [j]])[1] for j in others]
        else:
            p = [self.model([*kept, j]).pvalues[-1] for j in others]
        return sorted([*kept, others[int(np.argmin(p))]]) if others and min(p) < level else kept

    def selected(self, direction: Direction, enter: float, leave: float) -> list[int]:
        if direction is Direction.BACKWARD:
            kept = list(range(self.columns.shape[1]))
            while kept and (fewer := self.leave(kept, leave)) != kept:
                kept = fewer
            return kept
        kept = []
        while (more := self.enter(kept, enter)) != kept:
            kept = more
            while direction is Direction.STEPWISE and (fewer := self.leave(kept, leave)) != kept:
                kept = fewer
        return kept


def card_default() -> tuple[np.ndarray, np.ndarray]:
    table = pd.read_csv(DATA / "uci_default_credit" / "UCI_Credit_Card.csv.gz").iloc[:1500]
    return table.iloc[:, [1, 2, 4, 5, 6, 7, 12, 18, 19]].to_numpy(float), table.iloc[:, -1].to_numpy(float)


@pytest.mark.parametrize("direction", list(Direction))
def test_card_default_columns_are_selected_as_by_statsmodels(direction: Direction) -> None:
    columns, label = card_default()
    selection = Selection(direction, enter=0.2, leave=0.25)
    ours = fit(columns, label, [5, 4], LOGISTIC, Choice(selection=selection))
    scaled = columns / columns.std(axis=0)
    theirs = Reference(scaled, label, classifies=True).selected(direction, 0.2, 0.25)
    assert list(ours.kept) == theirs
    assert 2 < len(theirs) < 9
    fitted = Reference(scaled, label, classifies=True).model(theirs)
    np.testing.assert_allclose(ours.weights[theirs] * columns.std(axis=0)[theirs], fitted.params[1:], atol=1e-3)
    np.testing.assert_allclose(ours.errors[theirs] * columns.std(axis=0)[theirs], fitted.bse[1:], rtol=1e-2)
    assert not ours.weights[[j for j in range(9) if j not in theirs]].any()


@pytest.mark.parametrize("direction", list(Direction))
def test_student_grades_are_selected_as_by_statsmodels(direction: Direction) -> None:
    guest, host = (
        pd.read_csv(DATA / "fate_small" / f"student_hetero_{side}.csv.gz") for side in ("guest", "host")
    )
    joined = guest.merge(host, on="id", suffixes=("_guest", ""))
    columns, label = joined.iloc[:, 2:].to_numpy(float), joined["y"].to_numpy(float)
    ours = fit(columns, label, [6, 7], LINEAR, Choice(selection=Selection(direction, enter=0.1, leave=0.1)))
    theirs = Reference(columns, label, classifies=False).selected(direction, 0.1, 0.1)
    assert list(ours.kept) == theirs
    np.testing.assert_allclose(
        ours.weights[theirs],
        sm.OLS(label, sm.add_constant(columns[:, theirs])).fit().params[1:],
        atol=1e-3 * label.std(),
    )


def test_by_aic_no_column_more_or_less_would_be_better() -> None:
    columns = tangled(300, 7, 4)
    label = columns @ [1, 0, 0.5, 0, 0, 0.1, 0] + np.random.default_rng(4).normal(size=300) * 4
    ours = fit(columns, label, [3, 4], LINEAR, Choice(selection=Selection(Direction.BACKWARD, Criterion.AIC)))
    reference = Reference(columns, label, classifies=False)
    best = reference.model(ours.kept).aic
    for j in range(7):
        assert reference.model(sorted({*ours.kept} ^ {j})).aic > best
