"""What one party knows of each row beside its columns: sample weights, and an offset of the linear predictor."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unseen.computation.circle import Circle
from unseen.computation.learn.columns import matrix_fraction
from unseen.computation.share import arithmetic
from unseen.computation.share.array import Shared, from_owner
from unseen.computation.share.private import PrivateMatrix, private_matrix
from unseen.computation.types import Real
from unseen.errors import DataError

APPLIED_FRACTION = 20
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

    def forget(self) -> None:
        self.exact.forget()


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


def enter_offset(circle: Circle, offset: RowValues, rows: int, fraction: int) -> Shared:
    """(rows, 1), shared; no message. Raises DataError at the owner beyond ±56, and if not finite."""
    values = None
    if circle.rank == offset.owner:
        values = _finite(offset.values, rows, "offsets").reshape(-1, 1)
        if np.abs(values).max() > 56.0:
            raise DataError("offsets must stay within ±56; an exposure enters by its logarithm")
    return from_owner(circle, offset.owner, values, (rows, 1), fraction)


def _finite(values: Real | None, rows: int, what: str) -> Real:
    if values is None or values.shape != (rows,):
        raise DataError(f"{what} must have one value for each of the {rows} aligned rows")
    if not np.isfinite(values).all():
        raise DataError(f"{what} are missing or infinite in some rows; fill them, or leave these rows out")
    return np.asarray(values, dtype=np.float64)
