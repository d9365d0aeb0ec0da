"""Good and bad counts per bin of a partner's columns, told to the label's holder only.

The column's owner knows each row's bin, the label's holder each row's outcome; neither shows them. Counting is
one product: the private 0/1 matrix "row i lies in bin b", transposed, by the private label.

Setting: semi-honest, any number of parties, correlated randomness from the source (see `share.private`).
Who learns what: the label's holder the counts; the others nothing but the numbers of columns and bins.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from unseen.computation.circle import Circle
from unseen.computation.profile import Carries, Disclosure, Message, Profile, Role
from unseen.computation.share.array import Shared, from_owner, reveal_to
from unseen.computation.share.private import private_matrix
from unseen.computation.types import Index, Real
from unseen.errors import DataError, MisuseError

PROFILE: Final = Profile(
    id="learn/woe-counts",
    title="Outcome counts per bin of a partner's columns",
    source="private matrix by private vector (SecureML, IEEE S&P 2017, section IV)",
    reveals=(
        Disclosure(Role.EACH, "how many bins each of {owner}'s columns has before merging"),
        Disclosure(
            Role.RECIPIENT,
            "for each bin of {owner}'s columns (of at least {smallest_group} training rows, or none), how many "
            "training rows and how many bad ones",
        ),
        Disclosure(Role.DEALER, "the number of training rows and of bins"),
    ),
    assumptions=("the source of correlated randomness colludes with no party",),
    messages=(Message("reveal/outcome-counts", Carries.DISCLOSED),),
)


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
    Two rounds; 8·rows·(sum of widths) bytes from the owner to each other party.
    """
    if owner == label_owner:
        raise MisuseError("the label's holder counts its own columns at home")
    total = int(sum(widths))
    here = circle.rank == owner
    membership = _membership(bins, widths, rows, smallest) if here else None
    matrix = private_matrix(circle, owner, membership, (rows, total), 0)
    outcome = from_owner(circle, label_owner, None if label is None else label.reshape(-1, 1), (rows, 1), 0)
    bad = matrix.transposed_times(outcome)
    matrix.forget()
    count = from_owner(circle, owner, membership.sum(axis=0) if membership is not None else None, (total,), 0)
    table = Shared(circle, np.column_stack([count.words, bad.words[:, 0]]), 0)
    counts = reveal_to(table, circle.parties[label_owner], "outcome-counts")
    if counts is None:
        return None
    return np.split(np.rint(counts).astype(np.int64), np.cumsum(widths)[:-1])


def _membership(bins: Index | None, widths: Sequence[int], rows: int, smallest: int) -> Real:
    """(rows, total bins) of 0 and 1: one 1 a row and column."""
    if bins is None or bins.shape != (rows, len(widths)):
        raise MisuseError(f"the columns' owner must bring bin numbers of shape ({rows}, {len(widths)})")
    if (bins < 0).any() or (bins >= np.asarray(widths)).any():
        raise DataError("a bin number lies outside the column's bins")
    matrix = np.zeros((rows, int(sum(widths))))
    starts = np.cumsum([0, *widths[:-1]])
    matrix[np.arange(rows)[:, None], bins + starts] = 1.0
    held = matrix.sum(axis=0)
    if ((held > 0) & (held < smallest)).any():
        raise DataError(f"a bin holds fewer than {smallest} rows; pool such bins before they are counted")
    return matrix
