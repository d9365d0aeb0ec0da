"""Results leave when their time is over: after the agreed days, or when a partner that leaves withdraws them.

What a run wrote lies in its job's folder: results, models, scores, and what it prepared for one later run. Shares
are never written to disk otherwise; what a run that did not end well left there is intermediate, and goes after
the days agreed for shares (none, as a rule). But for what a later run may go on from (`workroom.KEPT`): that is a
part of the result, which its party was to have, and stays as results do.
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
from unseen.interaction.workroom import KEPT as GOES_ON

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
            clause = clauses[record.agreement]
            results_over = self._over(record, clause.results, "results")
            if record.state is State.DONE:
                gone = bool(results_over) and self.erase(record.job, results_over)
            else:
                shares_over = self._over(record, clause.shares, "what a run that did not end well left")
                spared = frozenset() if results_over else frozenset({GOES_ON})
                gone = bool(shares_over) and self.erase(record.job, shares_over, spared)
            if gone:
                erased.append(record.job)
        return erased

    def erase(self, job: str, why: str, spared: frozenset[str] = frozenset()) -> bool:
        """Remove what a job wrote here, but what is `spared`, and record that; False: there is nothing left."""
        folder, stays = self._home.job_folder(job), KEPT | spared
        found = [path for path in folder.iterdir() if path.name not in stays] if folder.is_dir() else []
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

    def _over(self, record: JobRecord, days: int, what: str) -> str:
        """Why a job's files must go now; empty if they may stay."""
        if self._clock() - datetime.fromisoformat(record.updated) < timedelta(days=days):
            return ""
        return f"the agreement lets {what} be kept for {days} days"
