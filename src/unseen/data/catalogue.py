"""What an institution has on offer: data sets, their columns, and what each column may be used for.

The catalogue lies in the institution's own database. Every change makes a new version of the data set's entry;
a job records the version that it ran under, and older versions stay readable.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

import sqlalchemy as sql

from unseen.encoding import Json, canonical, parse_json
from unseen.errors import DataError, MisuseError, RefusedError


class Use(StrEnum):
    """What a column may be used for in a joint computation."""

    JOIN = "join"
    """As an identifier by which institutions find common customers."""
    FEATURE = "feature"
    """As an input of a model."""
    LABEL = "label"
    """As the outcome that a model learns."""
    FILTER = "filter"
    """To choose rows."""
    GROUP = "group"
    """To form groups."""
    AGGREGATE = "aggregate"
    """In sums, counts and means over groups large enough."""
    RETRIEVE = "retrieve"
    """To be looked up row by row."""


class Level(StrEnum):
    """How sensitive a column is, in the five steps of JR/T 0197-2020."""

    PUBLIC = "1"
    INTERNAL = "2"
    SENSITIVE = "3"
    HIGHLY_SENSITIVE = "4"
    SECRET = "5"


@dataclass(frozen=True)
class Column:
    """One column: its type in the source, what it holds, how sensitive it is, and its allowed uses.

    `description` is what a partner may read, for example as a reason code; it never holds a value.
    """

    name: str
    type: str
    category: str = "unclassified"
    level: Level = Level.SENSITIVE
    uses: tuple[Use, ...] = ()
    description: str = ""

    def as_json(self) -> Json:
        return {**asdict(self), "level": self.level.value, "uses": [use.value for use in self.uses]}


@dataclass(frozen=True)
class Dataset:
    """A data set on offer: where it lies, which column names the person, and its columns."""

    name: str
    source: str
    subject: str
    columns: tuple[Column, ...]
    rows: int
    version: int
    registered: str

    def column(self, name: str) -> Column:
        """Raises DataError, naming the columns there are."""
        for column in self.columns:
            if column.name == name:
                return column
        known = ", ".join(column.name for column in self.columns)
        raise DataError(f"data set {self.name!r} has no column {name!r} (columns: {known})")

    def require(self, column: str, use: Use) -> Column:
        """The column, if its entry allows the use. Raises RefusedError under rule `catalogue-use`."""
        found = self.column(column)
        if use not in found.uses:
            raise RefusedError(
                "catalogue-use",
                f"column {column!r} of data set {self.name!r} is not on offer as {use.value}",
                f"a steward may allow it: unseen dataset allow {self.name} {column}={use.value}",
            )
        return found

    def as_json(self) -> Json:
        return {
            "name": self.name,
            "source": self.source,
            "subject": self.subject,
            "columns": [column.as_json() for column in self.columns],
            "rows": self.rows,
            "version": self.version,
            "registered": self.registered,
        }


NAME_LIMIT: Final = 64


class Catalogue:
    """The catalogue in one database. Creates its table where there is none."""

    def __init__(self, engine: sql.Engine) -> None:
        self._engine = engine
        metadata = sql.MetaData()
        self._entries = sql.Table(
            "catalogue",
            metadata,
            sql.Column("name", sql.String(NAME_LIMIT), primary_key=True),
            sql.Column("version", sql.Integer, primary_key=True),
            sql.Column("entry", sql.LargeBinary, nullable=False),
        )
        metadata.create_all(engine)

    def add(
        self,
        name: str,
        source: str,
        subject: str,
        uses: Mapping[str, Sequence[Use]] | None = None,
        descriptions: Mapping[str, str] | None = None,
    ) -> Dataset:
        """Register a data set: reads its columns and row count from the source.

        `uses` maps columns to what they are on offer for (the subject column always as join); columns left out
        are not on offer. Raises DataError for an empty table or a column that is not there, MisuseError for a
        name that is no identifier, UnavailableError for a source that cannot be read.
        """
        from unseen.data.source import open_source

        if not name.isidentifier() or len(name) > NAME_LIMIT:
            raise MisuseError(f"{name!r} is no name for a data set; use letters, digits and underscores")
        with open_source(source) as opened:
            schema, rows = opened.schema(), opened.rows()
        if rows == 0:
            raise DataError(f"the source of data set {name!r} has no rows")
        offered = {column: tuple(given) for column, given in (uses or {}).items()}
        offered[subject] = tuple(dict.fromkeys((*offered.get(subject, ()), Use.JOIN)))
        missing = sorted((set(offered) | set(descriptions or {})) - set(schema))
        if missing:
            raise DataError(
                f"the source of data set {name!r} has no column {', '.join(missing)}; it has {', '.join(schema)}"
            )
        described = descriptions or {}
        columns = tuple(
            Column(column, kind, uses=offered.get(column, ()), description=described.get(column, ""))
            for column, kind in schema.items()
        )
        return self._write(Dataset(name, source, subject, columns, rows, 0, ""))

    def allow(self, name: str, uses: Mapping[str, Sequence[Use]]) -> Dataset:
        """Set what the named columns are on offer for; a new version."""
        dataset = self.get(name)
        for column in uses:
            dataset.column(column)
        columns = tuple(
            replace(column, uses=tuple(uses[column.name])) if column.name in uses else column
            for column in dataset.columns
        )
        return self._write(replace(dataset, columns=columns))

    def get(self, name: str, version: int | None = None) -> Dataset:
        """The newest (or the given) version of an entry. Raises DataError, naming those there are."""
        entries = self._entries
        query = sql.select(entries.c.entry).where(entries.c.name == name).order_by(entries.c.version.desc())
        if version is not None:
            query = query.where(entries.c.version == version)
        with self._engine.connect() as connection:
            data = connection.execute(query).scalars().first()
        if data is None:
            known = ", ".join(self.names()) or "none"
            raise DataError(f"no data set {name!r} is registered here (registered: {known})")
        return _dataset(parse_json(data))

    def names(self) -> list[str]:
        with self._engine.connect() as connection:
            return list(connection.execute(sql.select(self._entries.c.name).distinct().order_by("name")).scalars())

    def _write(self, dataset: Dataset) -> Dataset:
        entries = self._entries
        with self._engine.begin() as connection:
            newest = connection.execute(
                sql.select(sql.func.max(entries.c.version)).where(entries.c.name == dataset.name)
            ).scalar()
            stamped = replace(
                dataset, version=(newest or 0) + 1, registered=datetime.now(UTC).isoformat(timespec="seconds")
            )
            connection.execute(
                entries.insert().values(
                    name=stamped.name, version=stamped.version, entry=canonical(stamped.as_json())
                )
            )
        return stamped


def _dataset(value: Json) -> Dataset:
    if not isinstance(value, dict):
        raise DataError("a catalogue entry is damaged; restore the database from its backup")
    columns = tuple(
        Column(**{**entry, "level": Level(entry["level"]), "uses": tuple(Use(use) for use in entry["uses"])})
        for entry in value["columns"]
    )
    return Dataset(**{**value, "columns": columns})
