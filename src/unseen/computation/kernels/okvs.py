"""An oblivious key-value store in bins that fit the cache: rows of three sparse places and a few dense ones.

Source: Raghuraman & Rindal, CCS 2022 (eprint 2022/320), sections 3 and 4: the sparse part is solved by peeling
(as in Molloy, SODA 2004), what peeling leaves by elimination, with dense columns v, v², … over GF(2^64) taking
up the rows that the sparse part alone cannot satisfy. Cut into bins by hash, so that all accesses to memory
are to one bin's cache-sized table; a place lies in its own third of the bin.

A record is four words made from a key by hashing: bin and first place, two more places, v, and the value.
A table is (bins, 3·third + dense) words for values in GF(2^64), or with two words a cell for GF(2^128).
Oracle: a dense linear solver over Python integers, and decoding itself.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from unseen.computation.kernels import inlined, kernel
from unseen.computation.kernels.gf128 import inverse64, times64
from unseen.computation.types import Array, Index, Words

LARGEST_CORE: Final = 192
"""Rows left by peeling that elimination still takes on; at the sizes used, more means an overfull bin."""
_COLUMNS: Final = 3 * LARGEST_CORE // 2
_WORDS: Final = _COLUMNS // 64 + 1
_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)


@inlined
def _bin(record: Words, bins: int) -> int:
    return np.int64(((record[0] >> _HALF) * np.uint64(bins)) >> _HALF)  # type: ignore[return-value]


@inlined
def _places(record: Words, third: int) -> tuple[int, int, int]:
    width = np.uint64(third)
    first = np.int64(((record[0] & _LOW) * width) >> _HALF)
    second = np.int64(((record[1] & _LOW) * width) >> _HALF) + third
    last = np.int64(((record[1] >> _HALF) * width) >> _HALF) + 2 * third
    return first, second, last  # type: ignore[return-value]


@kernel
def count_bins(records: Words, bins: int, counts: Index) -> None:
    """Add to counts (bins,) how many records (n, 4) fall into each."""
    for i in range(records.shape[0]):
        counts[_bin(records[i], bins)] += 1


@kernel
def group_by_bin(records: Words, bins: int, starts: Index, grouped: Words, rows: Index) -> None:
    """Order records by bin: grouped (n, 4), and rows (n,) whence they came. starts (bins + 1,) is given."""
    fill = starts[:-1].copy()
    for i in range(records.shape[0]):
        b = _bin(records[i], bins)
        to = fill[b]
        fill[b] = to + 1
        rows[to] = i
        for word in range(4):
            grouped[to, word] = records[i, word]


@inlined
def _dense_part(v: np.uint64, table: Words, sparse: int) -> np.uint64:
    """v·d0 + v²·d1 + … by Horner."""
    total = np.uint64(0)
    for column in range(table.shape[0] - 1, sparse - 1, -1):
        total = times64(total ^ table[column], v)
    return total


@kernel
def decode(records: Words, starts: Index, third: int, table: Words, out: Words) -> None:
    """out[i] = the value of record i in a table of GF(2^64); records ordered by bin."""
    sparse = 3 * third
    for b in range(starts.shape[0] - 1):
        cells = table[b]
        for i in range(starts[b], starts[b + 1]):
            p0, p1, p2 = _places(records[i], third)
            out[i] = cells[p0] ^ cells[p1] ^ cells[p2] ^ _dense_part(records[i, 2], cells, sparse)


@kernel
def decode_masked(records: Words, starts: Index, third: int, table: Words, factor: Words, out: Words) -> None:
    """out[i] = value of record i in a table of GF(2^128) + factor·(the record's own value); out (n, 2)."""
    sparse, width = 3 * third, table.shape[1]
    f0, f1 = factor[0], factor[1]
    for b in range(starts.shape[0] - 1):
        cells = table[b]
        for i in range(starts[b], starts[b + 1]):
            p0, p1, p2 = _places(records[i], third)
            v, value = records[i, 2], records[i, 3]
            d0, d1 = np.uint64(0), np.uint64(0)
            for column in range(width - 1, sparse - 1, -1):
                d0 = times64(d0 ^ cells[column, 0], v)
                d1 = times64(d1 ^ cells[column, 1], v)
            out[i, 0] = cells[p0, 0] ^ cells[p1, 0] ^ cells[p2, 0] ^ d0 ^ times64(value, f0)
            out[i, 1] = cells[p0, 1] ^ cells[p1, 1] ^ cells[p2, 1] ^ d1 ^ times64(value, f1)


@kernel
def solve(records: Words, starts: Index, third: int, table: Words) -> int:
    """Set cells of a table so that each record decodes to its value; those that no record determines stay as
    they are given. Returns the first bin that fails, or -1."""
    sparse = 3 * third
    bins = starts.shape[0] - 1
    most = 0
    for b in range(bins):
        most = max(most, starts[b + 1] - starts[b])
    degree = np.zeros(sparse, dtype=np.int32)
    holders = np.zeros(sparse, dtype=np.uint32)  # XOR of the records that use a place: the last one left
    stack = np.empty(sparse + 3 * most, dtype=np.int32)
    peeled = np.empty(most, dtype=np.int32)
    at_place = np.empty(most, dtype=np.int32)
    done = np.zeros(most, dtype=np.uint8)
    for b in range(bins):
        mine = records[starts[b] : starts[b + 1]]
        count = _peel(mine, third, degree, holders, stack, peeled, at_place, done)
        if count < mine.shape[0] and not _solve_core(mine, third, done, table[b]):
            return b
        _substitute(mine, third, peeled[:count], at_place, table[b])
        degree[:] = 0
        holders[:] = 0
        done[:] = 0
    return -1


@kernel
def _peel(
    records: Words,
    third: int,
    degree: Array,
    holders: Array,
    stack: Array,
    peeled: Array,
    at_place: Array,
    done: Array,
) -> int:
    """Take records off one by one that have a place to themselves; how many could be."""
    for i in range(records.shape[0]):
        for place in _places(records[i], third):
            degree[place] += 1
            holders[place] ^= np.uint32(i)
    top = 0
    for place in range(3 * third):
        if degree[place] == 1:
            stack[top] = place
            top += 1
    count = 0
    while top:
        top -= 1
        place = stack[top]
        if degree[place] != 1:
            continue
        i = int(holders[place])
        peeled[count], at_place[count] = i, place
        count += 1
        done[i] = 1
        for other in _places(records[i], third):
            degree[other] -= 1
            holders[other] ^= np.uint32(i)
            if degree[other] == 1:
                stack[top] = other
                top += 1
    return count


@kernel
def _substitute(records: Words, third: int, peeled: Array, at_place: Array, table: Words) -> None:
    """Backwards through the peeled records: each sets the place that it had to itself."""
    sparse = 3 * third
    for n in range(peeled.shape[0] - 1, -1, -1):
        record = records[peeled[n]]
        p0, p1, p2 = _places(record, third)
        place = at_place[n]
        table[place] = 0
        table[place] = record[3] ^ table[p0] ^ table[p1] ^ table[p2] ^ _dense_part(record[2], table, sparse)


@kernel
def _solve_core(records: Words, third: int, done: Array, table: Words) -> bool:
    """Satisfy the records that peeling left, by Gauss–Jordan: sparse columns first, then the dense ones."""
    sparse = 3 * third
    dense = table.shape[0] - sparse
    left = np.empty(LARGEST_CORE, dtype=np.int64)
    rows = 0
    for i in range(records.shape[0]):
        if not done[i]:
            if rows == LARGEST_CORE:
                return False
            left[rows] = i
            rows += 1
    # A place in the core serves two records at least, so that there are at most 3/2 as many.
    column_of = np.full(sparse, -1, dtype=np.int32)
    place_of = np.empty(3 * LARGEST_CORE, dtype=np.int64)
    bits = np.zeros((LARGEST_CORE, _WORDS), dtype=np.uint64)
    full = np.zeros((LARGEST_CORE, dense + 1), dtype=np.uint64)  # dense coefficients, then the value
    columns = 0
    for row in range(rows):
        record = records[left[row]]
        for place in _places(record, third):
            if column_of[place] < 0:
                column_of[place] = columns
                place_of[columns] = place
                columns += 1
            column = column_of[place]
            if column >= _COLUMNS:
                return False
            bits[row, column >> 6] ^= np.uint64(1) << np.uint64(column & 63)
        power = np.uint64(1)
        for k in range(dense):
            power = times64(power, record[2])
            full[row, k] = power
        full[row, dense] = record[3]
    pivots = np.full(columns, -1, dtype=np.int64)
    used = _eliminate_sparse(bits, full, rows, columns, pivots)
    if not _eliminate_dense(full, used, rows, table[sparse:]):
        return False
    for column in range(columns):
        row = pivots[column]
        if row >= 0:
            value = full[row, dense]
            for k in range(dense):
                value ^= times64(full[row, k], table[sparse + k])
            for other in range(columns):
                if pivots[other] < 0 and (bits[row, other >> 6] >> np.uint64(other & 63)) & np.uint64(1):
                    value ^= table[place_of[other]]
            table[place_of[column]] = value
    return True


@kernel
def _eliminate_sparse(bits: Words, full: Words, rows: int, columns: int, pivots: Index) -> int:
    """Reduce the sparse columns over GF(2); pivots[c] = the row of column c. How many rows have a pivot."""
    used = 0
    for column in range(columns):
        word, bit = column >> 6, np.uint64(1) << np.uint64(column & 63)
        found = -1
        for row in range(used, rows):
            if bits[row, word] & bit:
                found = row
                break
        if found < 0:
            continue
        for k in range(bits.shape[1]):
            bits[found, k], bits[used, k] = bits[used, k], bits[found, k]
        for k in range(full.shape[1]):
            full[found, k], full[used, k] = full[used, k], full[found, k]
        for row in range(rows):
            if row != used and bits[row, word] & bit:
                for k in range(bits.shape[1]):
                    bits[row, k] ^= bits[used, k]
                for k in range(full.shape[1]):
                    full[row, k] ^= full[used, k]
        pivots[column] = used
        used += 1
    return used


@kernel
def _eliminate_dense(full: Words, first: int, rows: int, solution: Words) -> bool:
    """Solve the rows from `first` on, which have dense columns only. False if they contradict each other."""
    dense = full.shape[1] - 1
    if rows - first > dense:
        return False
    for row in range(first, rows):
        pivot = -1
        for k in range(dense):
            if full[row, k]:
                pivot = k
                break
        if pivot < 0:
            if full[row, dense]:
                return False
            continue
        scale = inverse64(full[row, pivot])
        for k in range(dense + 1):
            full[row, k] = times64(full[row, k], scale)
        for other in range(first, rows):
            factor = full[other, pivot]
            if other != row and factor:
                for k in range(dense + 1):
                    full[other, k] ^= times64(factor, full[row, k])
    for row in range(first, rows):
        for k in range(dense):
            if full[row, k]:
                value = full[row, dense]
                for other in range(k + 1, dense):  # only columns without a pivot are left in the row
                    value ^= times64(full[row, other], solution[other])
                solution[k] = value
                break
    return True
