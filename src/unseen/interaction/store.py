"""A node's own database: partners, agreements, jobs and their events.

SQLite in the home folder, through SQLAlchemy. Command line and node use it at the same time from several
processes: every change is one transaction, and a job changes its state only from a state that allows it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sql

from unseen.encoding import Json, canonical, parse_json
from unseen.errors import MisuseError
from unseen.interaction.job import Fault, JobRecord, State

NAME_LIMIT: Final = 128
_JSON_COLUMNS: Final = ("request", "plan", "grants", "testimonies", "receipt", "fault", "result")

_METADATA: Final = sql.MetaData()
_PARTNERS: Final = sql.Table(
    "partners",
    _METADATA,
    sql.Column("name", sql.String(NAME_LIMIT), primary_key=True),
    sql.Column("card", sql.LargeBinary, nullable=False),
    sql.Column("introduced", sql.String(40), nullable=False),
)
_AGREEMENTS: Final = sql.Table(
    "agreements",
    _METADATA,
    sql.Column("id", sql.String(64), primary_key=True),
    sql.Column("title", sql.String(200), nullable=False),
    sql.Column("envelope", sql.LargeBinary, nullable=False),
    sql.Column("changed", sql.String(40), nullable=False),
)
_JOBS: Final = sql.Table(
    "jobs",
    _METADATA,
    sql.Column("job", sql.String(32), primary_key=True),
    sql.Column("application", sql.String(NAME_LIMIT), nullable=False),
    sql.Column("agreement", sql.String(64), nullable=False, index=True),
    sql.Column("requester", sql.String(NAME_LIMIT), nullable=False),
    sql.Column("state", sql.String(16), nullable=False, index=True),
    sql.Column("plan_hash", sql.String(64), nullable=False),
    sql.Column("created", sql.String(40), nullable=False),
    sql.Column("updated", sql.String(40), nullable=False),
    sql.Column("expires", sql.Float, nullable=False),
    *(sql.Column(name, sql.LargeBinary) for name in _JSON_COLUMNS),
)
_EVENTS: Final = sql.Table(
    "events",
    _METADATA,
    sql.Column("id", sql.Integer, primary_key=True, autoincrement=True),
    sql.Column("job", sql.String(32), nullable=False, index=True),
    sql.Column("at", sql.String(40), nullable=False),
    sql.Column("kind", sql.String(16), nullable=False),
    sql.Column("body", sql.LargeBinary, nullable=False),
)


@dataclass(frozen=True)
class Event:
    """One thing that happened to a job: a change of state, or progress of a step."""

    id: int
    job: str
    at: str
    kind: str
    body: Mapping[str, Json]

    def as_json(self) -> dict[str, Json]:
        return {"id": self.id, "job": self.job, "at": self.at, "kind": self.kind, "body": dict(self.body)}


def now() -> str:
    """The present time in UTC as ISO 8601, to the microsecond: fine enough to order by."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


class Store:
    """The database of one home. Thread-safe; close it when done."""

    def __init__(self, path: Path) -> None:
        self.engine = sql.create_engine(f"sqlite:///{path}", connect_args={"timeout": 20.0})
        sql.event.listen(self.engine, "connect", _configure)
        _METADATA.create_all(self.engine)

    def close(self) -> None:
        self.engine.dispose()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- partners --------------------------------------------------------------------------------------

    def save_partner(self, name: str, card: bytes) -> None:
        """Record or replace a partner's introduction card (its envelope's bytes)."""
        with self.engine.begin() as connection:
            connection.execute(_PARTNERS.delete().where(_PARTNERS.c.name == name))
            connection.execute(_PARTNERS.insert().values(name=name, card=card, introduced=now()))

    def remove_partner(self, name: str) -> None:
        with self.engine.begin() as connection:
            connection.execute(_PARTNERS.delete().where(_PARTNERS.c.name == name))

    def partners(self) -> dict[str, bytes]:
        """The cards of all partners, by name."""
        with self.engine.connect() as connection:
            rows = connection.execute(sql.select(_PARTNERS.c.name, _PARTNERS.c.card).order_by("name"))
            return {row.name: row.card for row in rows}

    # --- agreements ------------------------------------------------------------------------------------

    def save_agreement(self, agreement: str, title: str, envelope: bytes) -> None:
        """Record an agreement with the signatures that are known now, replacing what was known before."""
        with self.engine.begin() as connection:
            connection.execute(_AGREEMENTS.delete().where(_AGREEMENTS.c.id == agreement))
            connection.execute(
                _AGREEMENTS.insert().values(id=agreement, title=title[:200], envelope=envelope, changed=now())
            )

    def remove_agreement(self, agreement: str) -> None:
        with self.engine.begin() as connection:
            connection.execute(_AGREEMENTS.delete().where(_AGREEMENTS.c.id == agreement))

    def agreement(self, prefix: str) -> tuple[str, bytes]:
        """Identifier and envelope of the one agreement whose identifier begins so. Raises MisuseError."""
        with self.engine.connect() as connection:
            rows = connection.execute(
                sql.select(_AGREEMENTS.c.id, _AGREEMENTS.c.envelope).where(
                    _AGREEMENTS.c.id.startswith(prefix, autoescape=True)
                )
            ).all()
        if len(rows) != 1 or not prefix:
            found = "several agreements begin" if len(rows) > 1 else "no agreement begins"
            raise MisuseError(f"{found} with {prefix!r}; `unseen agree list` shows those there are")
        return rows[0].id, rows[0].envelope

    def agreements(self) -> list[tuple[str, bytes]]:
        """Identifier and envelope of all agreements, newest change first."""
        with self.engine.connect() as connection:
            rows = connection.execute(
                sql.select(_AGREEMENTS.c.id, _AGREEMENTS.c.envelope).order_by(_AGREEMENTS.c.changed.desc())
            )
            return [(row.id, row.envelope) for row in rows]

    # --- jobs ------------------------------------------------------------------------------------------

    def add_job(self, record: JobRecord) -> None:
        """Record a new job. Raises MisuseError if one of that name exists."""
        values = {
            name: getattr(record, name)
            for name in ("job", "application", "agreement", "requester", "plan_hash", "expires")
        }
        values |= {"state": record.state.value, "created": record.created, "updated": record.updated}
        values |= {name: _pack(getattr(record, name)) for name in _JSON_COLUMNS}
        try:
            with self.engine.begin() as connection:
                connection.execute(_JOBS.insert().values(**values))
                _add_event(connection, record.job, "state", {"state": record.state.value})
        except sql.exc.IntegrityError as error:
            raise MisuseError(f"a job {record.job} exists already") from error

    def move(self, job: str, to: State, **changes: Json | Fault) -> bool:
        """Bring a job to another state, if its present one allows it, and set the given fields with it.

        Returns False, and changes nothing, where the present state does not lead there: someone else was first.
        """
        sources = [state.value for state in State if state.may_become(to)]
        values = {name: _pack(value) for name, value in changes.items()}
        with self.engine.begin() as connection:
            done = connection.execute(
                _JOBS.update()
                .where(_JOBS.c.job == job, _JOBS.c.state.in_(sources))
                .values(state=to.value, updated=now(), **values)
            ).rowcount
            if done:
                fault = changes.get("fault")
                body: dict[str, Json] = {"state": to.value}
                if isinstance(fault, Fault):
                    body["fault"] = fault.as_json()
                _add_event(connection, job, "state", body)
        return bool(done)

    def job(self, prefix: str) -> JobRecord:
        """The one job whose name begins so. Raises MisuseError."""
        with self.engine.connect() as connection:
            rows = connection.execute(
                sql.select(_JOBS).where(_JOBS.c.job.startswith(prefix, autoescape=True)).limit(2)
            ).all()
        if len(rows) != 1 or not prefix:
            found = "several jobs begin" if len(rows) > 1 else "no job begins"
            raise MisuseError(f"{found} with {prefix!r}; `unseen jobs` shows those there are")
        return _record(rows[0])

    def jobs(self, *states: State, agreement: str | None = None) -> list[JobRecord]:
        """All jobs (of these states, of this agreement), newest first."""
        query = sql.select(_JOBS).order_by(_JOBS.c.created.desc())
        if states:
            query = query.where(_JOBS.c.state.in_([state.value for state in states]))
        if agreement is not None:
            query = query.where(_JOBS.c.agreement == agreement)
        with self.engine.connect() as connection:
            return [_record(row) for row in connection.execute(query)]

    # --- events ----------------------------------------------------------------------------------------

    def add_event(self, job: str, kind: str, body: Mapping[str, Json]) -> None:
        with self.engine.begin() as connection:
            _add_event(connection, job, kind, body)

    def events(self, job: str, after: int = 0) -> list[Event]:
        """Events of a job with a higher number than `after`, in order."""
        query = sql.select(_EVENTS).where(_EVENTS.c.job == job, _EVENTS.c.id > after).order_by(_EVENTS.c.id)
        with self.engine.connect() as connection:
            return [
                Event(row.id, row.job, row.at, row.kind, _object(parse_json(row.body)))
                for row in connection.execute(query)
            ]


def _add_event(connection: sql.Connection, job: str, kind: str, body: Mapping[str, Json]) -> None:
    connection.execute(_EVENTS.insert().values(job=job, at=now(), kind=kind, body=canonical(body)))


def _configure(connection: Any, _: object) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.close()


def _pack(value: Any) -> bytes | None:
    if value is None:
        return None
    return canonical(value.as_json() if isinstance(value, Fault) else value)


def _object(value: Json) -> Mapping[str, Json]:
    if not isinstance(value, Mapping):
        raise MisuseError("a row of the store is damaged; restore the database from its backup")
    return value


def _record(row: Any) -> JobRecord:
    unpacked = {name: parse_json(data) if (data := getattr(row, name)) else None for name in _JSON_COLUMNS}
    return JobRecord(
        job=row.job,
        application=row.application,
        agreement=row.agreement,
        requester=row.requester,
        state=State(row.state),
        request=_object(unpacked["request"]),
        plan_hash=row.plan_hash,
        plan=_object(unpacked["plan"]),
        created=row.created,
        updated=row.updated,
        expires=row.expires,
        grants=_sequence(unpacked["grants"]),
        testimonies=_sequence(unpacked["testimonies"]),
        receipt=unpacked["receipt"],
        fault=Fault.from_json(unpacked["fault"]) if unpacked["fault"] else None,
        result=_object(unpacked["result"] or {}),
    )


def _sequence(value: Json) -> Sequence[Json]:
    return value if isinstance(value, Sequence) and not isinstance(value, str) else ()
