"""The run of boosted trees at one party: the same straight line at the label's holder and at the partner.

release → keys → align → cut into bins → train, or take up an earlier model → score → evaluate
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias, cast

from blake3 import blake3

from unseen.application.boosting.columns import Binned, cut, cut_as, labels, tell_columns
from unseen.application.boosting.evaluating import hidden, own_stability, shown, whole
from unseen.application.boosting.model import KIND, Part, read_part, write_part
from unseen.application.boosting.parity import distance
from unseen.application.boosting.request import BoostingRequest, read_request
from unseen.application.derivation import request_in
from unseen.application.evaluation import equity
from unseen.application.evaluation.characteristics import kept_bins
from unseen.application.evaluation.held_out import by_lot
from unseen.application.joint_table import Rows, aligned
from unseen.application.model_part import Origin, require_agreement, require_same
from unseen.computation.learn.boosting import Boosted, fit_boosting, reveal_scores
from unseen.computation.learn.boosting_settings import Objective, Settings
from unseen.computation.types import Real
from unseen.encoding import Json
from unseen.errors import MisuseError
from unseen.interaction.application import Run

Held: TypeAlias = tuple[Boosted, Binned, Mapping[str, Json]]
"""A model, this party's columns in its bins, and how many of its training rows lay in each."""


def perform(run: Run) -> Mapping[str, Json]:
    """Train, or score with an earlier model; this party's result. Files: its part of the model, scores.parquet."""
    asked = read_request(request_in(run.plan))
    # Who is held out and whom a tree sees follow from keys and public seed: a validator finds the same rows.
    rows = aligned(run, asked, lambda keys: by_lot(keys, asked.held_out, asked.seed or run.plan.seed))
    label = labels(rows.table, asked.label) if run.party == asked.label.party else None
    centre = 0.0 if label is None or asked.classifies else float(label[: rows.training].mean())
    run.progress("train", 0.0)
    if asked.model:
        model, own, counts = _taken_up(run, asked, rows)
    else:
        model, own, counts = _trained(run, asked, rows, None if label is None else label - centre)
    run.progress("evaluate", 0.0)
    scores = model.scores(own.places, rows.count)
    result: dict[str, Json] = {
        "rows": {"aligned": rows.count, "training": rows.training},
        "trees": len(model.trees),
        "own_splits": _own_splits(model, own),
        **own_stability(own, counts, rows.training, later=bool(asked.model)),
    }
    if asked.hidden:
        result |= hidden(run, asked, scores, label, centre, rows.training, model.settings.objective)
    else:
        opened = reveal_scores(scores, asked.label.party, model.settings.objective)
        if opened is not None and label is not None:
            result |= shown(run, asked, rows, label, opened + centre)
        if asked.parity:
            holder, fits = run.circle.rank_of(asked.label.party), None if label is None else label - centre
            found = distance(run, holder, model, own, fits, opened)
            result |= {} if found is None else {"parity": found}
    if asked.fairness:
        holder = run.circle.rank_of(asked.label.party)
        result |= equity.judge(run, asked.fairness, rows.table, whole(scores), label, holder)
    run.progress("evaluate", 1.0)
    return result


def _settings(asked: BoostingRequest, seed: str, rows: int, training: int) -> Settings:
    drawn = int.from_bytes(blake3(f"{asked.seed or seed}/trees".encode()).digest(length=8), "big")
    return Settings(
        trees=asked.trees,
        depth=asked.depth,
        learning_rate=asked.learning_rate,
        penalty=asked.penalty,
        least_weight=asked.least_weight,
        least_gain=asked.least_gain,
        row_share=asked.row_share,
        column_share=asked.column_share,
        objective=Objective.LOGISTIC if asked.classifies else Objective.SQUARED,
        held_out=rows - training,
        patience=asked.patience,
        seed=drawn,
    )


def _trained(run: Run, asked: BoostingRequest, rows: Rows, label: Real | None) -> Held:
    side = asked.parties[run.party]
    own = cut(rows.table, side.features, rows.training, asked.bins)
    counts = {name: len(party.features) for name, party in asked.parties.items()}
    columns = tell_columns(run.circle, own, counts, [side.directions.get(name, 0) for name in side.features])
    holder = run.circle.rank_of(asked.label.party)
    total = rows.count
    settings = _settings(asked, run.plan.seed, total, rows.training)
    model = fit_boosting(
        run.circle,
        columns,
        label,
        holder,
        total,
        settings,
        progress=lambda done, of: run.progress("train", done / of, f"tree {done} of {of}"),
    )
    lay = kept_bins(own.names, own.places[: rows.training], own.widths)
    write_part(run.folder, _part(run, model, own, lay))
    return model, own, lay


def _part(run: Run, model: Boosted, own: Binned, counts: Mapping[str, Json]) -> Part:
    return Part(
        origin=Origin.of(run.party, run.plan),
        objective=model.settings.objective,
        base=model.settings.base,
        columns=model.columns,
        bins=own.as_json(),
        trees=tuple(model.trees),
        counts=counts,
    )


def _taken_up(run: Run, asked: BoostingRequest, rows: Rows) -> Held:
    """An earlier job's model, this party's part from its own folder; all must hold parts of one model."""
    part = read_part(run.earlier(asked.model, KIND.file), asked.model, run.party, run.plan.parties)
    require_agreement(run, asked.model, part.origin)
    if (part.objective is Objective.LOGISTIC) != asked.classifies:
        raise MisuseError(f"the model of job {asked.model} predicts {part.objective.value}, not what is asked")
    require_same(run, KIND, part.origin)
    settings = Settings(objective=part.objective, base=part.base)
    model = Boosted(run.circle, settings, part.columns, list(part.trees))
    return model, cut_as(rows.table, asked.parties[run.party].features, part.bins), part.counts


def _own_splits(model: Boosted, own: Binned) -> Json:
    """How often each own column is split on: what this party may know of the model."""
    counts = dict.fromkeys(own.names, 0)
    for tree in model.trees:
        for split in tree.splits:
            counts[own.names[split.column]] += 1
    return cast("Json", dict(sorted(counts.items(), key=lambda item: -item[1])))
