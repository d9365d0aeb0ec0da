"""How a source is named, and what may stand in that name.

    loans.csv  loans.csv.gz  loans.tsv  loans.parquet       a file
    core.duckdb#loans                                       a table of a DuckDB file
    postgresql://reader@db.bank.example/core?table=loans    a table of a database; `schema=` where not the default

The name stands in the catalogue, in the ledger and in messages, so it never holds a password: that comes from a
file that only this account can read (`password_file=/…`), or for PostgreSQL from its own `PGPASSWORD` or
`~/.pgpass`, or a client certificate takes its place (`sslcert=/…&sslkey=/…`).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, parse_qsl, urlsplit

from unseen.errors import MisuseError, UnavailableError

PASSWORD_BYTES_LIMIT: Final = 4096


class Kind(StrEnum):
    """The kinds of source; each other database is ENGINE, named by its URL's scheme."""

    CSV = "csv"
    PARQUET = "parquet"
    DUCKDB = "duckdb"
    POSTGRESQL = "postgresql"
    ENGINE = "engine"


_ENDINGS: Final = {"csv": Kind.CSV, "tsv": Kind.CSV, "parquet": Kind.PARQUET, "duckdb": Kind.DUCKDB}
_POSTGRESQL: Final = ("postgresql", "postgres")
_OWN_OPTIONS: Final = ("table", "schema", "password_file")


@dataclass(frozen=True)
class Location:
    """A source's name, taken apart. `options` are those of a URL that are meant for the engine's driver."""

    text: str
    kind: Kind
    path: Path
    table: str
    schema: str | None
    password_file: Path | None
    options: dict[str, str]

    @property
    def url(self) -> SplitResult:
        return urlsplit(self.text)

    @property
    def where(self) -> str:
        """What messages call it: the path, or host and database of a URL."""
        if self.kind is Kind.POSTGRESQL or self.kind is Kind.ENGINE:
            url = self.url
            return f"{url.scheme}://{url.hostname or ''}{url.path}, table {self.table}"
        return str(self.path)

    def password(self) -> str | None:
        """From the password file, its first line. Raises MisuseError if others may read it, UnavailableError."""
        file = self.password_file
        if file is None:
            return None
        try:
            mode = file.stat().st_mode
            with file.open(encoding="utf-8") as opened:
                line = opened.readline(PASSWORD_BYTES_LIMIT)
        except (OSError, UnicodeDecodeError) as error:
            raise UnavailableError(f"the password file {file} cannot be read by this account") from error
        if mode & 0o077:
            raise MisuseError(f"others can read the password file {file}; mend: chmod 600 {file}")
        return line.rstrip("\r\n")


def read_location(text: str) -> Location:
    """Take a source's name apart. Raises MisuseError for one that cannot be used; never repeats a password."""
    if "://" in text:
        return _from_url(text)
    path, _, table = text.partition("#")
    ending = path.lower().removesuffix(".gz").rpartition(".")[2]
    kind = _ENDINGS.get(ending)
    if kind is None:
        raise MisuseError(
            f"{path} is of a kind that is not known; use .csv, .csv.gz, .tsv, .parquet, .duckdb#table or a "
            "database's URL with ?table="
        )
    return Location(text, kind, Path(path), table, None, None, {})


def _from_url(text: str) -> Location:
    try:
        url = urlsplit(text)
        password, _ = url.password, url.port
        options = dict(parse_qsl(url.query, strict_parsing=bool(url.query), max_num_fields=50))
    except ValueError as error:
        raise MisuseError(
            "the source's URL cannot be read; write scheme://user@host:port/database?table=…"
        ) from error
    if password is not None or "password" in options:
        raise MisuseError(
            "a source's URL must not hold a password: it would stand in the catalogue and the ledger. Put the "
            "password into a file of mode 0600 and write ?password_file=/path, or use ~/.pgpass or a certificate"
        )
    table = options.get("table", "")
    if not table:
        raise MisuseError("the source's URL names no table; add ?table=NAME (and schema=NAME where needed)")
    file = options.get("password_file")
    return Location(
        text,
        Kind.POSTGRESQL if url.scheme in _POSTGRESQL else Kind.ENGINE,
        Path(),
        table,
        options.get("schema"),
        Path(file) if file else None,
        {name: value for name, value in options.items() if name not in _OWN_OPTIONS},
    )
