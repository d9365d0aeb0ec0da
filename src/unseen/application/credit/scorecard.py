"""From coefficients to points.

With odds good:bad, factor = double / ln 2 and offset = score - factor·ln(odds), a case of log-odds z (of good)
scores offset + factor·z. A bin with weight of evidence W of a column with coefficient c (on bad's log-odds) adds
-(c·W)·factor; intercept and offset are spread evenly over the columns. Points are whole numbers.
Source: Siddiqi, Credit Risk Scorecards (2006), chapter 6.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

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
    """One column of the scorecard, its bins with rows, bad rows, weights of evidence and points.

    Where nobody sees what its bins are worth, `counts` and `weights` are None; where its points went elsewhere,
    there are neither labels nor points, and no information value.
    """

    party: str
    name: str
    description: str
    coefficient: float
    error: float
    information: float | None = None
    labels: tuple[str, ...] = ()
    points: Index = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    counts: Index | None = None
    weights: Real | None = None

    @property
    def p_value(self) -> float:
        """Two-sided, of the coefficient being zero (normal approximation)."""
        return math.erfc(abs(self.coefficient / self.error) / math.sqrt(2.0)) if self.error > 0 else 1.0

    def as_json(self) -> Json:
        return {
            "party": self.party,
            "column": self.name,
            "description": self.description,
            "coefficient": round(self.coefficient, 6),
            "standard_error": round(self.error, 6),
            "p_value": round(self.p_value, 6),
            "information_value": None if self.information is None else round(self.information, 6),
            "bins": [self._bin(place) for place in range(len(self.points))],
        }

    def _bin(self, place: int) -> dict[str, Json]:
        found: dict[str, Json] = {"label": self.labels[place], "points": int(self.points[place])}
        if self.counts is None or self.weights is None:
            return found
        rows, bad = self.counts[place].tolist()
        return {**found, "rows": rows, "bad": bad, "weight_of_evidence": round(float(self.weights[place]), 6)}


@dataclass(frozen=True)
class Points:
    """How coefficients become points: `factor` a unit of log-odds, `share` of offset and intercept a column."""

    factor: float
    share: float

    def of(self, coefficient: float, weights: Real) -> Index:
        """Whole points (bins,) of a column's bins."""
        return np.rint(self.share - coefficient * weights * self.factor).astype(np.int64)


def unit(scale: Scale) -> float:
    """Points a unit of log-odds."""
    return float(scale.double / np.log(2.0))


def points_scale(scale: Scale, intercept: float, columns: int) -> Points:
    """The scale for a model with this intercept (on bad's log-odds) and so many columns."""
    factor = unit(scale)
    offset = scale.score - factor * np.log(scale.odds)
    return Points(factor, float((offset - factor * intercept) / columns))


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
        for number, name in enumerate(side.columns):
            place = len(found)
            column = Column(
                side.party,
                name,
                description(side.party, name),
                float(revealed.weights[place]),
                float(revealed.errors[place + 1]),
            )
            if side.weighed is not None and side.labels is not None:
                weighed = side.weighed[number]
                column = replace(
                    column,
                    information=weighed.information,
                    labels=tuple(side.labels[number]),
                    points=scale.of(column.coefficient, weighed.weights),
                    counts=weighed.counts,
                    weights=weighed.weights,
                )
            found.append(column)
    return found
