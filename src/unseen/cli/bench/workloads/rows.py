"""Workloads that move rows: sorting, and sums of a shared vector by one party's groupings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from time import perf_counter

import numpy as np

from unseen.cli.bench.registry import Program, Size
from unseen.computation.circle import Circle
from unseen.computation.share.array import from_owner, reveal
from unseen.computation.share.binned import BinnedColumns, binned_columns
from unseen.computation.share.sort import sort
from unseen.computation.types import Array, Real
from unseen.encoding import Json

SUM_BITS = 40
"""Fractional bits of the vectors that are summed: the sums' error then is below 10^-4 for a million rows."""


def _values(_: int, __: int, size: Size) -> Real:
    """Amounts with many equal ones among them, the same at every party, from a fixed seed."""
    draw = np.random.default_rng(9)  # made-up inputs, the same at all: no mask, no share
    return np.round(draw.lognormal(8.0, 2.0, size["values"]))


def _sort(circle: Circle, values: Real) -> Mapping[str, Json]:
    """Half of each value at either end of the circle, so that both parties' shares are in use."""
    last = circle.size - 1
    mine = values / 2 if circle.rank in {0, last} else None
    whole = from_owner(circle, 0, mine if circle.rank == 0 else None, values.shape)
    whole = whole + from_owner(circle, last, mine if circle.rank == last else None, values.shape)
    opened = reveal(sort(whole), "sorted")
    return {"wrong": int((np.abs(opened - np.sort(values)) > 1e-6).sum())}


@dataclass(frozen=True)
class Groups:
    """Bin numbers (rows, groupings) that the last party knows, and the vector (rows,) that rank 0 enters."""

    places: Array
    vector: Real
    bins: int


@dataclass(frozen=True)
class Entered:
    """The groupings entered: what a run does once for all its vectors, and the seconds that it took."""

    columns: BinnedColumns
    groups: Groups
    seconds: float


def _groups(_: int, __: int, size: Size) -> Groups:
    draw = np.random.default_rng(10)  # made-up inputs, the same at all: no mask, no share
    places = draw.integers(0, size["bins"], (size["rows"], size["groupings"]), dtype=np.uint8)
    return Groups(places, draw.normal(size=size["rows"]), size["bins"])


def _entered(circle: Circle, groups: Groups) -> Entered:
    started, (rows, width), last = perf_counter(), groups.places.shape, circle.size - 1
    mine = groups.places if circle.rank == last else None
    columns = binned_columns(circle, last, mine, [groups.bins] * width, rows)
    return Entered(columns, groups, perf_counter() - started)


def _histogram(circle: Circle, entered: Entered) -> Mapping[str, Json]:
    vector, bins = entered.groups.vector, entered.groups.bins
    shared = from_owner(circle, 0, vector[None] if circle.rank == 0 else None, (1, len(vector)), SUM_BITS)
    sums = reveal(entered.columns.sums(shared), "sums")
    first = np.bincount(entered.groups.places[:, 0], weights=vector, minlength=bins)
    error = float(np.abs(sums[:bins, 0] - first).max())
    return {"error": error, "entered_once_seconds": round(entered.seconds, 2)}


SORT = Program(_values, _sort)
HISTOGRAM = Program(_groups, _histogram, _entered)
