"""Bins of one party's own columns, and the weight of evidence that counts give them.

Numbers are cut at quantiles (equal-frequency; rows of one value never part), categories keep their levels and
pool the rare ones, missing values have a bin of their own at the end. Everything here is local to one party.

Weight of evidence of bin b: ln( ((good_b + 1/2) / (good + 1/2)) / ((bad_b + 1/2) / (bad + 1/2)) ), the sign of
Siddiqi, Credit Risk Scorecards (2006), chapter 6, with half a row added so that empty cells stay finite.
Information value: sum over bins of (share of good - share of bad) times weight of evidence, same smoothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from unseen.computation.types import Index, Real
from unseen.errors import DataError

MISSING: Final = "missing"
OTHER: Final = "other"
MOST_LEVELS: Final = 50


@dataclass(frozen=True)
class NumberBins:
    """Bins of a numeric column: [-inf, edges[0]), [edges[0], edges[1]), ..., and the missing ones."""

    edges: tuple[float, ...]

    @property
    def ordered(self) -> bool:
        return True

    @property
    def labels(self) -> list[str]:
        if not self.edges:
            return ["any", MISSING]
        texts = [_number(edge) for edge in self.edges]
        inner = [f"{low} – <{high}" for low, high in pairwise(texts)]
        return [f"< {texts[0]}", *inner, f"≥ {texts[-1]}", MISSING]

    def index(self, values: Real) -> Index:
        """Each value's bin. Raises DataError for infinite values."""
        if np.isinf(values).any():
            raise DataError("a numeric column holds infinite values; repair it at the source")
        found = np.searchsorted(np.asarray(self.edges), values, side="right")
        return np.where(np.isnan(values), len(self.edges) + 1, found).astype(np.int64)


@dataclass(frozen=True)
class LevelBins:
    """Bins of a categorical column: one a frequent level, one for all others, and the missing ones."""

    levels: tuple[str, ...]

    @property
    def ordered(self) -> bool:
        return False

    @property
    def labels(self) -> list[str]:
        return [*self.levels, OTHER, MISSING]

    def index(self, values: NDArray[np.object_]) -> Index:
        """Each value's bin; None is missing, a level not seen before is among the others."""
        places = {level: place for place, level in enumerate(self.levels)}
        other = len(self.levels)
        return np.array([other + 1 if v is None else places.get(v, other) for v in values], dtype=np.int64)


Bins = NumberBins | LevelBins


def number_bins(values: Real, count: int, smallest: int) -> NumberBins:
    """At most `count` bins at quantiles of the non-missing values, each with at least `smallest` rows."""
    present = np.sort(values[~np.isnan(values)])
    if np.isinf(present).any():
        raise DataError("a numeric column holds infinite values; repair it at the source")
    edges: list[float] = []
    start = 0
    for step in range(1, count):
        place = len(present) * step // count
        if place >= len(present):
            continue
        edge = float(present[place])
        before = int(np.searchsorted(present, edge, side="left"))
        if before - start >= smallest and len(present) - before >= smallest:
            edges.append(edge)
            start = before
    return NumberBins(tuple(edges))


def level_bins(values: NDArray[np.object_], smallest: int) -> LevelBins:
    """A bin for each of at most 50 levels with at least `smallest` rows, in order of name."""
    present = np.array([value for value in values if value is not None], dtype=object)
    levels, counts = np.unique(present.astype(str), return_counts=True)
    frequent = sorted(np.argsort(-counts, kind="stable")[:MOST_LEVELS])
    return LevelBins(tuple(str(levels[place]) for place in frequent if counts[place] >= smallest))


@dataclass(frozen=True)
class Weighed:
    """What a label's holder makes of a column's fine bins: merged bins with their weights of evidence.

    `merged` gives each fine bin's number among the merged ones; `counts` (merged, 2) rows and bad rows.
    """

    merged: tuple[int, ...]
    counts: Index
    weights: Real
    information: float

    @property
    def useful(self) -> bool:
        return len(self.weights) > 1 and self.information > 0


def weigh(counts: Index, ordered: bool, smallest_rows: int, smallest_cell: int) -> Weighed:
    """Merge fine bins until each holds `smallest_rows` rows and `smallest_cell` good and bad ones, and weigh them.

    `counts` (bins, 2): rows and bad rows of each fine bin, the missing ones last. Ordered bins merge with a
    neighbour, levels with the one of nearest bad rate; the last bin (missing) with the nearest in rate.
    """
    groups = [[place] for place in range(len(counts))]
    while len(groups) > 1:
        sizes = np.array([counts[group].sum(axis=0) for group in groups])
        small = [
            g
            for g, (rows, bad) in enumerate(sizes)
            if rows < smallest_rows or min(bad, rows - bad) < smallest_cell
        ]
        if not small:
            break
        victim = min(small, key=sizes[:, 0].__getitem__)
        target = _neighbour(victim, groups, sizes, ordered, len(counts) - 1)
        groups[min(victim, target)] = sorted(groups[victim] + groups[target])
        del groups[max(victim, target)]
    merged = np.empty(len(counts), dtype=np.int64)
    for number, group in enumerate(groups):
        merged[group] = number
    table = np.array([counts[group].sum(axis=0) for group in groups], dtype=np.int64)
    weights, information = evidence(table)
    return Weighed(tuple(int(m) for m in merged), table, weights, information)


def evidence(counts: Index) -> tuple[Real, float]:
    """Weights of evidence (bins,) and the information value, from (bins, 2) rows and bad rows."""
    bad = counts[:, 1].astype(np.float64)
    good = counts[:, 0] - bad
    share_good = (good + 0.5) / (good.sum() + 0.5)
    share_bad = (bad + 0.5) / (bad.sum() + 0.5)
    weights = np.log(share_good / share_bad)
    return weights, float(((share_good - share_bad) * weights).sum())


def merged_labels(bins: Bins, merged: Sequence[int], filled: Sequence[bool]) -> list[str]:
    """A text for each merged bin; of the fine bins that make it up only those that hold rows are named."""
    texts = []
    for number in range(max(merged) + 1):
        parts = [
            label
            for label, group, here in zip(bins.labels, merged, filled, strict=True)
            if group == number and (here or (bins.ordered and label != MISSING))
        ]
        span = [part for part in parts if part != MISSING]
        joined = _span(span) if bins.ordered and len(span) > 1 else ", ".join(span)
        texts.append(", ".join(filter(None, [joined, MISSING if MISSING in parts else ""])) or "none")
    return texts


def _neighbour(victim: int, groups: list[list[int]], sizes: Index, ordered: bool, missing: int) -> int:
    others = [g for g in range(len(groups)) if g != victim]
    if ordered and missing not in groups[victim]:
        near = [g for g in (victim - 1, victim + 1) if 0 <= g < len(groups) and missing not in groups[g]]
        others = near or others
    rate = sizes[:, 1] / np.maximum(sizes[:, 0], 1)
    return min(others, key=lambda g: abs(rate[g] - rate[victim]))


def _span(labels: Sequence[str]) -> str:
    """`10 – <20` and `20 – <30` make `10 – <30`."""
    first, last = labels[0], labels[-1]
    low = "" if first.startswith("<") else first.split(" – ")[0].removeprefix("≥ ")
    high = "" if last.startswith("≥") else last.split("<")[-1].strip()
    if low and high:
        return f"{low} – <{high}"
    return f"≥ {low}" if low else f"< {high}" if high else "any"


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 or value == int(value) else f"{value:.4g}"
