"""A table's keys in order of preference, written by their rules, a batch at a time; and how fit they were."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from unseen.application.alignment.request import AlignedSide
from unseen.computation.intersect.keys import Keys, composite
from unseen.data.contract import KeyReport
from unseen.errors import DataError


@dataclass
class _Counted:
    """How many values of a column were empty, and how many no such key."""

    empty: int = 0
    malformed: int = 0
    written: pa.Array = field(default=None, repr=False)


class RowKeys:
    """Takes a table in pieces and counts over all of them."""

    def __init__(self, side: AlignedSide, most_unfit: float) -> None:
        self._side, self._most_unfit = side, most_unfit
        self._columns = {part: _Counted() for choice in side.choices for part in choice}
        self._rows, self._without = 0, 0

    def take(self, table: pa.Table) -> list[Keys]:
        """For each choice a key a row, empty where the row has none. Raises DataError naming data set and column
        where a column is no such key."""
        for (column, form), counted in self._columns.items():
            try:
                counted.written, empty, malformed = form.sorted_out(table[column])
            except DataError as error:
                raise DataError(f"data set {self._side.dataset!r}, column {column!r}: {error}") from error
            counted.empty += pc.sum(empty).as_py() or 0
            counted.malformed += pc.sum(malformed).as_py() or 0
        keys = [composite([self._columns[part].written for part in choice]) for choice in self._side.choices]
        self._rows += table.num_rows
        self._without += int(np.all([np.diff(choice.offsets) == 0 for choice in keys], axis=0).sum())
        return keys

    def commonest(self) -> dict[int, int]:
        """How often each choice's commonest value occurs in the piece taken last, where it is one column."""
        single = {number: choice[0] for number, choice in enumerate(self._side.choices) if len(choice) == 1}
        counts = {n: pc.value_counts(self._columns[part].written.drop_null()) for n, part in single.items()}
        return {number: pc.max(count.field("counts")).as_py() or 0 for number, count in counts.items()}

    def require_fit(self) -> None:
        """Raises DataError where there was no row, or more of them have none of the keys than is tolerated."""
        if not self._rows:
            raise DataError(f"data set {self._side.dataset!r} has no rows")
        share = self._without / self._rows
        if share > self._most_unfit:
            raise DataError(
                f"data set {self._side.dataset!r}: {share:.2%} of the rows have no key to join on, and"
                f" {self._most_unfit:.2%} are tolerated; mend the data set at the source, or raise the request's"
                " `most_unfit`"
            )

    def warnings(self, commonest: Mapping[int, int]) -> list[str]:
        """What a steward should know; `commonest`: of each choice that is one column, how often its commonest
        value occurs."""
        often = {choice[0]: commonest.get(n, 1) for n, choice in enumerate(self._side.choices) if len(choice) == 1}
        found = []
        for (column, form), counted in self._columns.items():
            empty, malformed = counted.empty / self._rows, counted.malformed / self._rows
            report = KeyReport(self._rows, empty, 0.0, malformed, str(form), often.get((column, form), 1))
            found += [f"column {column}: {warning}" for warning in report.warnings()]
        if self._without:
            found.append(f"{self._without:,} of {self._rows:,} rows have no key to join on and meet no partner")
        return found
