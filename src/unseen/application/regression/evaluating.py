"""A regression held against rows that it was not fitted to, and the rows of its fit kept for later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from unseen.application.derivation import smallest_group
from unseen.application.evaluation import measuring, selftest
from unseen.application.evaluation.characteristics import kept_numbers, number_shifts
from unseen.application.evaluation.measuring import Scored
from unseen.application.evaluation.reference import Reference, reference
from unseen.application.joint_table import Rows
from unseen.application.regression.request import Family, RegressionRequest
from unseen.application.regression.table import Table
from unseen.computation.learn.columns import Block
from unseen.computation.learn.fit import Fit, predict_scores
from unseen.computation.learn.measures import Predicted
from unseen.computation.learn.rows import RowTerms, RowValues
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
    bands = reference(scores[: rows.training], asked.label.party, smallest_group(run.plan))
    own = [kept_numbers(block.names, block.values[: rows.training]) for block in parts if block.values is not None]
    return bands, own[0] if own else {}


def scored(
    run: Run,
    asked: RegressionRequest,
    model: Fit,
    scores: Shared,
    known: tuple[Real | None, Real | None],
    weights: RowValues | None,
) -> Scored:
    """The rows with what the label's party knows of them, predictions and labels; `weights` if it knows them."""
    opened, label = known
    return Scored(
        PREDICTED[asked.family],
        scores,
        run.circle.rank_of(asked.label.party),
        opened,
        label,
        2.0**model.label_exponent,
        weights if asked.measures_weighed else None,
    )


def evaluated(
    run: Run,
    asked: RegressionRequest,
    parts: Sequence[Block],
    rows: Scored,
    before: tuple[Reference | None, Mapping[str, Any]],
) -> dict[str, Json]:
    """What measuring rows, the last ones of all, tells this party: `evaluation` at the label's party,
    `own_stability` of its own columns at each."""
    count = rows.predictor.size
    bands, columns = before
    smallest = smallest_group(run.plan)
    found = measuring.evaluated(rows, asked.compares_outcomes, not asked.predictions, bands, smallest)
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
    rows: Scored,
    training: int,
    offset: RowValues | None,
) -> dict[str, Json]:
    """What attacks make of a model of which rows were held out. `rows` are all, with their `offset`."""
    if not asked.tests:
        return {}
    told = selftest.membership_of(rows, training, hidden=not asked.predictions)
    for partner in asked.attacks_labels:
        own = _by_own_columns(parts, table, partner)[:training] if run.party == partner else None
        truth = None if rows.label is None else rows.label[:training]
        area = selftest.labels(run, partner, own, truth, rows.holder, training)
        told |= {} if area is None else {f"labels_by_{partner}": area}
    told |= _features(run, asked, parts, rows, offset)
    return {"self_test": told} if told else {}


def _features(
    run: Run, asked: RegressionRequest, parts: Sequence[Block], rows: Scored, offset: RowValues | None
) -> dict[str, Json]:
    """How far the label's party could tell partners' columns from predictors, less an offset that it knows."""
    own = next((block.values for block in parts if block.values is not None), None)
    seen = rows.opened
    if seen is not None and offset is not None and offset.values is not None:
        seen = seen - offset.values
    return selftest.features(run, asked, asked.attacks_features, own, seen, rows.predictor.size)


def _by_own_columns(parts: Sequence[Block], table: Table | None, partner: str) -> Real:
    """A partner's own columns with the weights that it was told."""
    lines = () if table is None else table.lines
    weights = {line.coefficient.name: line.coefficient.value for line in lines if line.party == partner}
    for block in parts:
        if block.values is not None:
            return np.asarray(block.values @ np.array([weights.get(name, 0.0) for name in block.names]))
    return np.zeros(parts[0].rows)
