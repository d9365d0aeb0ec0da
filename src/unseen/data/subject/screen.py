"""Rows of persons who must be left out, taken out of a stream of batches inside DuckDB.

The stream goes through one anti-join (and, where consent is the legal basis, one semi-join) against the book's
marks: the marks are the hash table, rows pass by it, and none is looked at in Python.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

import numpy as np
import pyarrow as pa

from unseen.data.subject.book import SubjectBook
from unseen.data.subject.mark import HIGH, LOW, Marker, Words
from unseen.errors import DataError, MisuseError

_ROWS: Final = 1 << 16
_NO_SPILL: Final = "set temp_directory = ''"
"""A join larger than memory would write rows to a temporary file in the clear: it fails instead."""
_NOT: Final = "build_side_probe_side,join_order,join_filter_pushdown"


class Screen:
    """Leaves out who objects to `purpose`, withdrew consent to it or is erased; used for one stream.

    Where no purpose is named (`*`), whoever objects to any purpose is left out. With `consent` only those stay
    whose consent stands. Rows without a person stay unless consent is needed.
    `excluded` stands when the stream has ended.
    """

    def __init__(self, book: SubjectBook, marker: Marker, purpose: str, consent: bool = False) -> None:
        self._book, self._marker = book, marker
        self._purpose, self._consent = purpose, consent
        self._seen, self._kept = 0, 0
        self._ended = False

    @property
    def excluded(self) -> int:
        """How many rows were left out."""
        if not self._ended:
            raise MisuseError("a screen knows what it left out when its stream has ended")
        return self._seen - self._kept

    def through(
        self, batches: pa.RecordBatchReader, subject: str, passed: Callable[[Words], None] | None = None
    ) -> Iterator[pa.RecordBatch]:
        """The stream without those rows, in its order. `subject` names its column of persons; `passed` is called
        with the upper halves of the marks of those who stay, batch by batch."""
        import duckdb

        marked = pa.RecordBatchReader.from_batches(_marked(batches.schema), self._mark(batches, subject))
        with duckdb.connect() as connection:
            # one thread keeps the order; the joins' hash tables are the marks, never the stream
            connection.execute(f"set threads to 1; set disabled_optimizers = '{_NOT}'; {_NO_SPILL}")
            connection.register("stream", marked)
            query = "select * from stream"
            excluded = self._book.excluded(self._purpose)
            if excluded.num_rows:
                connection.register("excluded", excluded)
                query += f" anti join excluded using ({HIGH}, {LOW})"
            if self._consent:
                connection.register("consenting", self._book.consenting(self._purpose))
                query = f"select * from ({query}) semi join consenting using ({HIGH}, {LOW})"
            kept = connection.execute(query).to_arrow_reader(_ROWS) if query != "select * from stream" else marked
            for batch in kept:
                if passed is not None:
                    passed(np.asarray(batch.column(HIGH), np.int64))
                yield self._plain(batch, batches.schema)
        for batch in batches:  # what an engine that knew nobody could stay did not ask for
            self._seen += batch.num_rows
        self._ended = True

    def _mark(self, batches: pa.RecordBatchReader, subject: str) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            self._seen += batch.num_rows
            column = batch.column(subject)
            high, low = self._marker.marks(column)
            nobody = ~np.asarray(column.is_valid())
            high[nobody], low[nobody] = 0, 0  # no mark of anybody: CMAC gives it with probability 2^-128
            yield pa.RecordBatch.from_arrays(
                [*batch.columns, pa.array(high), pa.array(low)], schema=_marked(batch.schema)
            )

    def _plain(self, batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
        self._kept += batch.num_rows
        columns = [batch.column(field.name).cast(field.type) for field in schema]
        return pa.RecordBatch.from_arrays(columns, schema=schema)


def _marked(schema: pa.Schema) -> pa.Schema:
    if {HIGH, LOW} & set(schema.names):
        raise DataError(f"columns named {HIGH} and {LOW} are this layer's own; rename them at the source")
    return schema.append(pa.field(HIGH, pa.int64())).append(pa.field(LOW, pa.int64()))
