"""A network held against rows that trained nothing: from scores that go to the label's party, or on shares."""

from __future__ import annotations

from dataclasses import replace
from typing import Final, cast

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from unseen.application.evaluation import measuring, reference, selftest
from unseen.application.evaluation.measuring import Scored
from unseen.application.evaluation.reference import Reference
from unseen.application.evaluation.selftest import Attacker, Held, Sizes
from unseen.application.network.request import NetworkRequest
from unseen.application.network.rows import Rows
from unseen.computation.learn.binning import number_bins
from unseen.computation.learn.evaluate import stability
from unseen.computation.learn.measures import Predicted, measured
from unseen.computation.learn.network import FRACTION
from unseen.computation.learn.rows import RowValues
from unseen.computation.share.array import reveal_to
from unseen.computation.types import Real
from unseen.encoding import Json
from unseen.interaction.application import Run

ATTACK_BINS: Final = 32
"""Bins into which an attacker cuts each of its columns."""


def opened(run: Run, asked: NetworkRequest, rows: Rows, scored: Scored) -> Scored:
    """Scores to their file at the label's party, where they may go there."""
    if asked.hidden:
        return scored
    values = reveal_to(scored.predictor, asked.label.party, "scores")
    if values is None:
        return scored
    columns = {"key": rows.texts, "score": values}
    if not asked.monitor:
        columns["held_out"] = np.arange(rows.count) >= rows.training
    pq.write_table(pa.table(columns), run.folder / "scores.parquet")
    return replace(scored, opened=values)


def kept(run: Run, asked: NetworkRequest, scored: Scored, training: int) -> Reference:
    """The bands of the training rows' scores."""
    smallest = smallest_group(run)
    if asked.hidden:
        return reference.reference(scored.predictor[:training], asked.label.party, smallest)
    seen = None if scored.opened is None else scored.opened[:training]
    return reference.known_reference(run.circle, scored.holder, seen, training, FRACTION, smallest)


def measures(
    run: Run, asked: NetworkRequest, scored: Scored, before: Reference | None, training: int
) -> dict[str, Json]:
    """How well scores do on the rows from `training` on, to the label's party."""
    if asked.hidden or asked.monitor:
        fresh = scored.rows_from(training)
        found = measuring.evaluated(fresh, asked.compares_outcomes, asked.hidden, before, smallest_group(run))
        return {} if found is None else {"evaluation": found}
    scores, label = scored.opened, scored.label
    if scores is None or label is None:
        return {}
    clear = measured(Predicted.OUTCOME, scores[training:], label[training:], smallest_group(run))
    told: dict[str, Json] = {"rows": len(label) - training, "scores": "revealed", **measuring.as_json(clear)}
    told["stability"] = stability(scores[:training], scores[training:])
    return {"evaluation": told}


def attacked(run: Run, asked: NetworkRequest, own: Real | None, scored: Scored, training: int) -> dict[str, Json]:
    """What attacks make of a new network. It shows partners nothing, so that all that these have is their own
    columns; the label's party may have scores."""
    if not asked.tests:
        return {}
    told = selftest.membership_of(scored, training, asked.hidden)
    truth = RowValues(scored.holder, scored.label)
    for partner in asked.attacks_labels:
        mine = _attacker(own) if run.party == partner and own is not None else None
        told |= selftest.labels_by_likeness(run, partner, mine, truth, training, shown=False)
    sizes = Sizes(scored.predictor.size, {name: side.features for name, side in asked.parties.items()})
    held = None
    if scored.opened is not None:
        held = Held(np.empty((sizes.rows, 0)) if own is None else own, scored.opened)
    for partner in asked.attacks_features:
        columns = own if run.party == partner else None
        told |= selftest.features(run, partner, columns, asked.label.party, held, sizes)
    return {"self_test": told} if told else {}


def _attacker(own: Real) -> Attacker:
    bins = [number_bins(column, ATTACK_BINS, 1) for column in own.T]
    places = np.column_stack([cut.index(column) for cut, column in zip(bins, own.T, strict=True)])
    return Attacker(places, [len(cut.labels) for cut in bins], {})


def smallest_group(run: Run) -> int:
    return max(1, int(cast("int", run.plan.parameters["smallest_group"])))
