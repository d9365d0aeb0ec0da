"""One party's own columns on the way into a scorecard: keys, outcomes, features cut into bins."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from unseen.application import outcome_values
from unseen.application.credit.request import Binning, CreditRequest, Label
from unseen.application.credit.request import Side as RequestedSide
from unseen.computation.learn.binning import (
    Bins,
    NumberBins,
    edge_bins,
    level_bins,
    merged_labels,
    number_bins,
    pooled,
    width_bins,
)
from unseen.computation.types import Index, Real
from unseen.data.number_column import as_numbers, is_number
from unseen.errors import DataError


@dataclass(frozen=True)
class Binned:
    """A party's features in order of name: bins of each, and each row's bin numbers (rows, features).

    Rows of a bin that is too small to be counted stand in another one; `places` says in which, `filled` which
    bins held training rows before that.
    """

    names: tuple[str, ...]
    bins: tuple[Bins, ...]
    index: Index
    places: tuple[Index, ...]
    filled: tuple[tuple[bool, ...], ...]

    @property
    def widths(self) -> list[int]:
        return [len(bins.labels) for bins in self.bins]

    def labels(self, column: int, merged: Index) -> list[str]:
        """A text for each merged bin of a column; fine bins without training rows are not named."""
        return merged_labels(self.bins[column], merged[self.places[column]].tolist(), self.filled[column])


def binned(
    table: pa.Table, side: RequestedSide, training: int, asked: CreditRequest, smallest_group: int
) -> Binned:
    """Cut a side's features at what the first `training` rows say, or at the edges that the request gives.

    Raises DataError naming the column.
    """
    smallest = max(smallest_group, int(np.ceil(asked.smallest_bin * training)))
    ordered = tuple(sorted(side.features))
    cut = []
    for name in ordered:
        edges = side.edges.get(name, ())
        cuts = _Cuts(asked.binning, asked.bins, max(smallest_group, 1) if edges else smallest, edges)
        cut.append(_named(name, table[name], training, cuts))
    index, places, filled = [], [], []
    for bins, numbers in cut:
        rows = np.bincount(numbers[:training], minlength=len(bins.labels))
        places.append(pooled(rows, smallest_group))
        filled.append(tuple((rows > 0).tolist()))
        index.append(places[-1][numbers])
    together = np.column_stack(index) if index else np.empty((table.num_rows, 0), np.int64)
    return Binned(ordered, tuple(bins for bins, _ in cut), together, tuple(places), tuple(filled))


def outcomes(table: pa.Table, label: Label, training: int) -> Real:
    """The label as (rows,) of 1 for bad and 0, training rows first.

    Raises DataError for missing outcomes, and where training or held-out rows have one class.
    """
    bad = outcome_values.outcomes(table, label.column, label.bad)
    for part, rows in (("training", bad[:training]), ("held-out", bad[training:])):
        among = f"{part} rows of the common customers"
        outcome_values.require_both(rows, label.column, label.bad, among, "bad")
    return bad


@dataclass(frozen=True)
class _Cuts:
    """How a column is cut: into at most `count` bins by a rule, or at `edges`; `smallest` rows in each."""

    binning: Binning
    count: int
    smallest: int
    edges: tuple[float, ...]

    def of(self, values: Real) -> NumberBins:
        if self.edges:
            return edge_bins(values, self.edges, self.smallest)
        cut = width_bins if self.binning is Binning.EQUAL_WIDTH else number_bins
        return cut(values, self.count, self.smallest)


def _named(name: str, column: pa.ChunkedArray, training: int, cuts: _Cuts) -> tuple[Bins, Index]:
    try:
        return _cut(column, training, cuts)
    except DataError as error:
        raise DataError(f"column {name!r}: {error}") from error


def _cut(column: pa.ChunkedArray, training: int, cuts: _Cuts) -> tuple[Bins, Index]:
    if is_number(column.type):
        values = as_numbers(column)
        numbers = cuts.of(values[:training])
        return numbers, numbers.index(values)
    if cuts.edges:
        raise DataError("edges are for numbers, and this column holds texts; leave them out of the request")
    texts = np.array(column.cast(pa.string()).to_pylist(), dtype=object)
    levels = level_bins(texts[:training], cuts.smallest)
    return levels, levels.index(texts)
