"""The catalogue: what an institution has on offer, kept in the institution's own database.

Every change makes a new version of a data set's entry; a job records the version that it ran under, and older
versions stay readable.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any, Final

import sqlalchemy as sql

from unseen.data.dataset import (
    Classified,
    Column,
    Dataset,
    Level,
    Protection,
    Retention,
    Use,
    dataset_from_json,
)
from unseen.encoding import canonical, parse_json
from unseen.errors import DataError, MisuseError

__all__ = ["Catalogue", "Classified", "Column", "Dataset", "Level", "Protection", "Retention", "Use"]

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
        *,
        owner: str = "",
        retention: Retention | None = None,
        jurisdictions: Sequence[str] = (),
    ) -> Dataset:
        """Register a data set: the source's engine counts its columns; those on offer are classified at once.

        `uses` maps columns to what they are on offer for (the subject column always as join); columns left out
        are not on offer, and stay unclassified until somebody looks. Raises DataError for an empty table, a
        column that is not there, or one of numbers mixed with text; MisuseError for a name that is no
        identifier; UnavailableError for a source that cannot be read.
        """
        from unseen.data.classify.dataset import classify_source
        from unseen.data.source import open_source

        _checked(name)
        described = descriptions or {}
        offered = {column: tuple(given) for column, given in (uses or {}).items()}
        offered[subject] = tuple(dict.fromkeys((*offered.get(subject, ()), Use.JOIN)))
        counted = {retention.column} if retention is not None and retention.column else set()
        with open_source(source) as opened:
            schema = opened.schema()
            missing = sorted((set(offered) | set(described) | counted) - set(schema))
            if missing:
                raise DataError(
                    f"the source of data set {name!r} has no column {', '.join(missing)}; "
                    f"it has {', '.join(schema)}"
                )
            measured = opened.measure()
            rows = measured.rows
            if rows == 0:
                raise DataError(
                    f"the source of data set {name!r} has no rows; check the name, whether this account may"
                    " see its rows, and that it is filled before it is added"
                )
            _require_unmixed(name, opened.mixed([column for column in offered if _is_measured(offered[column])]))
            found = classify_source(opened, offered)
        columns = tuple(
            Column(
                column,
                kind,
                uses=offered.get(column, ()),
                description=described.get(column, ""),
                nulls=measured.nulls[column],
                distinct=measured.distinct.get(column),
                **(_as_fields(found[column]) if column in found else {}),
            )
            for column, kind in schema.items()
        )
        return self._write(
            Dataset(name, source, subject, columns, rows, 0, "", owner, retention, tuple(jurisdictions))
        )

    def steward(
        self,
        name: str,
        *,
        owner: str | None = None,
        retention: Retention | None = None,
        jurisdictions: Sequence[str] | None = None,
    ) -> Dataset:
        """Set who answers for the data set, how long its rows are kept, where its persons live; a new version.

        What is left out stays. Raises DataError if the retention counts from a column that is not there.
        """
        dataset = self.get(name)
        if retention is not None and retention.column:
            dataset.column(retention.column)
        return self._write(
            replace(
                dataset,
                owner=dataset.owner if owner is None else owner,
                retention=retention or dataset.retention,
                jurisdictions=dataset.jurisdictions if jurisdictions is None else tuple(jurisdictions),
            )
        )

    def classify(self, name: str, found: Mapping[str, Classified]) -> Dataset:
        """Record what the named columns hold, as found and confirmed or as declared; a new version."""
        return self._change(name, {column: _as_fields(held) for column, held in found.items()})

    def protect(self, name: str, protections: Mapping[str, Protection | None]) -> Dataset:
        """Set how the named columns are protected before they leave (None: not at all); a new version."""
        return self._change(name, {column: {"protection": chosen} for column, chosen in protections.items()})

    def allow(self, name: str, uses: Mapping[str, Sequence[Use]]) -> Dataset:
        """Set what the named columns are on offer for; a new version."""
        return self._change(name, {column: {"uses": tuple(given)} for column, given in uses.items()})

    def adopt(self, dataset: Dataset) -> Dataset:
        """Take in an entry that was written elsewhere (a data contract), as the newest version of its name.

        Rows, nulls and distinct values are measured again. Raises MisuseError for a name that is no identifier,
        DataError unless the source has the entry's columns, with its types.
        """
        from unseen.data.source import open_source

        _checked(dataset.name)
        with open_source(dataset.source) as opened:
            schema, measured = opened.schema(), opened.measure()
        for column in dataset.columns:
            there = schema.get(column.name, "not there")
            if there != column.type:
                raise DataError(
                    f"column {column.name!r} of data set {dataset.name!r} is {column.type} in the data contract"
                    f" and {there} in {dataset.source}; mend the contract, or register with `unseen dataset add`"
                )
        dataset.column(dataset.subject)
        columns = tuple(
            replace(column, nulls=measured.nulls[column.name], distinct=measured.distinct.get(column.name))
            for column in dataset.columns
        )
        return self._write(replace(dataset, columns=columns, rows=measured.rows))

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
        return dataset_from_json(parse_json(data))

    def names(self) -> list[str]:
        with self._engine.connect() as connection:
            return list(connection.execute(sql.select(self._entries.c.name).distinct().order_by("name")).scalars())

    def _change(self, name: str, changes: Mapping[str, Mapping[str, Any]]) -> Dataset:
        """A new version with these fields of these columns changed. Raises DataError for a column not there."""
        dataset = self.get(name)
        for column in changes:
            dataset.column(column)
        columns = tuple(replace(column, **changes.get(column.name, {})) for column in dataset.columns)
        return self._write(replace(dataset, columns=columns))

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


def _as_fields(held: Classified) -> dict[str, Any]:
    return {each.name: getattr(held, each.name) for each in fields(held)}


def _checked(name: str) -> None:
    if not name.isidentifier() or len(name) > NAME_LIMIT:
        raise MisuseError(f"{name!r} is no name for a data set; use letters, digits and underscores")


MEASURED_USES: Final = (Use.FEATURE, Use.AGGREGATE)
MOST_MIXED: Final = 0.9
"""A column of text is taken for one of numbers, some of them broken, where so many of its values are numbers."""


def _is_measured(uses: Sequence[Use]) -> bool:
    return any(use in MEASURED_USES for use in uses)


def _require_unmixed(name: str, shares: Mapping[str, float]) -> None:
    """Raises DataError for a column whose values are numbers for the most part, and text for the rest."""
    for column, share in shares.items():
        if MOST_MIXED <= share < 1:
            raise DataError(
                f"column {column!r} of data set {name!r} holds numbers in {share:.1%} of its values and other "
                "text in the rest; mend these values at the source (or leave them empty), and register it again"
            )
