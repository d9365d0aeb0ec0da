"""What each party takes home from a scorecard: the model, its quality, scores with points and reasons."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from unseen.application.credit.alone import fit_alone
from unseen.application.credit.scorecard import Column, Revealed
from unseen.application.credit.sides import Side, Standing
from unseen.application.credit.stopwatch import Stopwatch
from unseen.application.credit.weighing import LeftOut
from unseen.application.evaluation.characteristics import bin_shifts, kept_bins
from unseen.computation.learn.evaluate import Band, bands, curves, gain, stability
from unseen.computation.learn.measures import Predicted, mean_of, outcome_figures
from unseen.computation.types import Index, Real
from unseen.encoding import Json
from unseen.interaction.application import Run

CURVE_POINTS = 200
SCORES_FILE = "scores.parquet"


@dataclass(frozen=True)
class Scored:
    """All common customers at the holder, the first `training` of them the model's own: `odds` are the joint
    model's log-odds of good, `points` the scorecard's total."""

    ids: list[str]
    bad: Real
    training: int
    odds: Real
    points: Index
    reasons: list[list[str]]


def holder_result(
    here: Standing,
    card: Sequence[Column],
    left_out: Sequence[LeftOut],
    revealed: Revealed,
    scored: Scored,
    mine: Side,
    watch: Stopwatch,
) -> Mapping[str, Json]:
    """The holder's result: the scorecard, and how it does beside the model the holder could build alone."""
    _write_scores(here.run, scored)
    return {
        "rows": _rows(len(scored.bad), scored.training),
        "tables": here.asked.tables.value,
        **_measured(scored, _alone(here, mine, scored)),
        "intercept": {"coefficient": revealed.intercept, "standard_error": float(revealed.errors[0])},
        "training_steps": revealed.steps,
        "scorecard": [column.as_json() for column in card],
        "column_stability": _column_stability(mine, scored.training),
        "left_out": [column.as_json() for column in left_out],
        "scale": here.asked.scale.model_dump(),
        "scores": SCORES_FILE,
        "steps": watch.as_json(),
    }


def partner_result(
    here: Standing,
    mine: Side,
    weights: Real | None,
    points: Sequence[Index],
    rows: int,
    training: int,
    watch: Stopwatch,
) -> Mapping[str, Json]:
    """The partner's result: how many customers are common, and of its own columns what it was told: coefficients,
    unless `weights` is None, and points of bins, unless there are none."""
    own: list[Json] = []
    for place, name in enumerate(mine.columns):
        texts = (mine.labels or [])[place]
        column: dict[str, Json] = {"column": name, "description": here.description(mine.party, name)}
        if weights is not None:
            column["coefficient"] = round(float(weights[place]), 6)
        told = points[place].tolist() if points else [None] * len(texts)
        own.append(
            {
                **column,
                "bins": [
                    {"label": text} if p is None else {"label": text, "points": p}
                    for text, p in zip(texts, told, strict=True)
                ],
            }
        )
    return {
        "rows": _rows(rows, training),
        "own_columns": own,
        "column_stability": _column_stability(mine, training),
        "steps": watch.as_json(),
    }


def _column_stability(mine: Side, training: int) -> dict[str, Json]:
    """By own column in the model, how far its bins moved from the training to the held-out customers."""
    if mine.index is None:
        return {}
    widths = mine.index.max(axis=0, initial=0) + 1
    kept = kept_bins(mine.columns, mine.index[:training], widths.tolist())
    return bin_shifts(kept, mine.columns, mine.index[training:])


def _rows(aligned: int, training: int) -> Json:
    return {"aligned": aligned, "training": training, "held_out": aligned - training}


def _alone(here: Standing, mine: Side, scored: Scored) -> Real:
    """Log-odds of good of all common customers by the model that the holder could build without the partner."""
    assert mine.values is not None
    training = slice(0, scored.training)
    weights = fit_alone(mine.values[training], scored.bad[training], here.asked.penalty)
    scores: Real = weights[0] + mine.values @ weights[1:]
    return -scores


def _measured(scored: Scored, alone: Real) -> dict[str, Json]:
    """Both models on the same held-out rows, and what the points do there."""
    held = slice(scored.training, None)
    bad, points, odds = scored.bad[held], scored.points[held], scored.odds[held]
    better = gain(alone[held], odds, bad)
    chances = mean_of(Predicted.OUTCOME, -odds)
    return {
        "bad_share": float(scored.bad.mean()),
        "held_out_bad": int(bad.sum()),
        "alone": outcome_figures(-alone[held], mean_of(Predicted.OUTCOME, -alone[held]), bad),
        "joint": outcome_figures(-odds, chances, bad),
        "gain": {
            "auc": better.gain,
            "standard_error": better.error,
            "p_value": better.p_value,
            "auc_errors": {"alone": better.errors[0], "joint": better.errors[1]},
        },
        "curves": {"alone": _curve(alone[held], bad), "joint": _curve(odds, bad)},
        "distribution": _distribution(points, bad),
        "bands": _with_gains(bands(points.astype(np.float64), bad, chances)),
        "stability": stability(scored.points[: scored.training].astype(np.float64), points.astype(np.float64)),
    }


def _with_gains(found: Sequence[Band]) -> list[Json]:
    """Each band, lowest scores first, with its lift (its share of bad over that of all) and the gain so far: the
    share of all bad that lie in it and below."""
    rows = np.array([band.rows for band in found])
    bad = np.array([band.bad for band in found])
    lift, gains = bad / rows / (bad.sum() / rows.sum()), bad.cumsum() / bad.sum()
    return [
        {**asdict(band), "lift": round(float(up), 6), "gain": round(float(so_far), 6)}
        for band, up, so_far in zip(found, lift, gains, strict=True)
    ]


def _write_scores(run: Run, scored: Scored) -> None:
    """One row a common customer, readable by this account only."""
    table = pa.table(
        {
            "key": scored.ids,
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
