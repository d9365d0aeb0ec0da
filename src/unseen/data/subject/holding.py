"""How many rows a data set has of one person, asked of its engine."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from unseen.data.contract import normalised
from unseen.data.dataset import Dataset
from unseen.data.reading import Reading
from unseen.data.source import open_source
from unseen.errors import DataError


def rows_of(entry: Dataset, subject: str) -> int:
    """Rows whose subject column names this person, both sides written as join keys are.

    Raises DataError for a column that is gone, UnavailableError for a source that does not answer.
    """
    key = normalised(pa.array([subject]))[0].as_py()
    with open_source(entry.source) as source:
        if entry.subject not in source.schema():
            raise DataError(f"data set {entry.name!r} has no column {entry.subject!r} any more; register it again")
        column = source.table[entry.subject]
        if column.type().is_integer():
            if not key.removeprefix("-").isdecimal():
                return 0
            near = source.table.filter(column == int(key))
        else:
            near = source.table.filter(column.cast("string").lower().strip() == key)
        found = int(source.run(near.aggregate(near.count().name("rows")))["rows"][0].as_py())
        if found or column.type().is_integer() or key.isascii():
            return found
        return _count(source.batches(Reading((entry.subject,), frozenset({entry.subject}))), key)


def _count(batches: pa.RecordBatchReader, key: str) -> int:
    """The same for scripts that no engine folds as we do: stream the one column."""
    return sum(int(pc.sum(pc.equal(batch.column(0), key)).as_py() or 0) for batch in batches)
