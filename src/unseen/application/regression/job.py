"""The run of a regression at one party: the same straight line at all.

release → keys → align → fit, or take up an earlier model → diagnose → reveal → predict → evaluate
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from unseen.application.derivation import request_in
from unseen.application.evaluation import equity
from unseen.application.evaluation.held_out import training_first
from unseen.application.evaluation.reference import Reference
from unseen.application.joint_table import Rows, aligned
from unseen.application.model_part import require_agreement, require_same
from unseen.application.regression import evaluating
from unseen.application.regression.columns import blocks, first_rows, labels, terms
from unseen.application.regression.fitting import fitted, holds
from unseen.application.regression.model import KIND, Part, read_part, write_part
from unseen.application.regression.parity import distance
from unseen.application.regression.planning import needs_label
from unseen.application.regression.request import RegressionRequest, read_request
from unseen.application.regression.table import Table, revealed
from unseen.computation.learn.collinearity import collinearity
from unseen.computation.learn.columns import Block
from unseen.computation.learn.fit import Fit, reveal_predictors
from unseen.computation.learn.measures import mean_of
from unseen.computation.learn.rows import RowTerms
from unseen.computation.share.array import Shared
from unseen.computation.types import Real
from unseen.encoding import Json
from unseen.errors import MisuseError
from unseen.interaction.application import Run


def perform(run: Run) -> Mapping[str, Json]:
    """Fit, or predict with an earlier model; this party's result. Files: its part of the model, at recipients
    coefficients.csv, at the label's party predictions.parquet."""
    asked = read_request(request_in(run.plan))
    rows = aligned(run, asked, lambda keys: training_first(keys, asked.held_out, asked.seed or run.plan.seed))
    parts, beside = blocks(run, asked, rows), terms(run, asked, rows)
    holding = run.party == asked.label.party and needs_label(asked)
    label = labels(rows.table, asked.label) if holding else None
    result: dict[str, Json] = {"family": asked.family.value, "rows": rows.count}
    table: Table | None = None
    if asked.model:
        part = _taken_up(run, asked, parts)
        model, scores, before = part.model, None, (part.reference, part.columns)
    else:
        fits = _training(label, rows)
        model, table = _fitted(run, asked, *first_rows(parts, beside, rows.training), fits, result)
        scores, before = _kept(run, asked, rows, parts, beside, model)
    if not (asked.predictions or asked.measures or asked.fairness):
        return result
    run.progress("predict", 0.0)
    scores = evaluating.predictors(run, parts, beside, model) if scores is None else scores
    opened = _predicted(run, asked, rows, scores, model) if asked.predictions else None
    run.progress("predict", 1.0)
    if asked.measures:
        run.progress("evaluate", 0.0)
        everyone = evaluating.scored(run, asked, model, scores, (opened, label), beside.weights)
        measured = everyone.rows_from(rows.training if asked.held_out else 0)
        result |= evaluating.evaluated(run, asked, parts, measured, before)
        result |= evaluating.attacked(run, asked, parts, table, everyone, rows.training, beside.offset)
    holder = run.circle.rank_of(asked.label.party)
    result |= equity.judge(run, asked.fairness, rows.table, scores, label, holder)
    run.progress("evaluate", 1.0)
    return result


def _training(label: Real | None, rows: Rows) -> Real | None:
    return None if label is None else label[: rows.training]


def _fitted(
    run: Run,
    asked: RegressionRequest,
    parts: Sequence[Block],
    beside: RowTerms,
    label: Real | None,
    result: dict[str, Json],
) -> tuple[Fit, Table | None]:
    """Fit, and open the table to its recipients: into `result` there."""
    run.progress("fit", 0.0)
    found = fitted(run, asked, parts, beside, label)
    diagnosed = collinearity(run.circle, parts) if asked.collinearity else None
    run.progress("reveal", 0.0)
    table = revealed(run.circle, found, diagnosed, asked.receiving())
    run.progress("reveal", 1.0)
    if asked.parity:
        found_apart = distance(run, asked, parts, beside, label, table)
        result |= {"parity": found_apart} if found_apart is not None else {}
    result["steps"] = len(found.model.steps)
    if asked.selection or any(side.signs for side in asked.parties.values()):
        result["kept"] = [found.model.names[place - 1][1] for place in found.model.kept[1:]]
    if table is not None:
        table.write(run.folder)
        result |= table.as_json()
    return found.model, table


def _kept(
    run: Run, asked: RegressionRequest, rows: Rows, parts: Sequence[Block], beside: RowTerms, model: Fit
) -> tuple[Shared | None, tuple[Reference | None, Mapping[str, Json]]]:
    """Keep this party's part. Where rows are held out, the scores of all rows, and what the part says of the rows
    of the fit."""
    if not asked.held_out:
        write_part(run.folder, run.party, run.plan, asked.family, model)
        return None, (None, {})
    scores = evaluating.predictors(run, parts, beside, model)
    reference, columns = evaluating.kept(run, asked, rows, parts, scores)
    write_part(run.folder, run.party, run.plan, asked.family, model, reference, columns)
    return scores, (reference, columns)


def _taken_up(run: Run, asked: RegressionRequest, parts: Sequence[Block]) -> Part:
    """An earlier job's model, this party's part from its own folder; all must hold parts of one model."""
    part = read_part(run.earlier(asked.model, KIND.file), asked.model, run.party, run.circle)
    require_agreement(run, asked.model, part.origin)
    if part.family is not asked.family:
        raise MisuseError(f"the model of job {asked.model} is a {part.family.value} regression, not what is asked")
    holds(parts, part.model)
    require_same(run, KIND, part.origin)
    if asked.monitor and part.reference is None:
        raise MisuseError(
            f"the model of job {asked.model} was fitted to all rows and kept nothing of them to compare with; "
            "fit it again with `held_out`"
        )
    return part


def _predicted(run: Run, asked: RegressionRequest, rows: Rows, scores: Shared, model: Fit) -> Real | None:
    """The linear predictor of every row to the label's party, which keeps it with the mean that it stands for."""
    opened = reveal_predictors(scores, asked.label.party, "predictor")
    if opened is not None:
        values = opened * 2.0**model.label_exponent
        means = mean_of(evaluating.PREDICTED[asked.family], values)
        columns = {"key": rows.keys, "predictor": values, "predicted": means}
        if asked.held_out:
            columns["held_out"] = np.arange(rows.count) >= rows.training
        pq.write_table(pa.table(columns), run.folder / "predictions.parquet")
        return values
    return None
