"""Whether a party's own columns have moved: characteristic stability, known at each column's owner alone.

Kept beside the model, in the party's own part: edges between bins of a column and how many rows of the fit lay in
each, the last bin for missing values.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from unseen.computation.learn.measures import shift
from unseen.computation.types import Array, Index, Real
from unseen.encoding import Json

BINS: Final = 10


def kept_numbers(names: Sequence[str], values: Real) -> dict[str, Json]:
    """By column of (rows, columns): up to nine edges, and counts."""
    kept: dict[str, Json] = {}
    for name, column in zip(names, values.T, strict=True):
        there = column[np.isfinite(column)]
        edges = np.unique(np.quantile(there, np.arange(1, BINS) / BINS)) if len(there) else np.empty(0)
        kept[name] = {"edges": edges.tolist(), "counts": _counts(edges, column).tolist()}
    return kept


def number_shifts(kept: Mapping[str, Any], names: Sequence[str], values: Real) -> dict[str, Json]:
    """By column, the stability index of (rows, columns) against what was kept."""
    return {
        name: shift(kept[name]["counts"], _counts(np.array(kept[name]["edges"]), column).tolist())
        for name, column in zip(names, values.T, strict=True)
        if name in kept
    }


def kept_bins(names: Sequence[str], places: Array, widths: Sequence[int]) -> dict[str, Json]:
    """By column, how many of (rows, columns) bin numbers there are of each."""
    return {
        name: np.bincount(column, minlength=width).tolist()
        for name, column, width in zip(names, places.T, widths, strict=True)
    }


def bin_shifts(kept: Mapping[str, Any], names: Sequence[str], places: Array) -> dict[str, Json]:
    """As `number_shifts`, of bin numbers."""
    return {
        name: shift(kept[name], np.bincount(column, minlength=len(kept[name])).tolist())
        for name, column in zip(names, places.T, strict=True)
        if name in kept
    }


def _counts(edges: Real, column: Real) -> Index:
    """Rows of each bin, the missing ones last."""
    there = np.isfinite(column)
    inside = np.bincount(np.searchsorted(edges, column[there], side="right"), minlength=len(edges) + 1)
    return np.append(inside, (~there).sum()).astype(np.int64)
