"""Points and reasons where nobody sees what a partner's bin is worth: made on shares, told where it is agreed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from unseen.application.credit import exchange
from unseen.application.credit.protocols import OWN_POINTS, SCORECARD
from unseen.application.credit.scorecard import Column, Revealed, adverse, points_scale, score_columns, unit
from unseen.application.credit.scoring import added, named, places_of, told_total
from unseen.application.credit.sides import Side, Standing
from unseen.computation.learn.columns import CODED_EXPONENT, in_units
from unseen.computation.learn.fit import Fit
from unseen.computation.learn.hidden_points import looked_up, lost_points, most_adverse, points_of_bins, whole
from unseen.computation.share import arithmetic
from unseen.computation.share.array import Shared, from_owner, reveal_to, summed
from unseen.computation.types import Index, Real


@dataclass(frozen=True, eq=False)
class Told:
    """What came out at this party. At the label's holder: of each partner the points of its columns' bins with
    their labels and the columns' information values, where it is agreed, and each row's most adverse columns; at
    a partner the points of its own columns' bins, where that is agreed."""

    total: Index | None
    points: Mapping[str, list[Index]]
    labels: Mapping[str, list[list[str]]]
    information: Mapping[str, Real]
    reasons: Mapping[str, Index]


def told(here: Standing, sides: Sequence[Side], model: Fit, revealed: Revealed | None, rows: int) -> Told:
    """Points, totals and reasons of all sides; everyone takes part, `revealed` is the holder's.

    The last use of the partners' masked bins, which are forgotten here.
    """
    share = _share(here, sides, model)
    points: dict[str, list[Index]] = {}
    labels: dict[str, list[list[str]]] = {}
    information: dict[str, Real] = {}
    reasons: dict[str, Index] = {}
    totals = [_holders_total(here, sides, revealed, rows)]
    for side in sides:
        if side.hidden is None or not side.columns:
            continue
        widths, party = side.hidden.widths, side.party
        coefficients = in_units(model.weights[places_of(here, model, party)], CODED_EXPONENT)
        spread = np.repeat(share.words.reshape(1), sum(widths))
        parts = points_of_bins(side.hidden.weights, coefficients, widths, unit(here.asked.scale))
        bins = whole(parts + Shared(share.circle, spread, share.fraction))
        assert side.hot is not None
        found = looked_up(side.hot, bins, widths)
        side.hot.forget()
        totals.append(found.sum(axis=1))
        if here.asked.reasons:
            worst = reveal_to(
                most_adverse(lost_points(found, bins, widths), here.asked.reasons), here.holder, "reasons"
            )
            reasons |= {} if worst is None else {party: np.rint(worst).astype(np.int64)}
        told_to = [here.holder] if here.told(SCORECARD, here.holder) else []
        told_to += [party] if here.told(OWN_POINTS, party) else []
        for name in told_to:
            opened = reveal_to(bins, name, "bin-points")
            points |= {} if opened is None else {party: _split(opened, widths)}
        if here.told(SCORECARD, here.holder):
            values = reveal_to(side.hidden.information, here.holder, "information")
            information |= {} if values is None else {party: values}
            if here.run.party == party:
                exchange.tell_labels(here.to(here.holder), side.labels or [])
            elif here.holding:
                labels[party] = exchange.hear_labels(here.to(party), widths)
    return Told(told_total(here, summed(totals)), points, labels, information, reasons)


def card_and_reasons(
    here: Standing, sides: Sequence[Side], revealed: Revealed, found: Told, rows: int
) -> tuple[list[Column], list[list[str]]]:
    """The scorecard at the label's holder, with what it was told of the partners' columns, and each row's
    reasons."""
    scale = points_scale(here.asked.scale, revealed.intercept, sum(len(side.columns) for side in sides))
    card = score_columns(sides, revealed, scale, here.description)
    numbered = {name: iter(range(len(card))) for name in here.circle.parties}
    card = [_with_points(column, found, next(numbered[column.party])) for column in card]
    mine = next(side for side in sides if side.party == here.holder)
    assert mine.index is not None
    most = here.asked.reasons
    own = adverse([column.points for column in card if column.party == here.holder], mine.index, most)
    numbers = {here.holder: own, **found.reasons} if most else {}
    return card, named(card, numbers, rows)


def _with_points(column: Column, found: Told, place: int) -> Column:
    if column.party not in found.labels:
        return column
    return replace(
        column,
        information=float(found.information[column.party][place]),
        labels=tuple(found.labels[column.party][place]),
        points=found.points[column.party][place],
    )


def _share(here: Standing, sides: Sequence[Side], model: Fit) -> Shared:
    """The share of offset and intercept that each column's points begin with, as in `scorecard.points_scale`."""
    scale, columns = here.asked.scale, sum(len(side.columns) for side in sides)
    bare = points_scale(scale, 0.0, columns)
    moved = arithmetic.public_product(
        arithmetic.rescale(model.intercept.reshape(1), 24), -bare.factor / columns, 20
    )
    return arithmetic.rescale(moved, 20) + bare.share


def _holders_total(here: Standing, sides: Sequence[Side], revealed: Revealed | None, rows: int) -> Shared:
    """The points (rows,) of the label's holder's own columns, which it knows."""
    own = None
    if revealed is not None:
        scale = points_scale(here.asked.scale, revealed.intercept, sum(len(side.columns) for side in sides))
        card = score_columns(sides, revealed, scale, here.description)
        mine = next(side for side in sides if side.party == here.holder)
        assert mine.index is not None
        own = added([column.points for column in card if column.party == here.holder], mine.index, rows)
    return from_owner(here.circle, here.circle.rank_of(here.holder), own, (rows,), 0)


def _split(points: Real, widths: Sequence[int]) -> list[Index]:
    return np.split(np.rint(points).astype(np.int64), np.cumsum(widths)[:-1])
