"""Normal matrices on shares: the matrix XᵀX, or XᵀWX, of columns that stand at several parties, block by block."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from unseen.computation.learn.coded import Columns, bare, contracted, gram
from unseen.computation.learn.columns import UNIT_FRACTION, Design
from unseen.computation.learn.rows import SampleWeights
from unseen.computation.share import arithmetic
from unseen.computation.share.array import Shared, reveal


def normal_matrix(blocks: Sequence[Columns], factor: float) -> Shared:
    """factor·XᵀX for X the blocks side by side. A party's own block is local, across parties no round; a round or
    two where bins stand for shared values."""
    parts = {(i, j): gram(blocks[i], blocks[j]) for i, j in _upper(len(blocks))}
    return _assembled(blocks, parts, factor)


def weighted_normal_matrix(blocks: Sequence[Columns], weights: Shared, factor: float) -> Shared:
    """factor·XᵀWX for shared weights (count,) of the first `count` rows: a round a block and one a pair.

    The first block is the intercept, a column of ones: its part are sums, which cost nothing.
    """
    intercept, *rest = (block.first_rows(weights.size) for block in blocks)
    found = [bare(block).scaled_gram(weights) for block in rest]
    ones = weights.reshape(-1, 1).scaled_up(intercept.fraction)
    parts = {(0, 0): _column_sums(ones, intercept.fraction)}
    for i, (weighted, whole) in enumerate(found, 1):
        here = rest[i - 1]
        parts[0, i] = contracted(intercept, here, _column_sums(weighted, intercept.fraction))
        parts[i, i] = contracted(here, here, whole)
        for j, other in enumerate(rest[i:], i + 1):
            across = bare(other).transposed_times(weighted)
            flipped = Shared(across.circle, np.ascontiguousarray(across.words.T), across.fraction)
            parts[i, j] = contracted(here, other, flipped)
    return _assembled(blocks, parts, factor)


def _column_sums(values: Shared, fraction: int) -> Shared:
    """(1, k): the sums of the columns of (n, k), with so many more fractional bits; local."""
    return values.sum(axis=0).reshape(1, -1).scaled_up(fraction)


def first_normal_matrix(design: Design, weights: SampleWeights | None, rows: int) -> tuple[Shared, float]:
    """XᵀWX/rows + D with the weights over their mean, and a bound of its eigenvalues, its trace: the number of
    columns where there are no weights, and told to all where there are."""
    if weights is None:
        return with_ridge(normal_matrix(design.blocks, 1.0 / rows), design.ridge), float(design.width)
    whole = with_ridge(weighted_normal_matrix(design.blocks, weights.coarse, 1.0 / rows), design.ridge)
    return whole, float(reveal(diagonal(whole).sum(), "trace"))


def with_ridge(matrix: Shared, ridge: Shared) -> Shared:
    """The matrix with `ridge` (width, 1) added along its diagonal; local."""
    return matrix + Shared(matrix.circle, np.diag(ridge.words[:, 0]), ridge.fraction)


def diagonal(matrix: Shared) -> Shared:
    """(k,) of a (k, k) matrix; local."""
    return Shared(matrix.circle, np.diagonal(matrix.words).copy(), matrix.fraction)


def _upper(count: int) -> list[tuple[int, int]]:
    return [(i, j) for i in range(count) for j in range(i, count)]


def _assembled(blocks: Sequence[Columns], parts: dict[tuple[int, int], Shared], factor: float) -> Shared:
    """The symmetric matrix factor·parts from its upper blocks."""
    starts = np.cumsum([0, *(block.shape[1] for block in blocks)])
    words = np.zeros((starts[-1], starts[-1]), dtype=np.uint64)
    for (i, j), part in parts.items():
        here, there = slice(starts[i], starts[i + 1]), slice(starts[j], starts[j + 1])
        words[here, there] = part.words
        words[there, here] = part.words.T
    circle, fraction = blocks[0].circle, next(iter(parts.values())).fraction
    return arithmetic.scaled(Shared(circle, words, fraction), factor, UNIT_FRACTION)
