"""What one party knows of each row beside its columns: sample weights, and an offset of the linear predictor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from unseen.computation.circle import Circle
from unseen.computation.learn.columns import UNIT_FRACTION, matrix_fraction
from unseen.computation.profile import Carries, Disclosure, Message, Profile, Role
from unseen.computation.share import arithmetic
from unseen.computation.share.array import Shared, from_owner
from unseen.computation.share.private import PrivateMatrix, private_matrix
from unseen.computation.types import Real
from unseen.errors import DataError

WEIGHTS: Final = Profile(
    id="learn/weights",
    title="Sample weights",
    source="told by the weights' owner",
    reveals=(
        Disclosure(Role.EACH, "the sum of the rows' weights"),
        Disclosure(Role.EACH, "the sum of all columns' weighted variances, each over its plain one"),
    ),
    messages=(
        Message("total-weight", Carries.DISCLOSED, most_messages=1, most_bytes=24),
        Message("reveal/trace", Carries.DISCLOSED, most_messages=1, most_bytes=24),
    ),
)
APPLIED_FRACTION: Final = 20
"""Fractional bits of weights that multiply residuals: they decide where the optimum is."""


@dataclass(frozen=True, eq=False)
class RowValues:
    """One number a row: `values` (rows,) at the party of rank `owner`, None elsewhere."""

    owner: int
    values: Real | None = None


@dataclass(frozen=True, eq=False)
class SampleWeights:
    """Weights over their mean, entered twice: `exact` (rows, 1) to multiply residuals, `coarse` (rows,) to
    multiply rows of a normal matrix, with as many bits as leave room for its sums. `total` is public."""

    exact: PrivateMatrix
    coarse: Shared
    total: float

    def times(self, values: Shared) -> Shared:
        """Row i of (rows, 1) times weight i, at the same number of fractional bits: two rounds."""
        weighted = self.exact.scale_rows(values[:, 0])
        return arithmetic.rescale(weighted, values.fraction)

    def first_rows(self, count: int) -> SampleWeights:
        return SampleWeights(self.exact.first_rows(count), self.coarse[:count], self.total)

    def forget(self) -> None:
        self.exact.forget()


@dataclass(frozen=True, eq=False)
class RowTerms:
    """What rows carry beside columns and label: `weights`, and an `offset` with coefficient one."""

    weights: RowValues | None = None
    offset: RowValues | None = None


@dataclass(frozen=True, eq=False)
class EnteredTerms:
    """`RowTerms` on shares: `offset` (rows, 1) about its mean, the `centre` (), shared too. `total` is the
    weights' public sum, or the number of rows."""

    weights: SampleWeights | None
    offset: Shared | None
    centre: Shared | None
    total: float

    def forget(self) -> None:
        if self.weights is not None:
            self.weights.forget()


def enter_terms(circle: Circle, terms: RowTerms, rows: int) -> EnteredTerms:
    """Everyone learns which of the terms there are, whose they are, and the weights' sum; see below for errors."""
    weights = None if terms.weights is None else enter_weights(circle, terms.weights, rows)
    offset, centre = (None, None) if terms.offset is None else enter_offset(circle, terms.offset, rows)
    return EnteredTerms(weights, offset, centre, float(rows) if weights is None else weights.total)


def enter_weights(circle: Circle, weights: RowValues, rows: int) -> SampleWeights:
    """Everyone learns the sum of the weights. Raises DataError at the owner for weights that are negative, not
    finite, or all zero."""
    relative = total = None
    if circle.rank == weights.owner:
        values = _finite(weights.values, rows, "sample weights")
        if (values < 0).any() or not values.any():
            raise DataError("sample weights must not be negative, nor all zero")
        relative, total = values / values.mean(), np.array([values.sum()])
    told = float(circle.tell_all("total-weight", weights.owner, total, np.empty(1))[0])
    column = None if relative is None else relative.reshape(-1, 1)
    exact = private_matrix(circle, weights.owner, column, (rows, 1), APPLIED_FRACTION)
    room = 59 - 2 * matrix_fraction(rows) - int(rows).bit_length()
    return SampleWeights(exact, from_owner(circle, weights.owner, relative, (rows,), min(room, 16)), told)


def enter_offset(circle: Circle, offset: RowValues, rows: int) -> tuple[Shared, Shared]:
    """The offset about its mean (rows, 1), and the mean (), shared; no message.

    Raises DataError at the owner beyond ±56, and if not finite.
    """
    values = centre = None
    if circle.rank == offset.owner:
        given = _finite(offset.values, rows, "offsets").reshape(-1, 1)
        if np.abs(given).max() > 56.0:
            raise DataError("offsets must stay within ±56; an exposure enters by its logarithm")
        centre = given.mean().reshape(1)
        values = given - centre
    fraction = matrix_fraction(rows) + UNIT_FRACTION
    return (
        from_owner(circle, offset.owner, values, (rows, 1), fraction),
        from_owner(circle, offset.owner, centre, (1,), UNIT_FRACTION)[0],
    )


def _finite(values: Real | None, rows: int, what: str) -> Real:
    if values is None or values.shape != (rows,):
        raise DataError(f"{what} must have one value for each of the {rows} aligned rows")
    if not np.isfinite(values).all():
        raise DataError(f"{what} are missing or infinite in some rows; fill them, or leave these rows out")
    return np.asarray(values, dtype=np.float64)
