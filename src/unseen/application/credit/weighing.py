"""From fine bins to columns in the model: counted in secret, merged and weighed by the label's holder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

import numpy as np

from unseen.application.credit import exchange
from unseen.application.credit.columns import Binned
from unseen.application.credit.sides import Side, Standing, chosen, together
from unseen.computation.learn.evidence import Weighed, weigh
from unseen.computation.learn.woe import outcome_counts
from unseen.computation.types import Index, Real
from unseen.encoding import Json
from unseen.errors import DataError


@dataclass(frozen=True)
class LeftOut:
    """A column that is not in the model; `one_bin` where its bins had to be merged into one. `information` is None
    where nobody sees it."""

    party: str
    name: str
    description: str
    information: float | None
    one_bin: bool

    def as_json(self) -> Json:
        return {
            "party": self.party,
            "column": self.name,
            "description": self.description,
            "information_value": None if self.information is None else round(self.information, 6),
            "why": "all rows in one bin" if self.one_bin else "too little information",
        }


def weigh_columns(
    here: Standing, own: Binned, bad: Real | None, training: int
) -> tuple[list[Side], list[LeftOut]]:
    """All sides' useful columns in rank order, and at the label's holder those that are left out.

    Raises DataError where no column of any side is of use.
    """
    weighed: dict[str, list[Weighed]] = {}
    widths: dict[str, list[int]] = {}
    for partner in here.partners:
        widths[partner], tables = _counted_with(here, partner, own, bad, training)
        weighed[partner] = [_weighed(here, table, ordered) for table, ordered in tables]
    weighed[here.holder] = [] if bad is None else weigh_own(here, own, bad, training)
    useful = exchange.useful(
        here.circle,
        here.holder,
        {party: len(here.features(party)) for party in here.circle.parties},
        None if bad is None else {party: [is_useful(here, w) for w in found] for party, found in weighed.items()},
    )
    sides = []
    for party in here.circle.parties:
        names, flags = chosen(here.features(party), useful[party]), useful[party]
        side = Side(party, names)
        if party == here.holder:
            side = side if bad is None else own_side(here, own, weighed[party], flags)
        elif party == here.run.party:
            side = _told_side(here, own, flags)
        elif bad is not None:
            side.weighed = list(chosen(weighed[party], flags))
            if weighed[party]:
                exchange.tell_weights(here.to(party), weighed[party])
                wanted = [len(w.weights) for w in side.weighed]
                side.labels = exchange.hear_labels(here.to(party), wanted)
        sides.append(side)
    if not any(side.columns for side in sides):
        nothing_useful(here, training)
    return sides, [entry for party, found in weighed.items() for entry in left_out(here, party, found)]


def _counted_with(
    here: Standing, partner: str, own: Binned, bad: Real | None, training: int
) -> tuple[list[int], list[tuple[Index, bool]]]:
    """All take part: a partner's bins are counted against the label. Its numbers of bins, and at the label's
    holder each column's counts and whether its bins are ordered."""
    names = here.features(partner)
    if not names:
        return [], []
    circle, mine = here.circle, here.run.party == partner
    widths, ordered = exchange.shape(circle, partner, len(names), own if mine else None)
    counts = outcome_counts(
        circle,
        circle.rank_of(partner),
        own.index[:training] if mine else None,
        widths,
        None if bad is None else bad[:training],
        circle.rank_of(here.holder),
        training,
        here.group,
    )
    return widths, [] if counts is None else list(zip(counts, ordered, strict=True))


def _told_side(here: Standing, own: Binned, useful: Sequence[bool]) -> Side:
    """A partner's own useful columns: it hears how their bins are merged and weighed, and tells what they are."""
    if not own.names:
        return Side(here.run.party, ())
    merged, weights = exchange.hear_weights(here.to(here.holder), own.widths)
    places = np.flatnonzero(useful).tolist()
    labels = [own.labels(j, merged[j]) for j in places]
    exchange.tell_labels(here.to(here.holder), labels)
    rows = len(own.index)
    return Side(
        here.run.party,
        chosen(own.names, useful),
        labels=labels,
        index=together([merged[j][own.index[:, j]] for j in places], rows, np.int64),
        values=together([weights[j][own.index[:, j]] for j in places], rows, np.float64),
    )


def weigh_own(here: Standing, own: Binned, bad: Real, training: int) -> list[Weighed]:
    """The holder's own columns, weighed by counts made at home."""
    return [
        _weighed(here, counted(own.index[:training, place], bad[:training], width), bins.ordered)
        for place, (width, bins) in enumerate(zip(own.widths, own.bins, strict=True))
    ]


def own_side(here: Standing, own: Binned, weighed: Sequence[Weighed], useful: Sequence[bool]) -> Side:
    """The holder's own useful columns, with each row's merged bin and weight of evidence."""
    places = np.flatnonzero(useful).tolist()
    merged = [np.asarray(weighed[j].merged) for j in places]
    index = [groups[own.index[:, j]] for j, groups in zip(places, merged, strict=True)]
    values = [weighed[j].weights[numbers] for j, numbers in zip(places, index, strict=True)]
    rows = len(own.index)
    return Side(
        here.holder,
        chosen(own.names, useful),
        weighed=[weighed[j] for j in places],
        labels=[own.labels(j, groups) for j, groups in zip(places, merged, strict=True)],
        index=together(index, rows, np.int64),
        values=together(values, rows, np.float64),
    )


def is_useful(here: Standing, weighed: Weighed) -> bool:
    """Whether a column is in the model."""
    return weighed.useful and weighed.information >= here.asked.least_information


def left_out(here: Standing, party: str, weighed: Sequence[Weighed]) -> list[LeftOut]:
    """A party's columns that are not in the model."""
    return (
        [
            LeftOut(party, name, here.description(party, name), w.information, not w.useful)
            for name, w in zip(here.features(party), weighed, strict=True)
            if not is_useful(here, w)
        ]
        if weighed
        else []
    )


def nothing_useful(here: Standing, training: int) -> NoReturn:
    """Raises DataError: no column can be in the model."""
    raise DataError(
        f"no column of any side tells good from bad: among {training} training rows every bin needs "
        f"{here.asked.smallest_cell} good and {here.asked.smallest_cell} bad ones; lower smallest_cell or "
        "least_information, or wait for more outcomes"
    )


def counted(numbers: Index, bad: Real, width: int) -> Index:
    """(bins, 2): rows and bad rows of each bin."""
    worse = np.bincount(numbers, weights=bad, minlength=width)
    return np.column_stack([np.bincount(numbers, minlength=width), worse]).astype(np.int64)


def _weighed(here: Standing, table: Index, ordered: bool) -> Weighed:
    return weigh(table, ordered, max(here.group, 1), here.asked.smallest_cell, here.asked.monotone)
