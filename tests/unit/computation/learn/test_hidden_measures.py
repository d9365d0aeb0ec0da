"""Losses, errors and stability on shares, against scikit-learn and the measures in the clear."""

from __future__ import annotations

from collections.abc import Callable

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
)

from unseen.computation.circle import Circle
from unseen.computation.in_process import run_parties
from unseen.computation.learn.evaluate import stability
from unseen.computation.learn.hidden_errors import hidden_errors
from unseen.computation.learn.hidden_loss import chances_and_losses
from unseen.computation.learn.hidden_quality import HiddenQuality, hidden_quality
from unseen.computation.learn.hidden_stability import counts_between, score_edges
from unseen.computation.learn.measures import Measured, Predicted, measured, shift
from unseen.computation.share.array import Shared, from_owner, reveal
from unseen.errors import DataError


def shared(circle: Circle, values: np.ndarray, fraction: int = 28) -> Shared:
    """Known to party 0, which holds the predictors; labels are the last party's."""
    return from_owner(circle, 0, values if circle.rank == 0 else None, values.shape, fraction)


def test_log_losses_and_chances_are_right_for_any_score() -> None:
    odds = np.r_[np.linspace(-14, 14, 400), np.linspace(-300, 300, 60), 0.0]
    outcome = (np.arange(len(odds)) % 2).astype(float)

    def program(circle: Circle) -> list[np.ndarray]:
        came = from_owner(circle, 1, outcome if circle.rank == 1 else None, outcome.shape, 0)
        return [reveal(part, "test") for part in chances_and_losses(shared(circle, odds), came)]

    chances, losses = run_parties(program, 2)[0]
    np.testing.assert_allclose(losses, np.logaddexp(0, odds) - odds * outcome, atol=1e-5)
    np.testing.assert_allclose(chances, 1 / (1 + np.exp(-np.clip(odds, -500, 500))), atol=2.5e-4)


@pytest.mark.parametrize("parties", [2, 3])
def test_log_loss_joins_the_hidden_measures_as_scikit_learn_has_it(parties: int) -> None:
    draw = np.random.default_rng(1)
    odds = draw.normal(size=400) * 3
    came = (draw.random(400) < 1 / (1 + np.exp(-odds))).astype(float)

    def program(circle: Circle) -> HiddenQuality | None:
        own = came if circle.rank == circle.size - 1 else None
        score = shared(circle, odds)
        outcome = from_owner(circle, circle.size - 1, own, came.shape, 0)
        chances, losses = chances_and_losses(score, outcome)
        return hidden_quality(-score, chances, own, circle.size - 1, "party0", losses=losses)

    found = run_parties(program, parties)[0]
    assert found is not None
    chances = 1 / (1 + np.exp(-odds))
    assert found.log_loss == pytest.approx(log_loss(came, chances), abs=1e-5)
    assert found.brier == pytest.approx(brier_score_loss(came, chances), abs=4e-5)
    in_clear = measured(Predicted.OUTCOME, odds, came)
    assert in_clear.figures["log_loss"] == pytest.approx(log_loss(came, chances))
    assert in_clear.figures["auc"] == pytest.approx(found.quality.auc)
    assert [band.came for band in in_clear.bands] == [band.bad for band in reversed(found.bands)]


DEVIANCES: dict[Predicted, tuple[int, Callable[..., float]]] = {
    Predicted.NUMBER: (0, mean_squared_error),
    Predicted.COUNT: (1, mean_poisson_deviance),
    Predicted.AMOUNT: (2, mean_gamma_deviance),
}


@pytest.mark.parametrize("predicted", list(DEVIANCES))
@pytest.mark.parametrize("unit", [1.0, 64.0])
def test_errors_and_deviances_are_those_of_scikit_learn(predicted: Predicted, unit: float) -> None:
    draw = np.random.default_rng(2)
    score = draw.normal(size=600)
    mean = score * unit if predicted is Predicted.NUMBER else np.exp(score) * unit
    positive = np.abs(mean)
    label = {
        Predicted.NUMBER: mean + draw.normal(size=600) * unit,
        Predicted.COUNT: draw.poisson(positive).astype(float),
        Predicted.AMOUNT: draw.gamma(2.0, positive / 2.0),
    }[predicted]
    entered = score if predicted is Predicted.NUMBER else np.log(positive)

    def program(circle: Circle) -> Measured | None:
        own = label if circle.rank == 1 else None
        return hidden_errors(shared(circle, entered), own, 1, predicted, unit, smallest=50)

    nothing, found = run_parties(program, 2)
    assert nothing is None
    assert found is not None
    in_clear = measured(predicted, mean if predicted is Predicted.NUMBER else np.log(mean), label, 50)
    power, deviance = DEVIANCES[predicted]
    # A count's deviance holds its mean, right to 7e-4, twice: four standard deviations of the rows' average.
    off = 8 * 4e-4 * np.sqrt((mean**2).mean() / 600) if predicted is Predicted.COUNT else 0.0
    for one, within, slack in ((in_clear, 1e-9, 0.0), (found, 1e-3, off)):
        assert one.figures["rmse"] == pytest.approx(np.sqrt(mean_squared_error(label, mean)), rel=within)
        assert one.figures["mae"] == pytest.approx(mean_absolute_error(label, mean), rel=within)
        assert one.figures["deviance"] == pytest.approx(deviance(label, mean), rel=2 * within, abs=slack)
        assert one.figures["explained"] == pytest.approx(
            d2_tweedie_score(label, mean, power=power), abs=2 * within + slack
        )
    assert [band.rows for band in found.bands] == [60] * 10
    for name in ("came", "expected"):
        ours = [getattr(band, name) for band in found.bands]
        np.testing.assert_allclose(ours, [getattr(band, name) for band in in_clear.bands], rtol=1e-3)


def test_lift_and_gains_come_from_the_bands_highest_first() -> None:
    label = np.r_[np.ones(10), np.zeros(90)]
    found = measured(Predicted.OUTCOME, np.linspace(1, -1, 100), label)
    assert found.gains[0] == (pytest.approx(10.0), pytest.approx(1.0))
    assert found.gains[-1] == (pytest.approx(0.0), pytest.approx(1.0))


@pytest.mark.parametrize("ties", [False, True])
def test_stability_on_shares_is_that_of_counts_in_the_clear(ties: bool) -> None:
    draw = np.random.default_rng(3)
    before, after = draw.normal(size=500), draw.normal(size=300) + 0.4
    if ties:
        before, after = np.round(before), np.round(after)

    def program(circle: Circle) -> list[np.ndarray | None]:
        first, second = shared(circle, before), shared(circle, after)
        edges = score_edges(first)
        return [counts_between(edges, part, "party1") for part in (first, second)]

    (nothing, _), (first, second) = run_parties(program, 2)
    assert nothing is None
    assert (sum(first), sum(second)) == (500, 300)
    edges = np.sort(before)[500 * np.arange(1, 10) // 10]
    np.testing.assert_array_equal(second, np.histogram(after, np.r_[-np.inf, edges, np.inf])[0])
    if not ties:
        assert shift(first, second) == pytest.approx(stability(before, after), abs=0.01)
    assert shift(first, second) > 0.1


def test_labels_that_are_zero_throughout_measure_no_count() -> None:
    def program(circle: Circle) -> Measured | None:
        own = np.zeros(20) if circle.rank == 1 else None
        return hidden_errors(shared(circle, np.zeros(20)), own, 1, Predicted.COUNT)

    with pytest.raises(DataError, match="zero in all rows"):
        run_parties(program, 2)
