"""Boosted trees on columns of two or more parties: training, and scores of new rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from unseen.cli.bench.registry import Program, Size
from unseen.computation.circle import Circle
from unseen.computation.learn.boosting import Boosted, Columns, fit_boosting, reveal_scores
from unseen.computation.learn.boosting_settings import Objective, Settings
from unseen.computation.learn.evaluate import quality
from unseen.computation.learn.splits import Column
from unseen.computation.learn.trees import Split, Tree
from unseen.computation.types import Index, Real
from unseen.encoding import Json


@dataclass(frozen=True)
class Table:
    """The pooled columns' bin numbers (rows, columns), which a party cuts its own from, and the outcome."""

    places: Index
    outcome: Real
    cuts: list[int]
    size: Size

    def own(self, rank: int) -> Index:
        return self.places[:, self.cuts[rank] : self.cuts[rank + 1]]


def _prepare(rank: int, parties: int, size: Size) -> Table:
    """The same table at every party, from a fixed seed: made-up data, so nothing is given away.

    The odds rise with some columns, fall with others, and depend on a few pairs of them.
    """
    rows, width, bins = size["rows"], size["columns"], size["bins"]
    draw = np.random.default_rng(4)  # made-up inputs, the same at all: no mask, no share
    places = draw.integers(0, bins, (rows, width))
    scaled = places / (bins - 1) - 0.5
    odds = scaled @ draw.normal(size=width) + 4 * scaled[:, 0] * scaled[:, width // 2] - 1.5
    outcome = (draw.random(rows) < 1.0 / (1.0 + np.exp(-odds))).astype(np.float64)
    return Table(places, outcome, np.linspace(0, width, parties + 1).astype(int).tolist(), size)


def _boosting(circle: Circle, table: Table) -> Mapping[str, Json]:
    size = table.size
    sides = []
    for rank in range(circle.size):
        own = table.own(rank)
        width = own.shape[1]
        sides.append(
            Columns(rank, (size["bins"],) * width, (False,) * width, own if rank == circle.rank else None)
        )
    settings = Settings(trees=size["trees"], depth=size["depth"])
    label = table.outcome if circle.rank == 0 else None
    model = fit_boosting(circle, sides, label, 0, size["rows"], settings)
    return {"splits": sum(len(tree.splits) for tree in model.trees)}


@dataclass(frozen=True)
class Scoring:
    """A table, and this party's part of a model that was not fitted: its splits and leaves are drawn."""

    table: Table
    trees: list[Tree]


def _prepare_scoring(rank: int, parties: int, size: Size) -> Scoring:
    table = _prepare(rank, parties, size)
    draw = np.random.default_rng(5)  # made-up splits and leaves, the same at all: nothing here hides anything
    trees = []
    for _ in range(size["trees"]):
        splits = [
            (node, int(draw.integers(size["columns"])), int(draw.integers(size["bins"] - 1)))
            for node in range(2 ** size["depth"] - 1)
        ]
        first, end = table.cuts[rank], table.cuts[rank + 1]
        own = tuple(Split(node, j - first, t, False) for node, j, t in splits if first <= j < end)
        leaves = np.rint(draw.normal(size=2 ** size["depth"]) * 2.0**20).astype(np.int64).view(np.uint64)
        trees.append(Tree(size["depth"], own, leaves if rank == 0 else np.zeros_like(leaves)))
    return Scoring(table, trees)


def _scoring(circle: Circle, inputs: Scoring) -> Mapping[str, Json]:
    table = inputs.table
    columns = tuple(
        Column(rank, place, table.size["bins"], False)
        for rank in range(circle.size)
        for place in range(table.cuts[rank + 1] - table.cuts[rank])
    )
    model = Boosted(circle, replace(Settings(), depth=table.size["depth"]), columns, inputs.trees)
    scores = model.scores(table.own(circle.rank), table.size["rows"])
    opened = reveal_scores(scores, circle.parties[0], Objective.LOGISTIC)
    return {} if opened is None else {"auc": quality(-opened, table.outcome).auc}


BOOSTING = Program(_prepare, _boosting)
PREDICTION = Program(_prepare_scoring, _scoring)
