"""Weights of evidence that nobody sees: counted, smoothed and taken the logarithm of on shares.

The column's owner knows its bins and how many rows each holds, the label's holder the outcomes. Bad ones are
counted as in `woe`, but their numbers stay shared; from them come the formulas of `evidence`, word for word:

    WOE = ln( (good_b + ½)/(good + ½) ) - ln( (bad_b + ½)/(bad + ½) )
    information = Σ (share good - share bad)·WOE

All that comes out is one bit a column: whether it says enough to be in the model. The rest goes on as shares, as
the values of a `coded.BinnedBlock`.

Setting: semi-honest, any number of parties, all but one colluding, correlated randomness from the source; sums
by bins rest on ring learning with errors (`share.binned`). Who learns what: see PROFILE. Failure: none below 2^23
rows. Error: weights within 2e-5 of the plaintext formula up to a million rows. Rounds: about 50, whatever the
sizes; 8 bytes a row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log
from typing import Final

import numpy as np

from unseen.computation.circle import Circle
from unseen.computation.learn.coded import BinnedBlock, column_sums
from unseen.computation.learn.columns import LEAST_VARIANCE, MOST_VARIANCE
from unseen.computation.learn.woe import held_rows
from unseen.computation.profile import Carries, Disclosure, Message, Profile, Role
from unseen.computation.share import arithmetic
from unseen.computation.share.array import Shared, concatenate, from_owner
from unseen.computation.share.binned import BIN_SUMS, binned_columns
from unseen.computation.share.boolean import reveal_bits
from unseen.computation.share.elementary import logarithm
from unseen.computation.share.private import PrivateMatrix
from unseen.computation.types import Index, Real
from unseen.errors import DataError

PROFILE: Final = Profile(
    id="learn/hidden-evidence",
    title="Weights of evidence and information values that stay shared",
    source="Siddiqi (2006), chapter 6, on sums by bins (ring learning with errors) and logarithms on shares",
    reveals=(
        Disclosure(
            Role.EACH, "how many bins of at least {smallest_group} training rows each of {owner}'s columns has"
        ),
        Disclosure(Role.EACH, "how many training outcomes are bad"),
        Disclosure(
            Role.EACH,
            "which of {owner}'s columns have an information value of at least {least_information} (yes or no)",
        ),
        Disclosure(Role.DEALER, "the number of training rows and of bins"),
    ),
    assumptions=("the source of correlated randomness colludes with no party", *BIN_SUMS.assumptions),
    messages=(
        Message("evidence/bad", Carries.DISCLOSED),
        Message("reveal/informative", Carries.DISCLOSED),
    ),
)

MOST_ROWS: Final = (1 << 23) - 1
WEIGHT_FRACTION: Final = 28
_SHARE_FRACTION: Final = 26
_LEAST_COUNT: Final = 0.9
"""Twice a count and one is 1 at least, less the rounding of the lattice's masks."""


@dataclass(frozen=True, eq=False)
class HiddenEvidence:
    """Of one party's columns, shared: `weights` (bins,), column after column; `information`, `mean` and `variance`
    (columns,) of the weights over the training rows. `useful` is public."""

    widths: tuple[int, ...]
    weights: Shared
    information: Shared
    mean: Shared
    variance: Shared
    useful: tuple[bool, ...]

    def block(
        self,
        owner: int,
        names: Sequence[str],
        rows: int,
        places: Index | None,
        hot: PrivateMatrix | None = None,
    ) -> BinnedBlock:
        """All columns as a model takes them; `places` (rows, columns) at the owner, `hot` where it is masked."""
        told = self.widths, self.weights, self.mean, self.variance
        return BinnedBlock(owner, tuple(names), rows, *told, places, hot)

    def only(self, columns: Sequence[int]) -> HiddenEvidence:
        """That of some of the columns, in their order; local."""
        cuts = np.cumsum([0, *self.widths])
        bins = np.concatenate([np.arange(cuts[j], cuts[j + 1]) for j in columns] or [np.empty(0, np.int64)])
        kept = list(columns)
        return HiddenEvidence(
            tuple(self.widths[j] for j in kept),
            self.weights[bins],
            self.information[kept],
            self.mean[kept],
            self.variance[kept],
            tuple(self.useful[j] for j in kept),
        )


def hidden_evidence(
    circle: Circle,
    owner: int,
    places: Index | None,
    widths: Sequence[int],
    label: Real | None,
    label_owner: int,
    rows: int,
    least_information: float,
    smallest: int = 1,
) -> HiddenEvidence:
    """Weigh the columns of rank `owner` against the label (rows,) of 0 and 1 at rank `label_owner`.

    `places` (rows, columns) at the owner, None elsewhere; `widths` public. A column is useful where its
    information is at least `least_information` and its weights vary by at least 2^-15. Raises DataError at the
    owner for a bin number out of range or a bin of fewer than `smallest` rows that is not empty, at all beyond
    2^24 rows.
    """
    if rows > MOST_ROWS:
        raise DataError(f"{rows} rows are more than weights of evidence on shares take ({MOST_ROWS:,})")
    fraction = 60 - int(rows).bit_length()
    held = held_rows(places, widths, smallest) if circle.rank == owner else None
    total_bad = _told_bad(circle, label, label_owner)
    total_good = rows - total_bad
    columns = binned_columns(circle, owner, places, widths, rows)
    truth = None if label is None else label.reshape(1, -1)
    bad = columns.sums(from_owner(circle, label_owner, truth, (1, rows), fraction))[:, 0]
    count = from_owner(circle, owner, held, (columns.total,), fraction)
    doubled = [part.times_integer(2) + 1.0 for part in (count - bad, bad)]
    logs = logarithm(concatenate(doubled), _LEAST_COUNT, 2.0 * rows + 2.0, WEIGHT_FRACTION)
    offset = log((2 * total_good + 1) / (2 * total_bad + 1))
    weights = logs[: columns.total] - logs[columns.total :] - offset
    parts = [
        arithmetic.scaled(part, 1.0 / (2 * total + 1), _SHARE_FRACTION)
        for part, total in zip(doubled, (total_good, total_bad), strict=True)
    ]
    information = _column_product(parts[0] - parts[1], weights, widths)
    share = None if held is None else held / rows
    mean = _column_product(from_owner(circle, owner, share, (columns.total,), _SHARE_FRACTION), weights, widths)
    centred = weights - mean[np.repeat(np.arange(len(widths)), widths)]
    squares = arithmetic.rescale(arithmetic.square(arithmetic.rescale(centred, 24)), WEIGHT_FRACTION)
    variance = _column_product(from_owner(circle, owner, share, (columns.total,), 24), squares, widths)
    useful = _useful(information, variance, least_information)
    return HiddenEvidence(tuple(widths), weights, information, mean, variance, useful)


def _column_product(left: Shared, right: Shared, widths: Sequence[int]) -> Shared:
    """(columns,): the sum over each column's bins of left times right."""
    return arithmetic.rescale(column_sums(arithmetic.product(left, right), widths), WEIGHT_FRACTION)


def _told_bad(circle: Circle, label: Real | None, owner: int) -> int:
    own = None if label is None else np.array([round(float(label.sum()))], dtype=np.int64)
    return int(circle.tell_all("evidence/bad", owner, own, np.zeros(1, dtype=np.int64))[0])


def _useful(information: Shared, variance: Shared, least: float) -> tuple[bool, ...]:
    """Told to all: whether each column says enough, and varies within the range that scaling on shares takes."""
    lacking = concatenate([information - least, variance - LEAST_VARIANCE, MOST_VARIANCE - variance])
    enough = ~(lacking < 0.0)
    says, varies, bounded = (enough[part] for part in np.split(np.arange(enough.size), 3))
    return tuple(bool(flag) for flag in reveal_bits(says & varies & bounded, "informative"))
