"""One party's own rows on the way into a network: keys, label, numeric columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from unseen.application.evaluation.held_out import in_order_of_lots
from unseen.application.joint_table import joint_table
from unseen.application.network.request import NetworkRequest
from unseen.application.numbers import numbers
from unseen.application.outcome_values import outcomes
from unseen.computation.learn.network import Features
from unseen.computation.types import Real
from unseen.errors import DataError
from unseen.interaction.application import Run


@dataclass(frozen=True, eq=False)
class Rows:
    """Own rows of the common customers, in the order of all parties, training rows first: the table, keys as
    texts, the own columns (rows, columns) or None without any, and the label where it is held and needed."""

    table: pa.Table
    texts: list[str]
    training: int
    own: Real | None
    label: Real | None

    @property
    def count(self) -> int:
        return len(self.texts)


def aligned(run: Run, asked: NetworkRequest) -> Rows:
    """Who trains, and in which order, follows from keys and public seed; of a later population that is monitored,
    nobody does."""
    run.progress("align", 0.0)
    side = asked.parties[run.party]
    found = joint_table(run, side, asked.most_unfit, lambda done, note: run.progress("align", done, note))
    training = 0
    if not asked.monitor:
        order, training = in_order_of_lots(found.keys, asked.held_out, asked.seed or run.plan.seed)
        found = found.take(order)
    label = _labels(found.table, asked) if run.party == asked.label.party and asked.needs_label else None
    run.progress("align", 1.0)
    return Rows(found.table, found.texts, training, _values(found.table, side.features), label)


def features(run: Run, asked: NetworkRequest, rows: Rows, count: int) -> list[Features]:
    """All parties' columns of the first `count` rows, values in this party's own."""
    own = None if rows.own is None else rows.own[:count]
    return [
        Features(rank, len(asked.parties[party].features), count, own if party == run.party else None)
        for rank, party in enumerate(run.circle.parties)
        if asked.parties[party].features
    ]


def _labels(table: pa.Table, asked: NetworkRequest) -> Real:
    column = table[asked.label.column]
    if column.null_count:
        raise DataError(
            f"the label {asked.label.column!r} is missing in some rows; leave these rows out at the source"
        )
    found = outcomes(column.to_pylist(), asked.label.positive)
    if not 0 < found.sum() < len(found):
        raise DataError(
            f"the label {asked.label.column!r} has one class only among the common rows; "
            f"check the values that mean 1 ({', '.join(sorted(map(str, asked.label.positive)))})"
        )
    return found


def _values(table: pa.Table, names: Sequence[str]) -> Real | None:
    """(rows, columns), None where this party brings no feature. Raises DataError naming a column."""
    if not names:
        return None
    for name, column in zip(names, found := [numbers(table, name) for name in names], strict=True):
        if not np.isfinite(column).all():
            raise DataError(
                f"column {name!r} holds missing or infinite values; fill it before training, or use trees"
            )
    return np.column_stack(found)
