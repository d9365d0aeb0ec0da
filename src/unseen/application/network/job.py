"""The run of a network at one party: the same straight line at all.

release → keys → align → train, or take up an earlier model → score → evaluate
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from blake3 import blake3

from unseen.application.derivation import request_in
from unseen.application.evaluation import equity
from unseen.application.evaluation.characteristics import kept_numbers, number_shifts
from unseen.application.evaluation.held_out import training_first
from unseen.application.evaluation.scores import scores_hidden, scores_shown
from unseen.application.joint_table import aligned
from unseen.application.model_part import require_agreement, require_same
from unseen.application.network.model import KIND, Part, read_part, write_part
from unseen.application.network.request import NetworkRequest, read_request
from unseen.application.numbers import numbers
from unseen.application.outcome_values import outcomes, require_both
from unseen.computation.learn.measures import Predicted
from unseen.computation.learn.network import Features, Network, Settings, fit_network, require_in_range
from unseen.computation.share.array import reveal_to
from unseen.computation.types import Real
from unseen.encoding import Json
from unseen.errors import DataError, MisuseError
from unseen.interaction.application import Run


def perform(run: Run) -> Mapping[str, Json]:
    """Train, or score with an earlier network; this party's result. Files: its part of the network, and at the
    label's party scores.parquet."""
    asked = read_request(request_in(run.plan))
    rows = aligned(run, asked, lambda keys: training_first(keys, asked.held_out, asked.seed or run.plan.seed))
    training = rows.training
    label = _label(rows.table, asked) if run.party == asked.label.party else None
    own = _values(rows.table, asked.parties[run.party].features)
    run.progress("train", 0.0)
    if asked.model:
        part = _taken_up(run, asked)
        model, kept = part.model, part.columns
    else:
        model, kept = _trained(run, asked, own, label, training)
    run.progress("evaluate", 0.0)
    scores = model.scores(run.circle, _features(run, asked, own, rows.count))
    if not asked.model:
        require_in_range(scores[:training])
    result: dict[str, Json] = {
        "rows": {"aligned": rows.count, "training": training},
        "layers": [model.layers[0].weights.shape[0], *(layer.weights.shape[1] for layer in model.layers)],
    }
    if own is not None:
        fresh = own if asked.model else own[training:]
        result["own_stability"] = number_shifts(kept, asked.parties[run.party].features, fresh)
    if asked.hidden:
        result |= scores_hidden(run, Predicted.OUTCOME, scores, asked.label.party, label, training)
    elif (opened := reveal_to(scores, asked.label.party, "scores")) is not None and label is not None:
        result |= scores_shown(run, Predicted.OUTCOME, rows, opened, label, attacked=not asked.model)
    holder = run.circle.rank_of(asked.label.party)
    result |= equity.judge(run, asked.fairness, rows.table, scores, label, holder)
    run.progress("evaluate", 1.0)
    return result


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
