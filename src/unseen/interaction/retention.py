"""Results leave when their time is over: after the agreed days, or when a partner that leaves withdraws them.

What a run wrote lies in its job's folder: results, models, scores, and what it prepared for one later run. Shares
are never written to disk otherwise; what a run that did not end well left there is intermediate, and goes after
the days agreed for shares (none, as a rule).
What was erased, and why, is on record; task and log, which hold no data of persons, stay.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from unseen.encoding import Json
from unseen.errors import MisuseError
from unseen.interaction.agreements import Agreements
from unseen.interaction.home import Home
from unseen.interaction.job import JobRecord, State
from unseen.interaction.ledger import Kind
from unseen.interaction.store import Store
from unseen.interaction.task import TASK_FILE
from unseen.interaction.terms import Retention as Clause

KEPT: Final = frozenset({TASK_FILE, "worker.log"})


def _now() -> datetime:
    return datetime.now(UTC)


class Retention:
    """What may be kept at one home, and until when."""

    def __init__(self, home: Home, store: Store, clock: Callable[[], datetime] = _now) -> None:
        self._home = home
        self._store = store
        self._clock = clock

    def sweep(self) -> list[str]:
        """Erase what has been kept for as long as was agreed; the jobs that lost something."""
        clauses: dict[str, Clause] = {}
        erased = []
        for record in self._store.jobs():
            if not record.state.final:
                continue
            if record.agreement not in clauses:
                clauses[record.agreement] = self._clause(record)
            why = self._over(record, clauses[record.agreement])
            if why and self.erase(record.job, why):
                erased.append(record.job)
        return erased

    def erase(self, job: str, why: str) -> bool:
        """Remove what a job wrote here, and record that; False where there is nothing left."""
        folder = self._home.job_folder(job)
        found = [path for path in folder.iterdir() if path.name not in KEPT] if folder.is_dir() else []
        if not found:
            return False
        for path in found:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
        body: dict[str, Json] = {"job": job, "erased": len(found), "why": why}
        self._home.ledger.append(Kind.ADMINISTRATION, f"{job}/erased", body)
        return True

    def _clause(self, record: JobRecord) -> Clause:
        try:
            return Agreements(self._home, self._store).find(record.agreement).terms.retention
        except MisuseError:  # the agreement is gone: nothing allows to keep what came of it
            return Clause(results=0)

    def _over(self, record: JobRecord, clause: Clause) -> str:
        """Why a job's files must go now; empty if they may stay."""
        done = record.state is State.DONE
        days = clause.results if done else clause.shares
        if self._clock() - datetime.fromisoformat(record.updated) < timedelta(days=days):
            return ""
        what = "results" if done else "what a run that did not end well left"
        return f"the agreement lets {what} be kept for {days} days"
