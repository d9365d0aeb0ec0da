"""Signed documents that a node keeps beside agreements: notices, approvals, enrolments, by what they are about.

A document is kept once, under its digest, and never changed or removed: what it means is worked out by reading
all documents about the same thing.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

import sqlalchemy as sql

from unseen.encoding import canonical
from unseen.interaction.envelope import Envelope, parse

_METADATA: Final = sql.MetaData()
_DOCUMENTS: Final = sql.Table(
    "documents",
    _METADATA,
    sql.Column("digest", sql.String(64), primary_key=True),
    sql.Column("kind", sql.String(128), nullable=False),
    sql.Column("about", sql.String(128), nullable=False, index=True),
    sql.Column("envelope", sql.LargeBinary, nullable=False),
    sql.Column("received", sql.String(40), nullable=False),
)


class Documents:
    """The documents in one database. Creates its table where there is none."""

    def __init__(self, engine: sql.Engine) -> None:
        self._engine = engine
        _METADATA.create_all(engine)

    def keep(self, about: str, envelope: Envelope) -> bool:
        """Keep a document about something (an agreement, a plan, a person); False if it is known already."""
        values = {
            "digest": envelope.digest,
            "kind": envelope.kind,
            "about": about,
            "envelope": canonical(envelope.as_json()),
            "received": datetime.now(UTC).isoformat(timespec="milliseconds"),
        }
        try:
            with self._engine.begin() as connection:
                connection.execute(_DOCUMENTS.insert().values(**values))
        except sql.exc.IntegrityError:
            return False
        return True

    def about(self, about: str, kind: str) -> list[Envelope]:
        """All documents of a kind about something, in the order in which they came."""
        query = (
            sql.select(_DOCUMENTS.c.envelope)
            .where(_DOCUMENTS.c.about == about, _DOCUMENTS.c.kind == kind)
            .order_by(_DOCUMENTS.c.received, _DOCUMENTS.c.digest)
        )
        with self._engine.connect() as connection:
            return [parse(data) for data in connection.execute(query).scalars()]

    def of_kind(self, kind: str) -> list[Envelope]:
        """All documents of a kind."""
        query = sql.select(_DOCUMENTS.c.envelope).where(_DOCUMENTS.c.kind == kind).order_by(_DOCUMENTS.c.received)
        with self._engine.connect() as connection:
            return [parse(data) for data in connection.execute(query).scalars()]
