"""Good and bad counts per bin of a partner's columns, told to the label's holder only.

The column's owner knows each row's bin, the label's holder each row's outcome; neither shows them. Counting is
one sum of the label over the bins of all columns (see `share.binned`), with so many fractional bits that the
error of the lattice's masks, 2^13.2 units times the root of the rows, is rounded away.

Setting: semi-honest, any number of parties, as in `share.binned`. Who learns what: the label's holder the counts;
the others nothing but the numbers of columns and bins. Failure: none up to 2^27 rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from unseen.computation.circle import Circle
from unseen.computation.profile import Carries, Disclosure, Message, Profile, Role
from unseen.computation.share.array import Shared, from_owner, reveal_to
from unseen.computation.share.binned import BIN_SUMS, binned_columns
from unseen.computation.types import Index, Real
from unseen.errors import DataError, MisuseError

PROFILE: Final = Profile(
    id="learn/woe-counts",
    title="Outcome counts per bin of a partner's columns",
    source="sums of the label by bins, under lattice masks (Lyubashevsky, Peikert, Regev, EUROCRYPT 2010)",
    reveals=(
        Disclosure(Role.EACH, "how many bins each of {owner}'s columns has before merging"),
        Disclosure(
            Role.RECIPIENT,
            "for each bin of {owner}'s columns (of at least {smallest_group} training rows, or none), how many "
            "training rows and how many bad ones",
        ),
        Disclosure(Role.DEALER, "the number of training rows and of bins"),
    ),
    assumptions=("the source of correlated randomness colludes with no party", *BIN_SUMS.assumptions),
    messages=(Message("reveal/outcome-counts", Carries.DISCLOSED),),
)

FRACTION: Final = 34
"""Fractional bits of the sums: the masks' error stays below 2^-5 at 2^28 rows, and sums up to 2^28 have room."""


def outcome_counts(
    circle: Circle,
    owner: int,
    bins: Index | None,
    widths: Sequence[int],
    label: Real | None,
    label_owner: int,
    rows: int,
    smallest: int = 1,
) -> list[Index] | None:
    """Rows and bad rows per bin: at the label's holder one (bins, 2) array a column, None elsewhere.

    `bins` (rows, columns) holds each row's bin number at rank `owner`, None elsewhere; `widths` are the columns'
    numbers of bins, public; `label` (rows,) of 0 and 1 at rank `label_owner`. Raises DataError at the owner for a
    bin number out of range, or a bin of fewer than `smallest` rows that is not empty: see `binning.pooled`.
    Three rounds; 8·(rows + 2048·bins) bytes, however many columns.
    """
    if owner == label_owner:
        raise MisuseError("the label's holder counts its own columns at home")
    held = held_rows(bins, widths, smallest) if circle.rank == owner else None
    columns = binned_columns(circle, owner, bins, widths, rows)
    truth = None if label is None else np.rint(label.reshape(1, -1))
    bad = columns.sums(from_owner(circle, label_owner, truth, (1, rows), FRACTION))
    count = from_owner(circle, owner, held, (columns.total,), FRACTION)
    table = Shared(circle, np.column_stack([count.words, bad.words[:, 0]]), FRACTION)
    counts = reveal_to(table, circle.parties[label_owner], "outcome-counts")
    if counts is None:
        return None
    return np.split(np.rint(counts).astype(np.int64), np.cumsum(widths)[:-1])


def held_rows(bins: Index | None, widths: Sequence[int], smallest: int) -> Real:
    """Rows of each bin at the columns' owner, column after column. Raises DataError for one that is too small."""
    if bins is None or bins.ndim != 2 or bins.shape[1] != len(widths):
        raise MisuseError(f"the columns' owner must bring bin numbers of {len(widths)} columns")
    if (bins < 0).any() or (bins >= np.asarray(widths)).any():
        raise DataError("a bin number lies outside the column's bins")
    held = np.concatenate([np.bincount(bins[:, j], minlength=width) for j, width in enumerate(widths)])
    if ((held > 0) & (held < smallest)).any():
        raise DataError(f"a bin holds fewer than {smallest} rows; pool such bins before they are counted")
    return held.astype(np.float64)
