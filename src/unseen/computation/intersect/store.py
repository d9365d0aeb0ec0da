"""An oblivious key-value store: a table that decodes to chosen values at chosen keys and hides which those are.

Source: Garimella, Pinkas, Rosulek, Trieu, Yanai, CRYPTO 2021; three-hash tables with dense columns cut into
bins, Raghuraman and Rindal, CCS 2022 (eprint 2022/320), sections 3 and 4. Failure: a bin overfull (its size is the
mean plus eight deviations: below 2^-49 a bin), peeling stuck on more than 192 rows, or more dependent rows than
dense columns (two rows on the same three cells: below 2^-11 a bin, nine such at once: 2^-99). Peeling gets stuck
at a load of 0.818 rows a cell (Molloy, SODA 2004), with a deviation of 0.55/√n between tables of n rows (measured
over 2,000 tables each of 500 to 4,000 rows): eight deviations are kept off it. A failure is seen, and another
seed taken.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, sqrt
from typing import Final

import numpy as np

from unseen.computation.channel import Channel
from unseen.computation.kernels import okvs
from unseen.computation.prg import Expander
from unseen.computation.types import Index, Words
from unseen.errors import AbortedError, ProtocolError

ROWS_A_BIN: Final = 1 << 15
THRESHOLD: Final = 0.818
CLEARANCE: Final = (0.049, 4.4)
"""How far below the threshold a bin's load stays: so much, or so much over the root of its rows."""
DENSE: Final = 8
ATTEMPTS: Final = 8
"""Seeds tried for a table: one does, but for less than 2^-40."""


@dataclass(frozen=True)
class Layout:
    """Numbers of bins, and of cells of a third of a bin: known to both sides from the number of keys alone."""

    bins: int
    third: int

    @property
    def width(self) -> int:
        """Cells of a bin."""
        return 3 * self.third + DENSE

    @property
    def cells(self) -> int:
        return self.bins * self.width


def layout(keys: int) -> Layout:
    """For so many keys."""
    bins = max(1, round(keys / ROWS_A_BIN))
    mean = keys / bins
    most = keys if bins == 1 else min(keys, ceil(mean + 8 * sqrt(mean)))
    load = THRESHOLD - min(0.318, max(CLEARANCE[0], CLEARANCE[1] / sqrt(most)))
    return Layout(bins, max(16, ceil(most / load / 3)))


@dataclass(frozen=True, eq=False)
class Grouped:
    """Records ordered by bin: `records` (n, 4), `rows` (n,) whence they came, `starts` (bins + 1,)."""

    records: Words
    rows: Index
    starts: Index


def grouped(records: Words, plan: Layout) -> Grouped:
    """Order (n, 4) records by their bin."""
    counts = np.zeros(plan.bins, dtype=np.int64)
    okvs.count_bins(records, plan.bins, counts)
    starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    ordered, rows = np.empty_like(records), np.empty(len(records), dtype=np.int64)
    okvs.group_by_bin(records, plan.bins, starts, ordered, rows)
    return Grouped(ordered, rows, starts)


def encoded(
    records: Callable[[int], Words], plan: Layout, fill: Expander | None = None
) -> tuple[int, Grouped, Words]:
    """A table that decodes to every record's last word, tried: the trial that gave it, its records, the table.

    `records(trial)` are hashes under another seed each time. Raises AbortedError if no seed gives a table.
    """
    for attempt in range(ATTEMPTS):
        keys = grouped(records(attempt), plan)
        table = solved(keys, plan, fill)
        if table is not None and np.array_equal(values(keys, plan, table), keys.records[:, 3]):
            return attempt, keys, table
    raise AbortedError(f"no table was found for these keys under {ATTEMPTS} seeds; run the step again")


def attempt_of(channel: Channel, tag: str) -> int:
    """The trial that gave the peer's table."""
    attempt = int(channel.receive(tag, np.int64, 1)[0])
    if not 0 <= attempt < ATTEMPTS:
        raise ProtocolError(channel.peer, "names a trial of its table that there is none of")
    return attempt


def solved(keys: Grouped, plan: Layout, fill: Expander | None = None) -> Words | None:
    """A table (bins, width) that decodes each record to its own last word; None where there is none.

    Cells that no key determines are zero: whoever gets the table must get it under a mask. Or they come from
    `fill`: then a table of uniform values is itself uniform, whatever the keys.
    """
    shape = (plan.bins, plan.width)
    table = np.zeros(shape, dtype=np.uint64) if fill is None else fill.words(shape)
    return table if okvs.solve(keys.records, keys.starts, plan.third, table) < 0 else None


def values(keys: Grouped, plan: Layout, table: Words) -> Words:
    """(n,): what a table of one word a cell decodes to at each record."""
    out = np.empty(len(keys.records), dtype=np.uint64)
    okvs.decode(keys.records, keys.starts, plan.third, table, out)
    return out


def decoded(keys: Grouped, plan: Layout, table: Words, factor: Words) -> Words:
    """(n, 2): what a table of (cells, 2) words decodes to at each record, plus factor times its last word."""
    out = np.empty((len(keys.records), 2), dtype=np.uint64)
    cells = table.reshape(plan.bins, plan.width, 2)
    okvs.decode_masked(keys.records, keys.starts, plan.third, cells, factor, out)
    return out
