"""The run of boosted trees at one party: the same straight line at the label's holder and at the partner.

release → keys → align → cut into bins → train, or take up an earlier model → score → evaluate
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeAlias, cast

from blake3 import blake3

from unseen.application.boosting.columns import Binned, cut, cut_as, labels, tell_columns
from unseen.application.boosting.evaluating import attacked, comparable, joint_measures, own_stability, scored
from unseen.application.boosting.kept import Kept
from unseen.application.boosting.model import KIND, Part, read_part, write_part
from unseen.application.boosting.parity import distance
from unseen.application.boosting.request import BoostingRequest, read_request
from unseen.application.derivation import request_in
from unseen.application.evaluation import equity
from unseen.application.evaluation.characteristics import kept_bins
from unseen.application.evaluation.reference import require_kept
from unseen.application.evaluation.scores import (
    Labelled,
    fitted_bands,
    labelled_rows,
    scores_measured,
    write_scores,
)
from unseen.application.model_part import Origin, require_agreement, require_same
from unseen.computation.learn.boosting import Boosted, fit_boosting, reveal_scores
from unseen.computation.learn.boosting_settings import Objective, Settings
from unseen.computation.learn.splits import WEIGHT_FRACTION
from unseen.computation.share.array import Shared
from unseen.computation.types import Real
from unseen.encoding import Json
from unseen.errors import MisuseError
from unseen.interaction.application import Run

Held: TypeAlias = tuple[Boosted, Binned, Kept]
"""A model, this party's columns in its bins, and what is kept of the rows of the fit."""


def perform(run: Run) -> Mapping[str, Json]:
    """Train, or score with an earlier model; this party's result. Files: its part of the model, scores.parquet."""
    asked = read_request(request_in(run.plan))
    rows = labelled_rows(run, asked, lambda table: labels(table, asked.label))
    run.progress("train", 0.0)
    model, own, kept = _taken_up(run, asked, rows) if asked.model else _trained(run, asked, rows)
    run.progress("evaluate", 0.0)
    scores = model.scores(own.places, rows.count)
    result: dict[str, Json] = {
        "rows": {"aligned": rows.count, "training": rows.training},
        "trees": len(model.trees),
        "own_splits": _own_splits(model, own),
        **own_stability(own, kept.counts, rows.training, later=bool(asked.model)),
    }
    opened = None if asked.hidden else reveal_scores(scores, asked.label.party, model.settings.objective)
    if opened is not None:
        write_scores(run, asked, rows, opened + kept.centre)
    if asked.parity:
        fits = None if rows.label is None else rows.label - kept.centre
        found = distance(run, run.circle.rank_of(asked.label.party), model, own, fits, opened)
        result |= {} if found is None else {"parity": found}
    result |= _examined(run, asked, rows, (model, own, kept), scores, opened)
    run.progress("evaluate", 1.0)
    return result


def _examined(
    run: Run,
    asked: BoostingRequest,
    rows: Labelled,
    held: Held,
    scores: Shared,
    opened: Real | None,
) -> dict[str, Json]:
    """What is measured, attacked and judged; of a new model, this party's part is kept. Scores and `opened` ones
    as the trees have them, without the label's centre."""
    model, own, kept = held
    if asked.hidden or asked.monitor or asked.fairness:
        scores = comparable(scores, model.settings.objective)
    if not asked.model:
        kept = replace(kept, reference=fitted_bands(run, asked, scores, opened, rows.training, WEIGHT_FRACTION))
        write_part(run.folder, _part(run, model, own, kept))
    everyone, before = scored(run, asked, scores, opened, rows.label, kept)
    told: dict[str, Any] = scores_measured(run, asked, everyone, before, rows.training)
    if told and not (asked.hidden or asked.monitor):
        told["joint"] = joint_measures(asked, told["evaluation"]["figures"])
    told |= attacked(run, asked, model, own, everyone, rows.training)
    holder = run.circle.rank_of(asked.label.party)
    return told | equity.judge(run, asked.fairness, rows.table, scores, rows.label, holder)


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


def _trained(run: Run, asked: BoostingRequest, rows: Labelled) -> Held:
    side, label, centre = asked.parties[run.party], rows.label, 0.0
    if label is not None and not asked.classifies:
        centre = float(label[: rows.training].mean())
    own = cut(rows.table, side.features, rows.training, asked.bins)
    counts = {name: len(party.features) for name, party in asked.parties.items()}
    columns = tell_columns(run.circle, own, counts, [side.directions.get(name, 0) for name in side.features])
    holder = run.circle.rank_of(asked.label.party)
    total = rows.count
    settings = _settings(asked, run.plan.seed, total, rows.training)
    model = fit_boosting(
        run.circle,
        columns,
        None if label is None else label - centre,
        holder,
        total,
        settings,
        progress=lambda done, of: run.progress("train", done / of, f"tree {done} of {of}"),
    )
    return model, own, Kept(kept_bins(own.names, own.places[: rows.training], own.widths), None, centre)


def _part(run: Run, model: Boosted, own: Binned, kept: Kept) -> Part:
    return Part(
        origin=Origin.of(run.party, run.plan),
        objective=model.settings.objective,
        base=model.settings.base,
        columns=model.columns,
        bins=own.as_json(),
        trees=tuple(model.trees),
        kept=kept,
    )


def _taken_up(run: Run, asked: BoostingRequest, rows: Labelled) -> Held:
    """An earlier job's model, this party's part from its own folder; all must hold parts of one model."""
    part = read_part(run.earlier(asked.model, KIND.file), asked.model, run.party, run.circle)
    require_agreement(run, asked.model, part.origin)
    if (part.objective is Objective.LOGISTIC) != asked.classifies:
        raise MisuseError(f"the model of job {asked.model} predicts {part.objective.value}, not what is asked")
    require_same(run, KIND, part.origin)
    if asked.monitor:
        require_kept(part.kept.reference, asked.model)
    settings = Settings(objective=part.objective, base=part.base)
    model = Boosted(run.circle, settings, part.columns, list(part.trees))
    return model, cut_as(rows.table, asked.parties[run.party].features, part.bins), part.kept


def _own_splits(model: Boosted, own: Binned) -> Json:
    """How often each own column is split on: what this party may know of the model."""
    counts = dict.fromkeys(own.names, 0)
    for tree in model.trees:
        for split in tree.splits:
            counts[own.names[split.column]] += 1
    return cast("Json", dict(sorted(counts.items(), key=lambda item: -item[1])))
