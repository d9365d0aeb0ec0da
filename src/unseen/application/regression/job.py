"""The run of a regression at one party: the same straight line at all.

release → keys → align → fit, or take up an earlier model → diagnose → reveal → predict
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from blake3 import blake3

from unseen.application.regression.columns import Rows, aligned, blocks, labels, terms
from unseen.application.regression.fitting import fitted, holds
from unseen.application.regression.model import FILE, Part, read_part, write_part
from unseen.application.regression.parity import distance
from unseen.application.regression.request import Family, RegressionRequest, read_request
from unseen.application.regression.table import revealed
from unseen.computation.learn.collinearity import collinearity
from unseen.computation.learn.columns import Block
from unseen.computation.learn.fit import Fit, predict_scores
from unseen.computation.share.array import from_owner, reveal_to
from unseen.computation.types import Real
from unseen.encoding import Json
from unseen.errors import MisuseError
from unseen.interaction.application import Run


def perform(run: Run) -> Mapping[str, Json]:
    """Fit, or predict with an earlier model; this party's result. Files: its part of the model, at recipients
    coefficients.csv, at the label's party predictions.parquet."""
    asked = read_request(cast("Mapping[str, Json]", run.plan.parameters["request"]))
    rows = aligned(run, asked)
    parts = blocks(run, asked, rows)
    result: dict[str, Json] = {"family": asked.family.value, "rows": rows.count}
    model = _taken_up(run, asked, parts) if asked.model else _fitted(run, asked, rows, parts, result)
    if asked.predictions:
        _predicted(run, asked, rows, parts, model)
        run.progress("predict", 1.0)
    return result


def _fitted(
    run: Run, asked: RegressionRequest, rows: Rows, parts: Sequence[Block], result: dict[str, Json]
) -> Fit:
    """Fit, keep this party's part, and open the table to its recipients: into `result` there."""
    run.progress("fit", 0.0)
    label = labels(rows.table, asked.label) if run.party == asked.label.party else None
    found = fitted(run, asked, rows, parts, label)
    write_part(run.folder, run.party, run.plan, asked.family, found.model)
    diagnosed = collinearity(run.circle, parts) if asked.collinearity else None
    run.progress("reveal", 0.0)
    table = revealed(run.circle, found, diagnosed, asked.receiving())
    run.progress("reveal", 1.0)
    if asked.parity:
        found_apart = distance(run, asked, parts, terms(run, asked, rows), label, table)
        result |= {"parity": found_apart} if found_apart is not None else {}
    result["steps"] = len(found.model.steps)
    if asked.selection or any(side.signs for side in asked.parties.values()):
        result["kept"] = [found.model.names[place - 1][1] for place in found.model.kept[1:]]
    if table is not None:
        table.write(run.folder)
        result |= table.as_json()
    return found.model


def _taken_up(run: Run, asked: RegressionRequest, parts: Sequence[Block]) -> Fit:
    """An earlier job's model, this party's part from its own folder; all must hold parts of one model."""
    part = read_part(run.earlier(asked.model, FILE), asked.model, run.party, run.circle)
    if part.agreement != run.plan.agreement:
        raise MisuseError(f"the model of job {asked.model} was made under another agreement")
    if part.family is not asked.family:
        raise MisuseError(f"the model of job {asked.model} is a {part.family.value} regression, not what is asked")
    holds(parts, part.model)
    _same_model(run, part)
    return part.model


def _same_model(run: Run, part: Part) -> None:
    mine = np.frombuffer(blake3(part.plan.encode()).digest(), dtype=np.uint8)
    for channel in run.circle.others():
        channel.send("regression/model", mine)
    for channel in run.circle.others():
        if not np.array_equal(channel.receive("regression/model", np.uint8, len(mine)), mine):
            raise MisuseError(f"{channel.peer} holds a part of another model; both must name one job")


def _predicted(run: Run, asked: RegressionRequest, rows: Rows, parts: Sequence[Block], model: Fit) -> None:
    """The linear predictor of every row to the label's party, which keeps it with the mean that it stands for."""
    run.progress("predict", 0.0)
    predictor = predict_scores(run.circle, parts, model)
    offset = terms(run, asked, rows).offset
    if offset is not None:
        shape, fraction = (rows.count,), predictor.fraction
        predictor = predictor + from_owner(run.circle, offset.owner, offset.values, shape, fraction)
    opened = reveal_to(predictor, asked.label.party, "predictor")
    if opened is not None:
        values = opened * 2.0**model.label_exponent
        table = pa.table({"key": rows.keys, "predictor": values, "predicted": _mean(asked.family, values)})
        pq.write_table(table, run.folder / "predictions.parquet")


def _mean(family: Family, predictor: Real) -> Real:
    """The inverse of the family's link."""
    if family is Family.LINEAR:
        return predictor
    if family is Family.LOGISTIC:
        return np.asarray(1.0 / (1.0 + np.exp(-predictor)))
    return np.asarray(np.exp(predictor))
