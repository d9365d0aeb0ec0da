"""What each party takes home from a scorecard: the model, its quality, scores with points and reasons."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from unseen.application.credit.alone import fit_alone
from unseen.application.credit.columns import Binned
from unseen.application.credit.request import CreditRequest
from unseen.application.credit.scorecard import Points
from unseen.application.credit.stopwatch import Stopwatch
from unseen.computation.learn.binning import Weighed
from unseen.computation.learn.evaluate import curves, quality
from unseen.computation.types import Index, Real
from unseen.encoding import Json
from unseen.interaction.application import Run

if TYPE_CHECKING:
    from unseen.application.credit.job import Side

CURVE_POINTS = 200
SCORES_FILE = "scores.parquet"


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
class Scored:
    """All common customers at the holder, the first `training` of them the model's own: `odds` are the joint
    model's log-odds of good, `points` the scorecard's total."""

    ids: list[bytes]
    bad: Real
    training: int
    odds: Real
    points: Index
    reasons: list[list[str]]


def own_side(side: Side, own: Binned, weighed: Sequence[Weighed], useful: Sequence[bool], training: int) -> Side:
    """The holder's side with merged bins and weights of evidence of its useful columns."""
    places = [place for place, flag in enumerate(useful) if flag]
    labels = own.labels([np.asarray(w.merged) for w in weighed], training)
    merged = [np.asarray(weighed[j].merged)[own.index[:, j]] for j in places]
    values = [weighed[j].weights[m] for j, m in zip(places, merged, strict=True)]
    return replace(
        side,
        weighed=[weighed[j] for j in places],
        labels=[labels[j] for j in places],
        index=np.column_stack(merged) if places else None,
        values=np.column_stack(values) if places else None,
    )


def score_columns(
    sides: Sequence[Side], revealed: Revealed, scale: Points, descriptions: Mapping[str, Mapping[str, str]]
) -> list[Column]:
    """The scorecard's columns, in the model's order."""
    found: list[Column] = []
    for side in sides:
        for name, weighed, labels in zip(side.columns, side.weighed or (), side.labels or (), strict=True):
            place = len(found)
            coefficient = float(revealed.weights[place])
            found.append(
                Column(
                    side.party,
                    name,
                    descriptions[side.party][name] or name,
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


def holder_result(
    run: Run,
    asked: CreditRequest,
    card: Sequence[Column],
    revealed: Revealed,
    scored: Scored,
    mine: Side,
    watch: Stopwatch,
) -> Mapping[str, Json]:
    """The holder's result: quality of the joint model and of the one it could build alone, on the same rows."""
    training, held = slice(0, scored.training), slice(scored.training, None)
    alone = np.zeros(len(scored.bad))
    if mine.values is not None:
        weights = fit_alone(mine.values[training], scored.bad[training], asked.penalty)
        alone = -(weights[0] + mine.values @ weights[1:])
    _write_scores(run, scored)
    outcome = scored.bad[held]
    result: dict[str, Any] = {
        "rows": {"aligned": len(scored.bad), "training": scored.training, "held_out": len(outcome)},
        "bad_share": float(scored.bad.mean()),
        "alone": quality(alone[held], outcome).as_json(),
        "joint": quality(scored.odds[held], outcome).as_json(),
        "intercept": {"coefficient": revealed.intercept, "standard_error": float(revealed.errors[0])},
        "training_steps": revealed.steps,
        "scorecard": [column.as_json() for column in card],
        "scale": asked.scale.model_dump(),
        "curves": {"alone": _curve(alone[held], outcome), "joint": _curve(scored.odds[held], outcome)},
        "distribution": _distribution(scored.points[held], outcome),
        "scores": SCORES_FILE,
        "steps": watch.as_json(),
    }
    return result


def partner_result(
    columns: Sequence[str],
    descriptions: Mapping[str, str],
    points: Sequence[Index],
    rows: int,
    training: int,
    watch: Stopwatch,
) -> Mapping[str, Json]:
    """The partner's result: how many customers are common, and the points of its own columns' bins."""
    return {
        "rows": {"aligned": rows, "training": training, "held_out": rows - training},
        "own_points": [
            {"column": name, "description": descriptions[name], "points": column.tolist()}
            for name, column in zip(columns, points, strict=True)
        ],
        "steps": watch.as_json(),
    }


def _write_scores(run: Run, scored: Scored) -> None:
    """One row a common customer, readable by this account only."""
    table = pa.table(
        {
            "key": [key.decode() for key in scored.ids],
            "points": scored.points,
            "log_odds": scored.odds,
            "held_out": np.arange(len(scored.ids)) >= scored.training,
            "reasons": pa.array(scored.reasons, pa.list_(pa.string())),
        }
    )
    path = run.folder / SCORES_FILE
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
    pq.write_table(table, path)


def _curve(scores: Real, bad: Real) -> Json:
    """Shares of bad and good at or below rising scores, thinned for drawing."""
    found = curves(scores, bad)
    places = np.unique(np.linspace(0, len(found.bad) - 1, CURVE_POINTS).astype(int))
    return {"bad": [round(v, 5) for v in found.bad[places]], "good": [round(v, 5) for v in found.good[places]]}


def _distribution(points: Index, bad: Real) -> Json:
    """Histogram of points by outcome over twenty-five bins of equal width."""
    edges = np.histogram_bin_edges(points, bins=25)
    return {
        "edges": edges.tolist(),
        "good": np.histogram(points[bad == 0], edges)[0].tolist(),
        "bad": np.histogram(points[bad == 1], edges)[0].tolist(),
    }
