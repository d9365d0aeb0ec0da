"""Boosted trees held against rows that trained nothing: from scores that go to the label's party, or on shares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from unseen.application.boosting.columns import Binned
from unseen.application.boosting.kept import Kept
from unseen.application.boosting.request import BoostingRequest
from unseen.application.evaluation.characteristics import bin_shifts
from unseen.application.evaluation.measuring import Scored
from unseen.application.evaluation.reference import Reference
from unseen.application.evaluation.scores import scores_attacked
from unseen.application.evaluation.selftest import Attacker
from unseen.computation.learn.boosting import Boosted
from unseen.computation.learn.boosting_settings import Objective
from unseen.computation.learn.likeness import cuts_of
from unseen.computation.learn.measures import Predicted
from unseen.computation.learn.splits import WEIGHT_FRACTION
from unseen.computation.share.array import Shared, from_owner
from unseen.computation.share.functions import lift
from unseen.computation.types import Real
from unseen.encoding import Json
from unseen.interaction.application import Run


def joint_measures(asked: BoostingRequest, figures: Mapping[str, float]) -> dict[str, Json]:
    """What pooled trees are held against, of the figures of scores that were shown."""
    if asked.classifies:
        joint: dict[str, Json] = {name: figures[name] for name in ("auc", "ks", "gini")}
    else:
        joint = {"mean_squared_error": figures["rmse"] ** 2, "r_squared": figures["explained"]}
    return joint


def scored(
    run: Run, asked: BoostingRequest, scores: Shared, opened: Real | None, label: Real | None, kept: Kept
) -> tuple[Scored, Reference | None]:
    """Rows as predictions of the label, and the bands of the fit in the same units; all learn the magnitude of a
    number's spread where it is measured on shares. `label` and `opened` scores at the label's party."""
    circle, holder, exponent = run.circle, run.circle.rank_of(asked.label.party), 0
    if asked.hidden and asked.compares_outcomes and not asked.classifies:
        exponent = _magnitude(run, holder, label)

    def placed(values: Shared) -> Shared:
        if asked.classifies:
            return values
        own = np.full(values.shape, kept.centre) if circle.rank == holder else None
        moved = values + from_owner(circle, holder, own, values.shape, WEIGHT_FRACTION)
        return Shared(circle, moved.words, WEIGHT_FRACTION + exponent)

    before = kept.reference
    if before is not None:
        before = Reference(placed(before.edges), before.counts)
    told = None if opened is None else opened + kept.centre
    predicted = Predicted.OUTCOME if asked.classifies else Predicted.NUMBER
    return Scored(predicted, placed(scores), holder, told, label, 2.0**exponent), before


def attacked(
    run: Run, asked: BoostingRequest, model: Boosted, own: Binned, rows: Scored, training: int
) -> dict[str, Json]:
    """What attacks make of new trees: a partner ranks labels by its bins, with its own splits and without, and it
    is its bins that the label's party tells. `rows` are all."""
    attacker = Attacker(own.places, own.widths, cuts_of(model.trees))
    return scores_attacked(run, asked, rows, training, own.places.astype(np.float64), attacker)


def comparable(scores: Shared, objective: Objective) -> Shared:
    """Scores that may be compared with each other: log-odds that are right modulo 2^32 become shares of numbers,
    in one round."""
    if objective is not Objective.LOGISTIC:
        return scores
    return Shared(scores.circle, lift(scores.circle, scores.words.astype(np.uint32)), WEIGHT_FRACTION)


def own_stability(own: Binned, counts: Mapping[str, Any], training: int, later: bool) -> dict[str, Json]:
    """How far the own columns of the rows that measure the model have moved from those that trained it."""
    if not counts:
        return {}
    places = own.places if later else own.places[training:]
    return {"own_stability": bin_shifts(counts, own.names, places)}


def predicted(asked: BoostingRequest) -> Predicted:
    return Predicted.OUTCOME if asked.classifies else Predicted.NUMBER


def _magnitude(run: Run, holder: int, label: Real | None) -> int:
    """The power of two nearest to the label's spread, told to all."""
    spread = None
    if label is not None and run.circle.rank == holder:
        spread = np.round(np.log2([max(float(label.std()), 2.0**-16)])).astype(np.int16)
    return int(run.circle.tell_all("boosting/magnitude", holder, spread, np.empty(1, dtype=np.int16))[0])
