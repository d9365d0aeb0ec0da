"""Loops of a sort by revealed comparisons: which pairs to compare next, and what the answers mean.

Rows lie in `order`, cut into buckets: bucket b is order[starts[b]:starts[b + 1]], and all its rows come before
those of the next. A bucket of up to FEW rows is settled by comparing all pairs. In a larger one every row is
compared with a pivot; beside that, all pairs of its first few rows, the sample, whose middle ones are the pivots
of the two parts. All arrays are public.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from unseen.computation.kernels import kernel
from unseen.computation.types import Array, Index

FEW: Final = 4


@kernel
def sample_size(size: int) -> int:
    """Rows of a bucket's sample: their pairs cost at most a fifth of the comparisons with the pivot."""
    if size < 96:
        return 0
    return 7 if size < 1024 else 15 if size < 8192 else 31


@kernel
def count_pairs(starts: Index, active: Array) -> int:
    """How many comparisons the active buckets need."""
    pairs = 0
    for b in range(starts.shape[0] - 1):
        size = starts[b + 1] - starts[b]
        if active[b]:
            m = size if size <= FEW else sample_size(size)
            pairs += m * (m - 1) // 2
            pairs += 0 if size <= FEW else size - 1
    return pairs


@kernel
def list_pairs(order: Index, starts: Index, active: Array, pivots: Index, left: Index, right: Index) -> None:
    """The rows to compare: within each active bucket first all pairs of the sample, then each row and the pivot.

    `pivots[b]` is the pivot's place in `order`.
    """
    at = 0
    for b in range(starts.shape[0] - 1):
        if not active[b]:
            continue
        start, end = starts[b], starts[b + 1]
        size = end - start
        m = size if size <= FEW else sample_size(size)
        for i in range(start, start + m):
            for j in range(start, i):
                left[at], right[at] = order[j], order[i]
                at += 1
        if size > FEW:
            for i in range(start, end):
                if i != pivots[b]:
                    left[at], right[at] = order[i], order[pivots[b]]
                    at += 1


@kernel
def apply_answers(
    before: Array, order: Index, starts: Index, active: Array, pivots: Index, fresh: Index, places: Index
) -> int:
    """Put rows where the answers say, and cut: `before[k]` says that the left row of pair k comes first.

    Writes the new starts to `fresh` and the new buckets' pivots to `places`; returns the number of buckets.
    A settled row is a bucket of its own.
    """
    at, found = 0, 0
    ranks = np.empty(32, dtype=np.int64)
    moved = np.empty(order.shape[0], dtype=np.int64)
    known = np.empty(order.shape[0], dtype=np.int64)
    for b in range(starts.shape[0] - 1):
        start, end = starts[b], starts[b + 1]
        size = end - start
        if not active[b]:
            fresh[found], places[found] = start, pivots[b]
            found += 1
            continue
        m = size if size <= FEW else sample_size(size)
        ranks[:m] = 0
        for i in range(m):
            for j in range(i):
                ranks[i if before[at] else j] += 1
                at += 1
        if size <= FEW:
            for i in range(m):
                moved[start + ranks[i]] = order[start + i]
            for i in range(start, end):
                order[i] = moved[i]
                fresh[found], places[found] = i, i
                found += 1
            continue
        low, high = start, end
        pivot = pivots[b]
        lower, upper = 0, 0
        for i in range(start, end):
            if i == pivot:
                continue
            rank = ranks[i - start] if i - start < m else -1
            if before[at]:
                moved[low], known[low] = order[i], rank
                low += 1
                lower += rank >= 0
            else:
                high -= 1
                moved[high], known[high] = order[i], rank
                upper += rank >= 0
            at += 1
        moved[low], known[low] = order[pivot], -1
        for i in range(start, end):
            order[i] = moved[i]
        for first, last, sampled in ((start, low, lower), (low, low + 1, 0), (low + 1, end, upper)):
            if first < last:
                fresh[found], places[found] = first, _middle(known, first, last, sampled)
                found += 1
    fresh[found] = order.shape[0]
    return found


@kernel
def _middle(known: Index, first: int, last: int, sampled: int) -> int:
    """The place of the sampled row that has as many sampled ones above as below; the first if there is none."""
    if sampled == 0:
        return first
    for i in range(first, last):
        if known[i] >= 0:
            below = 0
            for j in range(first, last):
                below += 0 <= known[j] < known[i]
            if below == sampled // 2:
                return i
    return first


@kernel
def masked_differences(values: Array, left: Index, right: Index, mask: Array, out: Array) -> None:
    """out = values[left] - values[right] + mask, in the ring of the mask's width."""
    for k in range(left.shape[0]):
        out[k] = values[left[k]] - values[right[k]] + mask[k]
