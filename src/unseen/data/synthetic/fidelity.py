"""How near a synthetic copy is to its data set: for the steward, since it looks at the data without noise."""

from __future__ import annotations

from dataclasses import dataclass
from io import StringIO
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from unseen.data.synthetic.coding import Coding
from unseen.data.synthetic.model import Copy
from unseen.encoding import Json
from unseen.errors import MisuseError

BARS: Final = 16


@dataclass(frozen=True)
class Fidelity:
    """Total variation distances (0: alike, 1: nothing in common): of each column, and of each pair of columns."""

    columns: dict[str, float]
    pairs: dict[str, float]

    @property
    def mean_pair(self) -> float:
        return float(np.mean(list(self.pairs.values()))) if self.pairs else 0.0

    def as_json(self) -> dict[str, Json]:
        return {"columns": dict(self.columns), "pairs": dict(self.pairs), "mean_pair": self.mean_pair}

    def lines(self) -> list[str]:
        """In words, the columns that are farthest off first."""
        worst = sorted(self.columns.items(), key=lambda item: -item[1])
        found = [f"{name}: {distance:.1%} of the rows lie elsewhere" for name, distance in worst]
        if self.pairs:
            pair, distance = max(self.pairs.items(), key=lambda item: item[1])
            found.append(f"pairs of columns: {self.mean_pair:.1%} on average, {distance:.1%} at worst ({pair})")
        return found


def fidelity(original: pa.Table, copy: Copy) -> Fidelity:
    """Compare a copy with what it was made from, both in the copy's own codes, in up to 16 bins of equal mass."""
    names = [name for name in copy.table.column_names if name in _coded(original, copy)]
    bins = {name: _binned(original, copy, name) for name in names}
    columns = {name: _distance(*bins[name]) for name in names}
    pairs = {}
    for place, first in enumerate(names):
        for second in names[:place]:
            both = [bins[first][side] * (BARS + 2) + bins[second][side] for side in (0, 1)]
            pairs[f"{second} × {first}"] = _distance(both[0], both[1])
    return Fidelity(columns, pairs)


def picture(original: pa.Table, copy: Copy) -> str:
    """Bars of every column, the data set's beside the copy's, as SVG. Raises MisuseError without matplotlib."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MisuseError("the picture needs matplotlib; install unseen[report]") from error
    names = list(_coded(original, copy))
    across = min(3, len(names))
    down = -(-len(names) // across)
    figure = Figure(figsize=(4 * across, 2.2 * down), layout="constrained")
    for place, name in enumerate(names):
        axes = figure.add_subplot(down, across, place + 1)
        real, made = _binned(original, copy, name)
        size = int(max(real.max(), made.max())) + 1
        for side, (values, label) in enumerate(((real, "data set"), (made, "synthetic"))):
            share = np.bincount(values, minlength=size) / len(values)
            axes.bar(np.arange(size) + 0.4 * side, share, 0.4, label=label)
        axes.set_title(name, fontsize=9)
        axes.set_xticks([])
        if place == 0:
            axes.legend(fontsize=7)
    out = StringIO()
    figure.savefig(out, format="svg", metadata={"Date": None})
    return out.getvalue()


def _coded(original: pa.Table, copy: Copy) -> dict[str, Coding]:
    """The columns that were modelled, with their codings; identifiers were made up."""
    modelled = [name for name in original.column_names if name not in copy.identifiers]
    return dict(zip(modelled, copy.codings, strict=True))


def _binned(original: pa.Table, copy: Copy, name: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Both sides of a column in bins that hold the data set's rows about evenly."""
    coding = _coded(original, copy)[name]
    real, made = (coding.encode(table[name].combine_chunks()) for table in (original, copy.table))
    counts = np.bincount(real, minlength=coding.size).astype(np.float64)
    if coding.ordered:
        middle = np.cumsum(counts) - counts / 2
        group = np.minimum((middle / counts.sum() * BARS).astype(np.int64), BARS - 1)
        group[-1] = BARS
    else:
        group = np.full(coding.size, BARS, np.int64)
        group[np.argsort(-counts, kind="stable")[:BARS]] = np.arange(min(BARS, coding.size))
    return group[real], group[made]


def _distance(real: NDArray[np.int64], made: NDArray[np.int64]) -> float:
    size = int(max(real.max(), made.max())) + 1
    shares = [np.bincount(values, minlength=size) / len(values) for values in (real, made)]
    return float(np.abs(shares[0] - shares[1]).sum() / 2)
