"""The run of boosted trees at one party: the same straight line at the label's holder and at the partner.

release → keys → align → cut into bins → train, or take up an earlier model → score → evaluate
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias, cast

import numpy as np
import pyarrow as pa
from blake3 import blake3

from unseen.application.boosting.columns import Binned, cut, cut_as, labels, tell_columns
from unseen.application.boosting.evaluating import (
    attacked,
    comparable,
    own_stability,
    scored,
    shown,
    smallest_group,
)
from unseen.application.boosting.kept import Kept
from unseen.application.boosting.model import FILE, Part, read_part, write_part
from unseen.application.boosting.parity import distance
from unseen.application.boosting.request import BoostingRequest, read_request
from unseen.application.evaluation import equity, measuring, reference, selftest
from unseen.application.evaluation.characteristics import kept_bins
from unseen.application.evaluation.held_out import in_order_of_lots
from unseen.application.joint_table import joint_table
from unseen.computation.learn.boosting import Boosted, fit_boosting, reveal_scores
from unseen.computation.learn.boosting_settings import Objective, Settings
from unseen.computation.learn.splits import WEIGHT_FRACTION
from unseen.computation.share.array import Shared
from unseen.computation.types import Real
from unseen.encoding import Json
from unseen.errors import MisuseError
from unseen.interaction.application import Run


@dataclass(frozen=True)
class Rows:
    """This party's own rows of the common keys, in the order of all parties, training rows first."""

    table: pa.Table
    keys: list[str]
    training: int
    label: Real | None = None
    """At the label's party, where the request needs it."""


Held: TypeAlias = tuple[Boosted, Binned, Kept]
"""A model, this party's columns in its bins, and what is kept of the rows of the fit."""


def perform(run: Run) -> Mapping[str, Json]:
    """Train, or score with an earlier model; this party's result. Files: its part of the model, scores.parquet."""
    asked = read_request(cast("Mapping[str, Json]", run.plan.parameters["request"]))
    rows = _aligned(run, asked)
    label = rows.label
    run.progress("train", 0.0)
    model, own, kept = _taken_up(run, asked, rows) if asked.model else _trained(run, asked, rows)
    run.progress("evaluate", 0.0)
    scores = model.scores(own.places, rows.table.num_rows)
    result: dict[str, Json] = {
        "rows": {"aligned": rows.table.num_rows, "training": rows.training},
        "trees": len(model.trees),
        "own_splits": _own_splits(model, own),
        **own_stability(own, kept.counts, rows.training, later=bool(asked.model)),
    }
    opened = None if asked.hidden else reveal_scores(scores, asked.label.party, model.settings.objective)
    if opened is not None:
        result |= shown(run, asked, rows.keys, label, opened + kept.centre, rows.training)
    if asked.parity:
        holder, fits = run.circle.rank_of(asked.label.party), None if label is None else label - kept.centre
        found = distance(run, holder, model, own, fits, opened)
        result |= {} if found is None else {"parity": found}
    result |= _examined(run, asked, rows, (model, own, kept), scores, opened)
    run.progress("evaluate", 1.0)
    return result


def _examined(
    run: Run,
    asked: BoostingRequest,
    rows: Rows,
    held: Held,
    scores: Shared,
    opened: Real | None,
) -> dict[str, Json]:
    """What is measured on shares, attacked and judged; of a new model, this party's part is kept. Scores and
    `opened` ones as the trees have them, without the label's centre."""
    (model, own, kept), told = held, dict[str, Json]()
    holder, smallest = run.circle.rank_of(asked.label.party), smallest_group(run)
    if asked.hidden or asked.monitor or asked.fairness:
        scores = comparable(scores, model.settings.objective)
    if not asked.model:
        first = slice(0, rows.training)
        if asked.hidden:
            bands = reference.reference(scores[first], asked.label.party, smallest)
        else:
            seen = None if opened is None else opened[first]
            bands = reference.known_reference(run.circle, holder, seen, rows.training, WEIGHT_FRACTION, smallest)
        kept = replace(kept, reference=bands)
        write_part(run.folder, _part(run, model, own, kept))
    everyone, before = scored(run, asked, scores, opened, rows.label, kept)
    if asked.hidden or asked.monitor:
        fresh = everyone.rows_from(rows.training)
        found = measuring.evaluated(fresh, asked.compares_outcomes, asked.hidden, before, smallest)
        told |= {} if found is None else {"evaluation": found}
    if asked.tests:
        tested = selftest.membership_of(everyone, rows.training, asked.hidden)
        tested |= attacked(run, asked, model, own, everyone, rows.training)
        told |= {"self_test": tested} if tested else {}
    if asked.fairness:
        told |= equity.judge(run, asked.fairness, rows.table, scores, rows.label, holder)
    return told


def _aligned(run: Run, asked: BoostingRequest) -> Rows:
    """The order, and so who is held out and whom a tree sees, follows from keys and public seed alone: a validator
    finds the same rows."""
    run.progress("align", 0.0)
    found = joint_table(
        run,
        asked.parties[run.party],
        asked.most_unfit,
        lambda done, note: run.progress("align", done, note),
    )
    order, training = in_order_of_lots(found.keys, asked.held_out, asked.seed or run.plan.seed)
    ordered = found.take(order)
    run.progress("align", 1.0)
    training = 0 if asked.monitor else training
    holding = run.party == asked.label.party and asked.needs_label
    label = labels(ordered.table, asked.label) if holding else None
    return Rows(ordered.table, ordered.texts, training, label)


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


def _trained(run: Run, asked: BoostingRequest, rows: Rows) -> Held:
    side, label, centre = asked.parties[run.party], rows.label, 0.0
    if label is not None and not asked.classifies:
        centre = float(label[: rows.training].mean())
    own = cut(rows.table, side.features, rows.training, asked.bins)
    counts = {name: len(party.features) for name, party in asked.parties.items()}
    columns = tell_columns(run.circle, own, counts, [side.directions.get(name, 0) for name in side.features])
    holder = run.circle.rank_of(asked.label.party)
    total = rows.table.num_rows
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
        party=run.party,
        parties=run.plan.parties,
        plan=run.plan.hash,
        agreement=run.plan.agreement,
        objective=model.settings.objective,
        base=model.settings.base,
        columns=model.columns,
        bins=own.as_json(),
        trees=tuple(model.trees),
        kept=kept,
    )


def _taken_up(run: Run, asked: BoostingRequest, rows: Rows) -> Held:
    """An earlier job's model, this party's part from its own folder; all must hold parts of one model."""
    part = read_part(run.earlier(asked.model, FILE), asked.model, run.party, run.circle)
    if part.agreement != run.plan.agreement:
        raise MisuseError(f"the model of job {asked.model} was made under another agreement")
    if (part.objective is Objective.LOGISTIC) != asked.classifies:
        raise MisuseError(f"the model of job {asked.model} predicts {part.objective.value}, not what is asked")
    _same_model(run, part)
    if asked.monitor and part.kept.reference is None:
        raise MisuseError(
            f"the model of job {asked.model} kept nothing of the rows it was fitted to; train it again"
        )
    settings = Settings(objective=part.objective, base=part.base)
    model = Boosted(run.circle, settings, part.columns, list(part.trees))
    return model, cut_as(rows.table, asked.parties[run.party].features, part.bins), part.kept


def _same_model(run: Run, part: Part) -> None:
    mine = np.frombuffer(blake3(part.plan.encode()).digest(), dtype=np.uint8)
    for channel in run.circle.others():
        channel.send("boosting/model", mine)
    for channel in run.circle.others():
        if not np.array_equal(channel.receive("boosting/model", np.uint8, len(mine)), mine):
            raise MisuseError(f"{channel.peer} holds a part of another model; both must name one job")


def _own_splits(model: Boosted, own: Binned) -> Json:
    """How often each own column is split on: what this party may know of the model."""
    counts = dict.fromkeys(own.names, 0)
    for tree in model.trees:
        for split in tree.splits:
            counts[own.names[split.column]] += 1
    return cast("Json", dict(sorted(counts.items(), key=lambda item: -item[1])))
