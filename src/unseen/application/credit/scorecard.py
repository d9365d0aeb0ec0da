"""From coefficients to points.

With odds good:bad, factor = double / ln 2 and offset = score - factor·ln(odds), a case of log-odds z (of good)
scores offset + factor·z. A bin with weight of evidence W of a column with coefficient c (on bad's log-odds) adds
-(c·W)·factor; intercept and offset are spread evenly over the columns. Points are whole numbers.
Source: Siddiqi, Credit Risk Scorecards (2006), chapter 6.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unseen.application.credit.request import Scale
from unseen.computation.types import Index, Real


@dataclass(frozen=True)
class Points:
    """How coefficients become points: `factor` a unit of log-odds, `share` of offset and intercept a column."""

    factor: float
    share: float

    def of(self, coefficient: float, weights: Real) -> Index:
        """Whole points (bins,) of a column's bins."""
        return np.rint(self.share - coefficient * weights * self.factor).astype(np.int64)


def points_scale(scale: Scale, intercept: float, columns: int) -> Points:
    """The scale for a model with this intercept (on bad's log-odds) and so many columns."""
    factor = scale.double / np.log(2.0)
    offset = scale.score - factor * np.log(scale.odds)
    return Points(float(factor), float((offset - factor * intercept) / columns))


def adverse(points: list[Index], bins: Index, most: int) -> Index:
    """For each row the numbers of up to `most` columns that lost most points against the column's best bin.

    `points` has the points of each column's bins, `bins` (rows, columns) each row's bins. -1 where nothing more
    was lost. Returns (rows, most) int64.
    """
    rows = len(bins)
    if not points:
        return np.full((rows, most), -1, dtype=np.int64)
    lost = np.column_stack([column.max() - column[bins[:, j]] for j, column in enumerate(points)])
    order = np.argsort(-lost, axis=1, kind="stable")[:, :most]
    found = np.where(np.take_along_axis(lost, order, axis=1) > 0, order, -1)
    return np.pad(found, ((0, 0), (0, most - found.shape[1])), constant_values=-1)
