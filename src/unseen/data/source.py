"""One open source: its schema, what an engine can count of it, and readings of it as Arrow batches.

Only the data layer opens sources, and rows leave by `release` alone.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from unseen.data.contract import normalised, whole
from unseen.data.engine import connected
from unseen.data.engine_error import translated
from unseen.data.location import Location, read_location
from unseen.data.reading import Reading, expression
from unseen.errors import UnseenError

if TYPE_CHECKING:
    import ibis.expr.types as ir

NUMERIC: Final = r"^ *[-+]?[0-9]+([.,][0-9]+)? *$"
BATCH_ROWS: Final = 1 << 16
"""Rows of one batch, at most."""


@dataclass(frozen=True)
class Measured:
    """What an engine counts in one pass: rows, each column's share of nulls and distinct values (an estimate)."""

    rows: int
    nulls: Mapping[str, float]
    distinct: Mapping[str, int]


class Source:
    """One open table in an engine."""

    def __init__(self, table: ir.Table, location: Location) -> None:
        self.table = table
        self._location = location

    @property
    def where(self) -> str:
        """What messages call it."""
        return self._location.where

    def schema(self) -> dict[str, str]:
        """Column names with their types in Ibis' words; whether a column may be null is no part of them."""
        return {name: str(kind).removeprefix("!") for name, kind in self.table.schema().items()}

    def rows(self) -> int:
        return int(self.run(self.table.count().name("rows").as_table())["rows"][0].as_py())

    def measure(self) -> Measured:
        """Rows, nulls and distinct values of all columns, in one query. Nested columns have no distinct count."""
        table = self.table
        kinds = dict(table.schema().items())
        nulls = {name: table[name].isnull().sum() for name in kinds}
        flat = [name for name, kind in kinds.items() if not kind.is_nested() and not kind.is_json()]
        distinct = {name: table[name].approx_nunique() for name in flat}
        wanted = [table.count(), *nulls.values(), *distinct.values()]
        figures = self.run(table.aggregate([each.name(f"figure{place}") for place, each in enumerate(wanted)]))
        rows, *counts = (int(value or 0) for value in figures.to_pylist()[0].values())
        shares = {name: count / max(rows, 1) for name, count in zip(nulls, counts, strict=False)}
        # The engine estimates: more distinct values than rows there are not.
        found = (min(count, rows) for count in counts[len(nulls) :])
        return Measured(rows, shares, dict(zip(distinct, found, strict=True)))

    def mixed(self, columns: Collection[str]) -> dict[str, float]:
        """Of columns of text: the share of their values that are numbers, counted by the engine."""
        texts = [name for name in columns if self.table[name].type().is_string()]
        if not texts:
            return {}
        numbers = [self.table[name].re_search(NUMERIC).sum() for name in texts]
        wanted = [*numbers, *(self.table[name].count() for name in texts)]
        figures = self.run(
            self.table.aggregate([each.name(f"figure{place}") for place, each in enumerate(wanted)])
        )
        counts = [int(value or 0) for value in figures.to_pylist()[0].values()]
        return {
            name: number / max(values, 1)
            for name, number, values in zip(texts, counts, counts[len(texts) :], strict=False)
        }

    def sample(self, rows: int, columns: Collection[str] | None = None) -> pa.Table:
        """About so many rows, drawn at random by the engine: all of a small table, the first where it cannot."""
        total = self.rows()
        drawn = self.table if columns is None else self.table.select(list(columns))
        if total > 4 * rows:
            with contextlib.suppress(UnseenError):
                return self.run(drawn.sample(1.5 * rows / total).limit(rows))
        return self.run(drawn.limit(rows))

    def batches(self, reading: Reading) -> pa.RecordBatchReader:
        """The reading as record batches, while the source is open. Raises DataError for a missing column.

        Errors of the engine on the way are raised from the reader as ours.
        """
        wanted = expression(self.table, reading, self.where)
        schema = wanted.schema().to_pyarrow()
        for place, field in enumerate(schema):
            kind = pa.string() if field.name in reading.keys else field.type
            schema = schema.set(place, pa.field(field.name, kind))  # all may be null: engines do not agree
        return pa.RecordBatchReader.from_batches(schema, self._stream(wanted, reading, schema))

    def read(self, reading: Reading) -> pa.Table:
        """The reading as one table, in the source's own order."""
        return self.batches(reading).read_all()

    def query(self, reading: Reading) -> str:
        """The engine's query for a reading, to show what is asked of the source."""
        import ibis

        return str(ibis.to_sql(expression(self.table, reading, self.where)))

    def run(self, wanted: ir.Table) -> pa.Table:
        """An expression over `table` as Arrow; for figures, not for rows. Raises DataError, UnavailableError."""
        try:
            return wanted.to_pyarrow()
        except Exception as error:  # noqa: BLE001  # engines raise trees of their own, and may quote rows
            raise translated(error, self._location) from None

    def _stream(self, wanted: ir.Table, reading: Reading, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        batches = iter(self._from_engine(wanted))
        for batch in batches:
            columns = [
                normalised(whole(column)) if field.name in reading.keys else _cast(column, field.type)
                for field, column in zip(schema, batch.columns, strict=True)
            ]
            yield pa.RecordBatch.from_arrays(columns, schema=schema)

    def _from_engine(self, wanted: ir.Table) -> Iterator[pa.RecordBatch]:
        try:
            yield from wanted.to_pyarrow_batches(chunk_size=BATCH_ROWS)
        except Exception as error:  # noqa: BLE001  # engines raise trees of their own, and may quote rows
            raise translated(error, self._location) from None


def _cast(column: pa.Array, kind: pa.DataType) -> pa.Array:
    return column if column.type.equals(kind) else column.cast(kind)


@contextmanager
def open_source(name: str) -> Iterator[Source]:
    """Open a source for reading. Raises MisuseError for an unknown kind, UnavailableError if it is not there."""
    location = read_location(name)
    with connected(location) as table:
        yield Source(table, location)
