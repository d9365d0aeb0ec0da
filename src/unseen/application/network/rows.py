"""One party's own rows on the way into a network: label and numeric columns."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from unseen.application.network.request import Label, NetworkRequest
from unseen.application.numbers import numbers
from unseen.application.outcome_values import outcomes, require_both
from unseen.computation.learn.network import Features
from unseen.computation.types import Real
from unseen.errors import DataError
from unseen.interaction.application import Run


def labels(table: pa.Table, label: Label) -> Real:
    """The label (rows,), 1 for the values asked for. Raises DataError for missing ones, and one class only."""
    found = outcomes(table, label.column, label.positive)
    require_both(found, label.column, label.positive)
    return found


def values(table: pa.Table, names: Sequence[str]) -> Real | None:
    """(rows, columns), None where this party brings no feature. Raises DataError naming a column."""
    if not names:
        return None
    for name, column in zip(names, found := [numbers(table, name) for name in names], strict=True):
        if not np.isfinite(column).all():
            raise DataError(
                f"column {name!r} holds missing or infinite values; fill it before training, or use trees"
            )
    return np.column_stack(found)


def features(run: Run, asked: NetworkRequest, own: Real | None, count: int) -> list[Features]:
    """All parties' columns of the first `count` rows, values in this party's own."""
    mine = None if own is None else own[:count]
    return [
        Features(rank, len(asked.parties[party].features), count, mine if party == run.party else None)
        for rank, party in enumerate(run.circle.parties)
        if asked.parties[party].features
    ]
