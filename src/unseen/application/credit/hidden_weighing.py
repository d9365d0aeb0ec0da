"""From bins to columns in the model where nobody sees what a bin is worth: `tables: nobody`.

A partner pools bins of few rows by itself and counts nothing; weights of evidence are made and kept on shares. All
learn of each column whether it says enough. The label's holder weighs its own columns at home, as ever.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unseen.application.credit import exchange
from unseen.application.credit.columns import Binned
from unseen.application.credit.sides import Side, Standing, chosen
from unseen.application.credit.weighing import LeftOut, is_useful, left_out, nothing_useful, own_side, weigh_own
from unseen.computation.learn.coded import one_hot
from unseen.computation.learn.hidden_evidence import HiddenEvidence, hidden_evidence
from unseen.computation.types import Index, Real


@dataclass(frozen=True)
class Compact:
    """A column's bins without those that hold no training row: each fine bin's number among the rest."""

    numbers: tuple[Index, ...]
    index: Index

    @property
    def widths(self) -> list[int]:
        return [int(numbers.max()) + 1 for numbers in self.numbers]


def weigh_hidden(here: Standing, own: Binned, bad: Real | None, training: int) -> tuple[list[Side], list[LeftOut]]:
    """All sides' useful columns in rank order, and at the label's holder those that are left out.

    Raises DataError where no column of any side is of use.
    """
    bins = compact(own)
    found = {
        partner: _evidence_of(here, partner, bins, bad, training)
        for partner in here.partners
        if here.features(partner)
    }
    weighed = [] if bad is None else weigh_own(here, own, bad, training)
    told = exchange.useful(
        here.circle,
        here.holder,
        {here.holder: len(here.features(here.holder))},
        None if bad is None else {here.holder: [is_useful(here, w) for w in weighed]},
    )[here.holder]
    sides = []
    for party in here.circle.parties:
        if party == here.holder:
            names = chosen(here.features(party), told)
            sides.append(Side(party, names) if bad is None else own_side(here, own, weighed, told))
        elif party in found:
            sides.append(_hidden_side(here, party, own, bins, found[party]))
        else:
            sides.append(Side(party, ()))
    if not any(side.columns for side in sides):
        nothing_useful(here, training)
    unseen = [
        LeftOut(party, name, here.description(party, name), None, False)
        for party, evidence in found.items()
        for name, useful in zip(here.features(party), evidence.useful, strict=True)
        if not useful
    ]
    return sides, [*unseen, *left_out(here, here.holder, weighed)]


def compact(own: Binned) -> Compact:
    """A party's own bins without the empty ones."""
    kept = [np.unique(places) for places in own.places]
    numbers = tuple(
        np.minimum(np.searchsorted(filled, np.arange(len(places))), len(filled) - 1)
        for filled, places in zip(kept, own.places, strict=True)
    )
    index = [numbers[j][own.index[:, j]] for j in range(len(numbers))]
    return Compact(numbers, np.column_stack(index) if index else own.index)


def _evidence_of(here: Standing, partner: str, own: Compact, bad: Real | None, training: int) -> HiddenEvidence:
    circle, mine = here.circle, here.run.party == partner
    columns = len(here.features(partner))
    return hidden_evidence(
        circle,
        circle.rank_of(partner),
        own.index[:training] if mine else None,
        exchange.widths(circle, partner, columns, own.widths if mine else None),
        None if bad is None else bad[:training],
        circle.rank_of(here.holder),
        training,
        here.asked.least_information,
        here.group,
    )


def _hidden_side(here: Standing, party: str, own: Binned, bins: Compact, evidence: HiddenEvidence) -> Side:
    places = np.flatnonzero(evidence.useful).tolist()
    useful = evidence.only(places)
    side = Side(party, chosen(here.features(party), evidence.useful), hidden=useful)
    if party == here.run.party:
        side.index = bins.index[:, places]
        side.labels = [own.labels(j, bins.numbers[j]) for j in places]
    if side.columns:
        rank = here.circle.rank_of(party)
        side.hot = one_hot(here.circle, useful.block(rank, side.columns, len(own.index), side.index))
    return side
