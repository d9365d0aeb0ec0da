"""How much memory an alignment takes at a party, and into how many buckets it is cut to stay below a bound.

Measured rates of two processes with Numba's kernels loaded (`unseen bench align`, `align-buckets`); what the
source's engine and its batches take while a list is read is counted with it. Estimates that err upwards.
"""

from __future__ import annotations

from typing import Final

from unseen.computation.intersect.spool import MOST_BUCKETS
from unseen.errors import MisuseError

MIB: Final = 1 << 20
LEAST_MEMORY: Final = 1024 * MIB
"""Below this no number of buckets helps: the process itself, an engine that reads, a batch on its way."""
DEFAULT_MEMORY: Final = 4096 * MIB
_FIXED: Final = 350 * MIB
_READING: Final = 750 * MIB
"""While a list is read: the engine and its batches, the roster of who was in the release (36 MiB)."""
_A_KEY: Final = 235
"""Octets a key of the larger side while keys are aligned: hashes, table, trees, tags."""
_A_ROW: Final = 90
"""Octets a row of the own list that is in memory as a whole: Arrow's columns, positions, the persons' marks."""
_A_MARK: Final = 1
"""Octets a row in any case: while a list is read, a part of the roster of who was in the release (measured: 0.2);
in a join, by which key the row was matched."""


def at_once(own: int, theirs: int) -> int:
    """Octets at a party that holds its whole list."""
    return _FIXED + _A_KEY * max(own, theirs) + _A_ROW * own


def in_buckets(own: int, theirs: int, buckets: int) -> int:
    """Octets at a party that aligns bucket after bucket."""
    return _A_MARK * own + max(_READING, _FIXED + _A_KEY * -(-max(own, theirs) // buckets))


def buckets_for(own: int, theirs: int, memory: int) -> int:
    """The fewest buckets, a power of two, with which both parties stay below `memory` octets; 1: all at once.

    Raises MisuseError where no number of them would do.
    """
    most = max(at_once(own, theirs), at_once(theirs, own))
    if most <= memory:
        return 1
    buckets = 2
    while buckets <= MOST_BUCKETS:
        if max(in_buckets(own, theirs, buckets), in_buckets(theirs, own, buckets)) <= memory:
            return buckets
        buckets *= 2
    least = max(in_buckets(own, theirs, MOST_BUCKETS), in_buckets(theirs, own, MOST_BUCKETS)) // MIB
    raise MisuseError(
        f"lists of {own:,} and {theirs:,} take about {least:,} MiB whatever they are cut into; allow as much"
    )
