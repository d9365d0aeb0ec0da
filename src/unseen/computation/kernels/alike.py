"""Rows that are alike: numbered, listed, and paired with another side's. Oracle: pandas' groupby and merge."""

from __future__ import annotations

import numpy as np

from unseen.computation.kernels import kernel
from unseen.computation.types import Index, Words


def numbered(words: Words) -> tuple[Index, int]:
    """(n,) group numbers of (n, 2 or more) words, rows with the same first two in one, and how many groups.

    Groups are numbered by their first rows.
    """
    bits = max(4, int(2 * len(words)).bit_length())
    groups = np.empty(len(words), dtype=np.int64)
    count = _number(words, np.full(1 << bits, -1, dtype=np.int64), np.uint64(64 - bits), groups)
    return groups, count


def listed(groups: Index, count: int) -> tuple[Index, Index]:
    """The rows of each group in their order: group g's are members[starts[g]:starts[g + 1]]."""
    starts = np.zeros(count + 1, dtype=np.int64)
    np.cumsum(np.bincount(groups, minlength=count), out=starts[1:])
    members = np.empty(len(groups), dtype=np.int64)
    _list(groups, starts[:-1].copy(), members)
    return starts, members


@kernel
def _number(words: Words, table: Index, shift: np.uint64, groups: Index) -> int:
    mask = table.shape[0] - 1
    count = 0
    for i in range(words.shape[0]):
        place = np.int64(words[i, 0] >> shift)
        groups[i] = -1
        while table[place] >= 0:
            j = table[place]
            if words[j, 0] == words[i, 0] and words[j, 1] == words[i, 1]:
                groups[i] = groups[j]
                break
            place = (place + 1) & mask
        if groups[i] < 0:
            table[place] = i
            groups[i] = count
            count += 1
    return count


@kernel
def _list(groups: Index, free: Index, members: Index) -> None:
    for i in range(groups.shape[0]):
        members[free[groups[i]]] = i
        free[groups[i]] += 1


@kernel
def crossed(starts: Index, members: Index, common: Index, theirs: Index, left: bool, rows: Index) -> None:
    """This side's rows of the pairs that each common group makes with the other side's `theirs` rows of it.

    Pairs are ordered by common group, then by the left side's row, then by the right side's. `rows` has a place
    for each pair of all groups.
    """
    at = 0
    for k in range(common.shape[0]):
        first, end = starts[common[k]], starts[common[k] + 1]
        if left:
            for member in range(first, end):
                for _ in range(theirs[k]):
                    rows[at] = members[member]
                    at += 1
        else:
            for _ in range(theirs[k]):
                for member in range(first, end):
                    rows[at] = members[member]
                    at += 1
