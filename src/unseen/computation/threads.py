"""Work on one party's own data, shared out over the machine's cores.

Threads, because kernels and NumPy's sorting leave the interpreter's lock; not for protocols, whose messages have
an order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TypeVar

from numba import config

Item = TypeVar("Item")
Result = TypeVar("Result")


def cores() -> int:
    """Cores that this process may use."""
    return int(config.NUMBA_DEFAULT_NUM_THREADS)


def each(work: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    """What `work` makes of each item, in their order; the first failure is raised."""
    with ThreadPoolExecutor(min(cores(), max(1, len(items)))) as pool:
        return list(pool.map(work, items))


def slices(count: int) -> list[slice]:
    """So many things in as many runs as there are cores, none of them empty."""
    runs = max(1, min(cores(), count))
    marks = [count * run // runs for run in range(runs + 1)]
    return [slice(start, end) for start, end in pairwise(marks)]
