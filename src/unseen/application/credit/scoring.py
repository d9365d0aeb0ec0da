"""From a trained model to scores: log-odds opened to the label's holder, points added up, reasons named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from unseen.application.credit import exchange
from unseen.application.credit.scorecard import Column, Revealed, adverse, points_scale, score_columns
from unseen.application.credit.sides import Side, Standing, blocks
from unseen.computation.learn.fit import Fit, predict_scores, reveal_predictors
from unseen.computation.share.array import Shared, from_owner, reveal_to, summed
from unseen.computation.types import Index, Real


def reveal_model(here: Standing, model: Fit) -> Revealed | None:
    """Everything to the label's holder; None elsewhere."""
    assert model.variances is not None
    unit = 2.0**-model.exponents
    intercept = reveal_to(model.intercept, here.holder, "intercept")
    weights = reveal_to(model.weights, here.holder, "weights")
    variances = reveal_to(model.variances, here.holder, "variances")
    if intercept is None or weights is None or variances is None:
        return None
    errors = np.sqrt(np.maximum(variances, 0.0)) * np.r_[1.0, unit]
    return Revealed(float(intercept), weights * unit, errors, len(model.steps))


def reveal_own(here: Standing, model: Fit) -> Real:
    """To each partner the coefficients of its own columns, in their order; empty at the label's holder."""
    mine = np.empty(0)
    for partner in here.partners:
        places = places_of(here, model, partner)
        own = reveal_to(model.weights[places], partner, "own-weights") if places else None
        if own is not None:
            mine = own * 2.0 ** -model.exponents[places]
    return mine


def places_of(here: Standing, model: Fit, party: str) -> list[int]:
    """Where a party's columns stand in the model."""
    ranks = np.array([rank for rank, _ in model.names])
    found: list[int] = np.flatnonzero(ranks == here.circle.rank_of(party)).tolist()
    return found


def bad_odds(here: Standing, sides: Sequence[Side], model: Fit, rows: int) -> Shared:
    """The shared log-odds of a bad outcome of every common customer."""
    return predict_scores(here.circle, blocks(here, sides, rows), model)


def log_odds(here: Standing, bad: Shared) -> Real | None:
    """The log-odds of good of every common customer at the label's holder, None elsewhere."""
    found = reveal_predictors(bad, here.holder, "scores")
    return None if found is None else -found


def points_as_partner(here: Standing, mine: Side, rows: int) -> list[Index]:
    """Hear the points of the own columns' bins, add them up into the shared total, name the reasons."""
    points: list[Index] = []
    index = np.empty((rows, 0), dtype=np.int64)
    if mine.columns:
        assert mine.labels is not None
        assert mine.index is not None
        index = mine.index
        points = exchange.hear_points(here.to(here.holder), [len(texts) for texts in mine.labels])
    _total(here, points, index, rows)
    if here.asked.reasons and mine.columns:
        exchange.tell_reasons(here.to(here.holder), adverse(points, index, here.asked.reasons))
    return points


def points_as_holder(
    here: Standing, sides: Sequence[Side], model: Revealed, rows: int
) -> tuple[list[Column], Index, list[list[str]]]:
    """The scorecard, every customer's points, and the reasons, the holder's own first."""
    scale = points_scale(here.asked.scale, model.intercept, sum(len(side.columns) for side in sides))
    card = score_columns(sides, model, scale, here.description)
    points = {side.party: [c.points for c in card if c.party == side.party] for side in sides}
    mine = next(side for side in sides if side.party == here.holder)
    assert mine.index is not None
    there = [party for party in here.partners if points[party]]
    for party in there:
        exchange.tell_points(here.to(party), points[party])
    total = _total(here, points[here.holder], mine.index, rows)
    assert total is not None
    most = here.asked.reasons
    if not most:
        return card, total, [[] for _ in range(rows)]
    numbers = {here.holder: adverse(points[here.holder], mine.index, most)}
    for party in there:
        numbers[party] = exchange.hear_reasons(here.to(party), rows, most, len(points[party]))
    return card, total, named(card, numbers, rows)


def _total(here: Standing, points: Sequence[Index], index: Index, rows: int) -> Index | None:
    """The sum of all sides' points of every row, revealed to the holder."""
    circle, own = here.circle, added(points, index, rows)
    parts = [
        from_owner(circle, rank, own if rank == circle.rank else None, (rows,), 0) for rank in range(circle.size)
    ]
    return told_total(here, summed(parts))


def added(points: Sequence[Index], index: Index, rows: int) -> Real:
    """The sum (rows,) of one side's points of every row."""
    own = np.zeros(rows)
    for place, column in enumerate(points):
        own += column[index[:, place]]
    return own


def told_total(here: Standing, total: Shared) -> Index | None:
    """Every customer's points at the label's holder, None elsewhere."""
    found = reveal_to(total, here.holder, "points")
    return None if found is None else np.rint(found).astype(np.int64)


def named(card: Sequence[Column], numbers: Mapping[str, Index], rows: int) -> list[list[str]]:
    """Per row the descriptions of each side's most adverse columns."""
    reasons: list[list[str]] = [[] for _ in range(rows)]
    for party, found in numbers.items():
        names = [column.description for column in card if column.party == party]
        for row, places in zip(reasons, found.tolist(), strict=True):
            row += [names[place] for place in places if place >= 0]
    return reasons
