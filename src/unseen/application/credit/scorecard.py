"""From coefficients to points.

With odds good:bad, factor = double / ln 2 and offset = score - factor·ln(odds), a case of log-odds z (of good)
scores offset + factor·z. A bin with weight of evidence W of a column with coefficient c (on bad's log-odds) adds
-(c·W)·factor; intercept and offset are spread evenly over the columns. Points are whole numbers.
Source: Siddiqi, Credit Risk Scorecards (2006), chapter 6.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from unseen.application.credit.request import Scale
from unseen.application.credit.sides import Side
from unseen.computation.types import Index, Real
from unseen.encoding import Json


@dataclass(frozen=True)
class Revealed:
    """The model in the clear at the label's holder: intercept, weights (k,), standard errors (1 + k,)."""

    intercept: float
    weights: Real
    errors: Real
    steps: int


@dataclass(frozen=True)
class Column:
    """One column of the scorecard, its bins with rows, bad rows, weights of evidence and points."""

    party: str
    name: str
    description: str
    coefficient: float
    error: float
    information: float
    labels: tuple[str, ...]
    counts: Index
    weights: Real
    points: Index

    @property
    def p_value(self) -> float:
        """Two-sided, of the coefficient being zero (normal approximation)."""
        return math.erfc(abs(self.coefficient / self.error) / math.sqrt(2.0)) if self.error > 0 else 1.0

    def as_json(self) -> Json:
        bins = zip(self.labels, self.counts.tolist(), self.weights.tolist(), self.points.tolist(), strict=True)
        return {
            "party": self.party,
            "column": self.name,
            "description": self.description,
            "coefficient": round(self.coefficient, 6),
            "standard_error": round(self.error, 6),
            "p_value": round(self.p_value, 6),
            "information_value": round(self.information, 6),
            "bins": [
                {
                    "label": label,
                    "rows": rows,
                    "bad": bad,
                    "weight_of_evidence": round(weight, 6),
                    "points": points,
                }
                for label, (rows, bad), weight, points in bins
            ],
        }


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


def score_columns(
    sides: Sequence[Side], revealed: Revealed, scale: Points, description: Callable[[str, str], str]
) -> list[Column]:
    """The scorecard's columns, in the model's order; `description` gives a party's column its public words."""
    found: list[Column] = []
    for side in sides:
        for name, weighed, labels in zip(side.columns, side.weighed or (), side.labels or (), strict=True):
            place = len(found)
            coefficient = float(revealed.weights[place])
            found.append(
                Column(
                    side.party,
                    name,
                    description(side.party, name),
                    coefficient,
                    float(revealed.errors[place + 1]),
                    weighed.information,
                    tuple(labels),
                    weighed.counts,
                    weighed.weights,
                    scale.of(coefficient, weighed.weights),
                )
            )
    return found
