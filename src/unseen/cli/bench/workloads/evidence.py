"""Weights of evidence and information values of a partner's columns against the label holder's label."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from unseen.cli.bench.registry import Program, Size
from unseen.computation.circle import Circle
from unseen.computation.learn.binning import number_bins
from unseen.computation.learn.evidence import evidence
from unseen.computation.learn.woe import outcome_counts
from unseen.computation.threads import each
from unseen.computation.types import Index, Real
from unseen.encoding import Json


@dataclass(frozen=True)
class Table:
    """The partner's numeric columns (rows, columns), the label, and the most bins a column is cut into."""

    columns: Real
    label: Real
    bins: int


def _prepare(rank: int, _: int, size: Size) -> Table:
    """The same at every party, from a fixed seed: columns that tell a little of the label each."""
    draw = np.random.default_rng(7)  # made-up inputs, the same at all: no mask, no share
    columns = draw.normal(size=(size["rows"], size["columns"]))
    odds = columns @ draw.normal(size=size["columns"]) / np.sqrt(size["columns"]) - 1.5
    return Table(columns, (draw.random(size["rows"]) < 1 / (1 + np.exp(-odds))).astype(np.float64), size["bins"])


def _run(circle: Circle, table: Table) -> Mapping[str, Json]:
    """The partner is the last party; the label is the first one's. Binning at home is part of the work."""
    partner, rows, columns = circle.size - 1, *table.columns.shape
    index: Index | None = None
    if circle.rank == partner:
        index = np.column_stack(
            each(lambda values: number_bins(values, table.bins, 1).index(values), [*table.columns.T])
        )
    label = table.label if circle.rank == 0 else None
    counts = outcome_counts(circle, partner, index, [table.bins + 1] * columns, label, 0, rows)
    if counts is None:
        return {}
    found = [evidence(count[:-1]) for count in counts]
    return {"error": _error(table, found), "information": round(sum(value for _, value in found), 4)}


def _error(table: Table, found: list[tuple[Real, float]]) -> float:
    """The largest distance of a weight of evidence from the plaintext table's."""
    largest = 0.0
    for values, (weights, _) in zip(table.columns.T[:3], found[:3], strict=True):
        place = number_bins(values, table.bins, 1).index(values)
        rows = np.bincount(place, minlength=table.bins)
        bad = np.bincount(place, weights=table.label, minlength=table.bins)
        good = (rows - bad + 0.5) / (len(place) - table.label.sum() + 0.5)
        plain = np.log(good / ((bad + 0.5) / (table.label.sum() + 0.5)))
        largest = max(largest, float(np.abs(plain - weights).max()))
    return largest


WOE = Program(_prepare, _run)
