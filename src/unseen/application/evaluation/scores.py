"""The scores of a model that trained on the first rows, held against the label of the others: shown to the label's
party with all of them, or hidden and measured on shares; and what attacks make of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from unseen.application.derivation import smallest_group
from unseen.application.evaluation import measuring, selftest
from unseen.application.evaluation.held_out import by_lot
from unseen.application.evaluation.measuring import Scored
from unseen.application.evaluation.reference import Reference, known_reference, reference
from unseen.application.evaluation.selftest import Attacker
from unseen.application.joint_request import ScoringRequest
from unseen.application.joint_table import Rows, aligned
from unseen.computation.learn.evaluate import stability
from unseen.computation.learn.measures import measured
from unseen.computation.learn.rows import RowValues
from unseen.computation.share.array import Shared
from unseen.computation.types import Real
from unseen.encoding import Json
from unseen.interaction.application import Run

FILE: Final = "scores.parquet"


@dataclass(frozen=True, eq=False)
class Labelled(Rows):
    """Rows with their `label` (rows,), at its party and where it is needed."""

    label: Real | None = None


def labelled_rows(run: Run, asked: ScoringRequest, labels: Callable[[pa.Table], Real]) -> Labelled:
    """Meet, and read labels. Raises as `joint_table` and `labels`.

    Who trains, and in which order, follows from keys and public seed alone: a validator finds the same rows. Of a
    later population that is monitored, nobody does.
    """
    share = 1.0 if asked.monitor else asked.held_out
    rows = aligned(run, asked, lambda keys: by_lot(keys, share, asked.seed or run.plan.seed))
    holding = run.party == asked.label.party and asked.needs_label
    return Labelled(rows.table, rows.keys, rows.training, labels(rows.table) if holding else None)


def write_scores(run: Run, asked: ScoringRequest, rows: Rows, scores: Real) -> None:
    """Scores (rows,) to their file at the label's party."""
    columns = {"key": rows.keys, "score": scores}
    if not asked.monitor:
        columns["held_out"] = np.arange(rows.count) >= rows.training
    pq.write_table(pa.table(columns), run.folder / FILE)


def fitted_bands(
    run: Run, asked: ScoringRequest, scores: Shared, opened: Real | None, training: int, fraction: int
) -> Reference:
    """The bands of the training rows' scores, to hold later ones against: `opened` at the label's party where it
    sees them, else on shares; edges get `fraction` bits where scores are seen."""
    smallest = smallest_group(run.plan)
    if asked.hidden:
        return reference(scores[:training], asked.label.party, smallest)
    seen = None if opened is None else opened[:training]
    holder = run.circle.rank_of(asked.label.party)
    return known_reference(run.circle, holder, seen, training, fraction, smallest)


def scores_measured(
    run: Run, asked: ScoringRequest, rows: Scored, before: Reference | None, training: int
) -> dict[str, Json]:
    """How well scores do on the rows from `training` on, which trained nothing, to the label's party; `rows` are
    all, and `before` the bands of the fit, for scores that are hidden or monitored."""
    smallest = smallest_group(run.plan)
    if asked.hidden or asked.monitor:
        fresh = rows.rows_from(training)
        found = measuring.evaluated(fresh, asked.compares_outcomes, asked.hidden, before, smallest)
        return {} if found is None else {"evaluation": found}
    if rows.opened is None or rows.label is None:
        return {}
    clear = measured(rows.predicted, rows.opened[training:], rows.label[training:], smallest)
    told: dict[str, Json] = {"rows": len(rows.label) - training, "scores": "revealed", **measuring.as_json(clear)}
    told["stability"] = stability(rows.opened[:training], rows.opened[training:])
    return {"evaluation": told}


def scores_attacked(
    run: Run, asked: ScoringRequest, rows: Scored, training: int, own: Real | None, attacker: Attacker | None
) -> dict[str, Json]:
    """What attacks make of a new model: who was trained on, how well each partner could tell labels, with what the
    model showed it and without, to the label's party; and how far this one could tell a partner's columns from
    scores, to the partner.

    `rows` are all; `own` (rows, columns) this party's columns, None without any, and `attacker` the same as a
    partner ranks labels by them, None where the party brings none.
    """
    if not asked.tests:
        return {}
    told = selftest.membership_of(rows, training, asked.hidden)
    truth = RowValues(rows.holder, rows.label)
    for partner in asked.attacks_labels:
        mine = attacker if run.party == partner else None
        told |= selftest.labels_by_likeness(run, partner, mine, truth, training, asked.shows_model)
    told |= selftest.features(run, asked, asked.attacks_features, own, rows.opened, rows.predictor.size)
    return {"self_test": told} if told else {}
