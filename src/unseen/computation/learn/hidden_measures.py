"""The measures of `measures` on shares, whatever is predicted: one call, and the profile of who learns what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from unseen.computation.learn import hidden_errors, hidden_quality, hidden_weighted
from unseen.computation.learn.hidden_loss import chances_and_losses
from unseen.computation.learn.measures import Band, Measured, Predicted, band_marks
from unseen.computation.learn.rows import RowValues
from unseen.computation.profile import Profile
from unseen.computation.share import arithmetic
from unseen.computation.share.array import Shared, from_owner
from unseen.computation.types import Real

PROFILES: Final[Mapping[Predicted, Profile]] = {
    Predicted.OUTCOME: hidden_quality.PROFILE,
    Predicted.NUMBER: hidden_errors.PROFILE,
    Predicted.COUNT: hidden_errors.PROFILE,
    Predicted.AMOUNT: hidden_errors.PROFILE,
}


WEIGHTED: Final[Mapping[Predicted, Profile]] = {
    Predicted.OUTCOME: hidden_weighted.PROFILE,
    Predicted.NUMBER: hidden_errors.WEIGHTED,
    Predicted.COUNT: hidden_errors.WEIGHTED,
    Predicted.AMOUNT: hidden_errors.WEIGHTED,
}


def hidden_measures(
    predicted: Predicted,
    predictor: Shared,
    label: Real | None,
    holder: int,
    unit: float = 1.0,
    smallest: int = 1,
    weights: RowValues | None = None,
) -> Measured | None:
    """Measure shared linear predictors (n,) against `label` (n,) at rank `holder`, who gets the result.

    None elsewhere. `unit` is that of predicted numbers; bands hold at least `smallest` rows; `weights`, if rows
    carry any, are the holder's. Raises DataError at all, or at the holder where there are weights, for outcomes of
    one class, or counts that are all zero.
    """
    if predicted is not Predicted.OUTCOME:
        return hidden_errors.hidden_errors(predictor, label, holder, predicted, unit, smallest, weights)
    circle, rows = predictor.circle, predictor.size
    outcome = from_owner(circle, holder, label, (rows,), 0)
    chances, losses = chances_and_losses(predictor, outcome)
    if weights is not None:
        return hidden_weighted.weighted_quality(predictor, chances, losses, label, weights, smallest)
    bands = len(band_marks(rows, smallest))
    recipient = circle.parties[holder]
    found = hidden_quality.hidden_quality(-predictor, chances, label, holder, recipient, bands, losses)
    if found is None or found.log_loss is None:
        return None
    figures = {**found.quality.as_json(), "log_loss": found.log_loss, "brier": found.brier}
    ordered = tuple(Band(band.rows, float(band.bad), band.expected) for band in reversed(found.bands))
    return Measured(predicted, rows, figures, ordered)


def hidden_losses(
    predicted: Predicted, predictor: Shared, label: Real | None, holder: int, unit: float = 1.0
) -> Shared:
    """Of the same rows, shared (n,), what is in the order of their losses (`measures.deviances` or log-losses).

    For outcomes the log-odds against what came out, in one round: equal rows stay equal, and count as ties, where
    the rounding of a logarithm would part them.
    """
    if predicted is not Predicted.OUTCOME:
        return hidden_errors.row_losses(predictor, label, holder, predicted, unit)
    outcome = from_owner(predictor.circle, holder, label, predictor.shape, 0)
    return arithmetic.product(predictor, outcome.times_integer(-2) + 1.0)
