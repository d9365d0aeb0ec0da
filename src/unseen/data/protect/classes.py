"""Equivalence classes: rows that their quasi-identifiers do not tell apart, and what can be read off them.

Sources: k-anonymity: Samarati & Sweeney 1998. l-diversity (distinct, entropy): Machanavajjhala et al. 2007.
t-closeness (equal and ordered distance): Li, Li & Venkatasubramanian 2007.
Oracle: pycanon (Sáinz-Pardo Díaz & López García 2022).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Codes = NDArray[np.int64]
_CELLS: Final = 1 << 22  # of a table of classes by values that is dense at once


def codes(values: pa.Array | pa.ChunkedArray) -> tuple[Codes, int]:
    """A column as numbers from 0, ordered as its values are (missing last), and how many there are."""
    whole = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    distinct = pc.drop_null(pc.unique(whole))
    ordered = distinct.take(pc.sort_indices(distinct))
    places = pc.fill_null(pc.index_in(whole, value_set=ordered), len(ordered))
    return np.asarray(places, np.int64), len(ordered) + int(whole.null_count > 0)


def together(columns: list[tuple[Codes, int]], rows: int) -> tuple[Codes, int]:
    """Several coded columns as one: equal where all are equal."""
    combined, kinds = np.zeros(rows, np.int64), 1
    for column, count in columns:
        if kinds * count >= 1 << 62:
            combined, kinds = _dense(combined)
        combined, kinds = combined * count + column, kinds * count
    return _dense(combined)


def _dense(column: Codes) -> tuple[Codes, int]:
    distinct, places = np.unique(column, return_inverse=True)
    return places.astype(np.int64), len(distinct)


@dataclass(frozen=True)
class Sensitive:
    """A sensitive column in code; `ordered` if its values are numbers, so that near ones are alike."""

    codes: Codes
    kinds: int
    ordered: bool


def sensitive(values: pa.Array | pa.ChunkedArray) -> Sensitive:
    """A column as a sensitive one; numbers are ordered."""
    kind = values.type
    column, kinds = codes(values)
    return Sensitive(column, kinds, pa.types.is_integer(kind) or pa.types.is_floating(kind))


@dataclass(frozen=True)
class Classes:
    """Rows in classes: the class of each row, how many classes, and how often each row counts."""

    of: Codes
    count: int
    weights: Codes

    @property
    def sizes(self) -> Codes:
        return np.bincount(self.of, self.weights, self.count).astype(np.int64)

    def k(self) -> int:
        """The smallest class."""
        return int(self.sizes.min()) if self.count else 0

    def distinct_l(self, column: Sensitive) -> Codes:
        """How many values of the sensitive column each class has."""
        pairs = np.unique(self.of * column.kinds + column.codes)
        return np.bincount(pairs // column.kinds, minlength=self.count)

    def entropy_l(self, column: Sensitive) -> NDArray[np.float64]:
        """e to the entropy of the sensitive column, each class."""
        of, share, _ = self._shares(column)
        return np.asarray(np.exp(np.bincount(of, -share * np.log(share), self.count)), np.float64)

    def closeness(self, column: Sensitive) -> NDArray[np.float64]:
        """t: how far each class's distribution of the sensitive column is from the whole table's, 0 to 1."""
        of, share, values = self._shares(column)
        whole = np.bincount(column.codes, self.weights, column.kinds) / self.weights.sum()
        if not column.ordered:
            present = np.bincount(of, np.abs(share - whole[values]) - whole[values], self.count)
            return np.asarray((present + 1) / 2, np.float64)
        out = np.zeros(self.count)
        step = max(1, _CELLS // column.kinds)
        for start in range(0, self.count, step):
            stop = min(start + step, self.count)
            rows = slice(*np.searchsorted(of, [start, stop]))
            table = np.zeros((stop - start, column.kinds))
            table[of[rows] - start, values[rows]] = share[rows]
            out[start:stop] = np.abs(np.cumsum(table - whole, axis=1)).sum(axis=1)
        return out / max(1, column.kinds - 1)

    def _shares(self, column: Sensitive) -> tuple[Codes, NDArray[np.float64], Codes]:
        """For each value in each class: the class (rising), the value's share of it, the value."""
        pairs, places = np.unique(self.of * column.kinds + column.codes, return_inverse=True)
        found = np.bincount(places, self.weights, len(pairs))
        of = pairs // column.kinds
        return of, found / self.sizes[of], pairs % column.kinds


def classes(table: pa.Table, quasi_identifiers: list[str]) -> Classes:
    """The classes of a table's rows by the named columns."""
    of, count = together([codes(table[name]) for name in quasi_identifiers], table.num_rows)
    return Classes(of, count, np.ones(table.num_rows, np.int64))
