"""Normal matrices on shares: the matrix XᵀX, or XᵀWX, of columns that stand at several parties, block by block."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from unseen.computation.learn.coded import Columns, bare, contracted, gram, right_contracted
from unseen.computation.learn.columns import UNIT_FRACTION, Design
from unseen.computation.learn.rows import SampleWeights
from unseen.computation.share import arithmetic
from unseen.computation.share.array import Shared, reveal
from unseen.computation.share.ones import Ones


def normal_matrix(blocks: Sequence[Columns], factor: float, intercept: Ones | None = None) -> Shared:
    """factor·XᵀX for X the blocks side by side, after the intercept if there is one. A party's own block is
    local, across parties no round; a round or two where bins stand for shared values."""
    parts = {(i, j): gram(blocks[i], blocks[j]) for i, j in _upper(len(blocks))}
    if intercept is not None:
        parts = {(i + 1, j + 1): part for (i, j), part in parts.items()}
        parts[0, 0] = intercept.gram(intercept)
        for j, block in enumerate(blocks, 1):
            parts[0, j] = right_contracted(block, intercept.gram(bare(block)))
    return _assembled(parts, factor)


def weighted_normal_matrix(intercept: Ones, blocks: Sequence[Columns], weights: Shared, factor: float) -> Shared:
    """factor·XᵀWX for shared weights (count,) of the first `count` rows, X an intercept and the blocks.

    A round for all blocks, one for all pairs of them. What concerns the intercept are sums, which cost nothing.
    """
    used = [block.first_rows(weights.size) for block in blocks]
    begun = [bare(block).begin_scaled_gram(weights) for block in used]
    found = [finish() for finish in begun]
    pairs = [(i, j) for i, j in _upper(len(used)) if i != j]
    across = [bare(used[j]).begin_product(found[i][0], transposed=True) for i, j in pairs]
    turned = [finish() for finish in across]
    ones = weights.reshape(-1, 1).scaled_up(intercept.fraction)
    parts = {(0, 0): _column_sums(ones, intercept.fraction)}
    for i, (weighted, whole) in enumerate(found):
        parts[0, i + 1] = right_contracted(used[i], _column_sums(weighted, intercept.fraction))
        parts[i + 1, i + 1] = contracted(used[i], used[i], whole)
    for (i, j), part in zip(pairs, turned, strict=True):
        flipped = Shared(part.circle, np.ascontiguousarray(part.words.T), part.fraction)
        parts[i + 1, j + 1] = contracted(used[i], used[j], flipped)
    return _assembled(parts, factor)


def _column_sums(values: Shared, fraction: int) -> Shared:
    """(1, k): the sums of the columns of (n, k), with so many more fractional bits; local."""
    return values.sum(axis=0).reshape(1, -1).scaled_up(fraction)


def first_normal_matrix(design: Design, weights: SampleWeights | None, rows: int) -> tuple[Shared, float]:
    """XᵀWX/rows + D with the weights over their mean, and a bound of its eigenvalues, its trace: the number of
    columns where there are no weights, and told to all where there are."""
    if weights is None:
        return with_ridge(normal_matrix(design.columns, 1.0 / rows, design.intercept), design.ridge), float(
            design.width
        )
    weighted = weighted_normal_matrix(design.intercept, design.columns, weights.coarse, 1.0 / rows)
    whole = with_ridge(weighted, design.ridge)
    return whole, float(reveal(diagonal(whole).sum(), "trace"))


def with_ridge(matrix: Shared, ridge: Shared) -> Shared:
    """The matrix with `ridge` (width, 1) added along its diagonal; local."""
    return matrix + Shared(matrix.circle, np.diag(ridge.words[:, 0]), ridge.fraction)


def diagonal(matrix: Shared) -> Shared:
    """(k,) of a (k, k) matrix; local."""
    return Shared(matrix.circle, np.diagonal(matrix.words).copy(), matrix.fraction)


def _upper(count: int) -> list[tuple[int, int]]:
    return [(i, j) for i in range(count) for j in range(i, count)]


def _assembled(parts: dict[tuple[int, int], Shared], factor: float) -> Shared:
    """The symmetric matrix factor·parts from its upper blocks."""
    sides = max(i for i, _ in parts) + 1
    starts = np.cumsum([0, *(parts[i, i].shape[0] for i in range(sides))])
    words = np.zeros((starts[-1], starts[-1]), dtype=np.uint64)
    for (i, j), part in parts.items():
        here, there = slice(starts[i], starts[i + 1]), slice(starts[j], starts[j + 1])
        words[here, there] = part.words
        words[there, here] = part.words.T
    some = next(iter(parts.values()))
    return arithmetic.scaled(Shared(some.circle, words, some.fraction), factor, UNIT_FRACTION)
