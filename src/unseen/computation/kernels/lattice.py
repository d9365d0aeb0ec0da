"""Loops of the lattice masks: errors, and sums of rows of negacyclic matrices."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unseen.computation.kernels import kernel
from unseen.computation.types import Array, Index, Words

Spectrum = NDArray[np.complex128]


@kernel
def add_errors(values: Words, drawn: Words) -> None:
    """Add to each word the sum of four uniform numbers of 14 bits, taken from a uniform word, less the mean."""
    low = np.uint64(0x3FFF)
    for i in range(values.shape[0]):
        w = drawn[i]
        error = (w & low) + ((w >> np.uint64(16)) & low) + ((w >> np.uint64(32)) & low) + (w >> np.uint64(50))
        values[i] += error - np.uint64(32766)


@kernel
def window_sums(elements: Words, places: Array, starts: Index, out: Words) -> None:
    """out[bin] += the row of a_b's negacyclic matrix that makes coefficient j, for each row 2048·b + j and column.

    Coefficient j of a·s is Σ a_{j-t}·s_t, with a_{j-t} = -a_{degree+j-t} where t > j: a window of the reversed
    coefficients followed by their negatives. A bin's windows are added eight at a time.
    """
    degree = elements.shape[1]
    rows, columns = places.shape
    line = np.empty(2 * degree, dtype=np.uint64)
    order = np.empty(degree, dtype=np.int64)
    first = np.empty(257, dtype=np.int64)
    for b in range(elements.shape[0]):
        for t in range(degree):
            line[t] = elements[b, degree - 1 - t]
            line[degree + t] = np.uint64(0) - line[t]
        block = places[b * degree : min((b + 1) * degree, rows)]
        for c in range(columns):
            _by_bin(block[:, c], order, first)
            for k in range(256):
                if first[k] < first[k + 1]:
                    _add_windows(line, order[first[k] : first[k + 1]], out[starts[c] + k])


@kernel
def _by_bin(bins: Array, order: Index, first: Index) -> None:
    """Where each row's window begins, rows in order of their bins; `first[k]` is the place of bin k's first."""
    degree = order.shape[0]
    first[:] = 0
    for j in range(bins.shape[0]):
        first[bins[j] + 1] += 1
    for k in range(256):
        first[k + 1] += first[k]
    free = first.copy()
    for j in range(bins.shape[0]):
        order[free[bins[j]]] = degree - 1 - j
        free[bins[j]] += 1


@kernel
def _add_windows(line: Words, begins: Index, total: Words) -> None:
    size, i = total.shape[0], 0
    while i + 8 <= begins.shape[0]:
        a, b = line[begins[i] : begins[i] + size], line[begins[i + 1] : begins[i + 1] + size]
        c, d = line[begins[i + 2] : begins[i + 2] + size], line[begins[i + 3] : begins[i + 3] + size]
        e, f = line[begins[i + 4] : begins[i + 4] + size], line[begins[i + 5] : begins[i + 5] + size]
        g, h = line[begins[i + 6] : begins[i + 6] + size], line[begins[i + 7] : begins[i + 7] + size]
        for t in range(size):
            total[t] += ((a[t] + b[t]) + (c[t] + d[t])) + ((e[t] + f[t]) + (g[t] + h[t]))
        i += 8
    while i < begins.shape[0]:
        a = line[begins[i] : begins[i] + size]
        for t in range(size):
            total[t] += a[t]
        i += 1


@kernel
def bin_sums(values: Words, places: Array, starts: Index, out: Words) -> None:
    """out[bin, v] += values[row, v] for each row and column of `places` (rows, columns).

    Eight vectors lie side by side in one cache line, so that a row and column costs one of them.
    """
    rows, columns = places.shape
    for v in range(0, values.shape[1] - 7, 8):
        for i in range(rows):
            a, b, c, d = values[i, v], values[i, v + 1], values[i, v + 2], values[i, v + 3]
            e, f, g, h = values[i, v + 4], values[i, v + 5], values[i, v + 6], values[i, v + 7]
            for j in range(columns):
                to = out[starts[j] + places[i, j], v : v + 8]
                p, q, r, s = to[0] + a, to[1] + b, to[2] + c, to[3] + d
                t, u, w, x = to[4] + e, to[5] + f, to[6] + g, to[7] + h
                to[0], to[1], to[2], to[3] = p, q, r, s
                to[4], to[5], to[6], to[7] = t, u, w, x
    first = values.shape[1] // 8 * 8
    for v in range(first, values.shape[1] - 1, 2):
        for i in range(rows):
            a, b = values[i, v], values[i, v + 1]
            for j in range(columns):
                to = out[starts[j] + places[i, j], v : v + 2]
                p, q = to[0] + a, to[1] + b
                to[0], to[1] = p, q
    if values.shape[1] % 2:
        v = values.shape[1] - 1
        for i in range(rows):
            for j in range(columns):
                out[starts[j] + places[i, j], v] += values[i, v]


@kernel
def join_halves(low: Spectrum, high: Spectrum, twist: Spectrum, missing: Index, out: Words) -> None:
    """out[b·degree + j] = rounded low + missing[j] + 2^32·rounded high, after both are untwisted.

    The real part of `low * twist` holds coefficients 0 .. degree/2 - 1, the imaginary part the others.
    """
    blocks, half = low.shape
    for b in range(blocks):
        for j in range(half):
            one, two = low[b, j] * twist[j], high[b, j] * twist[j]
            place = 2 * half * b + j
            near = np.int64(np.rint(one.real)) + missing[j]
            far = np.int64(np.rint(one.imag)) + missing[j + half]
            if place < out.shape[0]:
                out[place] = np.uint64(near) + (np.uint64(np.int64(np.rint(two.real))) << np.uint64(32))
            if place + half < out.shape[0]:
                out[place + half] = np.uint64(far) + (np.uint64(np.int64(np.rint(two.imag))) << np.uint64(32))
