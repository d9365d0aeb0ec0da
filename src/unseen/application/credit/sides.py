"""Who stands where in one run of a scorecard, and what this party knows of each side's columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from unseen.application.credit.request import CreditRequest
from unseen.application.derivation import smallest_group
from unseen.computation.channel import Channel
from unseen.computation.circle import Circle
from unseen.computation.learn.coded import BinnedBlock
from unseen.computation.learn.columns import Block
from unseen.computation.learn.evidence import Weighed
from unseen.computation.learn.hidden_evidence import HiddenEvidence
from unseen.computation.share.private import PrivateMatrix
from unseen.computation.types import Array, Index, Real
from unseen.interaction.application import Run

T = TypeVar("T")


@dataclass(frozen=True)
class Standing:
    """This party's view of the run: the request, who holds the label, who are partners, the ways to the others."""

    run: Run
    asked: CreditRequest

    @property
    def circle(self) -> Circle:
        return self.run.circle

    @property
    def holder(self) -> str:
        return self.asked.label.party

    @property
    def holding(self) -> bool:
        """Whether this party holds the label."""
        return self.run.party == self.holder

    @property
    def partners(self) -> tuple[str, ...]:
        """All others than the label's holder, in rank order."""
        return tuple(name for name in self.circle.parties if name != self.holder)

    def to(self, party: str) -> Channel:
        """The channel to another computing party."""
        return self.circle.channels[party]

    def told(self, output: str, party: str) -> bool:
        """Whether the plan gives a party this output."""
        return output in self.run.plan.outputs.get(party, ())

    @property
    def group(self) -> int:
        """The least number of rows that a count may speak of, as agreed."""
        return smallest_group(self.run.plan)

    def features(self, party: str) -> list[str]:
        """A party's features in the order that all parties use."""
        return sorted(self.asked.parties[party].features)

    def description(self, party: str, column: str) -> str:
        """The agreed public description of a column, its name where there is none."""
        return self.asked.parties[party].features[column] or column


@dataclass
class Side:
    """The columns of one party that are in the model, in order.

    `labels` name the merged bins; `weighed` is known to the label's holder, or `hidden` is held by all on
    shares. `index` and `values`, (rows, columns) merged bins and weights of evidence of each row, are those of
    this party's own columns only, and nobody has values where evidence is hidden: there `hot` are all rows' bins,
    masked once for all that is made of them.
    """

    party: str
    columns: tuple[str, ...]
    weighed: list[Weighed] | None = None
    labels: list[list[str]] | None = None
    hidden: HiddenEvidence | None = None
    index: Index | None = None
    values: Real | None = None
    hot: PrivateMatrix | None = None


def blocks(here: Standing, sides: Sequence[Side], rows: int) -> list[Block | BinnedBlock]:
    """The first `rows` rows of all sides' columns as the model takes them."""
    return [_block(here, side, rows) for side in sides if side.columns]


def _block(here: Standing, side: Side, rows: int) -> Block | BinnedBlock:
    rank = here.circle.rank_of(side.party)
    if side.hidden is not None:
        index = None if side.index is None else side.index[:rows]
        return side.hidden.block(rank, side.columns, rows, index, side.hot)
    mine = side.party == here.run.party and side.values is not None
    return Block(rank, side.columns, rows, side.values[:rows] if mine and side.values is not None else None)


def together(columns: Sequence[Array], rows: int, kind: type[np.int64 | np.float64]) -> Array:
    """(rows, columns) from columns, of which there may be none."""
    return np.column_stack(columns) if columns else np.empty((rows, 0), dtype=kind)


def chosen(items: Sequence[T], flags: Sequence[bool]) -> tuple[T, ...]:
    """The items whose flag is set."""
    return tuple(item for item, flag in zip(items, flags, strict=True) if flag)
