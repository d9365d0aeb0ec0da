"""One party's own columns on the way into a scorecard: read, aligned, cut into bins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from unseen.application.credit.request import CreditRequest, Label
from unseen.computation.learn.binning import Bins, level_bins, merged_labels, number_bins
from unseen.computation.types import Index, Real
from unseen.data import contract
from unseen.errors import DataError


@dataclass(frozen=True)
class Binned:
    """A party's features in order of name: bins of each, and each row's bin numbers (rows, features)."""

    names: tuple[str, ...]
    bins: tuple[Bins, ...]
    index: Index

    @property
    def widths(self) -> list[int]:
        return [len(bins.labels) for bins in self.bins]

    def labels(self, merged: Sequence[Index], training: int) -> list[list[str]]:
        """A text for each merged bin of each column; fine bins without training rows are not named."""
        texts = []
        for place, (bins, groups) in enumerate(zip(self.bins, merged, strict=True)):
            filled = np.bincount(self.index[:training, place], minlength=len(bins.labels)) > 0
            texts.append(merged_labels(bins, groups.tolist(), filled.tolist()))
        return texts


def usable_keys(table: pa.Table, key: str) -> list[bytes]:
    """Normalised keys. Raises DataError when some are empty or repeated, with their shares."""
    keys = contract.normalised(table[key])
    contract.require_unique(keys)
    return [text.encode() for text in keys.to_pylist()]


def binned(
    table: pa.Table, names: Sequence[str], training: int, asked: CreditRequest, smallest_group: int
) -> Binned:
    """Cut columns at what the first `training` rows say. Raises DataError naming the column."""
    smallest = max(smallest_group, int(np.ceil(asked.smallest_bin * training)))
    found, index = [], []
    for name in sorted(names):
        try:
            bins, places = _cut(table[name], training, asked.bins, smallest)
        except DataError as error:
            raise DataError(f"column {name!r}: {error}") from error
        found.append(bins)
        index.append(places)
    rows = table.num_rows
    return Binned(
        tuple(sorted(names)), tuple(found), np.column_stack(index) if index else np.empty((rows, 0), np.int64)
    )


def outcomes(table: pa.Table, label: Label) -> Real:
    """The label as (rows,) of 1 for bad and 0. Raises DataError for missing outcomes or one class."""
    values = table[label.column].to_pylist()
    if any(value is None for value in values):
        raise DataError(f"the label {label.column!r} is missing in some rows; leave these rows out at the source")
    wanted = {str(value) for value in label.bad}
    bad = np.array([float(str(value) in wanted) for value in values])
    if not 0 < bad.sum() < len(bad):
        raise DataError(
            f"the label {label.column!r} has one class only among the common customers; "
            f"check the values that mean bad ({', '.join(sorted(wanted))})"
        )
    return bad


def _cut(column: pa.ChunkedArray, training: int, count: int, smallest: int) -> tuple[Bins, Index]:
    if pa.types.is_integer(column.type) or pa.types.is_floating(column.type) or pa.types.is_decimal(column.type):
        values = column.cast(pa.float64()).to_numpy(zero_copy_only=False)
        numbers = number_bins(values[:training], count, smallest)
        return numbers, numbers.index(values)
    texts = np.array(column.cast(pa.string()).to_pylist(), dtype=object)
    levels = level_bins(texts[:training], smallest)
    return levels, levels.index(texts)
