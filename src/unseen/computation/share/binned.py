"""Sums of shared vectors over the bins of columns that one party knows: histograms, many times over one table.

The owner's columns stay; the vectors change. Each other party hides its share of a vector by a lattice mask (see
`lattice`) and sends it once, for all columns together; the owner adds up what lies in each bin. What the masks
add up to is the product of a table, which the owner knows and which stays, with the masks' secrets: a private
matrix, masked once a run. So a vector costs one word a row and nothing a column.

Setting: semi-honest, any number of parties, all but one colluding; 128 bits by ring learning with errors, and
correlated randomness from the source. The owner learns nothing, the others nothing but the numbers of columns and
bins. Sums are off by an error of mean zero and standard deviation 9459·sqrt(rows of the bin · other parties) units
of the last place: take ten to twenty fractional bits more than the result is to have.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from unseen.computation.circle import Circle
from unseen.computation.kernels import lattice as kernels
from unseen.computation.lattice import DEGREE, Elements, fresh_secrets, mask_rows, masks, public_elements
from unseen.computation.profile import Profile
from unseen.computation.share.array import Shared
from unseen.computation.share.private import PrivateMatrix, private_words
from unseen.computation.types import Array, Index, Words
from unseen.errors import DataError, MisuseError

BIN_SUMS: Final = Profile(
    id="share/bin-sums",
    title="Sums of a shared vector by bins of one party's columns",
    source="ring learning with errors (Lyubashevsky, Peikert, Regev, EUROCRYPT 2010) over a private matrix",
    assumptions=("ring learning with errors at degree 2048, modulus 2^64, errors of 2^13.2",),
    failure="none; sums carry an error of 2^13.2 units of the last place times the root of the rows",
    rounds=lambda rows: 1,
    bytes_sent=lambda rows, parties: (parties - 1) * 8 * (rows + DEGREE),
)

MOST_BINS: Final = 256
"""Most bins of one column."""


@dataclass(frozen=True, eq=False)
class BinnedColumns:
    """Columns of bin numbers at party `owner` (a rank), ready for sums of shared vectors.

    `widths` are the columns' numbers of bins, public; `places` (rows, columns) uint8 at the owner, None elsewhere.
    """

    circle: Circle
    owner: int
    rows: int
    widths: tuple[int, ...]
    elements: Elements
    table: PrivateMatrix
    places: Array | None

    @property
    def total(self) -> int:
        """Bins of all columns."""
        return sum(self.widths)

    def sums(self, vectors: Shared) -> Shared:
        """(m, rows) to (total bins, m), columns one after another: one round, 8 bytes a row from each other party.

        Nobody learns anything. |sum| must stay below 2^(62 - fraction).
        """
        return all_sums([self], vectors)[0]

    def _hidden(self, vectors: Shared) -> Words:
        """The masks' secrets (DEGREE, m), zeros at the owner; the others send it their shares under the masks."""
        circle, count = self.circle, vectors.shape[0]
        if vectors.shape != (count, self.rows):
            raise MisuseError(f"vectors must have shape (m, {self.rows}), not {vectors.shape}")
        if self.places is not None:
            return np.zeros((DEGREE, count), dtype=np.uint64)
        secrets = np.ascontiguousarray(fresh_secrets(count, circle.private).T)
        hidden = masks(self.elements, secrets.T, circle.private)
        hidden += vectors.words
        circle.channel(self.owner).send("bin-sums", hidden)
        return secrets.astype(np.uint64)

    def _counted(self, vectors: Shared) -> Words:
        """The bins' sums of masked vectors (total bins, m) at the owner, zeros at the others."""
        counted = np.zeros((self.total, vectors.shape[0]), dtype=np.uint64)
        if self.places is not None:
            hidden = np.array(vectors.words)
            for channel in self.circle.others():
                hidden += channel.receive("bin-sums", np.uint64, hidden.shape)
            kernels.bin_sums(np.ascontiguousarray(hidden.T), self.places, _starts(self.widths), counted)
        return counted

    def __repr__(self) -> str:
        owner = self.circle.parties[self.owner]
        return f"BinnedColumns({len(self.widths)} columns, {self.rows} rows, owner={owner!r})"


def all_sums(sides: Sequence[BinnedColumns], vectors: Shared) -> list[Shared]:
    """`BinnedColumns.sums` for columns of several parties: what each sends is on its way before any is awaited."""
    secrets = [side._hidden(vectors) for side in sides]
    found = []
    for side, secret in zip(sides, secrets, strict=True):
        counted = side._counted(vectors)
        unmask = side.table @ Shared(vectors.circle, secret, 0)
        found.append(Shared(vectors.circle, counted - unmask.words, vectors.fraction))
    return found


def binned_columns(
    circle: Circle, owner: int, places: Array | None, widths: Sequence[int], rows: int
) -> BinnedColumns:
    """Enter columns of bin numbers: one round for a public seed, one message of 16 KB a bin from the owner.

    `places` (rows, columns) of whole numbers at the owner, None elsewhere. The seed of the public ring elements
    must not be chosen by one party: it is tossed. Raises DataError at the owner for a bin out of range.
    """
    if any(not 0 < width <= MOST_BINS for width in widths):
        raise MisuseError(f"a column must have 1 to {MOST_BINS} bins")
    elements = public_elements(circle.joint_seed("bins"), rows)
    mine: Array | None = None
    words: Words | None = None
    if circle.rank == owner:
        mine = _checked(places, widths, rows)
        words = mask_rows(elements, mine, _starts(widths), sum(widths))
    table = private_words(circle, owner, words, (sum(widths), DEGREE))
    return BinnedColumns(circle, owner, rows, tuple(widths), elements, table, mine)


def _checked(places: Array | None, widths: Sequence[int], rows: int) -> Array:
    if places is None or places.shape != (rows, len(widths)):
        raise MisuseError(f"the columns' owner must bring bin numbers of shape ({rows}, {len(widths)})")
    if (places < 0).any() or (places >= np.asarray(widths)).any():
        raise DataError("a bin number lies outside the column's bins")
    return np.ascontiguousarray(places, dtype=np.uint8)


def _starts(widths: Sequence[int]) -> Index:
    return np.cumsum([0, *widths[:-1]]).astype(np.int64)
