"""The book of what persons have asked for: consent and objection for a purpose, with time, source, evidence.

A DuckDB file of notes that only grows: the newest note for a person and purpose counts. It holds marks, never
identifiers; evidence is sealed. Several processes take turns by a lock file.
"""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from unseen.data.sealed import Seal
from unseen.data.subject.mark import HIGH, LOW, Marker
from unseen.encoding import Json
from unseen.errors import MisuseError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

ALL: Final = "*"
"""Every purpose."""
TEXT_LIMIT: Final = 200
_EVIDENCE: Final = b"unseen/subject/evidence"


class Asked(IntEnum):
    """What a person asked for, or said. The numbers stand in the file."""

    CONSENT = 1
    WITHDRAWAL = 2
    """Consent is withdrawn."""
    OBJECTION = 3
    LIFTED = 4
    """An objection is taken back."""
    ERASURE = 5
    """The record is to be used for nothing any more."""

    @property
    def word(self) -> str:
        return self.name.lower()


@dataclass(frozen=True)
class Note:
    """One person's word. `source` says where it came in (a form, a branch), `evidence` what proves it."""

    subject: str
    asked: Asked
    purpose: str = ALL
    at: datetime | None = None
    source: str = ""
    evidence: str = ""


@dataclass(frozen=True)
class Known:
    """A note as it is read again, evidence opened."""

    asked: Asked
    purpose: str
    at: datetime
    source: str
    evidence: str

    def as_json(self) -> dict[str, Json]:
        return {
            "asked": self.asked.word,
            "purpose": self.purpose,
            "at": self.at.isoformat(timespec="seconds"),
            "source": self.source,
            "evidence": self.evidence,
        }


class SubjectBook:
    """The book in one file, made if it is not there."""

    def __init__(self, file: Path, marker: Marker, seal: Seal) -> None:
        self._file = file
        self._marker = marker
        self._seal = seal

    def add(self, notes: Sequence[Note]) -> None:
        """Write notes down, all or none. Raises MisuseError for an empty subject or a purpose that is no word."""
        for note in notes:
            if not note.subject.strip() or len(note.purpose) > TEXT_LIMIT or not note.purpose.strip():
                raise MisuseError("a note needs a subject, and a purpose (or * for all)")
            if len(note.source) > TEXT_LIMIT:
                raise MisuseError(f"a source has at most {TEXT_LIMIT} characters")
        now = datetime.now(UTC)
        high, low = self._marker.marks(pa.array([note.subject for note in notes], pa.string()))
        table = pa.table(
            {
                HIGH: high,
                LOW: low,
                "asked": pa.array([int(note.asked) for note in notes], pa.uint8()),
                "purpose": [note.purpose for note in notes],
                "moment": pa.array([_utc(note.at or now) for note in notes], pa.timestamp("us")),
                "source": [note.source for note in notes],
                "evidence": pa.array([self._sealed(note.evidence) for note in notes], pa.binary()),
            }
        )
        with self.opened() as connection:
            insert(connection, table)

    def of(self, subject: str) -> list[Known]:
        """All notes of one person, oldest first."""
        high, low = self._marker.marks(pa.array([subject]))
        query = f"""select asked, purpose, moment, source, evidence from notes
            where {HIGH} = ? and {LOW} = ? order by moment, place"""
        with self.opened() as connection:
            rows = connection.execute(query, [int(high[0]), int(low[0])]).fetchall()
        return [
            Known(Asked(asked), purpose, at.replace(tzinfo=UTC), source, self._clear(evidence))
            for asked, purpose, at, source, evidence in rows
        ]

    def excluded(self, purpose: str) -> pa.Table:
        """The marks of those who are erased, object to the purpose, or have withdrawn consent to it.

        Where no purpose is named (`ALL`), an objection to any purpose counts: it might be this one.
        """
        with self.opened() as connection:
            return connection.execute(_EXCLUDED, {"purpose": purpose}).to_arrow_table()

    def consenting(self, purpose: str) -> pa.Table:
        """The marks of those whose consent to the purpose stands."""
        with self.opened() as connection:
            return connection.execute(_CONSENTING, {"purpose": purpose}).to_arrow_table()

    def purposes(self) -> list[str]:
        """All purposes of which anybody has said anything, in order."""
        with self.opened() as connection:
            found = connection.execute("select distinct purpose from notes order by purpose").fetchall()
        return [purpose for (purpose,) in found if purpose != ALL]

    def count(self) -> int:
        with self.opened() as connection:
            found: Any = connection.execute("select count(*) from notes").fetchone()
        return int(found[0])

    @contextlib.contextmanager
    def opened(self) -> Iterator[DuckDBPyConnection]:
        """A connection with the lock held; what it writes is one transaction."""
        import duckdb

        with self._file.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            with duckdb.connect(str(self._file)) as connection:
                self._file.chmod(0o600)
                connection.execute("set TimeZone = 'UTC'")
                connection.begin()
                connection.execute(_TABLES)
                try:
                    yield connection
                except BaseException:
                    connection.rollback()
                    raise
                connection.commit()

    def _sealed(self, evidence: str) -> bytes | None:
        return self._seal.seal(evidence.encode(), _EVIDENCE) if evidence else None

    def _clear(self, evidence: bytes | None) -> str:
        return self._seal.open(evidence, _EVIDENCE).decode() if evidence else ""


def insert(connection: DuckDBPyConnection, notes: pa.Table | pa.RecordBatchReader) -> None:
    """Append notes whose marks are made."""
    connection.register("incoming", notes)
    names = f"{HIGH}, {LOW}, asked, purpose, moment, source, evidence"
    connection.execute(f"insert into notes ({names}) select {names} from incoming")
    connection.unregister("incoming")


def _utc(moment: datetime) -> datetime:
    """Without a zone it is taken for UTC."""
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment


_TABLES: Final = f"""
create sequence if not exists places;
create table if not exists notes (
    {HIGH} bigint not null, {LOW} bigint not null, asked utinyint not null, purpose varchar not null,
    moment timestamp not null, source varchar not null, evidence blob, place bigint default nextval('places'))
"""

_CONCERNED: Final = f"(purpose in ('{ALL}', $purpose) or $purpose = '{ALL}')"

_EXCLUDED: Final = f"""
with doubted as (
    select distinct {HIGH}, {LOW} from notes
    where asked = {Asked.ERASURE:d}
       or ({_CONCERNED} and asked in ({Asked.WITHDRAWAL:d}, {Asked.OBJECTION:d}))
), newest as (
    select {HIGH}, {LOW}, asked in ({Asked.OBJECTION:d}, {Asked.LIFTED:d}) as objecting, purpose,
           arg_max(asked, epoch_us(moment)::hugeint * 4294967296 + place) as asked
    from notes semi join doubted using ({HIGH}, {LOW})
    where asked <> {Asked.ERASURE:d} and {_CONCERNED}
    group by all
)
select distinct {HIGH}, {LOW} from newest where asked in ({Asked.WITHDRAWAL:d}, {Asked.OBJECTION:d})
union
select {HIGH}, {LOW} from notes where asked = {Asked.ERASURE:d}
"""
# objections and consents are two separate threads of a person's word, each for one purpose and for all

_CONSENTING: Final = f"""
select distinct {HIGH}, {LOW} from notes anti join ({_EXCLUDED}) using ({HIGH}, {LOW})
where asked = {Asked.CONSENT:d} and purpose in ('{ALL}', $purpose)
"""
