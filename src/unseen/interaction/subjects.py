"""What persons ask of this institution, on record; who passes at a release; and which runs used a record.

The ledger calls a person by their mark, and holds source and evidence sealed: it verifies without opening them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from unseen.data.subject.book import ALL, Asked, Known, Note, SubjectBook
from unseen.data.subject.importing import import_csv
from unseen.data.subject.mark import Marker
from unseen.data.subject.roster import Rosters
from unseen.data.subject.screen import Screen
from unseen.encoding import Json, canonical, to_base64
from unseen.errors import MisuseError
from unseen.interaction.home import Home
from unseen.interaction.ledger import Entry, Kind
from unseen.interaction.store import Store

KEYSET: Final = "subjects"


@dataclass(frozen=True)
class RunUse:
    """A run that used a person's record: when, under which agreement, what for, with whom, with which columns."""

    job: str
    when: str
    dataset: str
    columns: tuple[str, ...]
    application: str
    agreement: str
    title: str
    purpose: str
    partners: tuple[str, ...]
    state: str

    def as_json(self) -> dict[str, Json]:
        return {**asdict(self), "columns": list(self.columns), "partners": list(self.partners)}


class Subjects:
    """The persons in one home's data."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._seal = home.keyring.seal(KEYSET)
        self._marker = Marker(home.keyring.secret(KEYSET))
        self.book = SubjectBook(home.path / "subjects.duckdb", self._marker, self._seal)
        self.rosters = Rosters(home.path / "rosters", self._seal, self._marker)

    def screen(self, purpose: str, consent: bool) -> Screen:
        """Who may be in a release for this purpose; with `consent`, only those whose consent stands."""
        return Screen(self.book, self._marker, purpose, consent)

    def note(self, note: Note) -> None:
        """Write down what one person asked for, in the book and, by their mark, in the ledger."""
        moment = note.at or datetime.now(UTC)
        stamped = Note(note.subject, note.asked, note.purpose, moment, note.source, note.evidence)
        self.book.add([stamped])
        mark = self._marker.name(note.subject)
        key = f"subject/{mark}/{note.asked.word}/{note.purpose}/{moment.isoformat(timespec='microseconds')}"
        self._record(
            key,
            {"subject": mark, "asked": note.asked.word, "purpose": note.purpose},
            {"source": note.source, "evidence": note.evidence},
        )

    def take(self, file: Path, asked: Asked, purpose: str, progress: Any) -> int:
        """Notes of many persons from a CSV file, all or none; returns how many."""
        rows = import_csv(self.book, self._marker, file, asked, purpose, progress)
        key = f"subjects/{asked.word}/{purpose}/{datetime.now(UTC).isoformat(timespec='microseconds')}"
        self._record(key, {"asked": asked.word, "purpose": purpose, "persons": rows}, {"source": file.name})
        return rows

    def erase(self, subject: str, source: str, evidence: str) -> list[RunUse]:
        """Use a record for nothing any more, and forget its random tokens; returns the runs that used it."""
        from unseen.data.protect.vault import Vault

        self.note(Note(subject, Asked.ERASURE, ALL, None, source, evidence))
        for folder in sorted((self._home.path / "vault").glob("*/*")):
            Vault(folder, self._home.keyring.seal(f"dataset-{folder.parent.name}")).erase(subject)
        used = self.runs(subject)
        mark = self._marker.name(subject)
        for use in used:
            key = f"subject/{mark}/erased/{use.job}/{use.dataset}"
            body = {"subject": mark, "asked": "erasure", "affects": use.job, "dataset": use.dataset}
            self._home.ledger.append(Kind.SUBJECT_REQUEST, key, body)
        return used

    def access(self, subject: str) -> tuple[list[Known], dict[str, int], list[RunUse]]:
        """All there is about a person: their own words, rows by data set, runs. The asking is on record."""
        rows = self.rows(subject)
        mark = self._marker.name(subject)
        now = datetime.now(UTC).isoformat(timespec="microseconds")
        self._record(f"subject/{mark}/access/{now}", {"subject": mark, "asked": "access"}, {})
        return self.book.of(subject), rows, self.runs(subject)

    def rows(self, subject: str) -> dict[str, int]:
        """How many rows each data set has of a person, where it has any, asked of the sources now."""
        from unseen.data.catalogue import Catalogue
        from unseen.data.subject.holding import rows_of

        with self._home.store() as store:
            catalogue = Catalogue(store.engine)
            entries = [catalogue.get(name) for name in catalogue.names()]
        counts = {entry.name: rows_of(entry, subject) for entry in entries}
        return {name: count for name, count in counts.items() if count}

    def runs(self, subject: str) -> list[RunUse]:
        """The runs whose release held the person, oldest first."""
        found: list[RunUse] = []
        held: dict[str, bool] = {}
        with self._home.store() as store:
            for entry in self._home.ledger.entries():
                record = entry.body.get("release") if entry.kind is Kind.RELEASE else None
                if not isinstance(record, Mapping) or not record.get("roster"):
                    continue
                roster = str(record["roster"])
                if roster not in held:
                    held[roster] = self.rosters.holds(roster, subject)
                if held[roster]:
                    found.append(self._use(store, entry, record))
        return found

    def _use(self, store: Store, entry: Entry, record: Mapping[str, Json]) -> RunUse:
        from unseen.interaction.agreements import Agreements

        if "job" not in entry.body:
            return _given_out(entry, record)
        job = store.job(str(entry.body["job"]))
        try:
            title = Agreements(self._home, store).find(job.agreement).terms.agreement
        except MisuseError:
            title = "an agreement that is gone"
        columns: Any = record["columns"]
        return RunUse(
            job=job.job,
            when=entry.time,
            dataset=str(record["dataset"]),
            columns=tuple(columns),
            application=job.application,
            agreement=job.agreement,
            title=title,
            purpose=str(job.plan.get("purpose", "")),
            partners=tuple(party for party in job.parties if party != self._home.name),
            state=job.state.value,
        )

    def _record(self, key: str, body: dict[str, Json], private: Mapping[str, Json]) -> None:
        if any(private.values()):
            body["sealed"] = to_base64(self._seal.seal(canonical(private), key.encode()))
        self._home.ledger.append(Kind.SUBJECT_REQUEST, key, body)


def _given_out(entry: Entry, record: Mapping[str, Json]) -> RunUse:
    """A use outside any job: an export to a recipient, or a synthetic copy."""
    columns: Any = record["columns"]
    what = "export" if "export" in entry.body else "synthetic copy"
    recipient = str(entry.body.get("recipient", ""))
    return RunUse(
        job=str(entry.body.get("export", entry.key)),
        when=entry.time,
        dataset=str(record["dataset"]),
        columns=tuple(columns),
        application=what,
        agreement="",
        title=what,
        purpose=str(entry.body.get("purpose", "")),
        partners=(recipient,) if recipient else (),
        state="done",
    )
