"""The run of a network at one party: the same straight line at all.

release → keys → align → train, or take up an earlier model → score → evaluate
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import cast

from blake3 import blake3

from unseen.application.derivation import request_in
from unseen.application.evaluation import equity
from unseen.application.evaluation.characteristics import kept_numbers, number_shifts
from unseen.application.evaluation.reference import require_kept
from unseen.application.evaluation.scores import Labelled, fitted_bands, labelled_rows, scores_measured
from unseen.application.model_part import Origin, require_agreement, require_same
from unseen.application.network.evaluating import attacked, scored
from unseen.application.network.model import KIND, Part, read_part, write_part
from unseen.application.network.request import NetworkRequest, read_request
from unseen.application.network.rows import features, labels, values
from unseen.computation.learn.network import FRACTION, Settings, fit_network, require_in_range
from unseen.computation.types import Real
from unseen.encoding import Json
from unseen.errors import MisuseError
from unseen.interaction.application import Run


def perform(run: Run) -> Mapping[str, Json]:
    """Train, or score with an earlier network; this party's result. Files: its part of the network, and at the
    label's party scores.parquet."""
    asked = read_request(request_in(run.plan))
    rows = labelled_rows(run, asked, lambda table: labels(table, asked.label))
    own = values(rows.table, asked.parties[run.party].features)
    run.progress("train", 0.0)
    part = _taken_up(run, asked) if asked.model else _trained(run, asked, rows, own)
    run.progress("evaluate", 0.0)
    scores = part.model.scores(run.circle, features(run, asked, own, rows.count))
    if not asked.model:
        require_in_range(scores[: rows.training])
    sizes = [part.model.layers[0].weights.shape[0], *(layer.weights.shape[1] for layer in part.model.layers)]
    result: dict[str, Json] = {
        "rows": {"aligned": rows.count, "training": rows.training},
        "layers": cast("Json", sizes),
    }
    if own is not None:
        fresh = own if asked.model else own[rows.training :]
        result["own_stability"] = number_shifts(part.columns, asked.parties[run.party].features, fresh)
    everyone = scored(run, asked, rows, scores)
    if not asked.model:
        bands = fitted_bands(run, asked, scores, everyone.opened, rows.training, FRACTION)
        part = replace(part, reference=bands)
        write_part(run.folder, part)
    result |= scores_measured(run, asked, everyone, part.reference, rows.training)
    result |= attacked(run, asked, own, everyone, rows.training)
    result |= equity.judge(run, asked.fairness, rows.table, scores, rows.label, everyone.holder)
    run.progress("evaluate", 1.0)
    return result


def _trained(run: Run, asked: NetworkRequest, rows: Labelled, own: Real | None) -> Part:
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
        features(run, asked, own, rows.training),
        None if rows.label is None else rows.label[: rows.training],
        run.circle.rank_of(asked.label.party),
        settings,
        lambda done, of: run.progress("train", done / of, f"epoch {done} of {of}"),
    )
    names = {name: party.features for name, party in asked.parties.items()}
    lay = {} if own is None else kept_numbers(names[run.party], own[: rows.training])
    return Part(Origin.of(run.party, run.plan), names, model, lay)


def _taken_up(run: Run, asked: NetworkRequest) -> Part:
    """An earlier job's network, this party's part from its own folder; all must hold parts of one."""
    part = read_part(run.earlier(asked.model, KIND.file), asked.model, run.party, run.circle)
    require_agreement(run, asked.model, part.origin)
    if dict(part.features) != {name: side.features for name, side in asked.parties.items()}:
        raise MisuseError("the model was made of other columns; ask for just the columns that it was made of")
    require_same(run, KIND, part.origin)
    if asked.monitor:
        require_kept(part.reference, asked.model)
    return part
