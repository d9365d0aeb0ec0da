"""The risk of being found again in a released table, and what the table is still good for.

Source: El Emam & Dankar 2008; El Emam, Guide to the De-Identification of Personal Health Information (2013):
the prosecutor knows that a person is in the table, the journalist looks for anyone, the marketer for many.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Final

import numpy as np

from unseen.data.protect.classes import Classes
from unseen.encoding import Json

AT_RISK: Final = 0.05
"""A row whose risk is above this counts as at risk: classes of fewer than twenty."""


@dataclass(frozen=True)
class Risk:
    """Risks of re-identification, each a probability from 0 to 1; and rows, classes, smallest class."""

    rows: int
    classes: int
    smallest: int
    prosecutor_highest: float
    prosecutor_average: float
    at_risk: float
    journalist_highest: float
    journalist_average: float
    marketer: float

    def as_json(self) -> dict[str, Json]:
        return dict(asdict(self))


def risk(table: Classes, population: Classes | None = None) -> Risk:
    """The risks of a table, whose classes are numbered as those of the population that it was drawn from.

    Without a population the table stands for it: the journalist's risk is then the upper bound. Classes with no
    row in the table do not count.
    """
    sizes = table.sizes
    around = sizes if population is None else population.sizes[: table.count]
    there = sizes > 0
    sizes, around = sizes[there], np.maximum(around[there], sizes[there])
    rows = int(sizes.sum())
    if rows == 0:
        return Risk(0, 0, 0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    return Risk(
        rows=rows,
        classes=len(sizes),
        smallest=int(sizes.min()),
        prosecutor_highest=float(1 / sizes.min()),
        prosecutor_average=len(sizes) / rows,
        at_risk=float(sizes[1 / sizes > AT_RISK].sum() / rows),
        journalist_highest=float(1 / around.min()),
        journalist_average=float(max(len(sizes) / around.sum(), (sizes / around).sum() / rows)),
        marketer=float((sizes / around).sum() / rows),
    )
