"""Hierarchies of generalisation: a column at coarser and coarser levels, up to nothing.

Level 0 is the value itself, the last level is `*` for everybody. A value that lies in one group at some level
lies with all of that group at every coarser one: each kind checks that its steps nest.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Final, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from unseen.data.number_column import as_numbers, is_number
from unseen.errors import DataError, MisuseError

ANYTHING: Final = "*"


class Hierarchy(Protocol):
    """How one column is made coarser. `levels` counts level 0 and the last one, `*`."""

    @property
    def levels(self) -> int: ...

    def at(self, values: pa.Array, level: int) -> pa.Array:
        """The column at a level, as strings; missing values stay missing but at the last level."""
        ...


class Widths:
    """Numbers in intervals `[a, b)` of rising widths, each a multiple of the one before."""

    def __init__(self, *widths: float) -> None:
        for finer, coarser in itertools.pairwise(widths):
            if coarser <= finer or abs(coarser / finer - round(coarser / finer)) > 1e-9:
                raise MisuseError(f"intervals of {coarser:g} do not consist of whole intervals of {finer:g}")
        if not widths or widths[0] <= 0:
            raise MisuseError("give the widths of intervals, for example 5,10,20")
        self._widths = widths

    @property
    def levels(self) -> int:
        return len(self._widths) + 2

    def at(self, values: pa.Array, level: int) -> pa.Array:
        if level in (0, self.levels - 1):
            return _end(values, level)
        width = self._widths[level - 1]
        numbers = as_numbers(values)
        lower, places = np.unique(np.floor(numbers / width) * width, return_inverse=True)
        labels = [None if np.isnan(start) else f"[{start:g}, {start + width:g})" for start in lower]
        return pa.array(labels, pa.string()).take(pa.array(places))


class Prefixes:
    """Text of which more and more last characters are starred out, as of postcodes and codes of trades."""

    def __init__(self, *kept: int) -> None:
        if not kept or list(kept) != sorted(set(kept), reverse=True) or kept[-1] < 1:
            raise MisuseError("give falling numbers of characters to keep, for example 3,2,1")
        self._kept = kept

    @property
    def levels(self) -> int:
        return len(self._kept) + 2

    def at(self, values: pa.Array, level: int) -> pa.Array:
        if level in (0, self.levels - 1):
            return _end(values, level)
        text = pc.cast(values, pa.string())
        kept = pc.utf8_slice_codeunits(text, 0, self._kept[level - 1])
        hidden = pc.subtract(pc.utf8_length(text), pc.utf8_length(kept))
        return pc.binary_join_element_wise(kept, pc.binary_repeat(pa.scalar(ANYTHING), hidden), "")


class Calendar:
    """Dates as month, year, decade."""

    levels: int = 5

    def at(self, values: pa.Array, level: int) -> pa.Array:
        if level in (0, self.levels - 1):
            return _end(values, level)
        kind = values.type
        if not (pa.types.is_date(kind) or pa.types.is_timestamp(kind)):
            raise DataError(f"a column of type {kind} is none of dates")
        if level == 1:
            return pc.strftime(values, "%Y-%m")
        years = pc.year(values)
        if level == 2:
            return pc.cast(years, pa.string())
        return pc.binary_join_element_wise(pc.cast(pc.divide(years, 10), pa.string()), "0s", "")


class Taxonomy:
    """Values with their groups, from fine to coarse, as a steward has written them down."""

    def __init__(self, groups: Mapping[str, Sequence[str]]) -> None:
        steps = {len(path) for path in groups.values()}
        if len(steps) != 1 or not groups:
            raise MisuseError("every value of a taxonomy has the same number of groups")
        self._steps = steps.pop()
        self._values = pa.array(list(groups), pa.string())
        self._paths = [pa.array([path[step] for path in groups.values()]) for step in range(self._steps)]
        for finer, coarser in itertools.pairwise(self._paths):
            if len(set(zip(finer.to_pylist(), coarser.to_pylist(), strict=True))) != len(pc.unique(finer)):
                raise MisuseError("a group of a taxonomy lies in two coarser ones")

    @property
    def levels(self) -> int:
        return self._steps + 2

    def at(self, values: pa.Array, level: int) -> pa.Array:
        if level in (0, self.levels - 1):
            return _end(values, level)
        places = pc.index_in(pc.cast(values, pa.string()), value_set=self._values)
        unknown = places.null_count - values.null_count
        if unknown:
            raise DataError(f"{unknown} values are not in the taxonomy; add them")
        return self._paths[level - 1].take(places)


def _end(values: pa.Array, level: int) -> pa.Array:
    if level == 0:
        return pc.cast(values, pa.string())
    return pa.array([ANYTHING]).take(pa.array(np.zeros(len(values), np.int64)))


def fitting(values: pa.Array) -> Hierarchy:
    """A usual hierarchy for a column that none was given for, by its type and range."""
    kind = values.type
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        return Calendar()
    if is_number(kind):
        numbers = as_numbers(values)
        known = numbers[~np.isnan(numbers)]
        spread = float(known.max() - known.min()) if len(known) else 0.0
        step = 10.0 ** np.floor(np.log10(spread / 10)) if spread > 0 else 1.0
        return Widths(step, 2 * step, 4 * step, 8 * step, 16 * step)
    longest = pc.max(pc.utf8_length(pc.cast(values, pa.string()))).as_py() or 1
    return Prefixes(*range(min(longest - 1, 5), 0, -1)) if longest > 1 else Prefixes(1)
