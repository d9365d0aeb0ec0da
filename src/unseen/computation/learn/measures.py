"""How well a model predicts rows that it was not fitted to, whatever is predicted, from predictions in the clear.

A prediction is the linear predictor s: log-odds of an outcome, a number, or the logarithm of a mean.

    outcome   chance p = 1/(1+e^-s)    AUC, Gini, KS, log-loss, Brier score
    number    mean m = s               deviance = (y - m)²
    count     mean m = e^s             deviance = 2·(y·log(y/m) - y + m)           (Poisson)
    amount    mean m = e^s             deviance = 2·(y/m - 1 - log(y/m))           (gamma)

all of them by bands of equal size in the order of predictions: how much came, and how much was expected. Lift is a
band's rate over that of all rows, gain the share of what came that the bands so far hold, highest first. `hidden_
quality` and `hidden_errors` measure the same where nobody may see a prediction.

Source: McCullagh and Nelder, Generalized Linear Models (1989), section 2.3; Thomas, Edelman, Crook (2002), ch. 7.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np

from unseen.computation.learn.evaluate import quality
from unseen.computation.types import Index, Real
from unseen.errors import DataError

MOST_BANDS: Final = 10


class Predicted(StrEnum):
    """What a model predicts."""

    OUTCOME = "outcome"
    NUMBER = "number"
    COUNT = "count"
    AMOUNT = "amount"


@dataclass(frozen=True)
class Band:
    """A run of rows by prediction: how many, the sum of what came, and of what was expected."""

    rows: int
    came: float
    expected: float


@dataclass(frozen=True)
class Measured:
    """`figures` by name (see above), `bands` in the order of predictions, lowest first."""

    predicted: Predicted
    rows: int
    figures: Mapping[str, float]
    bands: tuple[Band, ...]

    @property
    def gains(self) -> list[tuple[float, float]]:
        """Of each band, highest first: lift, and gain so far; zero where nothing came at all."""
        came = np.array([band.came for band in reversed(self.bands)])
        rows = np.array([band.rows for band in reversed(self.bands)])
        total = came.sum()
        if total <= 0:
            return [(0.0, 0.0)] * len(came)
        return list(
            zip((came / rows / (total / rows.sum())).tolist(), (came.cumsum() / total).tolist(), strict=True)
        )


def band_marks(rows: int, smallest: int) -> Index:
    """The last row, from 0, of each of up to ten bands of at least `smallest` rows and about equal size."""
    count = max(1, min(MOST_BANDS, rows // max(smallest, 1)))
    return np.asarray(rows * np.arange(1, count + 1) // count - 1, dtype=np.int64)


def measured(predicted: Predicted, predictor: Real, label: Real, smallest: int = 1) -> Measured:
    """Measure predictors (n,) against labels (n,), in bands of at least `smallest` rows.

    Raises DataError where outcomes have one class only, and where no row is there.
    """
    if not len(label):
        raise DataError("evaluation needs rows; hold out a larger share")
    means = mean_of(predicted, predictor)
    order = np.argsort(predictor, kind="stable")
    marks = band_marks(len(label), smallest)
    sizes = np.diff(marks, prepend=-1)
    sums = [np.diff(np.cumsum(values[order])[marks], prepend=0.0) for values in (label, means)]
    found = tuple(Band(int(n), float(c), float(e)) for n, c, e in zip(sizes, *sums, strict=True))
    if predicted is Predicted.OUTCOME:
        figures = outcome_figures(predictor, means, label)
    else:
        deviance = float(deviances(predicted, predictor, label).mean())
        errors = label - means
        squared, absolute = float((errors**2).mean()), float(np.abs(errors).mean())
        figures = number_figures(predicted, squared, absolute, deviance, label)
    return Measured(predicted, len(label), figures, found)


def mean_of(predicted: Predicted, predictor: Real) -> Real:
    """The mean that a linear predictor stands for."""
    if predicted is Predicted.OUTCOME:
        return np.asarray(1.0 / (1.0 + np.exp(-np.clip(predictor, -500, 500))))
    return predictor if predicted is Predicted.NUMBER else np.asarray(np.exp(predictor))


def outcome_figures(odds: Real, chances: Real, label: Real) -> dict[str, float]:
    """Of log-odds, chances and outcomes (n,), 1 being what is predicted."""
    losses = np.logaddexp(0.0, odds) - odds * label
    brier = float(((chances - label) ** 2).mean())
    return {**quality(-odds, label).as_json(), "log_loss": float(losses.mean()), "brier": brier}


def number_figures(
    predicted: Predicted, squared: float, absolute: float, deviance: float, label: Real
) -> dict[str, float]:
    """From means over rows; `explained` is the share of the deviance of one mean for all rows that is gone."""
    alone = float(deviances(predicted, null_predictor(predicted, label), label).mean())
    return {
        "rmse": float(np.sqrt(max(squared, 0.0))),
        "mae": absolute,
        "deviance": deviance,
        "explained": 1.0 - deviance / alone if alone > 0 else 0.0,
    }


def null_predictor(predicted: Predicted, label: Real) -> Real:
    """The same prediction for all rows: the labels' own mean. Raises DataError where a logarithm has none."""
    mean = float(label.mean())
    if predicted is not Predicted.NUMBER and mean <= 0:
        raise DataError("the label is zero in all rows that measure the model; hold out a larger share")
    return np.full(len(label), mean if predicted is Predicted.NUMBER else np.log(mean))


def deviances(predicted: Predicted, predictor: Real, label: Real) -> Real:
    """Each row's deviance (n,) of a number, count or amount."""
    if predicted is Predicted.NUMBER:
        return np.asarray((label - predictor) ** 2)
    mean = np.exp(predictor)
    if predicted is Predicted.AMOUNT:
        return np.asarray(2.0 * (label / mean - 1.0 - np.log(label) + predictor))
    return np.asarray(2.0 * (x_log_x(label) - label * predictor - label + mean))


def shift(before: Sequence[float], after: Sequence[float]) -> float:
    """The population stability index of counts by the same bands or levels before and after; an empty one counts
    as half a row. 0 is no change; above 0.25 the population is taken for another one."""
    first, second = np.asarray(before, dtype=np.float64), np.asarray(after, dtype=np.float64)
    p = np.maximum(first, 0.5) / max(first.sum(), 1.0)
    q = np.maximum(second, 0.5) / max(second.sum(), 1.0)
    return float(((q - p) * np.log(q / p)).sum())


def x_log_x(values: Real) -> Real:
    """x·log(x), zero at zero."""
    return np.asarray(values * np.log(np.where(values > 0, values, 1.0)))
