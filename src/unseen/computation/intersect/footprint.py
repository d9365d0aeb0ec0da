"""How much memory an alignment, a join or a count takes at a party, and into how many buckets an alignment is cut
to stay below a bound.

Measured rates of two processes with Numba's kernels loaded (`unseen bench align`, `align-buckets`); what the
source's engine and its batches take while a list is read is counted with it. Estimates that err upwards.
"""

from __future__ import annotations

from collections.abc import Sequence
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
_A_JOINED: Final = 80
"""Octets a row of the own table for each key that it is joined by: grouping, and the key itself."""
_A_COUNTED: Final = 150
"""Octets a row of the own list that is counted: its hash, and the sample's."""
_A_POINT: Final = 600
"""Octets a key that is counted by curves."""
_A_SORTED: Final = 650
"""Octets a row of all institutions together where they are sorted on shares."""
_A_MARK: Final = 1
"""Octets a row in any case: while a list is read, a part of the roster of who was in the release (measured: 0.2);
in a join, by which key the row was matched."""


def at_once(own: int, theirs: int, joined_by: int = 0) -> int:
    """Octets at a party that holds its whole list; `joined_by` so many keys, in a join."""
    return _FIXED + _A_KEY * max(own, theirs) + (_A_ROW + _A_JOINED * joined_by) * own


def counted(own: int, theirs: int, most_exact: int) -> int:
    """Octets at a party that counts what both have in common."""
    return _FIXED + (_A_ROW + _A_COUNTED) * own + _A_POINT * min(own + theirs, most_exact)


def among_all(own: int, rows: Sequence[int]) -> int:
    """Octets at a party of three and more that looks for what is common to all; `rows` of each."""
    return at_once(own, max(rows), 1)


def sorted_together(own: int, rows: Sequence[int]) -> int:
    """Octets at a party of several whose rows are sorted on shares."""
    return _FIXED + _A_ROW * own + _A_SORTED * sum(rows)


def in_buckets(own: int, theirs: int, buckets: int) -> int:
    """Octets at a party that aligns bucket after bucket."""
    return _A_MARK * own + max(_READING, _FIXED + _A_KEY * -(-max(own, theirs) // buckets))


def buckets_for(own: int, theirs: int, memory: int, joined_by: int = 0) -> int:
    """The fewest buckets, a power of two, with which both parties stay below `memory` octets; 1: all at once.
    `joined_by` so many keys, in a join.

    Raises MisuseError where no number of them would do.
    """
    most = max(at_once(own, theirs, joined_by), at_once(theirs, own, joined_by))
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
