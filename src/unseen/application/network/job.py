"""The run of a network at one party: the same straight line at all.

release → keys → align → train, or take up an earlier model → score → evaluate
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import cast

import numpy as np
from blake3 import blake3

from unseen.application.evaluation import equity
from unseen.application.evaluation.characteristics import kept_numbers, number_shifts
from unseen.application.evaluation.measuring import Scored
from unseen.application.network import evaluating
from unseen.application.network.model import FILE, Part, read_part, write_part
from unseen.application.network.request import NetworkRequest, read_request
from unseen.application.network.rows import Rows, aligned, features
from unseen.computation.learn.measures import Predicted
from unseen.computation.learn.network import Settings, fit_network, require_in_range
from unseen.encoding import Json
from unseen.errors import MisuseError
from unseen.interaction.application import Run


def perform(run: Run) -> Mapping[str, Json]:
    """Train, or score with an earlier network; this party's result. Files: its part of the network, and at the
    label's party scores.parquet."""
    asked = read_request(cast("Mapping[str, Json]", run.plan.parameters["request"]))
    rows = aligned(run, asked)
    run.progress("train", 0.0)
    part = _taken_up(run, asked) if asked.model else _trained(run, asked, rows)
    run.progress("evaluate", 0.0)
    scores = part.model.scores(run.circle, features(run, asked, rows, rows.count))
    if not asked.model:
        require_in_range(scores[: rows.training])
    sizes = [part.model.layers[0].weights.shape[0], *(layer.weights.shape[1] for layer in part.model.layers)]
    result: dict[str, Json] = {
        "rows": {"aligned": rows.count, "training": rows.training},
        "layers": cast("Json", sizes),
    }
    if rows.own is not None:
        fresh = rows.own if asked.model else rows.own[rows.training :]
        result["own_stability"] = number_shifts(part.columns, asked.parties[run.party].features, fresh)
    holder = run.circle.rank_of(asked.label.party)
    scored = evaluating.opened(run, asked, rows, Scored(Predicted.OUTCOME, scores, holder, None, rows.label))
    if not asked.model:
        part = replace(part, reference=evaluating.kept(run, asked, scored, rows.training))
        write_part(run.folder, part)
    result |= evaluating.measures(run, asked, scored, part.reference, rows.training)
    result |= evaluating.attacked(run, asked, rows.own, scored, rows.training)
    if asked.fairness:
        result |= equity.judge(run, asked.fairness, rows.table, scores, rows.label, holder)
    run.progress("evaluate", 1.0)
    return result


def _trained(run: Run, asked: NetworkRequest, rows: Rows) -> Part:
    drawn = int.from_bytes(blake3(f"{asked.seed or run.plan.seed}/network".encode()).digest(length=8), "big")
    settings = Settings(
        hidden=asked.layers,
        epochs=asked.epochs,
        batch=min(asked.batch, rows.training),
        learning_rate=asked.learning_rate,
        momentum=asked.momentum,
        penalty=asked.penalty,
        seed=drawn,
    )
    model = fit_network(
        run.circle,
        features(run, asked, rows, rows.training),
        None if rows.label is None else rows.label[: rows.training],
        run.circle.rank_of(asked.label.party),
        settings,
        lambda done, of: run.progress("train", done / of, f"epoch {done} of {of}"),
    )
    names = {name: party.features for name, party in asked.parties.items()}
    lay = {} if rows.own is None else kept_numbers(names[run.party], rows.own[: rows.training])
    return Part(run.party, run.plan.parties, run.plan.hash, run.plan.agreement, names, model, lay)


def _taken_up(run: Run, asked: NetworkRequest) -> Part:
    """An earlier job's network, this party's part from its own folder; all must hold parts of one."""
    part = read_part(run.earlier(asked.model, FILE), asked.model, run.party, run.circle)
    if part.agreement != run.plan.agreement:
        raise MisuseError(f"the model of job {asked.model} was made under another agreement")
    if dict(part.features) != {name: side.features for name, side in asked.parties.items()}:
        raise MisuseError("the model was made of other columns; ask for just the columns that it was made of")
    mine = np.frombuffer(blake3(part.plan.encode()).digest(), dtype=np.uint8)
    for channel in run.circle.others():
        channel.send("network/model", mine)
    for channel in run.circle.others():
        if not np.array_equal(channel.receive("network/model", np.uint8, len(mine)), mine):
            raise MisuseError(f"{channel.peer} holds a part of another model; both must name one job")
    if asked.monitor and part.reference is None:
        raise MisuseError(
            f"the model of job {asked.model} kept nothing of the rows it was fitted to; train it again"
        )
    return part
