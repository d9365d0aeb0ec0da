"""Connections to the engines that hold data, through Ibis: read only, bounded in memory and waiting.

Files are read by an embedded DuckDB that may load nothing from the network. A CSV has one header line, one
delimiter throughout, and every line has as many fields as the header: a line that has not is an error with its
number, never a row of nulls.
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from unseen.data.engine_error import translated
from unseen.data.location import Kind, Location
from unseen.errors import DataError, MisuseError, UnavailableError, UnseenError

if TYPE_CHECKING:
    import ibis.expr.types as ir

DELIMITERS: Final = (",", ";", "\t", "|")
HEADER_LIMIT: Final = 1 << 20
CONNECT_SECONDS: Final = 10
MEMORY: Final = "400MB"
"""What DuckDB may hold at once. Rows pass it in a stream; it writes none to a temporary file, where they would lie
in the clear (it encrypts such files only with an extension that must be downloaded)."""

_LOCAL_HOSTS: Final = (None, "", "localhost", "127.0.0.1", "::1")


@contextmanager
def connected(location: Location) -> Iterator[ir.Table]:
    """The source's table, while the connection lasts. Raises MisuseError, DataError or UnavailableError."""
    if location.kind in (Kind.CSV, Kind.PARQUET, Kind.DUCKDB) and not location.path.is_file():
        raise UnavailableError(
            f"there is no file {location.path}; check the path, and whether this account may read it"
        )
    connection = None
    try:
        try:
            connection = _connection(location)
            table = _table(connection, location)
        except UnseenError:
            raise
        except Exception as error:  # noqa: BLE001  # engines raise trees of their own, and may quote rows
            raise translated(error, location) from None
        yield table
    finally:
        if connection is not None:
            connection.disconnect()


def _connection(location: Location) -> Any:
    import ibis

    if location.kind is Kind.POSTGRESQL:
        return _postgresql(location)
    if location.kind is Kind.ENGINE:
        return _other(location)
    settings = {"memory_limit": MEMORY, "autoinstall_known_extensions": False, "autoload_known_extensions": False}
    if location.kind is Kind.DUCKDB:
        made = ibis.duckdb.connect(str(location.path), read_only=True, **settings)
    else:
        made = ibis.duckdb.connect(**settings)
    made.raw_sql("set temp_directory = ''")  # a limit on its size alone is not kept: rows were seen to be spilled
    return made


def _postgresql(location: Location) -> Any:
    """TLS with a checked name unless the server is on this machine; every transaction is read only."""
    try:
        import ibis
        import psycopg  # noqa: F401  # ibis would say what to install in its own words
    except ImportError as error:
        raise MisuseError("sources in PostgreSQL need its driver; install unseen[postgresql]") from error
    url = location.url
    options = dict(location.options)
    options.setdefault("sslmode", "prefer" if url.hostname in _LOCAL_HOSTS else "verify-full")
    return ibis.postgres.connect(
        host=options.pop("host", url.hostname),
        port=url.port or 5432,
        user=url.username,
        password=location.password(),
        database=url.path.strip("/"),
        connect_timeout=CONNECT_SECONDS,
        options="-c default_transaction_read_only=on",
        application_name="unseen",
        **options,
    )


def _other(location: Location) -> Any:
    """Any engine that Ibis knows, by its URL."""
    import ibis

    url = location.url
    if not hasattr(ibis, url.scheme) or not hasattr(getattr(ibis, url.scheme), "connect"):
        raise MisuseError(f"no engine is known by the name {url.scheme!r}; see the list of Ibis' backends")
    password = location.password()
    more = {} if password is None else {"password": password}
    try:
        query = "&".join(f"{name}={value}" for name, value in location.options.items())
        return ibis.connect(url._replace(query=query).geturl(), **more)
    except ImportError as error:
        raise MisuseError(f"the driver of {url.scheme} is not installed: ibis-framework[{url.scheme}]") from error


def _table(connection: Any, location: Location) -> ir.Table:
    if location.kind is Kind.CSV:
        return _csv(connection, location)
    if location.kind is Kind.PARQUET:
        return connection.read_parquet(str(location.path))
    there = connection.list_tables(database=location.schema) if location.schema else connection.list_tables()
    if location.table not in there:
        named = f"{location.path}#table" if location.kind is Kind.DUCKDB else "?table="
        raise MisuseError(
            f"{location.where} has no table {location.table!r} that this account may see; name one as {named}"
        )
    return connection.table(location.table, database=location.schema)


def _csv(connection: Any, location: Location) -> ir.Table:
    """Types are those that fit every line of the file."""
    names, delimiter = csv_header(location)
    words = {"delim": delimiter, "quote": '"', "escape": '"', "skip": 0, "header": True, "strict_mode": True}
    path = str(location.path)
    try:
        return connection.read_csv(path, sample_size=-1, null_padding=False, **words)
    except Exception:
        # What goes wrong while types are guessed is told without its line; read as text it has one.
        columns = {f"column{place}": "VARCHAR" for place in range(len(names))}
        connection.read_csv(path, columns=columns, auto_detect=False, **words).count().to_pyarrow()
        raise


def csv_header(location: Location) -> tuple[list[str], str]:
    """The column names, and the sign that parts the header line most often; not one in quotation marks."""
    opened = gzip.open if location.path.suffix == ".gz" else open
    try:
        with opened(location.path, "rb") as file:
            line = file.readline(HEADER_LIMIT).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{location.path} is not in UTF-8; convert it first, for example with iconv") from error
    except (OSError, EOFError) as error:
        raise DataError(
            f"{location.path} cannot be read: it is damaged, or this account may not read it"
        ) from error
    if not line.strip():
        raise DataError(f"{location.path} is empty; a CSV begins with a line of column names")
    fields = {sign: _parted(line, sign) for sign in DELIMITERS}
    sign = max(fields, key=lambda each: len(fields[each]))
    return fields[sign] or [line], sign


def _parted(line: str, sign: str) -> list[str]:
    """The line's fields; none where a quoted field does not end at this sign, so that another parts them."""
    try:
        return next(csv.reader([line], delimiter=sign, strict=True))
    except csv.Error:
        return []
