"""Which rows of a key column a join can use: every key is there, fits, and stands once.

A few bad keys are left out with a warning, so that one broken row does not stop a run of millions; more than a
tolerated share stop it, because then something is wrong at the source and the result would mislead.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from unseen.data.contract import KEY_BYTES_LIMIT, MOST_WARNED_SHARE, KeyReport, check_keys
from unseen.errors import DataError

__all__ = ["MOST_WARNED_SHARE", "JoinKeys", "join_keys", "require_fit", "said_of"]

_MEND: Final = "mend the data set at the source and register it again, or raise the request's `most_unfit`"


@dataclass(frozen=True, eq=False)
class JoinKeys:
    """`rows` (n,) int64 are the rows to join, ascending; `keys` (n,) their keys, `report` of all rows."""

    rows: npt.NDArray[np.int64]
    keys: pa.Array
    report: KeyReport

    @property
    def left_out(self) -> int:
        return self.report.rows - len(self.rows)

    def warnings(self) -> list[str]:
        """What was left out, in words without keys; none where every row is joined."""
        return said_of(self.report, self.left_out)


def join_keys(keys: pa.Array, most_unfit: float = MOST_WARNED_SHARE, report: KeyReport | None = None) -> JoinKeys:
    """The rows with a key that is there, of at most 64 KiB, and the first of its kind; `report`: if known already.

    Raises DataError where empty, repeated or malformed keys are more than the share `most_unfit` each, or where
    no row is left.
    """
    report = report or check_keys(keys)
    require_fit(report, most_unfit)
    if not report.warnings():
        return JoinKeys(np.arange(len(keys), dtype=np.int64), keys, report)
    octets = pc.fill_null(pc.binary_length(keys), 0)
    fit = pc.and_(pc.greater(octets, 0), pc.less_equal(octets, KEY_BYTES_LIMIT))
    numbered = pa.table({"key": keys, "row": pa.array(np.arange(len(keys), dtype=np.int64))}).filter(fit)
    first = numbered.group_by("key").aggregate([("row", "min")])["row_min"]
    rows = np.sort(first.to_numpy())
    if not len(rows):
        raise DataError(f"no row has a key that a join can use; {_MEND}")
    return JoinKeys(rows, keys.take(pa.array(rows)), report)


def require_fit(report: KeyReport, most_unfit: float) -> None:
    """Raises DataError where empty, repeated or malformed keys are more than the share `most_unfit` each."""
    for share, what in ((report.empty, "empty"), (report.duplicate, "repeated"), (report.malformed, "malformed")):
        if share > most_unfit:
            raise DataError(f"{share:.2%} of the keys are {what}, and {most_unfit:.2%} are tolerated; {_MEND}")


def said_of(report: KeyReport, left_out: int) -> list[str]:
    """What a steward should know of a join's keys, and how many of their rows were left out."""
    found = report.warnings()
    if found:
        found.append(f"{left_out:,} of {report.rows:,} rows are left out; of repeated keys the first stays")
    return found
