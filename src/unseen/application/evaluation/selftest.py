"""A model attacked with what each party sees of it, before anybody uses it.

Membership (Yeom, Giacomelli, Fredrikson, Jha, CSF 2018): does a row's loss say that it was fitted to? The label's
party measures that on predictions that it has; where nobody has them, it is measured on shares. Labels: a partner
that receives coefficients ranks rows by its own columns with their weights; one that was shown less ranks them by
how alike they are to persons whose labels it might know (see `learn.hidden_attacks`). How well that works is
measured on shares, and told to the label's party alone. Features: the label's party guesses the partners'
columns from scores that it was shown and its own columns (see `learn.feature_attack`); each partner is told what
of its own columns can be told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from unseen.application.evaluation.measuring import Scored
from unseen.application.joint_request import JointRequest
from unseen.computation.learn import hidden_attacks
from unseen.computation.learn.attacks import Membership, log_loss, membership
from unseen.computation.learn.feature_attack import feature_attack
from unseen.computation.learn.hidden_attacks import hidden_membership, label_attack
from unseen.computation.learn.hidden_measures import hidden_losses
from unseen.computation.learn.hidden_quality import hidden_auc
from unseen.computation.learn.likeness import Cuts, every_cut, likeness
from unseen.computation.learn.measures import Predicted, deviances
from unseen.computation.learn.rows import RowValues
from unseen.computation.profile import Carries, Disclosure, Message, Profile, Role
from unseen.computation.share.array import concatenate, from_owner
from unseen.computation.types import Array, Real
from unseen.encoding import Json
from unseen.interaction.application import Run

LABELS: Final = Profile(
    id="models/label-inference",
    title="How well a partner could tell labels",
    source="Mann & Whitney 1947 on sorted shares",
    reveals=(
        Disclosure(Role.RECIPIENT, "how well a partner's own columns, weighed by the model, rank labels (AUC)"),
        Disclosure(Role.DEALER, "the number of tested rows"),
    ),
    messages=(Message("reveal/auc", Carries.DISCLOSED),),
)
MOST_ROWS: Final = 1000
"""Rows on which an attack on shares is tried: enough for a standard error of the AUC of about 0.02."""
LEAST_ROWS: Final = 10
"""Rows for each column of the attacker's, at least: with fewer, any column is guessed by chance."""
MOST_KNOWN: Final = 500
"""Persons whose labels an attacker is supposed to know, a third of the rows of the fit at most."""


def hidden_profiles(predicted: Predicted) -> list[Profile]:
    """What testing membership on shares tells whom."""
    means = [hidden_attacks.MEANS] if predicted in (Predicted.COUNT, Predicted.AMOUNT) else []
    return [hidden_attacks.MEMBERSHIP, *means]


def membership_of(rows: Scored, training: int, hidden: bool) -> dict[str, Json]:
    """How well losses tell the first `training` rows, which the model was fitted to, from the others: to the
    label's party, on shares where scores are `hidden`. Everyone takes part."""
    if hidden:
        return hidden_members(rows, training)
    if rows.opened is None or rows.label is None:
        return {}
    return members(rows.predicted, rows.opened, rows.label, training)


def members(predicted: Predicted, predictor: Real, label: Real, training: int) -> dict[str, Json]:
    """How well losses tell the first `training` rows, which the model was fitted to, from the others."""
    if predicted is Predicted.OUTCOME:
        losses = log_loss(-predictor, label)
    else:
        losses = deviances(predicted, predictor, label)
    return _told(membership(losses[:training], losses[training:]), len(label))


def hidden_members(scored: Scored, training: int) -> dict[str, Json]:
    """The same on shares, of up to MOST_ROWS rows of either kind; everyone takes part. `scored` are all rows, the
    first `training` of which the model was fitted to. The result is empty but at the label's party."""
    first, others = min(training, MOST_ROWS), min(scored.predictor.size - training, MOST_ROWS)
    if not first or not others:
        return {}
    cuts = slice(0, first), slice(training, training + others)
    predictor = concatenate([scored.predictor[cut] for cut in cuts])
    label = None if scored.label is None else np.concatenate([scored.label[cut] for cut in cuts])
    losses = hidden_losses(scored.predicted, predictor, label, scored.holder, scored.unit)
    circle = losses.circle
    found = hidden_membership(losses, first, circle.parties[scored.holder])
    return {} if found is None else _told(found, first + others)


def _told(found: Membership, rows: int) -> dict[str, Json]:
    return {"membership": {"auc": found.auc, "advantage": found.advantage, "rows": rows}}


def labels(
    run: Run, partner: str, scores: Real | None, label: Real | None, holder: int, rows: int
) -> float | None:
    """AUC of a partner's own `scores` (rows,), higher for 1, against the label, to rank `holder`; of numbers,
    those above the median count as 1."""
    count = min(rows, MOST_ROWS)
    own = None if scores is None else -scores[:count]
    shared = from_owner(run.circle, run.circle.rank_of(partner), own, (count,))
    return hidden_auc(shared, None if label is None else _outcome(label[:count]), holder)


@dataclass(frozen=True, eq=False)
class Attacker:
    """What a partner has to rank labels by: bin numbers of its columns (rows, columns), their numbers of bins, the
    last for missing values, and the cuts through them that the model showed it."""

    places: Array
    widths: Sequence[int]
    seen: Cuts


def labels_by_likeness(
    run: Run, partner: str, own: Attacker | None, label: RowValues, training: int, shown: bool
) -> dict[str, Json]:
    """How well a partner could rank labels, knowing some; everyone takes part, the result at the label's party.

    `own` at the partner, whom the model showed cuts if `shown`. Labels are 0 and 1, or numbers, of which those
    above the median count as 1. Of the first `training` rows. `auc` is with what the model showed, `without` by
    the columns alone; empty where there are too few rows, or all tested labels are alike.
    """
    known = min(MOST_KNOWN, training // 3)
    tested = min(MOST_ROWS, training - known)
    if not known:
        return {}
    truth = None if label.values is None else _outcome(label.values[: known + tested])
    areas = []
    for by_model in (True, False) if shown else (False,):
        alike = None
        if own is not None:
            cuts, missing = own.seen if by_model else every_cut(own.widths), [width - 1 for width in own.widths]
            alike = likeness(cuts, own.places[: known + tested], missing, known)
        rank, sizes = run.circle.rank_of(partner), (known, tested)
        areas.append(label_attack(run.circle, rank, alike, truth, label.owner, sizes))
    if areas[0] is None:
        return {}
    found: dict[str, Json] = {"auc": areas[0], "without": areas[-1], "known": known, "rows": tested}
    return {f"labels_by_{partner}": found}


def features(
    run: Run, asked: JointRequest, partners: Sequence[str], own: Real | None, scores: Real | None, count: int
) -> dict[str, Json]:
    """What the label's party could tell of the columns of `partners`; everyone takes part, the result at each.

    `own` (count, columns) are this party's columns, None without any; `scores` (count,) what the label's party has
    seen, None elsewhere. Of up to MOST_ROWS rows; empty where they are too few for the columns.
    """
    circle, attacker, rows = run.circle, asked.label.party, min(count, MOST_ROWS)
    width, told = len(asked.parties[attacker].features), dict[str, Json]()
    if rows < LEAST_ROWS * (width + 2):
        return {}
    columns = None if own is None else own[:rows]
    seen = None
    if scores is not None:
        seen = np.column_stack([*([] if columns is None else [columns]), scores[:rows]])
    for partner in partners:
        names = tuple(asked.parties[partner].features)
        mine = columns if run.party == partner else None
        shape = (rows, len(names), width)
        found = feature_attack(circle, circle.rank_of(partner), mine, seen, circle.rank_of(attacker), shape)
        if found is not None:
            told[f"features_by_{attacker}"] = [
                {"column": name, "attack": float(attack), "blind": float(blind)}
                for name, blind, attack in zip(names, *found, strict=True)
            ]
    return told


def _outcome(label: Real) -> Real:
    """A label of 0 and 1 as it is; of numbers, those above the median are 1."""
    if np.isin(label, (0.0, 1.0)).all():
        return label
    return np.asarray(label > np.median(label), dtype=np.float64)
