"""The asking node's part of a job: collect the grants, begin everywhere, gather the receipt; and what to do
after a crash.

The asking node decides. Until every party has signed the receipt the job is not done; a party that has
computed and hears nothing asks the asking node what became of it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future
from datetime import UTC, datetime
from typing import Any, Final

from unseen.encoding import Json, canonical
from unseen.errors import AbortedError, MisuseError, RefusedError, UnavailableError, UnseenError
from unseen.interaction.application import Request, find
from unseen.interaction.asker import read_asking
from unseen.interaction.checks import require_grant
from unseen.interaction.client import PeerRefusal
from unseen.interaction.conductor import Conductor
from unseen.interaction.envelope import Envelope, from_json
from unseen.interaction.job import BODY_LIMIT, Fault, JobRecord, State, new_request, request_as_json
from unseen.interaction.ledger import Kind
from unseen.interaction.plan import Plan
from unseen.interaction.store import now

CHECK_SECONDS: Final = 2.0
OUTCOME_SECONDS: Final = 10.0
"""How long a granted job waits for its start, or a computed one for its receipt, before this node asks."""
SWEEP_SECONDS: Final = 600.0
"""How often results are looked through for those whose agreed time is over."""

log = logging.getLogger(__name__)


class Asking:
    """What the asking node does, over its own `Conductor`."""

    def __init__(self, conductor: Conductor) -> None:
        self._conductor = conductor
        self._home = conductor.home
        self._store = conductor.store
        self._stopped = threading.Event()
        conductor.on_computed = lambda job: self._start(self._gather, job)

    # --- ask -------------------------------------------------------------------------------------------

    def prepare(self, application: str, agreement: str, body: Mapping[str, Json]) -> tuple[Request, Plan]:
        """The request and its plan, checked for form only. Raises MisuseError, RefusedError."""
        if len(canonical(dict(body))) > BODY_LIMIT:
            raise MisuseError(f"a request may hold at most {BODY_LIMIT} bytes")
        standing = self._conductor.agreements.find(agreement)
        request = new_request(application, standing.id, self._home.name, body)
        plan, _ = self._conductor.derive(request)
        self._require_computing(plan)
        return request, plan

    def _require_computing(self, plan: Plan) -> None:
        if self._home.name not in plan.parties:
            raise RefusedError("requester", f"{self._home.name} is no computing party of this plan")

    def estimate(self, plan: Plan) -> Json:
        """What the application expects this plan to cost with our own number of rows; None if it does not say."""
        estimate = getattr(find(plan.application), "estimate", None)
        if estimate is None:
            return None
        rows = self._conductor.rows(plan)
        found = estimate(plan, rows)
        return {"rows": rows, **found} if found else None

    def submit(self, application: str, agreement: str, body: Mapping[str, Json]) -> str:
        """Ask for a job; returns its name at once and goes on in the background."""
        request, plan = self.prepare(application, agreement, body)
        return self._begin(request, plan, "")

    def submit_prepared(self, request: Request, document: Envelope | None) -> str:
        """Ask for a job whose name and seed are fixed; `document` says who asks. Raises RefusedError too."""
        if request.requester != self._home.name:
            raise MisuseError(f"this request was prepared at {request.requester}, and is asked for there")
        plan, _ = self._conductor.derive(request)
        self._require_computing(plan)
        return self._begin(request, plan, self._person(plan, document))

    def _person(self, plan: Plan, document: Envelope | None) -> str:
        """Who asks, on record; "" where nobody is named."""
        if document is None:
            return ""
        person = read_asking(document, plan, self._home.name, self._conductor.gate.enrolled())
        self._home.ledger.append(
            Kind.APPROVAL, f"asking/{document.digest}", {"job": plan.job, "asking": document.as_json()}
        )
        return person

    def _begin(self, request: Request, plan: Plan, person: str) -> str:
        self._conductor.record(request, plan, State.REQUESTED)
        self._start(self._conduct, request, plan, person)
        return request.job

    def _conduct(self, request: Request, plan: Plan, person: str) -> None:
        """Grants from all, then begin everywhere; others first, so that a job never runs at the asker alone."""
        job = request.job
        try:
            grants = self._collect(request, plan, person)
            if not self._store.move(job, State.GRANTED):
                return
            others = [party for party in grants if party != self._home.name]
            for task in [self._later(self._begin_at, party, job, grants) for party in others]:
                task.result()
            self._conductor.begin(job, grants, self._home.name)
        except RefusedError as error:
            self._refused(job, Fault.of(error))
        except UnseenError as error:
            self._conductor.fail(job, blamed(error))

    def _collect(self, request: Request, plan: Plan, person: str) -> dict[str, Envelope]:
        """Our own grant first: what we refuse, nobody else is asked. Raises RefusedError, UnseenError."""
        own = self._conductor.check_and_grant(plan, asked_here=True, person=person)
        self._conductor.log_grant(plan, own)
        everyone = (*plan.parties, plan.dealer) if plan.dealer else plan.parties
        asked = {
            party: self._later(self._ask, party, request, plan) for party in everyone if party != self._home.name
        }
        cards = self._home.cards(self._store)
        grants = {self._home.name: own, **{party: task.result() for party, task in asked.items()}}
        for party, document in grants.items():
            require_grant(document, plan.hash, cards[party], datetime.now(UTC))
        return grants

    def _ask(self, party: str, request: Request, plan: Plan) -> Envelope:
        with self._conductor.client(party) as client:
            return client.request_grant(request_as_json(request), plan.hash, now())

    def _begin_at(self, party: str, job: str, grants: Mapping[str, Envelope]) -> None:
        with self._conductor.client(party) as client:
            client.begin(job, grants)

    def _refused(self, job: str, fault: Fault) -> None:
        """A refusal before the start ends as refused here, and as failed with those who had granted."""
        record = self._store.job(job)
        if not self._store.move(job, State.REFUSED, fault=fault):
            self._conductor.fail(job, fault)
            return
        self._conductor.gate.settle(job, began=False)
        self._conductor.notify()
        for party in record.parties:
            if party != self._home.name:
                told = Fault(AbortedError.code, "another party refused the plan", self._home.name)
                self._later(self._conductor.tell, party, job, told)

    # --- the receipt -----------------------------------------------------------------------------------

    def _gather(self, job: str) -> None:
        """Collect everyone's signature under the same receipt, record it, hand it round."""
        record = self._store.job(job)
        others = [party for party in record.parties if party != self._home.name]
        try:
            receipt = self._conductor.own_receipt(record)
            for task in [self._later(self._signature, party, job) for party in others]:
                receipt = receipt.merged(task.result())
            self._conductor.seal_receipt(record, receipt)  # from here on the job is done; a crash repeats this
        except UnseenError as error:
            self._conductor.fail(job, blamed(error))
            return
        for task in [self._later(self._hand_over, party, job, receipt) for party in others]:
            task.result()
        self._conductor.settle(record, receipt)

    def _signature(self, party: str, job: str) -> Envelope:
        with self._conductor.client(party) as client:
            return client.countersign(job)

    def _hand_over(self, party: str, job: str, receipt: Envelope) -> None:
        try:
            with self._conductor.client(party) as client:
                client.conclude(job, receipt)
        except UnseenError as error:
            log.info("%s has not taken the receipt of job %s; it will ask for it: %s", party, job, error)

    def outcome(self, job: str, party: str) -> dict[str, Json]:
        """What became of a job, for a party of it."""
        record = self._store.job(job)
        if party not in record.parties:
            raise RefusedError("parties", f"{party} is no party of this job")
        fault = record.fault.as_json() if record.fault else None
        return {"state": record.state.value, "receipt": record.receipt, "fault": fault}

    # --- after a crash, and in between -----------------------------------------------------------------

    def recover(self) -> None:
        """At the node's start: what ran when it stopped has failed, what was computed is brought to its end."""
        for record in self._store.jobs(State.REQUESTED, State.GRANTED, State.RUNNING):
            self._conductor.fail(
                record.job,
                Fault(AbortedError.code, f"its node stopped while the job was {record.state}", self._home.name),
            )
        self._conductor.gate.reconcile()
        self._conductor.retention.sweep()
        for record in self._store.jobs(State.COMPUTED):
            if record.requester == self._home.name:
                self._start(self._gather, record.job)

    def watch(self) -> None:
        """Look after jobs that wait for others, until `close`. Runs in a thread of its own."""
        swept = time.monotonic()
        while not self._stopped.wait(CHECK_SECONDS):
            try:
                self.check()
                if time.monotonic() - swept > SWEEP_SECONDS:
                    self._conductor.retention.sweep()
                    swept = time.monotonic()
            except Exception:
                log.exception("looking after the waiting jobs failed")

    def check(self) -> None:
        """One look: end what was never started, ask for the outcome of what was computed."""
        for record in self._store.jobs(State.GRANTED):
            if record.requester != self._home.name and record.expires < time.time():
                late = Fault(UnavailableError.code, "granted, but never started", record.requester)
                self._conductor.fail(record.job, late)
        for record in self._store.jobs(State.GRANTED, State.COMPUTED):  # its word may have come too early for us
            waited = datetime.now(UTC) - datetime.fromisoformat(record.updated)
            if record.requester != self._home.name and waited.total_seconds() > OUTCOME_SECONDS:
                self._ask_outcome(record)

    def _ask_outcome(self, record: JobRecord) -> None:
        try:
            with self._conductor.client(record.requester) as client:
                answer: Any = client.outcome(record.job)
            if answer["state"] == State.DONE:
                self._conductor.settle(record, from_json(answer["receipt"]))
            elif answer["state"] in (State.FAILED, State.REFUSED):
                self._conductor.abandon(record.job, Fault.from_json(answer["fault"]), record.requester)
        except UnseenError as error:
            log.info("the outcome of job %s is not known yet: %s", record.job, error)

    def close(self) -> None:
        self._stopped.set()

    def _start(self, step: Any, *arguments: Any) -> None:
        """A step that waits for others, in a thread of its own: it must not hold a place in the pool."""
        threading.Thread(target=_logged, args=(step, *arguments), name=step.__name__, daemon=True).start()

    def _later(self, step: Any, *arguments: Any) -> Future[Any]:
        """One question to one partner, in the pool."""
        return self._conductor.background.submit(_logged, step, *arguments)


def _logged(step: Any, *arguments: Any) -> Any:
    """Run a step; a bug in it must not vanish in a thread."""
    try:
        return step(*arguments)
    except UnseenError:
        raise
    except Exception:
        log.exception("a background step failed")
        raise


def blamed(error: UnseenError) -> Fault:
    """The fault of an error; one that a partner reported keeps the party that the partner named."""
    if isinstance(error, PeerRefusal):
        return error.fault
    return Fault.of(error)
