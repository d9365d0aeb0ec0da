"""A regression held against rows that it was not fitted to, and the rows of its fit kept for later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from unseen.application.derivation import smallest_group
from unseen.application.evaluation import measuring, selftest
from unseen.application.evaluation.characteristics import kept_numbers, number_shifts
from unseen.application.evaluation.measuring import Reference, Scored
from unseen.application.joint_table import Rows
from unseen.application.regression.request import Family, RegressionRequest
from unseen.application.regression.table import Table
from unseen.computation.learn.columns import Block
from unseen.computation.learn.fit import Fit, predict_scores
from unseen.computation.learn.measures import Predicted
from unseen.computation.learn.rows import RowTerms
from unseen.computation.share.array import Shared, from_owner
from unseen.computation.types import Real
from unseen.encoding import Json
from unseen.interaction.application import Run

PREDICTED: Final = {
    Family.LINEAR: Predicted.NUMBER,
    Family.LOGISTIC: Predicted.OUTCOME,
    Family.POISSON: Predicted.COUNT,
    Family.GAMMA: Predicted.AMOUNT,
}


def predictors(run: Run, parts: Sequence[Block], terms: RowTerms, model: Fit) -> Shared:
    """The linear predictor (rows,) of every row, offset included, in units of 2^label_exponent."""
    found = predict_scores(run.circle, parts, model)
    if terms.offset is None:
        return found
    return found + from_owner(run.circle, terms.offset.owner, terms.offset.values, found.shape, found.fraction)


def kept(
    run: Run, asked: RegressionRequest, rows: Rows, parts: Sequence[Block], scores: Shared
) -> tuple[Reference, dict[str, Json]]:
    """The rows of the fit, to compare later ones with: bands of their scores, bins of the own columns."""
    reference = measuring.reference(scores[: rows.training], asked.label.party, smallest_group(run.plan))
    own = [kept_numbers(block.names, block.values[: rows.training]) for block in parts if block.values is not None]
    return reference, own[0] if own else {}


def evaluated(
    run: Run,
    asked: RegressionRequest,
    parts: Sequence[Block],
    model: Fit,
    scores: Shared,
    opened: Real | None,
    label: Real | None,
    before: tuple[Reference | None, Mapping[str, Any]],
) -> dict[str, Json]:
    """What measuring the last rows, as many as there are scores, tells this party: `evaluation` at the label's
    party, `own_stability` of its own columns at each."""
    count, unit = scores.size, 2.0**model.label_exponent
    scored = Scored(
        PREDICTED[asked.family],
        scores,
        run.circle.rank_of(asked.label.party),
        None if opened is None else opened[-count:],
        None if label is None else label[-count:],
        unit,
    )
    reference, columns = before
    found = measuring.evaluated(
        scored, asked.compares_outcomes, not asked.predictions, reference, smallest_group(run.plan)
    )
    told: dict[str, Json] = {} if found is None else {"evaluation": found}
    for block in parts:
        if block.values is not None and columns:
            told["own_stability"] = number_shifts(columns, block.names, block.values[-count:])
    return told


def attacked(
    run: Run,
    asked: RegressionRequest,
    parts: Sequence[Block],
    table: Table | None,
    opened: Real | None,
    label: Real | None,
    training: int,
) -> dict[str, Json]:
    """What attacks make of a model of which rows were held out: told to the label's party."""
    if not (asked.self_test and asked.held_out):
        return {}
    told: dict[str, Json] = {}
    if opened is not None and label is not None:
        told |= selftest.members(PREDICTED[asked.family], opened, label, training)
    for partner in asked.attacks_labels:
        own = _by_own_columns(parts, table, partner)[:training] if run.party == partner else None
        truth = None if label is None else label[:training]
        area = selftest.labels(run, partner, own, truth, run.circle.rank_of(asked.label.party), training)
        told |= {} if area is None else {f"labels_by_{partner}": area}
    return {"self_test": told} if told else {}


def _by_own_columns(parts: Sequence[Block], table: Table | None, partner: str) -> Real:
    """A partner's own columns with the weights that it was told."""
    lines = () if table is None else table.lines
    weights = {line.coefficient.name: line.coefficient.value for line in lines if line.party == partner}
    for block in parts:
        if block.values is not None:
            return np.asarray(block.values @ np.array([weights.get(name, 0.0) for name in block.names]))
    return np.zeros(parts[0].rows)
