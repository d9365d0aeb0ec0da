"""Matrix products over Z_2^64: wrapping arithmetic on uint64, which no BLAS offers.

Oracle of each: the NumPy expression in its first line, on uint64 arrays. Arrays are C-contiguous.
"""

from __future__ import annotations

import numpy as np

from unseen.computation.kernels import kernel
from unseen.computation.types import Words

_TILE = 64  # rows of the right factor held in the first-level cache at a time


def product(left: Words, right: Words) -> Words:
    """`left @ right`: (m, k) by (k, n), wrapping modulo 2^64."""
    left, right = np.ascontiguousarray(left), np.ascontiguousarray(right)
    if right.shape[1] == 1:
        return _matrix_vector(left, right[:, 0]).reshape(-1, 1)
    out = np.zeros((left.shape[0], right.shape[1]), dtype=np.uint64)
    _accumulate(left, right, out)
    return out


def transposed_product(left: Words, right: Words) -> Words:
    """`left.T @ right`: (k, m) by (k, n), wrapping modulo 2^64, without forming the transpose."""
    left, right = np.ascontiguousarray(left), np.ascontiguousarray(right)
    out = np.zeros((left.shape[1], right.shape[1]), dtype=np.uint64)
    if right.shape[1] == 1:
        _vector_matrix(left, right[:, 0], out[:, 0])
    else:
        _accumulate_transposed(left, right, out)
    return out


def symmetric_product(*pairs: tuple[Words, Words]) -> Words:
    """The sum of `left.T @ right` over pairs (k, n), (k, n), where it is known to be symmetric: half the work."""
    side = pairs[0][0].shape[1]
    out = np.zeros((side, side), dtype=np.uint64)
    for left, right in pairs:
        _accumulate_upper(np.ascontiguousarray(left), np.ascontiguousarray(right), out)
    lower = np.tril_indices(side, -1)
    out[lower] = out.T[lower]
    return out


@kernel
def _matrix_vector(left: Words, vector: Words) -> Words:
    out = np.empty(left.shape[0], dtype=np.uint64)
    for i in range(left.shape[0]):
        total = np.uint64(0)
        for k in range(left.shape[1]):
            total += left[i, k] * vector[k]
        out[i] = total
    return out


@kernel
def _vector_matrix(left: Words, vector: Words, out: Words) -> None:
    total = np.zeros(left.shape[1], dtype=np.uint64)
    for k in range(left.shape[0]):
        weight = vector[k]
        for j in range(left.shape[1]):
            total[j] += left[k, j] * weight
    for j in range(left.shape[1]):
        out[j] = total[j]


@kernel
def _accumulate(left: Words, right: Words, out: Words) -> None:
    m, inner, n = left.shape[0], left.shape[1], right.shape[1]
    for start in range(0, inner, _TILE):
        end = min(start + _TILE, inner)
        for i in range(0, m - 3, 4):
            for k in range(start, end):
                w0, w1, w2, w3 = left[i, k], left[i + 1, k], left[i + 2, k], left[i + 3, k]
                for j in range(n):
                    value = right[k, j]
                    out[i, j] += w0 * value
                    out[i + 1, j] += w1 * value
                    out[i + 2, j] += w2 * value
                    out[i + 3, j] += w3 * value
        for i in range(m - m % 4, m):
            for k in range(start, end):
                weight = left[i, k]
                for j in range(n):
                    out[i, j] += weight * right[k, j]


@kernel
def _accumulate_transposed(left: Words, right: Words, out: Words) -> None:
    inner, m, n = left.shape[0], left.shape[1], right.shape[1]
    for k in range(0, inner - 3, 4):
        for i in range(m):
            w0, w1, w2, w3 = left[k, i], left[k + 1, i], left[k + 2, i], left[k + 3, i]
            for j in range(n):
                out[i, j] += w0 * right[k, j] + w1 * right[k + 1, j] + w2 * right[k + 2, j] + w3 * right[k + 3, j]
    for k in range(inner - inner % 4, inner):
        for i in range(m):
            weight = left[k, i]
            for j in range(n):
                out[i, j] += weight * right[k, j]


@kernel
def _accumulate_upper(left: Words, right: Words, out: Words) -> None:
    inner, n = left.shape
    for k in range(0, inner - 3, 4):
        for i in range(n):
            w0, w1, w2, w3 = left[k, i], left[k + 1, i], left[k + 2, i], left[k + 3, i]
            for j in range(i, n):
                out[i, j] += w0 * right[k, j] + w1 * right[k + 1, j] + w2 * right[k + 2, j] + w3 * right[k + 3, j]
    for k in range(inner - inner % 4, inner):
        for i in range(n):
            for j in range(i, n):
                out[i, j] += left[k, i] * right[k, j]
