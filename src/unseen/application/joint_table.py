"""One party's rows of the customers common to all, found by their keys and in one order at all parties."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import pyarrow as pa

from unseen.application.joint_keys import KeyedSide
from unseen.application.joint_request import JointRequest
from unseen.application.joint_rows import common_rows
from unseen.application.own_keys import Written, own_keys
from unseen.computation.types import Index
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


def joint_table(run: Run, side: KeyedSide, most_unfit: float, watch: Callable[[float, str], None]) -> JointTable:
    """Release, write the keys by their rules, meet.

    Rows whose keys are empty, malformed or repeated are left out, up to the share `most_unfit` of each; beyond it
    DataError, with data set and shares. RefusedError as `joint_rows.common_rows`.
    """
    table = run.release(side.dataset)
    own = own_keys(table, side, most_unfit)
    parts = common_rows(run, own.offered, watch)
    taken = [_taken(table, one, own.rows[rows]) for one, rows in zip(own.written, parts, strict=True)]
    return JointTable(
        pa.concat_tables([part.table for part in taken]),
        [key for part in taken for key in part.keys],
        [text for part in taken for text in part.texts],
    )


def _taken(table: pa.Table, written: Written, rows: Index) -> JointTable:
    keys = written.keys.take(rows)
    return JointTable(table.take(pa.array(rows)), keys, written.texts.take(pa.array(rows)).to_pylist())
