"""Measures by the rows' weights, in the clear and on shares, against scikit-learn's sample weights."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import (
    brier_score_loss,
    d2_tweedie_score,
    log_loss,
    mean_absolute_error,
    mean_gamma_deviance,
    mean_poisson_deviance,
    mean_squared_error,
    roc_auc_score,
    roc_curve,
)

from unseen.computation.circle import Circle
from unseen.computation.in_process import run_parties
from unseen.computation.learn.hidden_measures import hidden_measures
from unseen.computation.learn.measures import Measured, Predicted, measured
from unseen.computation.learn.rows import RowValues
from unseen.computation.share.array import from_owner
from unseen.errors import DataError

ROWS = 400


def hidden(
    predicted: Predicted, predictor: np.ndarray, label: np.ndarray, weights: np.ndarray, parties: int = 2
) -> Measured:
    """Predictors at party 0, labels and weights at the last one, which is told."""

    def program(circle: Circle) -> Measured | None:
        last = circle.size - 1
        mine = circle.rank == last
        shared = from_owner(circle, 0, predictor if circle.rank == 0 else None, (ROWS,), 28)
        each = RowValues(last, weights if mine else None)
        return hidden_measures(predicted, shared, label if mine else None, last, 1.0, 50, each)

    *others, found = run_parties(program, parties)
    assert others == [None] * (parties - 1)
    assert found is not None
    return found


def weighing(draw: np.random.Generator) -> np.ndarray:
    weights = draw.gamma(1.0, 3.0, ROWS)
    weights[:20] = 0.0
    return weights


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("parties", [2, 3])
def test_separation_losses_and_bands_of_outcomes_are_those_of_scikit_learn(ties: bool, parties: int) -> None:
    draw = np.random.default_rng(21)
    odds, weights = draw.normal(size=ROWS) * 2, weighing(draw)
    if ties:
        odds = np.round(odds)
    chances = 1 / (1 + np.exp(-odds))
    label = (draw.random(ROWS) < chances).astype(float)
    clear = measured(Predicted.OUTCOME, odds, label, 50, weights)
    shared = hidden(Predicted.OUTCOME, odds, label, weights, parties)
    false, true, _ = roc_curve(label, odds, sample_weight=weights)
    expected = {
        "auc": roc_auc_score(label, odds, sample_weight=weights),
        "gini": 2 * roc_auc_score(label, odds, sample_weight=weights) - 1,
        "ks": np.abs(true - false).max(),
        "log_loss": log_loss(label, chances, sample_weight=weights),
        "brier": brier_score_loss(label, chances, sample_weight=weights),
    }
    assert set(clear.figures) == set(shared.figures) == set(expected)
    for name, value in expected.items():
        assert clear.figures[name] == pytest.approx(value, abs=1e-9), name
        assert shared.figures[name] == pytest.approx(value, abs=1e-4 if name in ("log_loss", "brier") else 1e-6)
    for found in (clear, shared):
        assert [band.rows for band in found.bands] == [50] * 8
        assert sum(band.size for band in found.bands) == pytest.approx(weights.sum(), rel=1e-5)
        assert sum(band.came for band in found.bands) == pytest.approx((weights * label).sum(), rel=1e-5)
        assert found.gains[-1][1] == pytest.approx(1.0)
    if not ties:
        parts = np.split(np.argsort(odds), 8)
        rates = [np.average(label[part], weights=weights[part]) for part in parts]
        chance = [np.average(chances[part], weights=weights[part]) for part in parts]
        for found, within in ((clear, 1e-9), (shared, 1e-3)):
            np.testing.assert_allclose([band.came / band.size for band in found.bands], rates, atol=within)
            np.testing.assert_allclose([band.expected / band.size for band in found.bands], chance, atol=within)
        lift = rates[-1] / np.average(label, weights=weights)
        assert shared.gains[0][0] == pytest.approx(lift, rel=1e-3)


@pytest.mark.parametrize("predicted", [Predicted.NUMBER, Predicted.COUNT, Predicted.AMOUNT])
def test_errors_and_deviances_are_those_of_scikit_learn(predicted: Predicted) -> None:
    draw = np.random.default_rng(22)
    predictor, weights = draw.normal(size=ROWS), weighing(draw)
    means = predictor if predicted is Predicted.NUMBER else np.exp(predictor)
    label = {
        Predicted.NUMBER: predictor + draw.normal(size=ROWS),
        Predicted.COUNT: draw.poisson(np.exp(predictor)).astype(float),
        Predicted.AMOUNT: draw.gamma(2.0, np.exp(predictor) / 2),
    }[predicted]
    deviance = {
        Predicted.NUMBER: mean_squared_error,
        Predicted.COUNT: mean_poisson_deviance,
        Predicted.AMOUNT: mean_gamma_deviance,
    }[predicted]
    power = {Predicted.NUMBER: 0, Predicted.COUNT: 1, Predicted.AMOUNT: 2}[predicted]
    expected = {
        "rmse": np.sqrt(mean_squared_error(label, means, sample_weight=weights)),
        "mae": mean_absolute_error(label, means, sample_weight=weights),
        "deviance": deviance(label, means, sample_weight=weights),
        "explained": d2_tweedie_score(label, means, power=power, sample_weight=weights),
    }
    clear = measured(predicted, predictor, label, 50, weights)
    shared = hidden(predicted, predictor, label, weights)
    for name, value in expected.items():
        assert clear.figures[name] == pytest.approx(value, rel=1e-9, abs=1e-9), name
        assert shared.figures[name] == pytest.approx(value, rel=3e-3, abs=3e-3), name
    for ours, theirs in zip(shared.bands, clear.bands, strict=True):
        assert (ours.rows, ours.size) == (theirs.rows, pytest.approx(theirs.size, rel=1e-4))
        assert ours.came == pytest.approx(theirs.came, rel=1e-3, abs=1e-2)
        assert ours.expected == pytest.approx(theirs.expected, rel=2e-3, abs=1e-2)


def test_equal_weights_measure_as_none() -> None:
    draw = np.random.default_rng(23)
    odds = draw.normal(size=ROWS)
    label = (draw.random(ROWS) < 1 / (1 + np.exp(-odds))).astype(float)
    plain = measured(Predicted.OUTCOME, odds, label)
    weighed = measured(Predicted.OUTCOME, odds, label, weights=np.full(ROWS, 7.0))
    assert weighed.figures == pytest.approx(plain.figures)
    np.testing.assert_allclose(weighed.gains, plain.gains)


def test_a_class_without_weight_cannot_be_measured() -> None:
    draw = np.random.default_rng(24)
    odds, label = draw.normal(size=ROWS), (np.arange(ROWS) < 50).astype(float)
    for measure in (
        lambda: measured(Predicted.OUTCOME, odds, label, 1, 1.0 - label),
        lambda: hidden(Predicted.OUTCOME, odds, label, 1.0 - label),
    ):
        with pytest.raises(DataError, match="good and bad"):
            measure()
