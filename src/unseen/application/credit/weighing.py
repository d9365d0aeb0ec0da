"""From fine bins to columns in the model: counted in secret, merged and weighed by the label's holder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from unseen.application.credit import exchange
from unseen.application.credit.columns import Binned
from unseen.application.credit.sides import Side, Standing, chosen, together
from unseen.computation.learn.evidence import Weighed, weigh
from unseen.computation.learn.woe import outcome_counts
from unseen.computation.types import Index, Real
from unseen.encoding import Json
from unseen.errors import DataError

USED: Final = "credit/used"
"""Tag of the message that says which of the holder's own columns are in the model."""


@dataclass(frozen=True)
class LeftOut:
    """A column that is not in the model; `one_bin` where its bins had to be merged into one."""

    party: str
    name: str
    description: str
    information: float
    one_bin: bool

    def as_json(self) -> Json:
        return {
            "party": self.party,
            "column": self.name,
            "description": self.description,
            "information_value": round(self.information, 6),
            "why": "all rows in one bin" if self.one_bin else "too little information",
        }


def weigh_columns(
    here: Standing, own: Binned, bad: Real | None, training: int
) -> tuple[list[Side], list[LeftOut]]:
    """Both sides' useful columns in rank order, and at the label's holder those that are left out.

    Raises DataError where no column of either side is of use.
    """
    left_out: list[LeftOut] = []
    if bad is None:
        sides = _as_partner(here, own, training)
    else:
        sides, left_out = _as_holder(here, own, bad, training)
    if not any(side.columns for side in sides):
        raise DataError(
            f"no column of either side tells good from bad: among {training} training rows every bin needs "
            f"{here.asked.smallest_cell} good and {here.asked.smallest_cell} bad ones; lower smallest_cell or "
            "least_information, or wait for more outcomes"
        )
    return sorted(sides, key=lambda side: here.circle.rank_of(side.party)), left_out


def _as_partner(here: Standing, own: Binned, training: int) -> list[Side]:
    """Bring bins, hear which columns are of use and how their bins are merged and weighed."""
    rank, holder = here.circle.rank_of(here.partner), here.circle.rank_of(here.holder)
    exchange.tell_shape(here.channel, own)
    outcome_counts(here.circle, rank, own.index[:training], own.widths, None, holder, training, here.group)
    useful, merged, weights = exchange.hear_weights(here.channel, own.widths)
    places = np.flatnonzero(useful).tolist()
    labels = [own.labels(j, merged[j]) for j in places]
    exchange.tell_labels(here.channel, labels)
    rows = len(own.index)
    ours = Side(
        here.partner,
        chosen(own.names, useful),
        labels=labels,
        index=together([merged[j][own.index[:, j]] for j in places], rows, np.int64),
        values=together([weights[j][own.index[:, j]] for j in places], rows, np.float64),
    )
    names = here.features(here.holder)
    return [ours, Side(here.holder, chosen(names, exchange.hear_useful(here.channel, len(names), USED)))]


def _as_holder(here: Standing, own: Binned, bad: Real, training: int) -> tuple[list[Side], list[LeftOut]]:
    """Weigh the partner's columns by counts from the protocol, the own ones by counts made at home."""
    names = here.features(here.partner)
    rank, holder = here.circle.rank_of(here.partner), here.circle.rank_of(here.holder)
    widths, ordered = exchange.hear_shape(here.channel, len(names))
    counts = outcome_counts(here.circle, rank, None, widths, bad[:training], holder, training)
    assert counts is not None
    theirs = [_weighed(here, table, flag) for table, flag in zip(counts, ordered, strict=True)]
    useful = [_useful(here, w) for w in theirs]
    exchange.tell_weights(here.channel, theirs, useful)
    partner = Side(here.partner, chosen(names, useful), weighed=list(chosen(theirs, useful)))
    partner.labels = exchange.hear_labels(here.channel, partner.weighed or [])

    mine = [
        _weighed(here, _counted(own.index[:training, place], bad[:training], width), bins.ordered)
        for place, (width, bins) in enumerate(zip(own.widths, own.bins, strict=True))
    ]
    useful = [_useful(here, w) for w in mine]
    exchange.tell_useful(here.channel, useful, USED)
    left_out = _left_out(here, here.partner, names, theirs) + _left_out(here, here.holder, own.names, mine)
    return [partner, _own_side(here, own, mine, useful)], left_out


def _own_side(here: Standing, own: Binned, weighed: Sequence[Weighed], useful: Sequence[bool]) -> Side:
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


def _counted(numbers: Index, bad: Real, width: int) -> Index:
    """(bins, 2): rows and bad rows of each bin."""
    worse = np.bincount(numbers, weights=bad, minlength=width)
    return np.column_stack([np.bincount(numbers, minlength=width), worse]).astype(np.int64)


def _weighed(here: Standing, table: Index, ordered: bool) -> Weighed:
    return weigh(table, ordered, max(here.group, 1), here.asked.smallest_cell, here.asked.monotone)


def _useful(here: Standing, weighed: Weighed) -> bool:
    return weighed.useful and weighed.information >= here.asked.least_information


def _left_out(here: Standing, party: str, names: Sequence[str], weighed: Sequence[Weighed]) -> list[LeftOut]:
    return [
        LeftOut(party, name, here.description(party, name), w.information, not w.useful)
        for name, w in zip(names, weighed, strict=True)
        if not _useful(here, w)
    ]
