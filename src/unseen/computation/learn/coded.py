"""Columns of bins, private at their owner, whose values are shared: what a bin stands for, nobody knows.

With Z the one-hot matrix of the owner's bins (a row has a one in the bin of each column in which it lies) and C
the shared values, a bin's value in the place of its column, the columns are X = Z·C. Z stays at home and is
masked once a run; all that a model needs is a product with Z and a small contraction with C on shares:

    X w = Z (C w)        Xᵀ r = Cᵀ (Zᵀ r)        Xᵀ W X = Cᵀ (Zᵀ W Z) C

Setting: semi-honest, any number of parties, as in `share.private` and `share.arithmetic`. Nobody learns anything
but the numbers of rows, columns and bins. Failure: none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from unseen.computation.circle import Circle
from unseen.computation.share import arithmetic
from unseen.computation.share.array import Shared
from unseen.computation.share.private import PrivateMatrix, private_words
from unseen.computation.types import Index, Words
from unseen.errors import MisuseError


@dataclass(frozen=True, eq=False)
class BinnedBlock:
    """The binned columns of one party, each bin worth a shared number.

    `widths` are the columns' numbers of bins and public; `values` (bins,) shared, column after column; `mean`
    and `variance` (columns,) those of the values over the rows, shared too; `places` (rows, columns) the rows'
    bins, at the owner only. `hot` is Z where it is masked already, of these rows first: who masked it forgets it.
    """

    owner: int
    names: tuple[str, ...]
    rows: int
    widths: tuple[int, ...]
    values: Shared
    mean: Shared
    variance: Shared
    places: Index | None = None
    hot: PrivateMatrix | None = None


@dataclass(frozen=True, eq=False)
class CodedMatrix:
    """X = Z·C as at the head: `hot` is Z, `codes` (bins,) are C's values, `widths` the columns' numbers of bins.
    `lent`: others use Z too, and forget it when they are done.

    To a model it is a matrix of (rows, columns) with as many fractional bits as the codes.
    """

    hot: PrivateMatrix
    codes: Shared
    widths: tuple[int, ...]
    lent: bool = False

    @property
    def circle(self) -> Circle:
        return self.hot.circle

    @property
    def owner(self) -> int:
        return self.hot.owner

    @property
    def shape(self) -> tuple[int, int]:
        return self.hot.shape[0], len(self.widths)

    @property
    def fraction(self) -> int:
        return self.codes.fraction

    def __matmul__(self, right: Shared) -> Shared:
        """(n, k) by shared (k, m): fractions added, not truncated; two rounds, and bytes by the bin only."""
        return self.hot @ self.spread(right)

    def transposed_times(self, right: Shared) -> Shared:
        """The transpose by shared (n, m): fractions added; two rounds, 8·nm bytes and 16·m a bin."""
        return self.gathered(self.hot.transposed_times(right))

    def spread(self, right: Shared) -> Shared:
        """C times shared (k, m): (bins, m), fractions added; one round."""
        column = np.repeat(np.arange(len(self.widths)), self.widths)
        return arithmetic.product(self.codes.reshape(-1, 1), right[column])

    def gathered(self, right: Shared) -> Shared:
        """Cᵀ times shared (bins, m): (k, m), fractions added; one round."""
        weighted = arithmetic.product(self.codes.reshape(-1, 1), right)
        return column_sums(weighted, self.widths)

    def forget(self) -> None:
        if not self.lent:
            self.hot.forget()


Columns: TypeAlias = PrivateMatrix | CodedMatrix
"""A party's columns in a design: numbers that it knows, or bins whose values are shared."""


def bare(columns: Columns) -> PrivateMatrix:
    """What the owner holds: the columns themselves, or Z."""
    return columns.hot if isinstance(columns, CodedMatrix) else columns


def spread(columns: Columns, right: Shared) -> Shared:
    """What `bare` columns are multiplied by where the columns are by `right`: a round where they are coded."""
    return columns.spread(right) if isinstance(columns, CodedMatrix) else right


def gathered(columns: Columns, product: Shared) -> Shared:
    """From Zᵀ·… the same of the columns: a round where they are coded."""
    return columns.gathered(product) if isinstance(columns, CodedMatrix) else product


def contracted(left: Columns, right: Columns, product: Shared) -> Shared:
    """From Z_lᵀ·…·Z_r the same of the columns: a round a side that is coded."""
    return right_contracted(right, gathered(left, product))


def right_contracted(right: Columns, product: Shared) -> Shared:
    """From …·Z_r the same of the columns: a round where they are coded."""
    return gathered(right, product.T).T


def gram(left: Columns, right: Columns) -> Shared:
    """X_lᵀ·X_r, fractions added: no round, or one a side that is coded."""
    return contracted(left, right, bare(left).gram(bare(right)))


def column_sums(values: Shared, widths: Sequence[int]) -> Shared:
    """(bins, …) to (columns, …): the sums over each column's bins; local."""
    starts = np.cumsum([0, *widths[:-1]]).astype(np.int64)
    return Shared(values.circle, np.add.reduceat(values.words, starts, axis=0), values.fraction)


def one_hot(circle: Circle, block: BinnedBlock) -> PrivateMatrix:
    """Z of a block, masked towards the others: 8 bytes a row and bin from the owner to each.

    Raises MisuseError at the owner for places that are none.
    """
    words: Words | None = None
    bins = sum(block.widths)
    if circle.rank == block.owner:
        places = block.places
        if places is None or places.shape != (block.rows, len(block.widths)):
            raise MisuseError(f"the owner must bring {len(block.widths)} bins for each of {block.rows} rows")
        if (places < 0).any() or (places >= np.asarray(block.widths)).any():
            raise MisuseError("a bin number lies outside the column's bins")
        words = np.zeros((block.rows, bins), dtype=np.uint64)
        starts = np.cumsum([0, *block.widths[:-1]])
        np.put_along_axis(words, places + starts, np.uint64(1), axis=1)
    return private_words(circle, block.owner, words, (block.rows, bins))


def coded(circle: Circle, block: BinnedBlock, codes: Shared) -> CodedMatrix:
    """A block whose bins stand for `codes` (bins,)."""
    if block.hot is None:
        return CodedMatrix(one_hot(circle, block), codes, block.widths)
    return CodedMatrix(block.hot.first_rows(block.rows), codes, block.widths, lent=True)
