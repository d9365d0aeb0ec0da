"""How far predictions of numbers lie from what came, where nobody may see a prediction: errors on shares.

Squared and absolute errors, the deviance of `measures`, and by bands of equal size in the order of predictions
what came and what was expected. Predictors are held within ±2^12 units of the label (numbers), or from e^-16
(amounts: e^-8) to e^8 times the labels' mean; an error counts as 2^12 units or means at most. Means by the
exponential function, right to 7e-4 of their size each (`share.exponential`): over n rows the deviance of counts is
off by some 8e-4·m/√n, m the root of the mean square of the means. Where rows carry weights, the label's party
enters each row's share of all weight, right to 2^-23: a mean over n rows is off by some 2^-23·√n of their size.

Setting: semi-honest, any number of parties, all but one colluding, correlated randomness from the source. Who
learns what: see PROFILE. Failure: none. Cost: a sort, and about six comparisons a row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from unseen.computation.circle import Circle
from unseen.computation.learn.bounded import bounded
from unseen.computation.learn.measures import (
    Measured,
    Predicted,
    band_marks,
    bands_of,
    number_figures,
    x_log_x,
)
from unseen.computation.learn.rows import RowValues
from unseen.computation.profile import Carries, Disclosure, Message, Profile, Role
from unseen.computation.share import arithmetic
from unseen.computation.share.array import Shared, concatenate, from_owner, reveal_to
from unseen.computation.share.boolean import where
from unseen.computation.share.compare import negative
from unseen.computation.share.exponential import exponential
from unseen.computation.share.sort import sort_by
from unseen.computation.types import Index, Real
from unseen.errors import DataError, MisuseError

PROFILE: Final = Profile(
    id="learn/hidden-errors",
    title="Errors of predictions that nobody sees",
    source="deviances of McCullagh and Nelder (1989), section 2.3, on shares; sorting as in share/sort",
    reveals=(
        Disclosure(Role.EACH, "the mean of the labels that measure the model (counts and amounts)"),
        Disclosure(
            Role.RECIPIENT,
            "mean squared and absolute error and deviance of the model, and for each of {bands} bands of equal "
            "size, ordered by prediction, the sum of what came and of what the model expected",
        ),
        Disclosure(Role.DEALER, "the number of evaluated rows"),
    ),
    messages=(
        Message("errors/mean", Carries.DISCLOSED, most_messages=1, most_bytes=24),
        Message("reveal/errors", Carries.DISCLOSED, most_messages=1, most_bytes=256),
        Message("reveal/errors-bands", Carries.DISCLOSED, most_messages=1),
    ),
)
WEIGHTED: Final = Profile(
    id="learn/hidden-weighted-errors",
    title="Errors of predictions that nobody sees, by the rows' weights",
    source=PROFILE.source,
    reveals=(
        PROFILE.reveals[0],
        Disclosure(
            Role.RECIPIENT,
            "mean squared and absolute error and deviance of the model by the rows' weights, and for each of "
            "{bands} bands of equal numbers of rows, ordered by prediction, the weight and the weighted sums of "
            "what came and of what the model expected",
        ),
        PROFILE.reveals[-1],
    ),
    messages=PROFILE.messages,
)
FRACTION: Final = 20
SHARE_FRACTION: Final = 22
"""Fractional bits of a row's share of all weight; what it multiplies stays below 2^24, of PART_FRACTION bits."""
PART_FRACTION: Final = 14
BAND_FRACTION: Final = 28
ERROR_FRACTION: Final = 18
"""Fractional bits of an error, so that its square stays below 2^26."""
WIDEST: Final = 2.0**12
HIGH: Final = 8.0
LOW: Final = {Predicted.COUNT: -16.0, Predicted.AMOUNT: -8.0}


@dataclass(frozen=True, eq=False)
class _Rows:
    """Predictor, label and mean (n,), in `unit` of the label; `deviance` (n,) in a unit of its own, None where it
    is the squared error."""

    predictor: Shared
    label: Shared
    mean: Shared
    deviance: Shared | None
    unit: float
    deviance_unit: float


def hidden_errors(
    predictor: Shared,
    label: Real | None,
    holder: int,
    predicted: Predicted,
    unit: float = 1.0,
    smallest: int = 1,
    weights: RowValues | None = None,
) -> Measured | None:
    """Measure shared predictors (n,) against `label` (n,) at rank `holder`, who gets the result; None elsewhere.

    `weights`, if rows carry any, are the holder's. Predictors of numbers are in `unit` of the label; all others
    are logarithms of means. Raises DataError at the holder for labels that cannot be, and at all where none is
    above zero (counts and amounts).
    """
    circle, count = predictor.circle, predictor.size
    rows = _entered(predictor, label, holder, predicted, unit)
    errors, _ = bounded(arithmetic.rescale(rows.label - rows.mean, ERROR_FRACTION), -WIDEST, WIDEST)
    sizes = where(negative(errors), -errors, errors)
    squares = arithmetic.multiply(errors, errors, FRACTION)
    deviance = squares if rows.deviance is None else rows.deviance
    share = None if weights is None else _shares(circle, weights, count)
    means = [_mean(part, share) for part in (squares, sizes, deviance)]
    marks = band_marks(count, smallest)
    _, *columns = sort_by(rows.predictor, _by_band(rows, share))
    table = concatenate([column.cumsum()[marks] for column in columns])
    told = reveal_to(concatenate(means), circle.parties[holder], "errors")
    cumulative = reveal_to(table, circle.parties[holder], "errors-bands")
    if told is None or cumulative is None or label is None:
        return None
    given = None if weights is None else weights.values
    told = told / (count if given is None else 1)
    return _read(predicted, rows, told, cumulative.reshape(len(columns), -1), marks, label, given)


def _shares(circle: Circle, weights: RowValues, rows: int) -> Shared:
    """Each row's share (rows,) of all weight. Raises DataError at the owner where there is none."""
    own = weights.values if circle.rank == weights.owner else None
    if own is not None and not own.sum() > 0:
        raise DataError("the rows that measure the model have no weight; hold out a larger share")
    return from_owner(circle, weights.owner, None if own is None else own / own.sum(), (rows,), SHARE_FRACTION)


def _mean(part: Shared, share: Shared | None) -> Shared:
    """The sum (1,) of (n,), or its mean by shares of weight."""
    if share is None:
        return arithmetic.rescale(part.sum().reshape(1), FRACTION)
    weighed = arithmetic.product(share, arithmetic.rescale(part, PART_FRACTION)).sum()
    return arithmetic.rescale(weighed.reshape(1), FRACTION)


def _by_band(rows: _Rows, share: Shared | None) -> list[Shared]:
    """What is summed by bands: label and mean (n,), or both by shares of weight, and these."""
    if share is None:
        return [rows.label, rows.mean]
    parts = [arithmetic.multiply(share, part, BAND_FRACTION) for part in (rows.label, rows.mean)]
    return [*parts, arithmetic.rescale(share, BAND_FRACTION)]


def row_losses(
    predictor: Shared, label: Real | None, holder: int, predicted: Predicted, unit: float = 1.0
) -> Shared:
    """A loss for each row (n,), shared, in the order of their deviances: of numbers the absolute error. Arguments
    and errors as of `hidden_errors`; all learn the mean of counts and amounts."""
    rows = _entered(predictor, label, holder, predicted, unit)
    if rows.deviance is not None:
        return rows.deviance
    errors = rows.label - rows.mean
    return where(negative(errors), -errors, errors)


def _entered(predictor: Shared, label: Real | None, holder: int, predicted: Predicted, unit: float) -> _Rows:
    circle, count = predictor.circle, predictor.size
    if predictor.shape != (count,) or not count or predicted is Predicted.OUTCOME:
        raise MisuseError("errors are measured on a vector of predicted numbers, counts or amounts")
    if circle.rank == holder and (label is None or label.shape != (count,) or not np.isfinite(label).all()):
        raise DataError(f"the label must have one finite value for each of the {count} rows")
    if predicted is Predicted.NUMBER:
        return _numbers(circle, predictor, label, holder, unit)
    return _means(circle, predictor, label, holder, predicted)


def _numbers(circle: Circle, predictor: Shared, label: Real | None, holder: int, unit: float) -> _Rows:
    own = None if label is None or circle.rank != holder else label / unit
    y = from_owner(circle, holder, own, predictor.shape, FRACTION)
    mean = arithmetic.rescale(predictor, FRACTION)
    return _Rows(mean, y, mean, None, unit, unit**2)


def _means(circle: Circle, predictor: Shared, label: Real | None, holder: int, predicted: Predicted) -> _Rows:
    """Of counts and amounts, all relative to the labels' mean."""
    own = None if label is None or circle.rank != holder else np.array([label.mean()])
    unit = float(circle.tell_all("errors/mean", holder, own, np.empty(1))[0])
    if not unit > 0:
        raise DataError("the label is zero in all rows that measure the model; hold out a larger share")
    relative = None if own is None or label is None else label / unit
    if relative is not None and ((relative < 0).any() or (predicted is Predicted.AMOUNT and not relative.all())):
        raise DataError("a count is never negative, and an amount above zero")
    y = from_owner(circle, holder, relative, predictor.shape, FRACTION)
    near, _ = bounded(arithmetic.rescale(predictor - float(np.log(unit)), FRACTION), LOW[predicted], HIGH)
    mean = exponential(near, LOW[predicted], HIGH, FRACTION)
    if predicted is Predicted.COUNT:
        alone = None if relative is None else x_log_x(relative) - relative
        varying = mean - arithmetic.multiply(near, y, FRACTION)
        deviance_unit = 2.0 * unit
    else:
        alone = None if relative is None else -1.0 - np.log(relative)
        varying = near + arithmetic.multiply(exponential(-near, -HIGH, HIGH, FRACTION), y, FRACTION)
        deviance_unit = 2.0
    deviance = varying + from_owner(circle, holder, alone, predictor.shape, FRACTION)
    return _Rows(near, y, mean, deviance, unit, deviance_unit)


def _read(
    predicted: Predicted,
    rows: _Rows,
    told: Real,
    cumulative: Real,
    marks: Index,
    label: Real,
    weights: Real | None,
) -> Measured:
    sums = np.diff(cumulative, axis=1, prepend=0.0) * (1.0 if weights is None else weights.sum())
    sizes = np.diff(marks, prepend=-1)
    squared, absolute, deviance = (told * (rows.unit**2, rows.unit, rows.deviance_unit)).tolist()
    figures = number_figures(predicted, squared, absolute, deviance, label, weights)
    came, expected = sums[:2] * rows.unit
    bands = bands_of(sizes, came, expected, sums[-1], weighted=weights is not None)
    return Measured(predicted, len(label), figures, bands)
