"""A steward's look at the institution's own data: tables that are measured here and leave for nobody."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from unseen.data.dataset import Dataset
from unseen.data.reading import Reading
from unseen.data.source import open_source


def columns_of(entry: Dataset, columns: Sequence[str]) -> pa.Table:
    """Columns of a data set as they are. Raises DataError for a column that is gone, UnavailableError."""
    for name in columns:
        entry.column(name)
    with open_source(entry.source) as source:
        return source.read(Reading(tuple(columns)))


def table_of(file: str) -> pa.Table:
    """A whole file that lies here, such as a copy that was found. Errors as for sources."""
    with open_source(file) as source:
        return source.read(Reading(tuple(source.schema())))
