"""The scores of a model that trained on the first rows, held against the label of the others: shown to the label's
party with all of them, or hidden and measured on shares."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from unseen.application.derivation import smallest_group
from unseen.application.evaluation import measuring, selftest
from unseen.application.evaluation.measuring import Scored
from unseen.application.joint_table import Rows
from unseen.computation.learn.evaluate import stability
from unseen.computation.learn.measures import Predicted, measured
from unseen.computation.share.array import Shared
from unseen.computation.types import Real
from unseen.encoding import Json
from unseen.interaction.application import Run

FILE = "scores.parquet"


def scores_shown(
    run: Run, predicted: Predicted, rows: Rows, scores: Real, label: Real, attacked: bool
) -> dict[str, Json]:
    """At the label's party: scores (rows,) to a file, and how well they do on the rows that trained nothing;
    `attacked` is whether losses are tried to tell who was trained on."""
    training = rows.training
    held_out = np.arange(rows.count) >= training
    pq.write_table(pa.table({"key": rows.keys, "score": scores, "held_out": held_out}), run.folder / FILE)
    found = measured(predicted, scores[training:], label[training:], smallest_group(run.plan))
    told: dict[str, Json] = {"rows": int(held_out.sum()), "scores": "revealed", **measuring.as_json(found)}
    told["stability"] = stability(scores[:training], scores[training:])
    tested = {"self_test": selftest.members(predicted, scores, label, training)} if attacked else {}
    return {"evaluation": told, **tested}


def scores_hidden(
    run: Run,
    predicted: Predicted,
    scores: Shared,
    holder: str,
    label: Real | None,
    training: int,
    unit: float = 1.0,
) -> dict[str, Json]:
    """The same on shares: measures to `holder`, the label's party, no score to anyone; numbers are in `unit` of
    the label."""
    smallest = smallest_group(run.plan)
    before = measuring.reference(scores[:training], holder, smallest)
    fresh = None if label is None else label[training:]
    scored = Scored(predicted, scores[training:], run.circle.rank_of(holder), None, fresh, unit)
    found = measuring.evaluated(scored, True, True, before, smallest)
    return {} if found is None else {"evaluation": found}
