"""Bins of one party's own columns: where they are cut, which rows lie in them, what they are called.

Numbers are cut at quantiles (equal-frequency; rows of one value never part), into spans of equal width, or at
given edges; categories keep their levels and pool the rare ones, missing values have a bin of their own at the
end. Everything here is local to one party; what a label's holder makes of counts per bin is in `evidence`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
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
        return [*(self._span(place, place) for place in range(len(self.edges) + 1)), MISSING]

    def text(self, group: Sequence[int], filled: Sequence[bool]) -> str:
        """The name of neighbouring bins taken together: their whole span, empty ones included."""
        span = [place for place in group if place <= len(self.edges)]
        parts = [self._span(min(span), max(span))] if span else []
        missing = len(self.edges) + 1
        return ", ".join([*parts, MISSING] if missing in group and (filled[missing] or not parts) else parts)

    def index(self, values: Real) -> Index:
        """Each value's bin. Raises DataError for infinite values."""
        _require_finite(values)
        found = np.searchsorted(np.asarray(self.edges), values, side="right")
        found[np.isnan(values)] = len(self.edges) + 1
        return found

    def _span(self, first: int, last: int) -> str:
        low = _number(self.edges[first - 1]) if first > 0 else ""
        high = _number(self.edges[last]) if last < len(self.edges) else ""
        if low and high:
            return f"{low} – <{high}"
        return f"≥ {low}" if low else f"< {high}" if high else "any"


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

    def text(self, group: Sequence[int], filled: Sequence[bool]) -> str:
        """The names of the levels taken together, of those that hold rows."""
        labels = self.labels
        return ", ".join(labels[place] for place in group if filled[place]) or "none"

    def index(self, values: NDArray[np.object_]) -> Index:
        """Each value's bin; None is missing, a level not seen before is among the others."""
        places = {level: place for place, level in enumerate(self.levels)}
        other = len(self.levels)
        return np.array([other + 1 if v is None else places.get(v, other) for v in values], dtype=np.int64)


Bins = NumberBins | LevelBins


def number_bins(values: Real, count: int, smallest: int) -> NumberBins:
    """At most `count` bins near the quantiles of the non-missing values, each with at least `smallest` rows.

    Edges are rounded, by at most a tenth of the way to the next one: they are easy to read, and an edge that a
    partner is shown is not some person's value to the last digit.
    """
    present = _present(values)
    if len(present) < 2 * smallest:
        return NumberBins(())
    marks = np.unique(present[len(present) * np.arange(1, count) // count])
    tail = len(present) // 20
    return _kept(_rounded(marks, float(present[tail]), float(present[-1 - tail])), present, smallest)


def width_bins(values: Real, count: int, smallest: int) -> NumberBins:
    """At most `count` bins of equal width between the smallest and the largest value, edges rounded as in
    `number_bins`; an edge that would leave fewer than `smallest` rows in a bin is left out."""
    present = _present(values)
    if len(present) < 2 * smallest or present[0] == present[-1]:
        return NumberBins(())
    low, high = float(present[0]), float(present[-1])
    return _kept(_rounded(np.linspace(low, high, count + 1)[1:-1], low, high), present, smallest)


def edge_bins(values: Real, edges: Sequence[float], smallest: int) -> NumberBins:
    """Bins between given rising edges; an edge that would leave fewer than `smallest` rows in a bin is left
    out."""
    return _kept(edges, _present(values), smallest)


def _present(values: Real) -> Real:
    """The values that are there, in order. Raises DataError for infinite ones."""
    _require_finite(values)
    return np.asarray(np.sort(values[~np.isnan(values)]))


def _kept(edges: Sequence[float], present: Real, smallest: int) -> NumberBins:
    """The edges that leave at least `smallest` of the values in every bin."""
    found: list[float] = []
    start = 0
    for edge in edges:
        before = int(np.searchsorted(present, edge, side="left"))
        if before - start >= smallest and len(present) - before >= smallest:
            found.append(float(edge))
            start = before
    return NumberBins(tuple(found))


def level_bins(values: NDArray[np.object_], smallest: int) -> LevelBins:
    """A bin for each of at most 50 levels with at least `smallest` rows, in order of name."""
    present = np.array([value for value in values if value is not None], dtype=object)
    levels, counts = np.unique(present.astype(str), return_counts=True)
    frequent = sorted(np.argsort(-counts, kind="stable")[:MOST_LEVELS])
    return LevelBins(tuple(str(levels[place]) for place in frequent if counts[place] >= smallest))


def pooled(rows: Index, smallest: int) -> Index:
    """Where the rows of each bin are counted, (bins,): a bin of fewer than `smallest` rows joins the fullest.

    So no count of a small group leaves its owner, and what was missing or rare too seldom to be judged gets
    what most rows get. `rows` (bins,) are the bins' numbers of rows.
    """
    places = np.arange(len(rows))
    return np.where(rows < smallest, int(np.argmax(rows)), places)


def merged_labels(bins: Bins, merged: Sequence[int], filled: Sequence[bool]) -> list[str]:
    """A text for each merged bin. `merged` gives each fine bin's number among the merged ones, `filled` says
    which fine bins hold rows."""
    groups: list[list[int]] = [[] for _ in range(max(merged) + 1)]
    for place, number in enumerate(merged):
        groups[number].append(place)
    return [bins.text(group, filled) for group in groups]


def _require_finite(values: Real) -> None:
    if np.isinf(values).any():
        raise DataError("a numeric column holds infinite values; repair it at the source")


def _rounded(marks: Real, low: float, high: float) -> list[float]:
    """Rising marks, each rounded to a power of ten not above a fifth of the distance to the nearer neighbour."""
    line = [low, *marks.tolist(), high]
    found = []
    for before, mark, after in zip(line, line[1:-1], line[2:], strict=False):
        gaps = [gap for gap in (mark - before, after - mark) if gap > 0]
        found.append(round(mark, -int(np.floor(np.log10(min(gaps)) - np.log10(5.0)))) if gaps else mark)
    return found


def _number(value: float) -> str:
    """Whole numbers without decimals, thousands parted by commas; no two different edges look alike."""
    return f"{int(value):,}" if value == round(value) and abs(value) < 1e15 else f"{value:,}"
