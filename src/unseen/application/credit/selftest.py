"""The scorecard attacked with what each party has seen, before anybody uses it.

Membership: from the holder's losses, trained-on customers against the held-out ones. Labels: a partner ranks
customers by its own columns with what it was told of them; how well that works is measured on shares. Features:
the holder sees total points; a partner measures how often that gives away one of its bins, as if the holder knew
the points of all other parties' columns. Where nobody sees what bins are worth, a partner that was told no
points has nothing to rank or to measure by.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from unseen.application.credit.protocols import OWN_POINTS
from unseen.application.credit.scoring import added
from unseen.application.credit.sides import Side, Standing
from unseen.application.evaluation import selftest
from unseen.computation.learn.attacks import guessed
from unseen.computation.learn.measures import Predicted
from unseen.computation.types import Index, Real
from unseen.encoding import Json


def as_holder(here: Standing, sides: Sequence[Side], odds: Real, bad: Real, training: int) -> Mapping[str, Json]:
    """What the model gives away of who was trained on, and what each partner could tell of outcomes."""
    result = selftest.members(Predicted.OUTCOME, -odds, bad, training)
    rows = min(training, selftest.MOST_ROWS)
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
    rows = min(training, selftest.MOST_ROWS)
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
    """AUC of a partner's own scores, higher for good ones, against the holder's outcomes, told to the holder."""
    own = None if scores is None else -scores
    return selftest.labels(here.run, partner, own, bad, here.circle.rank_of(here.holder), rows)
