"""A key column that comes batch by batch: which rows a join can use, and how fit the whole column was.

As `join_keys` does for a column in memory, but for repeated keys: who cuts the list into buckets sees those, and
leaves all but the first of each out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from unseen.data.contract import KeyReport, count_true
from unseen.data.join_keys import require_fit, said_of
from unseen.data.key_rules import KeyForm
from unseen.errors import DataError


@dataclass(frozen=True)
class StreamedKeys:
    """How fit a column was, and how many keys of it are joined."""

    report: KeyReport
    joined: int

    @property
    def left_out(self) -> int:
        return self.report.rows - self.joined

    def warnings(self) -> list[str]:
        """What was left out, in words without keys; none where every row is joined."""
        return said_of(self.report, self.left_out)


class KeyStream:
    """Takes a column's batches in turn; rows are numbered from the first batch on."""

    def __init__(self, form: KeyForm, most_unfit: float) -> None:
        self._form, self._most_unfit = form, most_unfit
        self._rows, self._empty, self._malformed = 0, 0, 0

    def take(self, values: pa.Array) -> tuple[pa.Array, npt.NDArray[np.int64]]:
        """The keys of a batch that a join can use, as its rule writes them, and their places in the batch.

        Raises DataError for a column that is no key.
        """
        keys, empty, malformed = self._form.sorted_out(values)
        self._rows += len(keys)
        self._empty += count_true(empty)
        self._malformed += count_true(malformed)
        places = np.flatnonzero(np.asarray(keys.is_valid()))
        return (keys if len(places) == len(keys) else keys.take(pa.array(places))), places

    def require_usable(self) -> None:
        """Raises DataError where more keys were empty or malformed than is tolerated, or none was fit."""
        self._report(0)
        if self._rows == self._empty + self._malformed:
            raise DataError("no row has a key that a join can use; mend the data set at the source")

    def fit(self, joined: int) -> StreamedKeys:
        """How fit the column was, when so many distinct keys of it are joined.

        Raises DataError where more of any kind are unfit than is tolerated, or where there was no row.
        """
        repeated = self._rows - self._empty - self._malformed - joined
        return StreamedKeys(self._report(repeated), joined)

    def _report(self, repeated: int) -> KeyReport:
        if not self._rows:
            raise DataError("the key column has no rows")
        empty, duplicate, malformed = (n / self._rows for n in (self._empty, repeated, self._malformed))
        found = KeyReport(self._rows, empty, duplicate, malformed, str(self._form))
        require_fit(found, self._most_unfit)
        return found
