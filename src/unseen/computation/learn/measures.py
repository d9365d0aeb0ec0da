"""How well a model predicts rows that it was not fitted to, whatever is predicted, from predictions in the clear.

A prediction is the linear predictor s: log-odds of an outcome, a number, or the logarithm of a mean.

    outcome   chance p = 1/(1+e^-s)    AUC, Gini, KS, log-loss, Brier score
    number    mean m = s               deviance = (y - m)²
    count     mean m = e^s             deviance = 2·(y·log(y/m) - y + m)           (Poisson)
    amount    mean m = e^s             deviance = 2·(y/m - 1 - log(y/m))           (gamma)

all of them by bands of equal size in the order of predictions: how much came, and how much was expected. Lift is a
band's rate over that of all rows, gain the share of what came that the bands so far hold, highest first. Where
rows carry weights, every sum, mean and share is one of weights; bands keep equal numbers of rows. `hidden_quality`
and `hidden_errors` measure the same where nobody may see a prediction, `hidden_weighted` with weights.

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
    """A run of rows by prediction: how many, the sum of what came, and of what was expected; the rows' `weight`
    where they carry weights, with which both sums are taken then."""

    rows: int
    came: float
    expected: float
    weight: float | None = None

    @property
    def size(self) -> float:
        """What a rate is over: weight, or rows."""
        return self.rows if self.weight is None else self.weight


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
        rows = np.array([band.size for band in reversed(self.bands)])
        total = came.sum()
        if total <= 0:
            return [(0.0, 0.0)] * len(came)
        return list(
            zip(
                (came / np.maximum(rows, 1e-300) / (total / rows.sum())).tolist(),
                (came.cumsum() / total).tolist(),
                strict=True,
            )
        )


def band_marks(rows: int, smallest: int) -> Index:
    """The last row, from 0, of each of up to ten bands of at least `smallest` rows and about equal size."""
    count = max(1, min(MOST_BANDS, rows // max(smallest, 1)))
    return np.asarray(rows * np.arange(1, count + 1) // count - 1, dtype=np.int64)


def measured(
    predicted: Predicted, predictor: Real, label: Real, smallest: int = 1, weights: Real | None = None
) -> Measured:
    """Measure predictors (n,) against labels (n,), in bands of at least `smallest` rows.

    By `weights` (n,) if given. Raises DataError where outcomes have one class only, and where no row is there.
    """
    if not len(label):
        raise DataError("evaluation needs rows; hold out a larger share")
    means = mean_of(predicted, predictor)
    order = np.argsort(predictor, kind="stable")
    marks = band_marks(len(label), smallest)
    sizes = np.diff(marks, prepend=-1)
    each = np.ones(len(label)) if weights is None else weights
    came, expected, weight = (
        np.diff(np.cumsum(values[order])[marks], prepend=0.0) for values in (each * label, each * means, each)
    )
    found = bands_of(sizes, came, expected, weight, weighted=weights is not None)
    if predicted is Predicted.OUTCOME:
        figures = outcome_figures(predictor, means, label, weights)
    else:
        errors = label - means
        rows = (errors**2, np.abs(errors), deviances(predicted, predictor, label))
        squared, absolute, deviance = (mean(values, weights) for values in rows)
        figures = number_figures(predicted, squared, absolute, deviance, label, weights)
    return Measured(predicted, len(label), figures, found)


def bands_of(rows: Index, came: Real, expected: Real, weight: Real, weighted: bool) -> tuple[Band, ...]:
    """Bands from their numbers of rows and sums; weights count where they are `weighted`."""
    found = zip(rows, came, expected, weight, strict=True)
    return tuple(Band(int(n), float(c), float(e), float(w) if weighted else None) for n, c, e, w in found)


def mean(values: Real, weights: Real | None) -> float:
    """The mean of (n,), by weights (n,) if given."""
    return float(np.average(values, weights=weights))


def mean_of(predicted: Predicted, predictor: Real) -> Real:
    """The mean that a linear predictor stands for."""
    if predicted is Predicted.OUTCOME:
        return np.asarray(1.0 / (1.0 + np.exp(-np.clip(predictor, -500, 500))))
    return predictor if predicted is Predicted.NUMBER else np.asarray(np.exp(predictor))


def outcome_figures(odds: Real, chances: Real, label: Real, weights: Real | None = None) -> dict[str, float]:
    """Of log-odds, chances and outcomes (n,), 1 being what is predicted."""
    losses = np.logaddexp(0.0, odds) - odds * label
    brier = mean((chances - label) ** 2, weights)
    found = quality(-odds, label, weights).as_json()
    return {**found, "log_loss": mean(losses, weights), "brier": brier}


def number_figures(
    predicted: Predicted,
    squared: float,
    absolute: float,
    deviance: float,
    label: Real,
    weights: Real | None = None,
) -> dict[str, float]:
    """From means over rows; `explained` is the share of the deviance of one mean for all rows that is gone."""
    alone = mean(deviances(predicted, null_predictor(predicted, label, weights), label), weights)
    return {
        "rmse": float(np.sqrt(max(squared, 0.0))),
        "mae": absolute,
        "deviance": deviance,
        "explained": 1.0 - deviance / alone if alone > 0 else 0.0,
    }


def null_predictor(predicted: Predicted, label: Real, weights: Real | None = None) -> Real:
    """The same prediction for all rows: the labels' own mean. Raises DataError where a logarithm has none."""
    centre = mean(label, weights)
    if predicted is not Predicted.NUMBER and centre <= 0:
        raise DataError("the label is zero in all rows that measure the model; hold out a larger share")
    return np.full(len(label), centre if predicted is Predicted.NUMBER else np.log(centre))


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
