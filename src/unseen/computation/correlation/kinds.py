"""The kinds of correlated randomness that protocols use, each as its sizes and its equation.

Kinds are data: a request names the kind and its sizes and nothing else, so whoever makes it learns no more.
Words are elements of Z_2^64.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from unseen.computation.correlation.source import Kind, Slot, Vault, ring_width
from unseen.computation.kernels import exponentials, products, ring, waves
from unseen.computation.types import Array, Words
from unseen.errors import MisuseError


@dataclass(frozen=True)
class Triple(Kind):
    """a, b uniform and c = a·b, elementwise (Beaver 1991): for the product of two shared arrays.

    In the ring of `lane` bits.
    """

    count: int
    lane: int = 64
    name: ClassVar[str] = "triple"
    by_row: ClassVar[bool] = True

    def free(self) -> tuple[Slot, ...]:
        return (Slot((self.count,), bits=ring_width(self.lane)), Slot((self.count,), bits=self.lane))

    def bound(self) -> tuple[Slot, ...]:
        return (Slot((self.count,), bits=self.lane),)

    def target(self, values: Sequence[Words], vault: Vault) -> tuple[Words, ...]:
        return (values[0] * values[1],)


@dataclass(frozen=True)
class Square(Kind):
    """a uniform and a²: for squares, at half the opening of a product."""

    count: int
    name: ClassVar[str] = "square"
    by_row: ClassVar[bool] = True

    def free(self) -> tuple[Slot, ...]:
        return (Slot((self.count,)),)

    def bound(self) -> tuple[Slot, ...]:
        return (Slot((self.count,)),)

    def target(self, values: Sequence[Words], vault: Vault) -> tuple[Words, ...]:
        return (values[0] * values[0],)


@dataclass(frozen=True)
class Truncation(Kind):
    """r uniform, r >> bits and the top bit of r: for exact truncation in one round.

    Escudero, Ghosh, Keller, Rachuri, Scholl, CRYPTO 2020 (eprint 2020/338), section 5.
    """

    count: int
    bits: int
    name: ClassVar[str] = "truncation"
    by_row: ClassVar[bool] = True

    def free(self) -> tuple[Slot, ...]:
        return (Slot((self.count,)),)

    def bound(self) -> tuple[Slot, ...]:
        # The top bit goes up by 64 - bits places, so that only its part modulo 2^bits counts.
        return (Slot((self.count,)), Slot((self.count,), bits=32 if self.bits <= 32 else 64))

    def target(self, values: Sequence[Words], vault: Vault) -> tuple[Array, ...]:
        top = values[0] >> np.uint64(63)
        return values[0] >> np.uint64(self.bits), top.astype(self.bound()[1].dtype)


@dataclass(frozen=True)
class TruncatedTriple(Kind):
    """a, b and m uniform; r = m - a·b, as r >> bits and its top bit: for a product and its exact truncation.

    What Beaver's product leaves masked by r is opened for the truncation as it is, so that a·b itself need not be
    dealt. Masks that are computed with before they are used, as in Ben-Efraim, Nielsen, Omri, ACNS 2019.
    """

    count: int
    bits: int
    name: ClassVar[str] = "truncated-triple"
    by_row: ClassVar[bool] = True

    def free(self) -> tuple[Slot, ...]:
        return (Slot((self.count,)), Slot((self.count,)), Slot((self.count,)))

    def bound(self) -> tuple[Slot, ...]:
        return Truncation(self.count, self.bits).bound()

    def target(self, values: Sequence[Words], vault: Vault) -> tuple[Array, ...]:
        a, b, m = values
        return products.split_mask(a, b, m, self.bits, self.bound()[1].dtype)


@dataclass(frozen=True)
class CorrectedProduct(Kind):
    """Masks for q = (x·g >> bits)·(c - (y·g >> error_bits)) >> last_bits, c public: a step of Newton's method.

    Each value is opened once, under a mask that the source has worked out. For x, y, g and three outputs uniform
    words; r1 and r2 mask the two products with g, r3 the last one. Dealt are each r without its low bits, its top
    bit, and the products of one's top bit with the other's high part, of which the lowest bits count.
    """

    count: int
    bits: int
    error_bits: int
    last_bits: int
    name: ClassVar[str] = "corrected-product"
    by_row: ClassVar[bool] = True

    def free(self) -> tuple[Slot, ...]:
        return (Slot((self.count,)),) * 6

    def bound(self) -> tuple[Slot, ...]:
        first, second, last = (
            Truncation(self.count, bits).bound() for bits in (self.bits, self.error_bits, self.last_bits)
        )
        both = [Slot((self.count,))] if self.bits + self.error_bits > 64 else []
        return (*first, *second, first[1], second[1], *last, *both)

    def target(self, values: Sequence[Words], vault: Vault) -> tuple[Array, ...]:
        x, y, g, m1, m2, m3 = values
        kinds = [slot.dtype for slot in self.bound()]
        first, first_top = products.split_mask(x, g, m1, self.bits, kinds[1])
        second, second_top = products.split_mask(y, g, m2, self.error_bits, kinds[3])
        last, last_top = products.split_mask(first, np.negative(second), m3, self.last_bits, kinds[7])
        crossed = (first_top * second.astype(kinds[1]), second_top * first.astype(kinds[3]))
        dealt = first, first_top, second, second_top, *crossed, last, last_top
        return dealt if len(kinds) == len(dealt) else (*dealt, first_top.astype(np.uint64) * second_top)


@dataclass(frozen=True)
class Waves(Kind):
    """r uniform in Z_2^32; sin(k·w·r) and cos(k·w·r) for `harmonics` values k = 1, 1 + step, …, w·2^32 = 2π, in
    fixed point.

    For functions given by a Fourier series, in one round: the angle is opened under r. `count` blocks of 64;
    the table's elements have 2^lanes bits, 5 or 6. A step of two: odd multiples only.
    """

    count: int
    harmonics: int
    fraction: int
    lanes: int
    step: int = 1
    name: ClassVar[str] = "waves"
    by_row: ClassVar[bool] = True

    def free(self) -> tuple[Slot, ...]:
        return (Slot((self.count, waves.BLOCK), bits=32),)

    def bound(self) -> tuple[Slot, ...]:
        if self.lanes not in (5, 6) or self.step not in (1, 2):
            raise MisuseError("a table of waves has elements of 32 or 64 bits, of all multiples or the odd ones")
        return (Slot((self.count, 2 * self.harmonics, waves.BLOCK), bits=1 << self.lanes),)

    def target(self, values: Sequence[Any], vault: Vault) -> tuple[Array, ...]:
        return (waves.table(values[0], self.harmonics, self.fraction, 1 << self.lanes, self.step),)


@dataclass(frozen=True)
class Exponentials(Kind):
    """r uniform in Z_2^32, 2^32 being 2^period; e^-t, t the place of r in its section, and zero for the others.

    For the exponential function, in one round. `count` blocks of 64.
    """

    count: int
    sections: int
    period: int
    fraction: int
    name: ClassVar[str] = "exponentials"
    by_row: ClassVar[bool] = True

    def free(self) -> tuple[Slot, ...]:
        return (Slot((self.count, exponentials.BLOCK), bits=32),)

    def bound(self) -> tuple[Slot, ...]:
        if self.sections not in (2, 4, 8, 16, 32, 64) or not 0 <= self.period <= 8:
            raise MisuseError("a table of exponentials has 2 to 64 sections, a power of two")
        return (Slot((self.count, self.sections, exponentials.BLOCK)),)

    def target(self, values: Sequence[Any], vault: Vault) -> tuple[Array, ...]:
        return (exponentials.table(values[0], self.sections, 2.0**self.period, self.fraction),)


@dataclass(frozen=True)
class MatrixMask(Kind):
    """A uniform matrix that masks a fixed matrix once for the whole run (SecureML, S&P 2017, section IV).

    `owner` is the rank that knows the masked matrix, or -1 if all parties share it.
    """

    rows: int
    columns: int
    owner: int
    name: ClassVar[str] = "matrix-mask"
    keeps: ClassVar[bool] = True

    def free(self) -> tuple[Slot, ...]:
        held = None if self.owner < 0 else lambda rank: rank == self.owner
        return (Slot((self.rows, self.columns), held_by=held),)


@dataclass(frozen=True)
class MatrixProduct(Kind):
    """B uniform, and C = A·B (or Aᵀ·B) for the kept mask A of request `mask`, from its row `start` on.

    With an owner, the owner holds no part of B: what it multiplies from its own share needs no protection.
    """

    mask: int
    rows: int
    inner: int
    columns: int
    transposed: bool
    owner: int
    start: int = 0
    name: ClassVar[str] = "matrix-product"
    refers: ClassVar[tuple[str, ...]] = ("mask",)

    def free(self) -> tuple[Slot, ...]:
        held = None if self.owner < 0 else lambda rank: rank != self.owner
        return (Slot((self.inner, self.columns), held_by=held),)

    def bound(self) -> tuple[Slot, ...]:
        return (Slot((self.rows, self.columns)),)

    def target(self, values: Sequence[Words], vault: Vault) -> tuple[Words, ...]:
        shape = (self.inner, self.rows) if self.transposed else (self.rows, self.inner)
        mask = _rows(vault, self.mask, self.start, *shape)
        return (ring.transposed_product(mask, values[0]) if self.transposed else ring.product(mask, values[0]),)


@dataclass(frozen=True)
class MatrixScaling(Kind):
    """b uniform, a word a row, and C with C[i, j] = A[i, j]·b[i] for the kept mask A from its row `start` on."""

    mask: int
    rows: int
    columns: int
    owner: int
    start: int = 0
    name: ClassVar[str] = "matrix-scaling"
    refers: ClassVar[tuple[str, ...]] = ("mask",)

    def free(self) -> tuple[Slot, ...]:
        held = None if self.owner < 0 else lambda rank: rank != self.owner
        return (Slot((self.rows,), held_by=held),)

    def bound(self) -> tuple[Slot, ...]:
        return (Slot((self.rows, self.columns)),)

    def target(self, values: Sequence[Words], vault: Vault) -> tuple[Words, ...]:
        mask = _rows(vault, self.mask, self.start, self.rows, self.columns)
        return (mask * values[0][:, None],)


@dataclass(frozen=True)
class ScaledGram(Kind):
    """`MatrixScaling`, and besides G = Aᵀ·C: for XᵀWX of a private matrix with shared weights."""

    mask: int
    rows: int
    columns: int
    owner: int
    start: int = 0
    name: ClassVar[str] = "scaled-gram"
    refers: ClassVar[tuple[str, ...]] = ("mask",)

    def free(self) -> tuple[Slot, ...]:
        return (Slot((self.rows,), held_by=lambda rank: rank != self.owner),)

    def bound(self) -> tuple[Slot, ...]:
        return (Slot((self.rows, self.columns)), Slot((self.columns, self.columns)))

    def target(self, values: Sequence[Words], vault: Vault) -> tuple[Words, ...]:
        mask = _rows(vault, self.mask, self.start, self.rows, self.columns)
        scaled = mask * values[0][:, None]
        return (scaled, ring.symmetric_product((mask, scaled)))


@dataclass(frozen=True)
class MaskGram(Kind):
    """C = Aᵀ·B for two kept masks A and B: for products of two fixed private matrices.

    Of `height` rows from `left_start` on in A, from `right_start` on in B; 0: of all, as many in both.
    """

    left: int
    right: int
    rows: int
    columns: int
    height: int = 0
    left_start: int = 0
    right_start: int = 0
    name: ClassVar[str] = "mask-gram"
    refers: ClassVar[tuple[str, ...]] = ("left", "right")

    def free(self) -> tuple[Slot, ...]:
        return ()

    def bound(self) -> tuple[Slot, ...]:
        return (Slot((self.rows, self.columns)),)

    def target(self, values: Sequence[Words], vault: Vault) -> tuple[Words, ...]:
        left, right = vault[self.left], vault[self.right]
        if self.height:
            left = _rows(vault, self.left, self.left_start, self.height, self.rows)
            right = _rows(vault, self.right, self.right_start, self.height, self.columns)
        if left.shape[0] != right.shape[0] or (left.shape[1], right.shape[1]) != (self.rows, self.columns):
            raise MisuseError("a product refers to masks of other shapes")
        return (ring.transposed_product(left, right),)


def _rows(vault: Vault, number: int, start: int, rows: int, columns: int) -> Words:
    """Rows of a kept mask. Raises MisuseError if it does not have them, or other columns."""
    fits = number in vault and 0 <= start <= vault[number].shape[0] - rows and vault[number].shape[1] == columns
    if not fits:
        raise MisuseError("a request refers to a mask of another shape, or to none")
    return vault[number][start : start + rows]
