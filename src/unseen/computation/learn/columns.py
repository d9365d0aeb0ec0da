"""Columns of several parties as one design matrix that nobody sees.

Every party scales its own columns at home, so that training is well conditioned whatever the units, and the
results come back on the columns' own scale.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from unseen.computation.circle import Circle
from unseen.computation.correlation.source import Ticket
from unseen.computation.learn.coded import BinnedBlock, CodedMatrix, Columns, bare, coded, gathered, spread
from unseen.computation.link import BACKLOG_LIMIT
from unseen.computation.share import arithmetic
from unseen.computation.share.array import Shared, concatenate, from_owner, shared_zeros, summed
from unseen.computation.share.elementary import inverse_square_root
from unseen.computation.share.ones import Ones
from unseen.computation.share.private import PrivateMatrix, ask_private_matrix, private_matrix
from unseen.computation.types import Real
from unseen.errors import DataError

UNIT_FRACTION = 28
"""Fractional bits of means, scales and coefficients."""
MEAN_FRACTION = 20
"""Fractional bits of means in units of the spread: a mean of 1000 standard deviations leaves room for products."""
VARIANCE_FRACTION = 20
"""Fractional bits of variances less their public factor: such a mean counts squared."""
LEAST_VARIANCE = 2.0**-15
MOST_VARIANCE = 2.0**8
CODED_EXPONENT = -5
"""What the variance of a column of shared values must lie between, and the unit of such a column, a power of two:
it is scaled on shares, and its inverse scale in this unit lies between 2^-9 and 6."""


@dataclass(frozen=True, eq=False)
class Block:
    """The columns of one party: names known to all, values (rows, columns) at the owner only."""

    owner: int
    names: tuple[str, ...]
    rows: int
    values: Real | None = None


@dataclass(frozen=True, eq=False)
class Design:
    """The scaled design matrix: an intercept column, then the blocks' columns in order.

    Column j stands as (x_j - mean_j) / scale_j with scale_j² = variance_j + ridge weight, so that the scaled
    normal matrix has a unit diagonal. `ridge` (width, 1) is the penalty's diagonal on that scale; `means` and
    `inverse_scales` (width - 1,) are shared trivially, known to the columns' owners, or shared where bins'
    values are.
    """

    intercept: Ones
    columns: tuple[Columns, ...]
    ridge: Shared
    means: Shared
    inverse_scales: Shared
    exponents: Real
    names: tuple[tuple[int, str], ...]

    @property
    def width(self) -> int:
        return len(self.names) + 1

    def times(self, coefficients: Shared) -> Shared:
        """X by shared coefficients (width, 1): (rows, 1), fractions added, not truncated; one round."""
        ends = np.cumsum([1, *(block.shape[1] for block in self.columns)]).tolist()
        parts = [coefficients[start:end] for start, end in pairwise(ends)]
        # What shared values of bins need comes before all, so that the products themselves go out together.
        right = [spread(block, part) for block, part in zip(self.columns, parts, strict=True)]
        begun = [bare(block).begin_product(part) for block, part in zip(self.columns, right, strict=True)]
        return summed([self.intercept @ coefficients[:1], *(finish() for finish in begun)])

    def transposed_times(self, values: Shared) -> Shared:
        """The transpose by shared (rows, 1): (width, 1), fractions added, not truncated; one round."""
        begun = [bare(block).begin_product(values, transposed=True) for block in self.columns]
        found = [finish() for finish in begun]
        parts = [gathered(block, part) for block, part in zip(self.columns, found, strict=True)]
        return concatenate([self.intercept.transposed_times(values), *parts])

    def unscale(self, coefficients: Shared) -> tuple[Shared, Shared]:
        """From (width,) scaled coefficients to intercept () and weights (width - 1,) on the columns' scale."""
        weights = coefficients[1:] * self.inverse_scales
        shift = arithmetic.rescale(arithmetic.product(weights, self.means).sum(), UNIT_FRACTION)
        intercept = coefficients[0] - shift
        return intercept, weights

    def variances(self, covariance: Shared, factor: float) -> Shared:
        """From the (width, width) inverse of the scaled Hessian: variances of intercept and weights.

        Weight j has variance factor·C_jj / scale_j²; the intercept's is that of c0 - sum_j mean_j/scale_j·c_j.
        """
        rough = arithmetic.rescale(covariance, VARIANCE_FRACTION)
        ratio = arithmetic.rescale(arithmetic.product(self.means, self.inverse_scales), VARIANCE_FRACTION)
        row = ratio.reshape(1, -1) @ rough[1:, 1:] - rough[0:1, 1:].times_integer(2)
        intercept = rough[0, 0].reshape(1) + (row[0] * ratio).sum().reshape(1)
        diagonal = Shared(covariance.circle, np.diagonal(rough.words)[1:].copy(), VARIANCE_FRACTION)
        weights = diagonal * arithmetic.rescale(arithmetic.square(self.inverse_scales), VARIANCE_FRACTION)
        shift = -int(np.floor(np.log2(factor)))
        relative = concatenate([intercept, weights])
        found = arithmetic.public_product(relative, factor * 2.0**shift, VARIANCE_FRACTION)
        found = arithmetic.rescale(found, VARIANCE_FRACTION)
        return Shared(found.circle, found.words, found.fraction + shift)

    def noisy_variances(self, covariance: Shared, noise: Shared, count: float) -> Shared:
        """`variances` times shared noise () over a public count.

        Of 1/count the power of two is a change of fraction, the rest goes into the noise.
        """
        shift = int(np.floor(np.log2(count)))
        level = arithmetic.rescale(noise * (2.0**shift / count), UNIT_FRACTION)
        relative = arithmetic.rescale(self.variances(covariance, 1.0), 16)
        found = arithmetic.rescale(arithmetic.product(relative, level), VARIANCE_FRACTION)
        return Shared(found.circle, found.words, found.fraction + shift)

    def forget(self) -> None:
        for block in self.columns:
            block.forget()


def enter_columns(circle: Circle, columns: Sequence[Block | BinnedBlock], ridge: float) -> Design:
    """Scale every party's columns at home, or on shares where their values are, and mask them once to the others.

    `ridge` is the penalty relative to the first Hessian (public). Everyone learns the order of magnitude of
    each column's spread. Raises DataError at the owner for a constant or non-finite column, naming it.
    """
    rows = columns[0].rows
    fraction = matrix_fraction(rows)
    plain = {i: block for i, block in enumerate(columns) if isinstance(block, Block)}
    asked = {i: ask_private_matrix(circle, block.owner, (rows, len(block.names))) for i, block in plain.items()}
    order = sorted(plain, key=lambda i: plain[i].owner != circle.rank) if _small(plain.values()) else list(plain)
    found = {i: _enter_scaled(circle, plain[i], ridge, fraction, asked[i]) for i in order}
    for i, block in enumerate(columns):
        if isinstance(block, BinnedBlock):
            found[i] = _enter_coded(circle, block, ridge)
    entered = [found[i] for i in range(len(columns))]
    unpenalised = shared_zeros(circle, (1,), UNIT_FRACTION)
    return Design(
        Ones(circle, rows, fraction),
        tuple(part.matrix for part in entered),
        concatenate([unpenalised, *(part.ridge for part in entered)]).reshape(-1, 1),
        concatenate([part.mean for part in entered]),
        concatenate([part.inverse for part in entered]),
        np.concatenate([part.exponents for part in entered]),
        tuple((block.owner, name) for block in columns for name in block.names),
    )


def _small(blocks: Collection[Block]) -> bool:
    """Whether each party may send all its own before it reads what the others send: it lies in a channel's backlog
    meanwhile. What is larger goes block by block, while all others read."""
    octets = dict.fromkeys((block.owner for block in blocks), 0)
    for block in blocks:
        octets[block.owner] += 8 * block.rows * len(block.names)
    return max(octets.values(), default=0) <= BACKLOG_LIMIT // 2


def enter_block(circle: Circle, block: Block | BinnedBlock, exponents: Real) -> Columns:
    """One party's columns as they are, in units of 2^exponents: for applying a model."""
    if isinstance(block, BinnedBlock):
        codes = in_units(block.values, int(exponents[0]))
        return coded(circle, block, arithmetic.rescale(codes, matrix_fraction(block.rows) + 4))
    values = None if block.values is None else block.values * 2.0**-exponents
    return private_matrix(circle, block.owner, values, (block.rows, len(block.names)), matrix_fraction(block.rows))


@dataclass(frozen=True, eq=False)
class _Entered:
    matrix: PrivateMatrix | CodedMatrix
    ridge: Shared
    mean: Shared
    inverse: Shared
    exponents: Real


def _enter_scaled(circle: Circle, block: Block, ridge: float, fraction: int, asked: Ticket) -> _Entered:
    width = len(block.names)
    values = mean = inverse = weight = magnitude = None
    if block.owner == circle.rank:
        if block.values is None or block.values.shape != (block.rows, width):
            raise DataError(f"the owner of a block must bring its {block.rows} × {width} values")
        values, mean, inverse = _scaled(block.values, block.names, ridge)
        magnitude = -np.round(np.log2(inverse)).astype(np.int16)
        weight = ridge * inverse**2
        mean, inverse = mean * 2.0**-magnitude, inverse * 2.0**magnitude
    told = circle.tell_all("column-magnitudes", block.owner, magnitude, np.empty(width, dtype=np.int16))
    return _Entered(
        private_matrix(circle, block.owner, values, (block.rows, width), fraction, asked),
        from_owner(circle, block.owner, weight, (width,), UNIT_FRACTION),
        from_owner(circle, block.owner, mean, (width,), MEAN_FRACTION),
        from_owner(circle, block.owner, inverse, (width,), UNIT_FRACTION),
        told.astype(np.float64),
    )


def _enter_coded(circle: Circle, block: BinnedBlock, ridge: float) -> _Entered:
    """Bins' values about their means in units of their spread, on shares; nothing is told of either."""
    least, most = LEAST_VARIANCE / 2.0 + ridge, MOST_VARIANCE + ridge
    inverse = inverse_square_root(block.variance + ridge, least, most, UNIT_FRACTION + CODED_EXPONENT)
    column = np.repeat(np.arange(len(block.widths)), block.widths)
    centred = block.values - block.mean[column]
    codes = arithmetic.product(arithmetic.rescale(centred, MEAN_FRACTION), inverse[column])
    relative = in_units(inverse, -CODED_EXPONENT)
    square = arithmetic.rescale(arithmetic.square(relative), 24)
    weight = arithmetic.public_product(square, ridge * 4.0**-CODED_EXPONENT, UNIT_FRACTION)
    return _Entered(
        coded(circle, block, arithmetic.rescale(codes, matrix_fraction(block.rows))),
        arithmetic.rescale(weight, UNIT_FRACTION),
        arithmetic.rescale(in_units(block.mean, CODED_EXPONENT), MEAN_FRACTION),
        relative,
        np.full(len(block.widths), float(CODED_EXPONENT)),
    )


def in_units(value: Shared, exponent: int) -> Shared:
    """The same values in units of 2^exponent; local."""
    return Shared(value.circle, value.words, value.fraction + exponent)


def matrix_fraction(rows: int) -> int:
    """Fractional bits of scaled columns: sums over all rows of products of three must stay below 2^62.

    Raises DataError beyond 2^25 rows, where too few bits would be left.
    """
    fraction = min(16, 35 - int(rows).bit_length())
    if fraction < 10:
        raise DataError(f"{rows} rows are more than one fit takes; train on a sample of at most 33 million")
    return fraction


def _scaled(values: Real, names: Sequence[str], ridge: float) -> tuple[Real, Real, Real]:
    """Scaled values, means and inverse scales of one party's own columns."""
    for name, column in zip(names, values.T, strict=True):
        if not np.isfinite(column).all():
            raise DataError(f"column {name!r} holds missing or infinite values; bin it or fill it before training")
        if column.min() == column.max():
            raise DataError(f"column {name!r} has the same value in every row; leave it out")
    mean, variance = values.mean(axis=0), values.var(axis=0)
    inverse = 1.0 / np.sqrt(variance + ridge)
    return (values - mean) * inverse, mean, inverse
