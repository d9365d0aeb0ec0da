"""One party's own columns on the way into boosted trees: keys, label, bins and how the others are told of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from unseen.application.joint_request import Label
from unseen.application.outcome_values import outcomes, require_both
from unseen.computation.circle import Circle
from unseen.computation.learn.binning import Bins, LevelBins, NumberBins, level_bins, number_bins
from unseen.computation.learn.boosting import Columns
from unseen.computation.types import Array, Real
from unseen.data.number_column import as_numbers, is_number
from unseen.encoding import Json
from unseen.errors import DataError, MisuseError, ProtocolError

MOST_COLUMNS = 4096
MOST_BINS = 256


@dataclass(frozen=True)
class Binned:
    """A party's features in order: how each is cut, and each row's bin numbers (rows, features)."""

    names: tuple[str, ...]
    bins: tuple[Bins, ...]
    places: Array

    @property
    def widths(self) -> list[int]:
        return [len(bins.labels) for bins in self.bins]

    def as_json(self) -> dict[str, Json]:
        """By column: edges of a numeric one, levels of another."""
        return {
            name: {"edges": list(bins.edges)} if isinstance(bins, NumberBins) else {"levels": list(bins.levels)}
            for name, bins in zip(self.names, self.bins, strict=True)
        }


def cut(table: pa.Table, names: Sequence[str], training: int, count: int) -> Binned:
    """Cut columns at quantiles of the first `training` rows. Raises DataError naming the column."""
    bins = [_cut(name, table[name], training, count) for name in names]
    return binned(table, names, bins)


def cut_as(table: pa.Table, names: Sequence[str], cuts: Mapping[str, Json]) -> Binned:
    """Cut columns as an earlier model's were. Raises DataError naming a column that the model does not know."""
    bins: list[Bins] = []
    for name in names:
        known = cuts.get(name)
        if not isinstance(known, Mapping):
            raise DataError(f"column {name!r} is not in the model; ask for the columns that it was made of")
        if "edges" in known:
            bins.append(NumberBins(tuple(float(edge) for edge in known["edges"])))  # type: ignore[union-attr,arg-type]
        else:
            bins.append(LevelBins(tuple(str(level) for level in known["levels"])))  # type: ignore[union-attr]
    return binned(table, names, bins)


def binned(table: pa.Table, names: Sequence[str], bins: Sequence[Bins]) -> Binned:
    """Each row's bins. Raises DataError naming the column."""
    places = np.zeros((table.num_rows, len(names)), dtype=np.int64)
    for j, (name, found) in enumerate(zip(names, bins, strict=True)):
        try:
            places[:, j] = found.index(_values(table[name]))
        except DataError as error:
            raise DataError(f"column {name!r}: {error}") from error
    return Binned(tuple(names), tuple(bins), places)


def labels(table: pa.Table, label: Label) -> Real:
    """The label (rows,): 1 for the values asked for and 0 for others, or the number itself.

    Raises DataError for missing or infinite labels, texts where numbers are asked for, and one class only.
    """
    if label.positive:
        truth = outcomes(table, label.column, label.positive)
        require_both(truth, label.column, label.positive)
        return truth
    column = table[label.column]
    if column.null_count:
        raise DataError(f"the label {label.column!r} is missing in some rows; leave these rows out at the source")
    if not is_number(column.type):
        raise DataError(f"the label {label.column!r} is no number; name the values that mean 1 in `positive`")
    numbers = as_numbers(column)
    if not np.isfinite(numbers).all():
        raise DataError(f"the label {label.column!r} is not finite in some rows; repair it at the source")
    return numbers


def tell_columns(
    circle: Circle, own: Binned, counts: Mapping[str, int], directions: Sequence[int]
) -> list[Columns]:
    """Tell the others the number of bins of each own column, and hear theirs: one round. In rank order.

    `counts` says how many columns each party brings. Raises ProtocolError for what no column can have.
    """
    for channel in circle.others():
        channel.send("boosting/widths", np.array([own.widths, directions], dtype=np.int32))
    found = []
    for rank, party in enumerate(circle.parties):
        if rank == circle.rank:
            widths, ways = own.widths, list(directions)
        else:
            table = circle.channel(rank).receive("boosting/widths", np.int32, (2, counts[party]))
            widths, ways = table[0].tolist(), table[1].tolist()
            if any(not 2 <= width <= MOST_BINS for width in widths) or any(abs(way) > 1 for way in ways):
                raise ProtocolError(party, "told of columns with numbers of bins that none can have")
        places = own.places if rank == circle.rank else None
        found.append(Columns(rank, tuple(widths), (True,) * len(widths), places, tuple(ways)))
    return found


def _cut(name: str, column: pa.ChunkedArray, training: int, count: int) -> Bins:
    try:
        values = _values(column)[:training]
        return number_bins(values, count, 1) if is_number(column.type) else level_bins(values, 1)
    except DataError as error:
        raise DataError(f"column {name!r}: {error}") from error


def _values(column: pa.ChunkedArray) -> Array:
    if is_number(column.type):
        return as_numbers(column)
    if pa.types.is_nested(column.type):
        raise MisuseError("a column of lists or records cannot be a feature")
    return np.array(column.cast(pa.string()).to_pylist(), dtype=object)
