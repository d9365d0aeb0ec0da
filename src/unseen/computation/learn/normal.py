"""Normal matrices on shares: the matrix XᵀX, or XᵀWX, of columns that stand at several parties, block by block."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from unseen.computation.correlation.source import Ticket
from unseen.computation.learn.coded import Columns, bare, contracted, gram, right_contracted
from unseen.computation.learn.columns import UNIT_FRACTION, Design
from unseen.computation.learn.rows import SampleWeights
from unseen.computation.share import arithmetic
from unseen.computation.share.array import Shared, reveal
from unseen.computation.share.ones import Ones
from unseen.computation.share.private import PrivateMatrix


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

    Two rounds for each AT_ONCE rows: one for all blocks, one for all pairs of them. What concerns the intercept
    are sums, which cost nothing. The source works on some rows while the parties work on those before.
    """
    held = [bare(block).first_rows(weights.size) for block in blocks]
    starts = range(0, weights.size, AT_ONCE)
    pieces = [_Piece([h.rows(s, min(s + AT_ONCE, weights.size)) for h in held], _pairs(held)) for s in starts]
    sums: dict[tuple[int, int], Shared] = {}
    for number, start in enumerate(starts):
        for piece in pieces[number : number + 2]:
            piece.ask()
        found = pieces[number].sums(weights[start : start + AT_ONCE], intercept.fraction)
        sums = {place: sums[place] + part if sums else part for place, part in found.items()}
    parts = {(0, 0): sums[0, 0]}
    for (i, j), part in sums.items():
        if j:
            parts[i, j] = (
                contracted(blocks[i - 1], blocks[j - 1], part) if i else right_contracted(blocks[j - 1], part)
            )
    return _assembled(parts, factor)


AT_ONCE: Final = 1 << 15
"""Rows that are weighted at a time."""


class _Piece:
    """Some rows of all blocks, whose randomness is announced before it is needed."""

    def __init__(self, blocks: Sequence[PrivateMatrix], pairs: Sequence[tuple[int, int]]) -> None:
        self._blocks, self._pairs = blocks, pairs
        self._asked: tuple[list[Ticket], list[Ticket]] | None = None

    def ask(self) -> None:
        if self._asked is None:
            grams = [block.ask_scaled_gram() for block in self._blocks]
            widths = [block.shape[1] for block in self._blocks]
            self._asked = grams, [self._blocks[j].ask_product(widths[i], transposed=True) for i, j in self._pairs]

    def sums(self, weights: Shared, fraction: int) -> dict[tuple[int, int], Shared]:
        """XᵀWX of these rows, by blocks, the intercept of `fraction` bits first."""
        self.ask()
        assert self._asked is not None
        grams, products = self._asked
        begun = [b.begin_scaled_gram(weights, asked) for b, asked in zip(self._blocks, grams, strict=True)]
        found = [finish() for finish in begun]
        across = [
            self._blocks[j].begin_product(found[i][0], True, asked)
            for (i, j), asked in zip(self._pairs, products, strict=True)
        ]
        ones = weights.reshape(-1, 1).scaled_up(fraction)
        parts = {(0, 0): _column_sums(ones, fraction)}
        for i, (weighted, whole) in enumerate(found, 1):
            parts[0, i], parts[i, i] = _column_sums(weighted, fraction), whole
        for (i, j), finish in zip(self._pairs, across, strict=True):
            turned = finish()
            flipped = Shared(turned.circle, np.ascontiguousarray(turned.words.T), turned.fraction)
            parts[i + 1, j + 1] = flipped
        return parts


def _pairs(blocks: Sequence[PrivateMatrix]) -> list[tuple[int, int]]:
    return [(i, j) for i, j in _upper(len(blocks)) if i != j]


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
