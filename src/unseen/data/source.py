"""Where data lies: files through DuckDB, so that projection and filters run inside the engine.

A source is named by a path: a CSV (also .gz), a Parquet file, or `file.duckdb#table`. From here on data is
Arrow. Column names are quoted by Ibis, never pasted into a query.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from unseen.errors import DataError, MisuseError, UnavailableError

if TYPE_CHECKING:
    import ibis.expr.types as ir


@dataclass(frozen=True)
class Measured:
    """What an engine counts in one pass: rows, each column's share of nulls and distinct values (an estimate)."""

    rows: int
    nulls: Mapping[str, float]
    distinct: Mapping[str, int]


class Source:
    """One open table in an engine."""

    def __init__(self, table: ir.Table, where: str) -> None:
        self._table = table
        self._where = where

    def schema(self) -> dict[str, str]:
        """Column names with their types in the engine's words."""
        return {name: str(kind) for name, kind in self._table.schema().items()}

    def rows(self) -> int:
        return int(self._run(self._table.count()).as_py())

    def measure(self) -> Measured:
        """Rows, nulls and distinct values of all columns, in one query. Nested columns have no distinct count."""
        table = self._table
        kinds = dict(table.schema().items())
        nulls = {name: table[name].isnull().sum() for name in kinds}
        flat = [name for name, kind in kinds.items() if not kind.is_nested() and not kind.is_json()]
        distinct = {name: table[name].approx_nunique() for name in flat}
        wanted = [table.count(), *nulls.values(), *distinct.values()]
        figures = self._run(table.aggregate([each.name(f"figure{place}") for place, each in enumerate(wanted)]))
        rows, *counts = (int(value or 0) for value in figures.to_pylist()[0].values())
        shares = {name: count / max(rows, 1) for name, count in zip(nulls, counts, strict=False)}
        return Measured(rows, shares, dict(zip(distinct, counts[len(nulls) :], strict=True)))

    def read(self, columns: Sequence[str]) -> pa.Table:
        """Exactly these columns, all rows, in the source's own order. Raises DataError for a missing column."""
        missing = [column for column in columns if column not in self._table.columns]
        if missing:
            raise DataError(
                f"{self._where} has no column {', '.join(missing)} any more; "
                "register the data set again if it was renamed"
            )
        table: pa.Table = self._run(self._table.select(list(columns)))
        return table

    def query(self, columns: Sequence[str]) -> str:
        """The engine's query for `read`, to show what is asked of the source."""
        import ibis

        return str(ibis.to_sql(self._table.select(list(columns))))

    def _run(self, expression: Any) -> Any:
        try:
            return expression.to_pyarrow()
        except Exception as error:  # engines raise trees of their own; all mean the same here
            raise DataError(f"{self._where} cannot be read: {_first_line(error)}") from error


@contextmanager
def open_source(location: str) -> Iterator[Source]:
    """Open a source for reading. Raises MisuseError for an unknown kind, UnavailableError if it is not there."""
    import ibis

    path, _, table = location.partition("#")
    if not Path(path).is_file():
        raise UnavailableError(f"there is no file {path}; check the path, and whether this account may read it")
    name = path.lower().removesuffix(".gz")
    connection = ibis.duckdb.connect(path, read_only=True) if name.endswith(".duckdb") else ibis.duckdb.connect()
    try:
        yield Source(_table(connection, path, name, table), path)
    finally:
        connection.disconnect()


def _table(connection: Any, path: str, name: str, table: str) -> ir.Table:
    try:
        if name.endswith(".duckdb"):
            if table not in connection.list_tables():
                raise MisuseError(f"{path} has no table {table!r}; name one as {path}#table")
            return connection.table(table)
        if name.endswith((".csv", ".tsv")):
            return connection.read_csv(path, header=True, sample_size=-1)
        if name.endswith(".parquet"):
            return connection.read_parquet(path)
    except MisuseError:
        raise
    except Exception as error:
        raise DataError(f"{path} cannot be read: {_first_line(error)}") from error
    raise MisuseError(f"{path} is of a kind that is not known; use .csv, .csv.gz, .parquet or .duckdb#table")


def _first_line(error: Exception) -> str:
    """The engine's message up to its first line end: the rest may quote rows."""
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__
