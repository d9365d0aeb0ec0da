"""The scorecard attacked with what each party has seen, before anybody uses it.

Membership: from the holder's losses, trained-on customers against the held-out ones. Labels: a partner ranks
customers by its own columns with what it was told of them; how well that works is measured on shares. Features:
the holder sees total points; a partner measures how often that gives away one of its bins, as if the holder knew
the points of all other parties' columns. Where nobody sees what bins are worth, a partner that was told no
points has nothing to rank or to measure by.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from unseen.application.credit.protocols import OWN_POINTS
from unseen.application.credit.scoring import added
from unseen.application.credit.sides import Side, Standing
from unseen.computation.learn.attacks import guessed, log_loss, membership
from unseen.computation.learn.hidden_quality import hidden_auc
from unseen.computation.share.array import from_owner
from unseen.computation.types import Index, Real
from unseen.encoding import Json

MOST_ROWS: Final = 1000
"""Customers on which label inference is tried: enough for a standard error of the AUC of about 0.02."""


def as_holder(here: Standing, sides: Sequence[Side], odds: Real, bad: Real, training: int) -> Mapping[str, Json]:
    """What the model gives away of who was trained on, and what each partner could tell of outcomes."""
    losses = log_loss(odds, bad)
    found = membership(losses[:training], losses[training:])
    result: dict[str, Json] = {"membership": {"auc": round(found.auc, 4), "advantage": round(found.advantage, 4)}}
    rows = min(training, MOST_ROWS)
    areas: dict[str, Json] = {}
    for party in _knowing(here, sides):
        auc = _labels(here, party, None, bad[:rows], rows)
        if auc is not None:
            areas[party] = {"auc": round(auc, 4), "rows": rows}
    return {**result, "labels_by_partner": areas} if areas else result


def as_partner(
    here: Standing, sides: Sequence[Side], points: Sequence[Index], training: int
) -> Mapping[str, Json]:
    """What the holder could tell of this party's bins from the points it sees."""
    rows = min(training, MOST_ROWS)
    result: dict[str, Json] = {}
    for party in _knowing(here, sides):
        if party != here.run.party:
            _labels(here, party, None, None, rows)
            continue
        mine = next(side for side in sides if side.party == party)
        assert mine.index is not None
        seen = added(points, mine.index, len(mine.index))
        _labels(here, party, seen[:rows], None, rows)
        guesses = guessed(points, mine.index, seen.astype(np.int64))
        result["features_by_holder"] = [
            {"column": name, "attack": round(guess.attack, 4), "blind": round(guess.blind, 4)}
            for name, guess in zip(mine.columns, guesses, strict=True)
        ]
    return result


def _knowing(here: Standing, sides: Sequence[Side]) -> list[str]:
    """The partners that know the points of their own columns' bins."""
    found = {
        side.party for side in sides if side.columns and (not side.hidden or here.told(OWN_POINTS, side.party))
    }
    return [party for party in here.partners if party in found]


def _labels(here: Standing, partner: str, scores: Real | None, bad: Real | None, rows: int) -> float | None:
    """AUC of a partner's own scores against the holder's outcomes, told to the holder."""
    circle = here.circle
    shared = from_owner(circle, circle.rank_of(partner), scores, (rows,))
    return hidden_auc(shared, bad, circle.rank_of(here.holder))
