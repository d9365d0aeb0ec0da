"""Boosted trees held against rows that trained nothing: from scores that go to the label's party, or on shares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from unseen.application.boosting.columns import Binned
from unseen.application.boosting.request import BoostingRequest
from unseen.application.evaluation.characteristics import bin_shifts
from unseen.application.evaluation.scores import scores_hidden, scores_shown
from unseen.application.joint_table import Rows
from unseen.computation.learn.boosting_settings import Objective
from unseen.computation.learn.measures import Predicted
from unseen.computation.learn.splits import WEIGHT_FRACTION
from unseen.computation.share.array import Shared, from_owner
from unseen.computation.share.functions import lift
from unseen.computation.types import Real
from unseen.encoding import Json
from unseen.interaction.application import Run


def shown(run: Run, asked: BoostingRequest, rows: Rows, label: Real, scores: Real) -> dict[str, Json]:
    """Scores to a file, and how well they do on the rows that trained nothing."""
    found: dict[str, Any] = scores_shown(run, _predicted(asked), rows, scores, label, attacked=not asked.model)
    figures = found["evaluation"]["figures"]
    if asked.classifies:
        joint: dict[str, Json] = {name: figures[name] for name in ("auc", "ks", "gini")}
    else:
        joint = {"mean_squared_error": figures["rmse"] ** 2, "r_squared": figures["explained"]}
    return {"joint": joint, **found}


def hidden(
    run: Run,
    asked: BoostingRequest,
    scores: Shared,
    label: Real | None,
    centre: float,
    training: int,
    objective: Objective,
) -> dict[str, Json]:
    """The same on shares: measures to the label's party, no score to anyone. `label` and its `centre` there."""
    circle, holder, exponent = run.circle, run.circle.rank_of(asked.label.party), 0
    if objective is Objective.LOGISTIC:
        scores = whole(scores)
    else:
        exponent = _magnitude(run, holder, label)
        own = np.full(scores.shape, centre) if circle.rank == holder else None
        moved = scores + from_owner(circle, holder, own, scores.shape, WEIGHT_FRACTION)
        scores = Shared(circle, moved.words, WEIGHT_FRACTION + exponent)
    unit = 2.0**exponent
    return scores_hidden(run, _predicted(asked), scores, asked.label.party, label, training, unit)


def whole(scores: Shared) -> Shared:
    """Log-odds that are right modulo 2^32 as shares of numbers: one round."""
    return Shared(scores.circle, lift(scores.circle, scores.words.astype(np.uint32)), WEIGHT_FRACTION)


def own_stability(own: Binned, counts: Mapping[str, Any], training: int, later: bool) -> dict[str, Json]:
    """How far the own columns of the rows that measure the model have moved from those that trained it."""
    if not counts:
        return {}
    places = own.places if later else own.places[training:]
    return {"own_stability": bin_shifts(counts, own.names, places)}


def _predicted(asked: BoostingRequest) -> Predicted:
    return Predicted.OUTCOME if asked.classifies else Predicted.NUMBER


def _magnitude(run: Run, holder: int, label: Real | None) -> int:
    """The power of two nearest to the label's spread, told to all."""
    spread = None
    if label is not None and run.circle.rank == holder:
        spread = np.round(np.log2([max(float(label.std()), 2.0**-16)])).astype(np.int16)
    return int(run.circle.tell_all("boosting/magnitude", holder, spread, np.empty(1, dtype=np.int16))[0])
