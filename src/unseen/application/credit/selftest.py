"""The scorecard attacked with what each party has seen, before anybody uses it.

Membership: from the holder's losses, trained-on customers against the held-out ones. Labels: the partner ranks
customers by its own columns with the weights it was told; how well that works is measured on shares. Features:
the holder sees the partner's total points; the partner measures how often that gives away one of its bins.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from unseen.application.credit.sides import Side, Standing
from unseen.computation.learn.attacks import guessed, log_loss, membership
from unseen.computation.learn.hidden_quality import hidden_auc
from unseen.computation.share.array import from_owner
from unseen.computation.types import Index, Real
from unseen.encoding import Json

MOST_ROWS: Final = 1000
"""Customers on which label inference is tried: enough for a standard error of the AUC of about 0.02."""


def as_holder(here: Standing, sides: Sequence[Side], odds: Real, bad: Real, training: int) -> Mapping[str, Json]:
    """What the model gives away of who was trained on, and what the partner could tell of outcomes."""
    losses = log_loss(odds, bad)
    found = membership(losses[:training], losses[training:])
    result: dict[str, Json] = {"membership": {"auc": round(found.auc, 4), "advantage": round(found.advantage, 4)}}
    if _partner_has_columns(here, sides):
        rows = min(training, MOST_ROWS)
        auc = _labels(here, None, bad[:rows], rows)
        result["labels_by_partner"] = {"auc": round(auc or 0.0, 4), "rows": rows}
    return result


def as_partner(
    here: Standing, mine: Side, weights: Real, points: Sequence[Index], training: int
) -> Mapping[str, Json]:
    """What the holder could tell of this party's bins from the points it sees."""
    if not mine.columns:
        return {}
    assert mine.values is not None
    assert mine.index is not None
    rows = min(training, MOST_ROWS)
    _labels(here, -(mine.values[:rows] @ weights), None, rows)
    index = mine.index
    seen = sum(column[index[:, place]] for place, column in enumerate(points))
    guesses = guessed(points, index, np.asarray(seen))
    return {
        "features_by_holder": [
            {"column": name, "attack": round(guess.attack, 4), "blind": round(guess.blind, 4)}
            for name, guess in zip(mine.columns, guesses, strict=True)
        ]
    }


def _partner_has_columns(here: Standing, sides: Sequence[Side]) -> bool:
    return any(side.columns for side in sides if side.party == here.partner)


def _labels(here: Standing, scores: Real | None, bad: Real | None, rows: int) -> float | None:
    """AUC of the partner's own scores against the holder's outcomes, told to the holder."""
    circle = here.circle
    shared = from_owner(circle, circle.rank_of(here.partner), scores, (rows,))
    return hidden_auc(shared, bad, circle.rank_of(here.holder), here.holder)
