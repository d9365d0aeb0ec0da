"""Who stands where in one run of a scorecard, and what this party knows of each side's columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar, cast

import numpy as np

from unseen.application.credit.request import CreditRequest
from unseen.computation.channel import Channel
from unseen.computation.circle import Circle
from unseen.computation.learn.columns import Block
from unseen.computation.learn.evidence import Weighed
from unseen.computation.types import Array, Index, Real
from unseen.interaction.application import Run

T = TypeVar("T")


@dataclass(frozen=True)
class Standing:
    """This party's view of the run: the request, who holds the label, who is the partner, the way to the other."""

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
    def partner(self) -> str:
        return next(name for name in self.run.plan.parties if name != self.holder)

    @property
    def channel(self) -> Channel:
        """The channel to the other computing party."""
        return self.circle.others()[0]

    @property
    def group(self) -> int:
        """The least number of rows that a count may speak of, as agreed."""
        return int(cast("int", self.run.plan.parameters["smallest_group"]))

    def features(self, party: str) -> list[str]:
        """A party's features in the order that all parties use."""
        return sorted(self.asked.parties[party].features)

    def description(self, party: str, column: str) -> str:
        """The agreed public description of a column, its name where there is none."""
        return self.asked.parties[party].features[column] or column


@dataclass
class Side:
    """The columns of one party that are in the model, in order.

    `labels` name the merged bins; `weighed` is known to the label's holder. `index` and `values`, (rows,
    columns) merged bins and weights of evidence of each row, are those of this party's own columns only.
    """

    party: str
    columns: tuple[str, ...]
    weighed: list[Weighed] | None = None
    labels: list[list[str]] | None = None
    index: Index | None = None
    values: Real | None = None


def blocks(here: Standing, sides: Sequence[Side], rows: int) -> list[Block]:
    """The first `rows` rows of both sides' columns as the model takes them."""
    return [
        Block(
            here.circle.rank_of(side.party),
            side.columns,
            rows,
            side.values[:rows] if side.party == here.run.party and side.values is not None else None,
        )
        for side in sides
        if side.columns
    ]


def together(columns: Sequence[Array], rows: int, kind: type[np.int64 | np.float64]) -> Array:
    """(rows, columns) from columns, of which there may be none."""
    return np.column_stack(columns) if columns else np.empty((rows, 0), dtype=kind)


def chosen(items: Sequence[T], flags: Sequence[bool]) -> tuple[T, ...]:
    """The items whose flag is set."""
    return tuple(item for item, flag in zip(items, flags, strict=True) if flag)
