"""A shared array: a value that all parties hold together and none can read.

Each party's `words` are uniform given everything it may know; all parties' words add up, modulo 2^64, to the
fixed-point values. Operators read as on NumPy arrays. Sums and products with public numbers are local or cost
a truncation; products of two secrets cost rounds (see `arithmetic`). Nothing opens a share on the way: only
`reveal` does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias

import numpy as np

from unseen.computation.circle import Circle
from unseen.computation.share import fixed
from unseen.computation.types import Real, Words
from unseen.errors import MisuseError

if TYPE_CHECKING:
    from unseen.computation.share.boolean import Bits

Public: TypeAlias = "float | int | Real"


@dataclass(frozen=True, eq=False)
class Shared:
    """This party's part of a shared array. Values are multiples of 2^-fraction, |value| < 2^(62-fraction).

    Results of all operators must keep within that range: nobody can see where they do not. Sums and differences
    are exact and local; `<`, `>`, `<=`, `>=` exact in three rounds (`compare.negative`); `*` between two shared
    arrays is `arithmetic.multiply_long`, with public numbers `arithmetic.public_product`; `@` is
    `arithmetic.matrix_product` or `public_matrix_product`, truncated to the larger fraction. Nobody learns
    anything.
    """

    circle: Circle
    words: Words
    fraction: int = fixed.FRACTION

    def __post_init__(self) -> None:
        # NumPy turns a sum of zero-dimensional arrays into a scalar, which warns when it wraps; arrays do not.
        object.__setattr__(self, "words", np.asarray(self.words))

    __array_ufunc__ = None  # keeps NumPy from taking `array * shared` apart element by element

    @property
    def shape(self) -> tuple[int, ...]:
        return self.words.shape

    @property
    def size(self) -> int:
        return self.words.size

    # --- local: no message --------------------------------------------------------------------------------

    def __add__(self, other: Shared | Public) -> Shared:
        if isinstance(other, Shared):
            left, right = aligned(self, other)
            return self._with(np.add(left.words, right.words), left.fraction)
        return self._with(np.add(self.words, self._constant(other)))

    __radd__ = __add__

    def __neg__(self) -> Shared:
        return self._with(np.subtract(np.uint64(0), self.words))

    def __sub__(self, other: Shared | Public) -> Shared:
        return self + (-other)

    def __rsub__(self, other: Public) -> Shared:
        return (-self) + other

    def __getitem__(self, index: Any) -> Shared:
        return self._with(np.asarray(self.words[index]))

    @property
    def T(self) -> Shared:
        return self._with(self.words.T)

    def reshape(self, *shape: int) -> Shared:
        return self._with(self.words.reshape(*shape))

    def sum(self, axis: int | None = None) -> Shared:
        """The sum; the caller answers for |sum| < 2^(62-fraction)."""
        return self._with(np.asarray(self.words.sum(axis=axis, dtype=np.uint64)))

    def cumsum(self, axis: int = 0) -> Shared:
        """Sums of all up to each along an axis; the caller answers for |sum| < 2^(62-fraction)."""
        return self._with(np.cumsum(self.words, axis=axis, dtype=np.uint64))

    def times_integer(self, factor: int | np.ndarray[Any, np.dtype[np.int64]]) -> Shared:
        """Multiply by public whole numbers, exactly and without a message; |product| < 2^(62-fraction)."""
        return self._with(self.words * fixed.integers(np.asarray(factor, dtype=np.int64)))

    def scaled_up(self, bits: int) -> Shared:
        """The same values with `bits` more fractional bits: exact, local; |value| < 2^(62-fraction-bits)."""
        return Shared(self.circle, self.words << np.uint64(bits), self.fraction + bits)

    # --- with messages: see `arithmetic` ----------------------------------------------------------------

    def __mul__(self, other: Shared | Public) -> Shared:
        from unseen.computation.share import arithmetic

        if isinstance(other, Shared):
            return arithmetic.multiply_long(self, other, max(self.fraction, other.fraction))
        return arithmetic.rescale(arithmetic.public_product(self, other), self.fraction)

    __rmul__ = __mul__

    def __matmul__(self, other: Shared | Real) -> Shared:
        from unseen.computation.share import arithmetic

        if not isinstance(other, Shared):
            return arithmetic.public_matrix_product(self, other)
        return arithmetic.rescale(arithmetic.matrix_product(self, other), max(self.fraction, other.fraction))

    def __rmatmul__(self, other: Real) -> Shared:
        from unseen.computation.share import arithmetic

        return arithmetic.public_matrix_product(other, self)

    def __lt__(self, other: Shared | Public) -> Bits:
        from unseen.computation.share import compare

        return compare.negative(self - other)

    def __gt__(self, other: Shared | Public) -> Bits:
        from unseen.computation.share import compare

        return compare.negative(-self + other)

    def __le__(self, other: Shared | Public) -> Bits:
        return ~(self > other)

    def __ge__(self, other: Shared | Public) -> Bits:
        return ~(self < other)

    # --- misuse made loud -------------------------------------------------------------------------------

    def __bool__(self) -> NoReturn:
        raise MisuseError("a secret has no truth value here; compare on shares, and reveal what the plan names")

    def __float__(self) -> NoReturn:
        raise MisuseError("a secret is no number here; reveal it, if the plan names it")

    __int__ = __index__ = __iter__ = __float__

    def __repr__(self) -> str:
        return f"Shared(shape={self.shape}, fraction={self.fraction}, among {self.circle.size})"

    def _with(self, words: Words, fraction: int | None = None) -> Shared:
        return Shared(self.circle, words, self.fraction if fraction is None else fraction)

    def _constant(self, value: Public) -> Words:
        """A public value as a sharing: rank 0 holds it, the others hold zero."""
        words = fixed.encode(np.asarray(value, dtype=np.float64), self.fraction, "public value")
        return words if self.circle.rank == 0 else np.zeros_like(words)


def aligned(left: Shared, right: Shared) -> tuple[Shared, Shared]:
    """Both at the larger number of fractional bits; local."""
    gap = left.fraction - right.fraction
    return (left, right.scaled_up(gap)) if gap >= 0 else (left.scaled_up(-gap), right)


def as_rows(table: Shared) -> Words:
    """This party's words of a table (rows, …) as a contiguous (rows, columns), columns counted over all axes."""
    rows = table.shape[0]
    return np.ascontiguousarray(table.words).reshape(rows, int(np.prod(table.shape[1:])))


def concatenate(arrays: list[Shared], axis: int = 0) -> Shared:
    """Join along an existing axis, without a message; all with the same number of fractional bits."""
    if len({array.fraction for array in arrays}) != 1:
        raise MisuseError("arrays to be joined must have the same number of fractional bits")
    return arrays[0]._with(np.concatenate([array.words for array in arrays], axis=axis))


def summed(arrays: list[Shared]) -> Shared:
    """The elementwise sum of arrays of one shape, exact and local; |sum| < 2^(62-fraction)."""
    total = arrays[0]
    for array in arrays[1:]:
        total = total + array
    return total


def shared_zeros(circle: Circle, shape: int | tuple[int, ...], fraction: int = fixed.FRACTION) -> Shared:
    """A sharing of zeros, without a message."""
    return Shared(circle, np.zeros(shape, dtype=np.uint64), fraction)


def from_owner(
    circle: Circle, owner: int, values: Real | None, shape: tuple[int, ...], fraction: int = fixed.FRACTION
) -> Shared:
    """What one party knows, as a shared array: it holds the values, the others zeros; no message.

    Sound because every protocol masks before it opens, and `reveal` renews the shares. Raises RangeError at
    the owner, MisuseError for a wrong shape.
    """
    if circle.rank != owner:
        return shared_zeros(circle, shape, fraction)
    if values is None or values.shape != shape:
        raise MisuseError(f"the owner must bring values of shape {shape}")
    return Shared(circle, fixed.encode(values, fraction), fraction)


def reveal(shared: Shared, tag: str) -> Real:
    """Open to every party: one round. The plan must name it."""
    (words,) = shared.circle.open_words(
        f"reveal/{tag}", np.add(shared.words, shared.circle.zero_share(shared.shape))
    )
    return fixed.decode(words, shared.fraction)


def reveal_to(shared: Shared, party: str, tag: str) -> Real | None:
    """Open to one party only: one round; None at the others. The plan must name it."""
    circle = shared.circle
    masked = np.add(shared.words, circle.zero_share(shared.shape))
    words = circle.open_words_to(f"reveal/{tag}", circle.rank_of(party), masked)
    return None if words is None else fixed.decode(words, shared.fraction)
