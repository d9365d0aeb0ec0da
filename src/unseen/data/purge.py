"""Rows past their time: counted, and removed from files; for a database the statement that its owner runs.

A data set's retention counts days from a date column. Rows without a date stay, and are counted. A file is written
again beside itself by DuckDB and then takes its own place, so that a reader sees the old rows or the new.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from unseen.data.dataset import Dataset
from unseen.data.engine import csv_header
from unseen.data.location import Kind, Location, read_location
from unseen.data.source import open_source
from unseen.errors import DataError, MisuseError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@dataclass(frozen=True)
class Overdue:
    """How many rows are past their time, how many have no date, of how many; the day from which rows stay."""

    rows: int
    undated: int
    whole: int
    since: date


def overdue(entry: Dataset, today: date | None = None) -> Overdue:
    """Count what is past its time, inside the source's engine.

    Raises MisuseError for a data set without a retention or whose retention counts from no column.
    """
    retention = entry.retention
    if retention is None:
        raise MisuseError(f"data set {entry.name!r} has no retention; a steward sets one for it first")
    if not retention.column:
        raise MisuseError(
            f"the retention of data set {entry.name!r} counts from its registration, so that all its rows end"
            " together; withdraw the data set, or let the retention count from a date column"
        )
    since = (today or datetime.now(UTC).date()) - timedelta(days=retention.days)
    with open_source(entry.source) as source:
        if retention.column not in source.schema():
            raise DataError(f"data set {entry.name!r} has no column {retention.column!r} any more")
        day = source.table[retention.column].cast("date")
        past = (day < since).fill_null(False)
        figures = source.run(
            source.table.aggregate(rows=past.sum(), undated=day.isnull().sum(), whole=source.table.count())
        ).to_pylist()[0]
    return Overdue(int(figures["rows"] or 0), int(figures["undated"] or 0), int(figures["whole"]), since)


def purge(entry: Dataset, found: Overdue) -> int:
    """Remove the rows counted as overdue from the source; returns how many went.

    Raises MisuseError, with the statement for its owner, for a database that this node only reads.
    """
    location = read_location(entry.source)
    column = entry.retention.column if entry.retention else ""
    if location.kind not in (Kind.CSV, Kind.PARQUET, Kind.DUCKDB):
        raise MisuseError(
            f"{location.where} is read with a role that changes nothing. Its owner runs: {statement(entry, found)}"
        )
    if location.kind is Kind.DUCKDB:
        _from_database(location, column, found.since)
    else:
        _from_file(location, column, found.since)
    return found.rows


def statement(entry: Dataset, found: Overdue) -> str:
    """The statement by which a database's owner removes the rows."""
    location = read_location(entry.source)
    column = entry.retention.column if entry.retention else ""
    table = ".".join(_quoted(part) for part in (location.schema, location.table) if part)
    return f"DELETE FROM {table} WHERE {_quoted(column)} < DATE '{found.since.isoformat()}'"


def _from_database(location: Location, column: str, since: date) -> None:
    with _connection(str(location.path)) as connection:
        table = _quoted(location.table)
        connection.execute(f"delete from {table} where {_quoted(column)}::date < ?", [since])


def _from_file(location: Location, column: str, since: date) -> None:
    path = location.path
    beside = path.with_name(f".{path.name}.purged{''.join(path.suffixes[-2:])}")
    named = f"{_quoted(column)}::date"
    with _connection("") as connection:
        if location.kind is Kind.PARQUET:
            query = f"from read_parquet({_text(path)}) where not coalesce({named} < {_day(since)}, false)"
            written = "format parquet"
        else:
            names, delimiter = csv_header(location)
            columns = ", ".join(f"{_text(name)}: 'VARCHAR'" for name in names)
            words = f"header = true, auto_detect = false, delim = {_text(delimiter)}, columns = {{{columns}}}"
            kept = (
                f"not coalesce(try_cast(nullif({_quoted(column)}, '') as timestamp)::date < {_day(since)}, false)"
            )
            query = f"from read_csv({_text(path)}, {words}, quote = '\"', escape = '\"') where {kept}"
            written = f"format csv, header, delimiter {_text(delimiter)}" + (
                ", compression gzip" if path.suffix == ".gz" else ""
            )
        connection.execute("set preserve_insertion_order = true")
        connection.execute(f"copy (select * {query}) to {_text(beside)} ({written})")
    os.chmod(beside, path.stat().st_mode & 0o777)
    beside.replace(path)


def _connection(path: str) -> DuckDBPyConnection:
    import duckdb

    connection = duckdb.connect(path) if path else duckdb.connect()
    connection.execute("set temp_directory = ''")  # no row lies in the clear beside its source
    return connection


def _quoted(name: str) -> str:
    doubled = name.replace('"', '""')
    return f'"{doubled}"'


def _text(value: Path | str) -> str:
    doubled = str(value).replace("'", "''")
    return f"'{doubled}'"


def _day(day: date) -> str:
    return f"DATE '{day.isoformat()}'"
