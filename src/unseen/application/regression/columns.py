"""One party's own columns on the way into a regression: keys, numbers, label, weights and offset."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa

from unseen.application.joint_request import Label, Term
from unseen.application.joint_table import Rows
from unseen.application.numbers import numbers
from unseen.application.outcome_values import outcomes
from unseen.application.regression.request import RegressionRequest
from unseen.computation.learn.columns import Block
from unseen.computation.learn.rows import RowTerms, RowValues
from unseen.computation.types import Real
from unseen.errors import DataError
from unseen.interaction.application import Run


def blocks(run: Run, asked: RegressionRequest, rows: Rows) -> list[Block]:
    """All parties' features, values in this party's own block. Raises DataError for a column that is no number."""
    found = []
    for rank, party in enumerate(run.circle.parties):
        names = asked.parties[party].features
        if names:
            mine = party == run.party
            values = np.column_stack([numbers(rows.table, name) for name in names]) if mine else None
            found.append(Block(rank, names, rows.count, values))
    return found


def first_rows(parts: Sequence[Block], terms: RowTerms, count: int) -> tuple[list[Block], RowTerms]:
    """The first rows of all columns and terms: those that fit."""
    cut = [replace(block, rows=count, values=_first(block.values, count)) for block in parts]
    weights, offset = (
        None if term is None else replace(term, values=_first(term.values, count))
        for term in (terms.weights, terms.offset)
    )
    return cut, RowTerms(weights, offset)


def _first(values: Real | None, count: int) -> Real | None:
    return None if values is None else values[:count]


def signs(run: Run, asked: RegressionRequest) -> tuple[int, ...]:
    """One for each column, in the order of `blocks`."""
    sides = [asked.parties[party] for party in run.circle.parties]
    return tuple(side.signs.get(name, 0) for side in sides for name in side.features)


def labels(table: pa.Table, label: Label) -> Real:
    """The label (rows,): 1 for the values asked for and 0 for others, or the number itself. Raises DataError."""
    if not label.positive:
        return numbers(table, label.column)
    return outcomes(table, label.column, label.positive)


def terms(run: Run, asked: RegressionRequest, rows: Rows) -> RowTerms:
    """Weights and offset at their owners; an exposure enters by its logarithm."""
    offset = _term(run, asked.offset, rows)
    if asked.exposure:
        offset = _term(run, asked.exposure, rows)
        if offset and offset.values is not None:
            if not (offset.values > 0).all():
                raise DataError(f"the exposure {asked.exposure.column!r} is not above zero in every row")
            offset = RowValues(offset.owner, np.log(offset.values))
    weights = _term(run, asked.weights, rows)
    if weights and weights.values is not None and not (weights.values >= 0).all():
        raise DataError("sample weights are negative or missing in some rows; leave these rows out at the source")
    return RowTerms(weights, offset)


def _term(run: Run, term: Term | None, rows: Rows) -> RowValues | None:
    if term is None:
        return None
    mine = numbers(rows.table, term.column) if term.party == run.party else None
    return RowValues(run.circle.rank_of(term.party), mine)
