"""A matrix that one party knows, multiplied by shared values.

Source: Mohassel & Zhang, SecureML, IEEE S&P 2017 (eprint 2017/396), section IV: a fixed matrix is masked once
for the whole run, not once a product. What the owner multiplies from its own share of the other factor needs
no protection at all, so only the other parties' shares are masked, and only the owner sees them masked.
Setting: as in `arithmetic`. Nobody but the owner learns anything of the matrix but its shape.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

import numpy as np

from unseen.computation.circle import Circle
from unseen.computation.correlation.kinds import MaskGram, MatrixMask, MatrixProduct, MatrixScaling, ScaledGram
from unseen.computation.correlation.source import Ticket
from unseen.computation.kernels import ring
from unseen.computation.profile import Profile
from unseen.computation.share import fixed
from unseen.computation.share.array import Shared
from unseen.computation.types import Real, Words
from unseen.errors import MisuseError

PRIVATE_MATRIX: Final = Profile(
    id="share/private-matrix",
    title="A matrix that one party knows, masked once a run",
    source="SecureML, IEEE S&P 2017, section IV",
    rounds=lambda rows, columns: 1,
    bytes_sent=lambda rows, columns, parties: (parties - 1) * 8 * rows * columns,
)
PRIVATE_PRODUCT: Final = Profile(
    id="share/private-product",
    title="A matrix that one party knows times a shared one",
    source="SecureML, IEEE S&P 2017, section IV",
    rounds=lambda inner, columns: 1,
    bytes_sent=lambda inner, columns, parties: (parties - 1) * 8 * inner * columns,
)
PRIVATE_SCALING: Final = Profile(
    id="share/private-scaling",
    title="Rows of a matrix that one party knows times shared weights",
    source="SecureML, IEEE S&P 2017, section IV",
    rounds=lambda rows: 1,
    bytes_sent=lambda rows, parties: (parties - 1) * 8 * rows,
)
SCALED_GRAM: Final = Profile(
    id="share/scaled-gram",
    title="XᵀWX of a matrix that one party knows, with shared weights",
    source="SecureML, IEEE S&P 2017, section IV; the mask's own part dealt",
    rounds=lambda rows: 1,
    bytes_sent=lambda rows, parties: (parties - 1) * 8 * rows,
)

_Bilinear: TypeAlias = Callable[[Words, Words], Words]


@dataclass(frozen=True, eq=False)
class PrivateMatrix:
    """An (n, k) matrix in the clear at party `owner` (a rank), masked once towards the others.

    `mine` is the matrix's words at the owner, None elsewhere; `masked` is the matrix less its mask, known to
    all parties but of use to the others only; `mask` is known to the owner; `number` names it to the source.

    Products are exact; their magnitudes, at all fractions together, must stay below 2^62 units of the last place.
    Nobody learns anything by them: the owner sees the other factor under a uniform mask.
    """

    circle: Circle
    owner: int
    shape: tuple[int, int]
    fraction: int
    number: int
    mine: Words | None
    mask: Words | None
    masked: Words
    start: int = 0
    """Where these rows begin among those that were masked."""

    def __matmul__(self, right: Shared) -> Shared:
        """(n, k) by shared (k, m): fractions added, not truncated; one round, 8·km bytes from each other."""
        return self.begin_product(right)()

    def transposed_times(self, right: Shared) -> Shared:
        """The transpose, (k, n) by shared (n, m): fractions added; one round, 8·nm bytes from each other."""
        return self.begin_product(right, transposed=True)()

    def scale_rows(self, weights: Shared) -> Shared:
        """Row i times shared weight i: shared (n, k), fractions added; one round, 8n bytes from each other."""
        rows, columns = self.shape
        if weights.shape != (rows,):
            raise MisuseError(f"weights must have shape ({rows},)")
        kind = MatrixScaling(self.number, rows, columns, self.owner, self.start)
        ticket = self.circle.source.ask(kind)
        finish = self._begin("private-scaling", ticket, weights.words, lambda m, w: m * w[:, None])
        return Shared(self.circle, finish(), self.fraction + weights.fraction)

    def scaled_gram(self, weights: Shared) -> tuple[Shared, Shared]:
        """`scale_rows`, and XᵀWX (k, k) for W = diag(weights): one round, 8n bytes from each other, no more.

        The owner learns the weights under a mask b. With X = E + A and D = WX, WX less what the owner multiplies
        itself is b·E + b·A, and b·XᵀX = bEᵀE + Eᵀ(bA) + (bA)ᵀE + Aᵀ(bA): all know E, the source gives shares of
        bA and of the last term.
        """
        return self.begin_scaled_gram(weights)()

    def ask_scaled_gram(self) -> Ticket:
        """Announce a `scaled_gram` that will come."""
        return self.circle.source.ask(ScaledGram(self.number, *self.shape, self.owner, self.start))

    def begin_scaled_gram(
        self, weights: Shared, asked: Ticket | None = None
    ) -> Callable[[], tuple[Shared, Shared]]:
        """`scaled_gram`, whose result is taken when it is needed: several go in one round."""
        circle, (rows, _) = self.circle, self.shape
        if weights.shape != (rows,):
            raise MisuseError(f"weights must have shape ({rows},)")
        ticket = asked or self.ask_scaled_gram()
        fraction = self.fraction + weights.fraction

        def shared(scaled: Words, gram: Words) -> tuple[Shared, Shared]:
            return Shared(circle, scaled, fraction), Shared(circle, gram, fraction + self.fraction)

        if self.mine is None:
            (early,) = ticket.early()
            circle.channel(self.owner).send("private-scaling", weights.words - early)

            def multiplied() -> tuple[Shared, Shared]:
                b, c, g = ticket.take()
                scaled = self.masked * b[:, None]
                scaled += c
                g += ring.symmetric_product((self.masked, scaled), (c, self.masked))
                return shared(scaled, g)

            return multiplied
        mine = self.mine

        def finish() -> tuple[Shared, Shared]:
            c, g = ticket.take()
            total = weights.words.copy()
            for channel in circle.others():
                total += channel.receive("private-scaling", np.uint64, (rows,))
            scaled = mine * total[:, None]
            g += ring.symmetric_product((mine, scaled), (self.masked, c), (c, self.masked))
            scaled += c
            return shared(scaled, g)

        return finish

    def gram(self, other: PrivateMatrix) -> Shared:
        """selfᵀ @ other for two private matrices of the same rows, no round: both are masked already.

        XᵀY = E_Xᵀ·Y at Y's owner + A_Xᵀ·E_Y at X's owner + A_Xᵀ·A_Y from the source.
        """
        fraction = self.fraction + other.fraction
        shape = (self.shape[1], other.shape[1])
        if self.shape[0] != other.shape[0]:
            raise MisuseError(f"both factors must have {self.shape[0]} rows, not one {other.shape[0]}")
        if self.owner == other.owner:
            if self.mine is None or other.mine is None:
                return Shared(self.circle, np.zeros(shape, dtype=np.uint64), fraction)
            if other is self:
                return Shared(self.circle, ring.symmetric_product((self.mine, self.mine)), fraction)
            return Shared(self.circle, ring.transposed_product(self.mine, other.mine), fraction)
        kind = MaskGram(self.number, other.number, *shape, self.shape[0], self.start, other.start)
        (words,) = self.circle.source.ask(kind).take()
        if other.mine is not None:
            words = words + ring.transposed_product(self.masked, other.mine)
        elif self.mask is not None:
            words = words + ring.transposed_product(self.mask, other.masked)
        return Shared(self.circle, words, fraction)

    def first_rows(self, count: int) -> PrivateMatrix:
        """The same matrix cut after `count` rows, under the same mask."""
        return self.rows(0, count)

    def rows(self, start: int, end: int) -> PrivateMatrix:
        """These rows of the same matrix, under the same mask."""

        def cut(words: Words | None) -> Words | None:
            return None if words is None else words[start:end]

        return replace(
            self,
            shape=(end - start, self.shape[1]),
            mine=cut(self.mine),
            mask=cut(self.mask),
            masked=self.masked[start:end],
            start=self.start + start,
        )

    def forget(self) -> None:
        """The matrix is not needed any more: the source may drop its mask."""
        self.circle.source.forget(self.number)

    def __repr__(self) -> str:
        return f"PrivateMatrix(shape={self.shape}, owner={self.circle.parties[self.owner]!r})"

    def ask_product(self, columns: int, transposed: bool = False) -> Ticket:
        """Announce a product with so many columns that will come."""
        rows, inner = self.shape[::-1] if transposed else self.shape
        return self.circle.source.ask(
            MatrixProduct(self.number, rows, inner, columns, transposed, self.owner, self.start)
        )

    def begin_product(
        self, right: Shared, transposed: bool = False, asked: Ticket | None = None
    ) -> Callable[[], Shared]:
        """`@`, or `transposed_times`, whose result is taken when it is needed: several go in one round."""
        inner = self.shape[0] if transposed else self.shape[1]
        if right.words.ndim != 2 or right.shape[0] != inner:
            raise MisuseError(f"the right factor must have shape ({inner}, m), not {right.shape}")
        ticket = asked or self.ask_product(right.shape[1], transposed)
        multiply = ring.transposed_product if transposed else ring.product
        finish = self._begin("private-product", ticket, right.words, multiply)
        return lambda: Shared(self.circle, finish(), self.fraction + right.fraction)

    def _begin(self, tag: str, ticket: Ticket, share: Words, multiply: _Bilinear) -> Callable[[], Words]:
        """The others send their shares masked to the owner; then each multiplies once, locally."""
        circle = self.circle
        if self.mine is None:
            (early,) = ticket.early()
            circle.channel(self.owner).send(tag, share - early)

            def multiplied() -> Words:
                b, c = ticket.take()
                c += multiply(self.masked, b)
                return np.asarray(c)

            return multiplied
        mine = self.mine

        def finish() -> Words:
            (c,) = ticket.take()
            total = share.copy()
            for channel in circle.others():
                total += channel.receive(tag, np.uint64, share.shape)
            c += multiply(mine, total)
            return np.asarray(c)

        return finish


def ask_private_matrix(circle: Circle, owner: int, shape: tuple[int, int]) -> Ticket:
    """Announce a matrix that will come, so that each party may enter its own before it waits for the others'."""
    return circle.source.ask(MatrixMask(shape[0], shape[1], owner))


def private_matrix(
    circle: Circle,
    owner: int,
    values: Real | None,
    shape: tuple[int, int],
    fraction: int,
    asked: Ticket | None = None,
) -> PrivateMatrix:
    """Enter a matrix: one message of 8·nk bytes from the owner to each other party.

    `values` at the owner, None elsewhere; `asked` is what `ask_private_matrix` announced. Raises RangeError,
    MisuseError at the owner.
    """
    words = None
    if circle.rank == owner and values is not None:
        words = fixed.encode(np.ascontiguousarray(values), fraction, "matrix entry")
    return private_words(circle, owner, words, shape, fraction, asked)


def private_words(
    circle: Circle,
    owner: int,
    words: Words | None,
    shape: tuple[int, int],
    fraction: int = 0,
    asked: Ticket | None = None,
) -> PrivateMatrix:
    """`private_matrix` for a matrix that is in the ring already."""
    ticket = asked or ask_private_matrix(circle, owner, shape)
    parts = ticket.take()
    like = np.empty(shape, dtype=np.uint64)
    if circle.rank != owner:
        masked = circle.tell_all("private-matrix", owner, None, like)
        return PrivateMatrix(circle, owner, shape, fraction, ticket.number, None, None, masked)
    if words is None or words.shape != shape:
        raise MisuseError(f"the owner must bring a matrix of shape {shape}")
    masked = circle.tell_all("private-matrix", owner, words - parts[0], like)
    return PrivateMatrix(circle, owner, shape, fraction, ticket.number, words, parts[0], masked)
