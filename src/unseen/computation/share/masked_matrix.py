"""A shared matrix that meets many shared vectors: masked once, not once a product.

Source: Beaver, CRYPTO 1991, with the mask of the fixed factor kept (Mohassel & Zhang, SecureML, IEEE S&P 2017,
section IV). Setting: as in `arithmetic`. Nobody learns anything; perfect hiding, no failure probability.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from unseen.computation.circle import Circle
from unseen.computation.correlation.kinds import MaskGram, MatrixMask, MatrixProduct
from unseen.computation.correlation.source import Ticket
from unseen.computation.kernels import ring
from unseen.computation.profile import Profile
from unseen.computation.share.array import Shared
from unseen.computation.types import Words
from unseen.errors import MisuseError

MASKED_PRODUCT: Final = Profile(
    id="share/masked-product",
    title="A shared matrix, masked once, times a shared one",
    source="Beaver, CRYPTO 1991; the mask kept as in SecureML, IEEE S&P 2017, section IV",
    rounds=lambda inner, columns: 1,
    bytes_sent=lambda inner, columns, parties: parties * (parties - 1) * 8 * inner * columns,
)


@dataclass(frozen=True, eq=False)
class MaskedMatrix:
    """A shared (m, k) matrix M, its difference from a mask opened, and this party's share of the mask."""

    value: Shared
    opened: Words
    mask: Words
    number: int

    def __matmul__(self, right: Shared) -> Shared:
        """(m, k) by (k, n): fractions added, not truncated, exact; one round, 8·kn bytes to each peer.

        |product| must stay below 2^(62 - both fractions).
        With E = M - A opened before and D = R - B opened now, M·R = E·R + A·D + A·B, of which the source gives
        shares of the last.
        """
        circle, (m, k) = self.value.circle, self.value.shape
        if len(right.shape) != 2 or right.shape[0] != k:
            raise MisuseError(f"the right factor must have shape ({k}, n), not {right.shape}")
        b, c = circle.source.ask(MatrixProduct(self.number, m, k, right.shape[1], False, -1)).take()
        (d,) = circle.open_words("matrix-product", right.words - b)
        c += ring.product(self.opened, right.words)
        c += ring.product(self.mask, d)
        return Shared(circle, c, self.value.fraction + right.fraction)

    def gram(self, other: MaskedMatrix, asked: Ticket | None = None) -> Shared:
        """selfᵀ @ other, (k, k'), for two of the same rows: fractions added, not truncated, exact; local.

        |product| must stay below 2^(62 - both fractions).
        With X = E + A and Y = F + B, both E and F opened before, XᵀY = Eᵀ·Y + Aᵀ·F + Aᵀ·B. `asked` is what
        `MaskGram` of the two was announced as.
        """
        circle, shape = self.value.circle, (self.value.shape[1], other.value.shape[1])
        (c,) = (asked or circle.source.ask(MaskGram(self.number, other.number, *shape))).take()
        c += ring.transposed_product(self.opened, other.value.words)
        c += ring.transposed_product(self.mask, other.opened)
        return Shared(circle, c, self.value.fraction + other.value.fraction)

    def forget(self) -> None:
        """The source may drop the mask."""
        self.value.circle.source.forget(self.number)


def ask_masked_matrix(circle: Circle, rows: int, columns: int) -> Ticket:
    """Announce a matrix that will be masked."""
    return circle.source.ask(MatrixMask(rows, columns, -1))


def masked_matrix(value: Shared, asked: Ticket | None = None) -> MaskedMatrix:
    """Open an (m, k) matrix under a mask: one round, 8 bytes an element to each peer.

    `asked` is what `ask_masked_matrix` announced for its shape.
    """
    circle = value.circle
    rows, columns = value.shape
    ticket = asked or ask_masked_matrix(circle, rows, columns)
    (mask,) = ticket.take()
    words = np.ascontiguousarray(value.words)
    (opened,) = circle.open_words("matrix-product", words - mask)
    return MaskedMatrix(Shared(circle, words, value.fraction), opened, mask, ticket.number)
