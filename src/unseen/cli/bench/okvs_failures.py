"""How often a table of the key-value store fails, at small sizes and fuller than it is ever filled.

`python -m unseen.cli.bench.okvs_failures [TABLES]` prints a row a size: of so many tables, each with another seed,
how many fail as they are laid out, and how many at loads that come nearer to the threshold of peeling. Deviations
are 0.55/√n, as `intersect.store` says.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from math import ceil, sqrt
from typing import Final

import numpy as np

from unseen.computation.intersect import store
from unseen.computation.prg import Expander

SIZES: Final = (100, 300, 1000, 3000)
DEVIATIONS: Final = (4.0, 2.0, 1.0, 0.0, -1.0, -2.0)
_SPREAD: Final = 0.55


def failures(keys: int, third: int, tables: int) -> int:
    """Of so many tables with cells for thirds of this size, how many keys of which no table decodes to."""
    plan, failed = replace(store.layout(keys), third=third), 0
    stream = Expander(bytes(31) + b"\1").child(f"{keys}/{third}")
    for _ in range(tables):
        grouped = store.grouped(stream.words((keys, 4)), plan)
        table = store.solved(grouped, plan)
        failed += table is None or not np.array_equal(store.values(grouped, plan, table), grouped.records[:, 3])
    return failed


def third_at(keys: int, deviations: float) -> int:
    """The size of a third at which a bin of so many keys lies that far below the threshold."""
    return ceil(keys / (store.THRESHOLD - deviations * _SPREAD / sqrt(keys)) / 3)


def table(tables: int) -> str:
    """The experiment as a Markdown table."""
    heads = [f"{deviations:g}" for deviations in DEVIATIONS]
    lines = [
        f"| keys | as laid out (deviations below the threshold) | at {' | at '.join(heads)} |",
        "| --- " * (2 + len(heads)) + "|",
    ]
    for keys in SIZES:
        third = store.layout(keys).third
        below = (store.THRESHOLD - keys / (3 * third)) * sqrt(keys) / _SPREAD
        found = [failures(keys, third_at(keys, deviations), tables) for deviations in DEVIATIONS]
        own = f"{failures(keys, third, tables)} ({below:.1f})"
        lines.append(f"| {keys:,} | {own} | {' | '.join(map(str, found))} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table(int(sys.argv[1]) if len(sys.argv) > 1 else 1000))
