"""The run of a network at one party: the same straight line at all.

release → keys → align → train, or take up an earlier model → score → evaluate
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from blake3 import blake3

from unseen.application.derivation import smallest_group
from unseen.application.evaluation import equity, measuring, selftest
from unseen.application.evaluation.characteristics import kept_numbers, number_shifts
from unseen.application.evaluation.held_out import training_first
from unseen.application.evaluation.measuring import Scored
from unseen.application.joint_table import JointTable, joint_table
from unseen.application.model_part import require_agreement, require_same
from unseen.application.network.model import KIND, Part, read_part, write_part
from unseen.application.network.request import NetworkRequest, read_request
from unseen.application.numbers import numbers
from unseen.application.outcome_values import outcomes, require_both
from unseen.computation.learn.evaluate import stability
from unseen.computation.learn.measures import Predicted, measured
from unseen.computation.learn.network import Features, Network, Settings, fit_network, require_in_range
from unseen.computation.share.array import Shared, reveal_to
from unseen.computation.types import Real
from unseen.encoding import Json
from unseen.errors import DataError, MisuseError
from unseen.interaction.application import Run


def perform(run: Run) -> Mapping[str, Json]:
    """Train, or score with an earlier network; this party's result. Files: its part of the network, and at the
    label's party scores.parquet."""
    asked = read_request(cast("Mapping[str, Json]", run.plan.parameters["request"]))
    rows, training = _aligned(run, asked)
    label = _label(rows.table, asked) if run.party == asked.label.party else None
    own = _values(rows.table, asked.parties[run.party].features)
    run.progress("train", 0.0)
    if asked.model:
        part = _taken_up(run, asked)
        model, kept = part.model, part.columns
    else:
        model, kept = _trained(run, asked, own, label, training)
    run.progress("evaluate", 0.0)
    scores = model.scores(run.circle, _features(run, asked, own, len(rows.keys)))
    if not asked.model:
        require_in_range(scores[:training])
    result: dict[str, Json] = {
        "rows": {"aligned": len(rows.keys), "training": training},
        "layers": [model.layers[0].weights.shape[0], *(layer.weights.shape[1] for layer in model.layers)],
    }
    if own is not None:
        fresh = own if asked.model else own[training:]
        result["own_stability"] = number_shifts(kept, asked.parties[run.party].features, fresh)
    measures = _hidden if asked.hidden else _shown
    result |= measures(run, asked, rows, scores, label, training)
    holder = run.circle.rank_of(asked.label.party)
    result |= equity.judge(run, asked.fairness, rows.table, scores, label, holder)
    run.progress("evaluate", 1.0)
    return result


def _aligned(run: Run, asked: NetworkRequest) -> tuple[JointTable, int]:
    """Own rows of the common customers, training rows first; who they are follows from keys and public seed."""
    run.progress("align", 0.0)
    found = joint_table(
        run, asked.parties[run.party], asked.most_unfit, lambda done, note: run.progress("align", done, note)
    )
    order, training = training_first(found.keys, asked.held_out, asked.seed or run.plan.seed)
    run.progress("align", 1.0)
    return found.take(order), training


def _label(table: pa.Table, asked: NetworkRequest) -> Real:
    found = outcomes(table, asked.label.column, asked.label.positive)
    require_both(found, asked.label.column, asked.label.positive)
    return found


def _values(table: pa.Table, names: Sequence[str]) -> Real | None:
    """(rows, columns), None where this party brings no feature. Raises DataError naming a column."""
    if not names:
        return None
    for name, column in zip(names, found := [numbers(table, name) for name in names], strict=True):
        if not np.isfinite(column).all():
            raise DataError(
                f"column {name!r} holds missing or infinite values; fill it before training, or use trees"
            )
    return np.column_stack(found)


def _features(
    run: Run, asked: NetworkRequest, own: Real | None, rows: int, first: int | None = None
) -> list[Features]:
    """All parties' columns, values in this party's own; the `first` rows of them, or all."""
    count = rows if first is None else first
    return [
        Features(rank, len(asked.parties[party].features), count, _cut(own, count) if party == run.party else None)
        for rank, party in enumerate(run.circle.parties)
        if asked.parties[party].features
    ]


def _cut(values: Real | None, count: int) -> Real | None:
    return None if values is None else values[:count]


def _trained(
    run: Run, asked: NetworkRequest, own: Real | None, label: Real | None, training: int
) -> tuple[Network, Mapping[str, Any]]:
    drawn = int.from_bytes(blake3(f"{asked.seed or run.plan.seed}/network".encode()).digest(length=8), "big")
    settings = Settings(
        hidden=asked.layers,
        epochs=asked.epochs,
        batch=min(asked.batch, training),
        learning_rate=asked.learning_rate,
        momentum=asked.momentum,
        penalty=asked.penalty,
        seed=drawn,
    )
    model = fit_network(
        run.circle,
        _features(run, asked, own, training),
        _cut(label, training),
        run.circle.rank_of(asked.label.party),
        settings,
        lambda done, of: run.progress("train", done / of, f"epoch {done} of {of}"),
    )
    side = asked.parties[run.party]
    kept = {} if own is None else kept_numbers(side.features, own[:training])
    features = {name: party.features for name, party in asked.parties.items()}
    write_part(run.folder, run.party, run.plan, features, model, kept)
    return model, kept


def _taken_up(run: Run, asked: NetworkRequest) -> Part:
    """An earlier job's network, this party's part from its own folder; all must hold parts of one."""
    part = read_part(run.earlier(asked.model, KIND.file), asked.model, run.party, run.circle)
    require_agreement(run, asked.model, part.origin)
    if dict(part.features) != {name: side.features for name, side in asked.parties.items()}:
        raise MisuseError("the model was made of other columns; ask for just the columns that it was made of")
    require_same(run, KIND, part.origin)
    return part


def _shown(
    run: Run, asked: NetworkRequest, rows: JointTable, scores: Shared, label: Real | None, training: int
) -> dict[str, Json]:
    """Scores to a file at the label's party, and how well they do on the rows that trained nothing."""
    opened = reveal_to(scores, asked.label.party, "scores")
    if opened is None or label is None:
        return {}
    held_out = np.arange(len(label)) >= training
    path = run.folder / "scores.parquet"
    pq.write_table(pa.table({"key": rows.texts, "score": opened, "held_out": held_out}), path)
    found = measured(Predicted.OUTCOME, opened[training:], label[training:], smallest_group(run.plan))
    told: dict[str, Json] = {"rows": int(held_out.sum()), "scores": "revealed", **measuring.as_json(found)}
    told["stability"] = stability(opened[:training], opened[training:])
    attacked: Json = selftest.members(Predicted.OUTCOME, opened, label, training)
    return {"evaluation": told, **({} if asked.model else {"self_test": attacked})}


def _hidden(
    run: Run, asked: NetworkRequest, rows: JointTable, scores: Shared, label: Real | None, training: int
) -> dict[str, Json]:
    """The same on shares: measures to the label's party, no score to anyone."""
    smallest = smallest_group(run.plan)
    before = measuring.reference(scores[:training], asked.label.party, smallest)
    fresh = None if label is None else label[training:]
    holder = run.circle.rank_of(asked.label.party)
    scored = Scored(Predicted.OUTCOME, scores[training:], holder, None, fresh)
    found = measuring.evaluated(scored, True, True, before, smallest)
    return {} if found is None else {"evaluation": found}
