"""One party's rows of the customers common to all, found by their keys and in one order at all parties."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from unseen.application.declared import sizes
from unseen.application.derivation import limit
from unseen.application.joint_keys import KeyedSide
from unseen.application.joint_request import JointRequest
from unseen.application.joint_rows import common_rows
from unseen.computation.intersect.join import UNDECLARED, Terms, join
from unseen.computation.intersect.join_kind import Kind
from unseen.computation.intersect.keys import Keys, composite
from unseen.computation.types import Array, Index
from unseen.data.contract import KeyReport
from unseen.errors import DataError
from unseen.interaction.application import Run


@dataclass(frozen=True, eq=False)
class JointTable:
    """This party's `table` of the common customers, `keys` (the same bytes at all) and their `texts` by row."""

    table: pa.Table
    keys: list[bytes]
    texts: list[str]

    def take(self, order: Index) -> JointTable:
        """The rows in another order."""
        places = order.tolist()
        return JointTable(
            self.table.take(pa.array(order)),
            [self.keys[row] for row in places],
            [self.texts[row] for row in places],
        )


@dataclass(frozen=True, eq=False)
class Rows:
    """This party's own rows of the common keys, in one order at all parties: those that train or fit first."""

    table: pa.Table
    keys: list[str]
    training: int

    @property
    def count(self) -> int:
        return int(self.table.num_rows)


Order = Callable[[Sequence[bytes]], tuple[Index, int]]
"""From the joint keys, the order in which their rows are taken and how many of them train, as in
`evaluation.held_out`."""


def aligned(run: Run, asked: JointRequest, order: Order) -> Rows:
    """Meet, as step `align`. Raises as `joint_table`."""
    run.progress("align", 0.0)
    found = joint_table(run, asked.parties[run.party], asked.most_unfit, partial(run.progress, "align"))
    places, training = order(found.keys)
    found = found.take(places)
    run.progress("align", 1.0)
    return Rows(found.table, found.texts, training)


@dataclass(frozen=True, eq=False)
class _Written:
    """One key: of each row the joint key, empty where it has none, and as a text."""

    keys: Keys
    texts: pa.Array


def joint_table(run: Run, side: KeyedSide, most_unfit: float, watch: Callable[[float, str], None]) -> JointTable:
    """Release, write the keys by their rules, meet.

    Rows whose keys are empty, malformed or repeated are left out, up to the share `most_unfit` of each; beyond it
    DataError, with data set and shares. RefusedError as `joint_rows.common_rows`.
    """
    table = run.release(side.dataset)
    written = [_write(table, side, number) for number in range(len(side.choices))]
    usable = np.flatnonzero(np.any([np.diff(one.keys.offsets) > 0 for one in written], axis=0)).astype(np.int64)
    reports = [one for one in _reports(table, side) if one.warnings()]
    _require_fit(side, reports, 1.0 - len(usable) / max(table.num_rows, 1), most_unfit)
    if len(written) == 1:
        keys = written[0].keys.chosen(usable)
        rows = usable[common_rows(run, keys, watch)]
        return _taken(table, written[0], rows)
    minimum = limit(run.plan, "smallest_overlap")
    offered = [one.keys.chosen(usable) for one in written]
    declared = sizes(run.plan, run.party) or UNDECLARED
    found = join(run.circle, offered, Terms(Kind.INNER, 0, minimum, 1), watch, declared)
    parts = np.split(usable[found.rows], np.cumsum(found.by_key)[:-1])
    taken = [_taken(table, one, rows) for one, rows in zip(written, parts, strict=True)]
    return JointTable(
        pa.concat_tables([part.table for part in taken]),
        [key for part in taken for key in part.keys],
        [text for part in taken for text in part.texts],
    )


def _write(table: pa.Table, side: KeyedSide, number: int) -> _Written:
    """A key of each row; of rows with the same key, the first alone keeps it."""
    parts = []
    for column, form in side.choices[number]:
        try:
            parts.append(pc.fill_null(form.written(table[column]), ""))
        except DataError as error:
            raise DataError(f"data set {side.dataset!r}, column {column!r}: {error}") from error
    whole = np.all([pc.not_equal(part, "").to_numpy(zero_copy_only=False) for part in parts], axis=0)
    texts = pc.if_else(pa.array(whole), pc.binary_join_element_wise(*parts, " "), "")
    keep = pa.array(_firsts(parts, whole))
    return _Written(composite([pc.if_else(keep, part, "") for part in parts]), texts)


def _firsts(parts: list[pa.Array], whole: Array) -> Array:
    """Of the rows whose parts are all there, the first of each key."""
    names = [f"part{number}" for number in range(len(parts))]
    numbered = pa.table([*parts, pa.array(np.arange(len(whole)))], [*names, "row"]).filter(pa.array(whole))
    kept = np.zeros(len(whole), dtype=bool)
    kept[numbered.group_by(names).aggregate([("row", "min")])["row_min"].to_numpy()] = True
    return kept


def _reports(table: pa.Table, side: KeyedSide) -> list[KeyReport]:
    """How fit a single key is; where there are more, repeats are no fault."""
    if len(side.choices) == 1 and len(side.choices[0]) == 1:
        ((column, form),) = side.choices[0]
        return [form.check(table[column])]
    found = [form.check(table[column]) for choice in side.choices for column, form in choice]
    return [replace(report, duplicate=0.0) for report in found]


def _require_fit(side: KeyedSide, reports: list[KeyReport], without: float, most_unfit: float) -> None:
    single = len(side.choices) == len(side.choices[0]) == 1
    worst = (
        max((max(one.empty, one.duplicate, one.malformed) for one in reports), default=0.0) if single else without
    )
    if worst > most_unfit:
        words = " and ".join(word for report in reports for word in report.warnings())
        raise DataError(
            f"data set {side.dataset!r}: {words or f'{without:.2%} of the rows have no key of their own'}; a join "
            f"needs one row a person, and {most_unfit:.2%} are tolerated: remove or merge these rows at the "
            "source, then register the data set again, or raise the request's `most_unfit`"
        )


def _taken(table: pa.Table, written: _Written, rows: Index) -> JointTable:
    keys = written.keys.take(rows)
    return JointTable(table.take(pa.array(rows)), keys, written.texts.take(pa.array(rows)).to_pylist())
