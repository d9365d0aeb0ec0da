"""From a trained model to points, totals and reasons, by whichever way the tables go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from unseen.application.credit import hidden_scoring, scoring
from unseen.application.credit.request import Tables
from unseen.application.credit.scorecard import Column, Revealed
from unseen.application.credit.sides import Side, Standing
from unseen.computation.learn.fit import Fit
from unseen.computation.types import Index, Real


@dataclass(frozen=True)
class Pointed:
    """At the label's holder the scorecard `card`, and each customer's `total` and `reasons`; at a partner the
    points of its `own` columns' bins and their `coefficients`, as far as it is told either."""

    card: list[Column] = field(default_factory=list)
    total: Index | None = None
    reasons: list[list[str]] = field(default_factory=list)
    own: Sequence[Index] = ()
    coefficients: Real | None = None


def pointed(here: Standing, sides: Sequence[Side], model: Fit, revealed: Revealed | None, rows: int) -> Pointed:
    """Points of all `rows` common customers; everyone takes part, `revealed` is the holder's."""
    if here.asked.tables is Tables.NOBODY:
        told = hidden_scoring.told(here, sides, model, revealed, rows)
        if revealed is None:
            return Pointed(own=told.points.get(here.run.party, ()))
        card, reasons = hidden_scoring.card_and_reasons(here, sides, revealed, told, rows)
        return Pointed(card, told.total, reasons)
    coefficients = scoring.reveal_own(here, model)
    if revealed is None:
        mine = next(side for side in sides if side.party == here.run.party)
        return Pointed(own=scoring.points_as_partner(here, mine, rows), coefficients=coefficients)
    card, total, reasons = scoring.points_as_holder(here, sides, revealed, rows)
    return Pointed(card, total, reasons)
