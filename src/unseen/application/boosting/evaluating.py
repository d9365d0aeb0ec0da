"""Boosted trees held against rows that trained nothing: from scores that go to the label's party, or on shares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from unseen.application.boosting.columns import Binned
from unseen.application.boosting.kept import Kept
from unseen.application.boosting.request import BoostingRequest
from unseen.application.evaluation import measuring, selftest
from unseen.application.evaluation.characteristics import bin_shifts
from unseen.application.evaluation.measuring import Scored
from unseen.application.evaluation.reference import Reference
from unseen.application.evaluation.selftest import Attacker, Held, Sizes
from unseen.computation.learn.boosting import Boosted
from unseen.computation.learn.boosting_settings import Objective
from unseen.computation.learn.evaluate import stability
from unseen.computation.learn.likeness import cuts_of
from unseen.computation.learn.measures import Predicted, measured
from unseen.computation.learn.rows import RowValues
from unseen.computation.learn.splits import WEIGHT_FRACTION
from unseen.computation.share.array import Shared, from_owner
from unseen.computation.share.functions import lift
from unseen.computation.types import Real
from unseen.encoding import Json
from unseen.interaction.application import Run


def shown(
    run: Run, asked: BoostingRequest, keys: Sequence[str], label: Real | None, scores: Real, training: int
) -> dict[str, Json]:
    """Scores to a file at the label's party, and how well they do on the rows that trained nothing."""
    columns = {"key": keys, "score": scores}
    if not asked.monitor:
        columns["held_out"] = np.arange(len(keys)) >= training
    pq.write_table(pa.table(columns), run.folder / "scores.parquet")
    if asked.monitor or label is None:
        return {}
    found = measured(predicted(asked), scores[training:], label[training:], smallest_group(run))
    told: dict[str, Json] = {"rows": len(keys) - training, "scores": "revealed", **measuring.as_json(found)}
    told["stability"] = stability(scores[:training], scores[training:])
    figures = found.figures
    if asked.classifies:
        joint: dict[str, Json] = {name: figures[name] for name in ("auc", "ks", "gini")}
    else:
        joint = {"mean_squared_error": figures["rmse"] ** 2, "r_squared": figures["explained"]}
    return {"joint": joint, "evaluation": told}


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
    return Scored(predicted(asked), placed(scores), holder, told, label, 2.0**exponent), before


def attacked(
    run: Run, asked: BoostingRequest, model: Boosted, own: Binned, rows: Scored, training: int
) -> dict[str, Json]:
    """How well each partner could tell labels by its own columns, with its own splits and without, to the label's
    party; and how far this one could tell a partner's bins from scores, to the partner. `rows` are all."""
    told: dict[str, Json] = {}
    truth = RowValues(rows.holder, rows.label)
    for partner in asked.attacks_labels:
        mine = Attacker(own.places, own.widths, cuts_of(model.trees)) if run.party == partner else None
        told |= selftest.labels_by_likeness(run, partner, mine, truth, training, shown=True)
    places = own.places.astype(np.float64)
    sizes = Sizes(rows.predictor.size, {name: side.features for name, side in asked.parties.items()})
    held = None if rows.opened is None else Held(places, rows.opened)
    for partner in asked.attacks_features:
        columns = places if run.party == partner else None
        told |= selftest.features(run, partner, columns, asked.label.party, held, sizes)
    return told


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


def smallest_group(run: Run) -> int:
    return max(1, int(cast("int", run.plan.parameters["smallest_group"])))
