"""A column of ones among private matrices: public, so that products with it are sums, without a message."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from unseen.computation.circle import Circle
from unseen.computation.share.array import Shared
from unseen.computation.share.private import PrivateMatrix


@dataclass(frozen=True, eq=False)
class Ones:
    """An (n, 1) matrix of ones, with the face of a `PrivateMatrix`."""

    circle: Circle
    rows: int
    fraction: int

    @property
    def shape(self) -> tuple[int, int]:
        return self.rows, 1

    def __matmul__(self, right: Shared) -> Shared:
        """(n, 1) by shared (1, m): its row n times, fractions added; local."""
        return Shared(self.circle, np.repeat(right.words, self.rows, axis=0), right.fraction).scaled_up(
            self.fraction
        )

    def transposed_times(self, right: Shared) -> Shared:
        """The transpose by shared (n, m): (1, m) sums, fractions added; local."""
        return right.sum(axis=0).reshape(1, -1).scaled_up(self.fraction)

    def gram(self, other: PrivateMatrix | Ones) -> Shared:
        """selfᵀ @ other, (1, k): the other's column sums, fractions added; local."""
        if isinstance(other, Ones):
            count = np.array([[self.rows]] if self.circle.rank == 0 else [[0]], dtype=np.uint64)
            return Shared(self.circle, count, 0).scaled_up(self.fraction + other.fraction)
        if other.mine is None:
            sums = np.zeros((1, other.shape[1]), dtype=np.uint64)
        else:
            sums = other.mine.sum(axis=0, dtype=np.uint64).reshape(1, -1)
        return Shared(self.circle, sums, other.fraction).scaled_up(self.fraction)

    def first_rows(self, count: int) -> Ones:
        """The same, cut after `count` rows."""
        return replace(self, rows=count)

    def forget(self) -> None:
        """There is no mask to drop."""
