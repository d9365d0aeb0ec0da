"""One party's own keys, written by their rules: of each choice a key a row, and which rows have any."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from unseen.application.joint_keys import KeyedSide
from unseen.computation.intersect.keys import Keys, composite
from unseen.computation.types import Array, Index
from unseen.data.contract import KeyReport
from unseen.errors import DataError


@dataclass(frozen=True, eq=False)
class Written:
    """One key: of each row the joint key, empty where it has none, and as a text."""

    keys: Keys
    texts: pa.Array


@dataclass(frozen=True, eq=False)
class OwnKeys:
    """Each choice in order of preference as `written` for all rows; `rows` (n,) int64, ascending, have one at
    least. `warnings` say without keys what a steward should know."""

    written: tuple[Written, ...]
    rows: Index
    warnings: tuple[str, ...]

    @property
    def offered(self) -> list[Keys]:
        """Of each choice the keys of `rows`, empty where one has none."""
        return [one.keys.chosen(self.rows) for one in self.written]


def own_keys(table: pa.Table, side: KeyedSide, most_unfit: float) -> OwnKeys:
    """Write a side's keys by their rules; of rows with the same key, the first alone keeps it.

    Raises DataError, naming data set and shares, where more rows than the share `most_unfit` are left out: of a
    single key for each of the reasons empty, repeated and malformed, of several for having none.
    """
    written = tuple(_written(table, side, number) for number in range(len(side.choices)))
    rows = np.flatnonzero(np.any([np.diff(one.keys.offsets) > 0 for one in written], axis=0)).astype(np.int64)
    reports = [report for report in _reports(table, side) if report.warnings()]
    left_out = table.num_rows - len(rows)
    _require_fit(side, reports, left_out / max(table.num_rows, 1), most_unfit)
    warnings = [word for report in reports for word in report.warnings()]
    if left_out:
        warnings.append(f"{left_out:,} of {table.num_rows:,} rows are left out; of repeated keys the first stays")
    return OwnKeys(written, rows, tuple(warnings))


def _written(table: pa.Table, side: KeyedSide, number: int) -> Written:
    parts = []
    for column, form in side.choices[number]:
        with _named(side, column):
            parts.append(pc.fill_null(form.written(table[column]), ""))
    whole = np.all([pc.not_equal(part, "").to_numpy(zero_copy_only=False) for part in parts], axis=0)
    texts = pc.if_else(pa.array(whole), pc.binary_join_element_wise(*parts, " "), "")
    keep = pa.array(_firsts(parts, whole))
    return Written(composite([pc.if_else(keep, part, "") for part in parts]), texts)


def _firsts(parts: list[pa.Array], whole: Array) -> Array:
    """Of the rows whose parts are all there, the first of each key."""
    names = [f"part{number}" for number in range(len(parts))]
    numbered = pa.table([*parts, pa.array(np.arange(len(whole)))], [*names, "row"]).filter(pa.array(whole))
    kept = np.zeros(len(whole), dtype=bool)
    kept[numbered.group_by(names).aggregate([("row", "min")])["row_min"].to_numpy()] = True
    return kept


def _reports(table: pa.Table, side: KeyedSide) -> list[KeyReport]:
    """How fit a single key is; where there are more, repeats are no fault."""
    found = []
    for column, form in (part for choice in side.choices for part in choice):
        with _named(side, column):
            found.append(form.check(table[column]))
    return found if len(found) == 1 else [replace(report, duplicate=0.0) for report in found]


@contextmanager
def _named(side: KeyedSide, column: str) -> Iterator[None]:
    """What is wrong with a column says which one it is."""
    try:
        yield
    except DataError as error:
        raise DataError(f"data set {side.dataset!r}, column {column!r}: {error}") from error


def _require_fit(side: KeyedSide, reports: list[KeyReport], without: float, most_unfit: float) -> None:
    single = len(side.choices) == len(side.choices[0]) == 1
    worst = (
        max((max(one.empty, one.duplicate, one.malformed) for one in reports), default=0.0) if single else without
    )
    if worst > most_unfit:
        words = " and ".join(word for report in reports for word in report.warnings())
        words = words or f"{without:.2%} of the rows have no key of their own"
        column = f", column {side.choices[0][0][0]!r}" if single else ""
        raise DataError(
            f"data set {side.dataset!r}{column}: {words}; a join "
            f"needs one row a person, and {most_unfit:.2%} are tolerated: remove or merge these rows at the "
            "source, then register the data set again, or raise the request's `most_unfit`"
        )
