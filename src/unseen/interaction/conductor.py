"""One node's side of every job: grant or refuse, begin, follow its own worker, countersign, conclude or fail.

The asking node does more (see `asking`); towards its own part of the job it is a node like the others. Every
step is recorded in the store first, by a move that only one caller can win, then in the ledger under a key of
its own, so that a step repeated after a crash is not doubled.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from unseen.data.catalogue import Catalogue
from unseen.encoding import Json
from unseen.errors import AbortedError, MisuseError, RefusedError, UnavailableError, UnseenError
from unseen.interaction.agreement import Agreement
from unseen.interaction.agreements import Agreements, Standing
from unseen.interaction.application import Request, find
from unseen.interaction.checks import check_plan, grant, refusal, require_grant
from unseen.interaction.client import NodeClient
from unseen.interaction.envelope import Envelope, from_json
from unseen.interaction.flow import asked_before
from unseen.interaction.gate import Gate
from unseen.interaction.heads import Heads
from unseen.interaction.home import Home
from unseen.interaction.identity import Card
from unseen.interaction.job import Fault, JobRecord, State, request_as_json, request_from_json
from unseen.interaction.ledger import Kind
from unseen.interaction.notices import Notices
from unseen.interaction.plan import Plan
from unseen.interaction.receipt import require_receipt, sign_receipt, statement
from unseen.interaction.retention import Retention
from unseen.interaction.sent import declared, deviations
from unseen.interaction.session import Meeting, Member
from unseen.interaction.store import Store, now
from unseen.interaction.task import Task
from unseen.interaction.workshop import Message, Workshop

START_SECONDS: Final = 120.0
"""How long a granted job may wait for its start."""
CLOCK_SECONDS: Final = 300.0
"""How far a partner's clock may be off."""
COUNTERSIGN_SECONDS: Final = 60.0

log = logging.getLogger(__name__)


_OWN_WORDS_SECONDS: Final = 5.0


class Conductor:
    """This node's part in all jobs. Thread-safe."""

    def __init__(self, home: Home, store: Store, workshop: Workshop) -> None:
        self.home = home
        self.store = store
        self.agreements = Agreements(home, store)
        self.background = ThreadPoolExecutor(max_workers=16, thread_name_prefix="conductor")
        self.on_computed: Callable[[str], None] | None = None
        """Is told when a job of which this node is the asking one has been computed here."""
        self.gate = Gate(home, store)
        self.notices = Notices(home, store, self.gate)
        self.heads = Heads(home, store)
        self.retention = Retention(home, store)
        self._granting = threading.RLock()
        self._catalogue = Catalogue(store.engine)
        self._workshop = workshop
        self._changed = threading.Condition()

    # --- grant or refuse -------------------------------------------------------------------------------

    def derive(self, request: Request) -> tuple[Plan, Agreement]:
        """The plan of a request under the agreement known here. Raises MisuseError, RefusedError."""
        terms = self.agreements.find(request.agreement).terms
        return find(request.application).plan(request, terms), terms

    def consider(self, request: Request, plan_hash: str, asker: str, moment: str) -> Envelope:
        """Check a partner's request; a signed grant, or a signed refusal with the rule."""
        self._same_clock(asker, moment)
        if request.requester != asker:
            raise RefusedError("requester", f"{asker} asked in the name of another institution")
        try:
            plan, _ = self.derive(request)
        except MisuseError as error:
            raise RefusedError("request", str(error)) from error
        try:
            if plan.hash != plan_hash:
                raise RefusedError(
                    "plan-hash", "the same request gives another plan here", "run the same versions on both sides"
                )
            with self._granting:
                granted = self.check_and_grant(plan)
                self.record(request, plan, State.GRANTED)
        except RefusedError as error:
            document = refusal(plan, self.home.name, error, self.home.signing_key, datetime.now(UTC))
            self.home.ledger.append(
                Kind.REFUSAL, f"{plan.job}/refusal", {"job": plan.job, "refusal": document.as_json()}
            )
            return document
        self.log_grant(plan, granted)
        return granted

    def check_and_grant(self, plan: Plan, asked_here: bool = False, person: str = "") -> Envelope:
        """All checks of this institution over a plan, and its signed grant. Raises RefusedError.

        `person` is who asked, where the plan was asked for here.
        """
        standing = self.agreements.find(plan.agreement)
        if standing.missing:
            standing, _ = self.agreements.exchange(standing.id)
        with self._granting:
            return self._check_alone(plan, standing, person if asked_here else None)

    def _check_alone(self, plan: Plan, standing: Standing, asker: str | None) -> Envelope:
        """One plan at a time: what is granted to one counts for the next."""
        held = self.gate.held(standing.id) - {plan.job}
        earlier = asked_before(r.plan for r in self.store.jobs(agreement=standing.id) if r.job in held)
        moment, cards = datetime.now(UTC), self.home.cards(self.store)
        terms = check_plan(
            plan,
            standing.envelope,
            cards,
            self.home.name,
            self._offered,
            self._counted,
            len(held),
            moment,
            earlier,
        )
        own = {use.dataset for use in plan.uses if use.party == self.home.name}
        versions = {name: self._catalogue.get(name).version for name in sorted(own)}
        rests_on = self.gate.require(plan, standing.envelope, terms, asker)
        return grant(plan, self.home.name, versions, self.home.signing_key, moment, rests_on)

    def record(self, request: Request, plan: Plan, state: State) -> None:
        """Put a new job into the store."""
        moment = now()
        body: Any = plan.as_json()
        self.store.add_job(
            JobRecord(
                job=request.job,
                application=request.application,
                agreement=plan.agreement,
                requester=request.requester,
                state=state,
                request=request_as_json(request),
                plan_hash=plan.hash,
                plan=body,
                created=moment,
                updated=moment,
                expires=time.time() + START_SECONDS,
            )
        )

    def log_grant(self, plan: Plan, granted: Envelope) -> None:
        self.home.ledger.append(
            Kind.GRANT, f"{plan.job}/grant", {"job": plan.job, "plan": plan.hash, "grant": granted.as_json()}
        )

    def rows(self, plan: Plan) -> int:
        """Rows of the largest data set of ours that the plan uses."""
        own = {use.dataset for use in plan.uses if use.party == self.home.name}
        return max((self._catalogue.get(name).rows for name in own), default=0)

    def _offered(self, dataset: str, column: str, use: Any) -> None:
        self._catalogue.get(dataset).require(column, use)

    def _counted(self, dataset: str) -> int:
        return self._catalogue.get(dataset).rows

    def _same_clock(self, asker: str, moment: str) -> None:
        try:
            apart = abs((datetime.now(UTC) - datetime.fromisoformat(moment)).total_seconds())
        except (ValueError, TypeError) as error:
            raise MisuseError("the request bears no time") from error
        if apart > CLOCK_SECONDS:
            raise RefusedError(
                "clock",
                f"the clocks of {asker} and {self.home.name} are {apart / 60:.0f} minutes apart",
                "set both machines' clocks (NTP)",
            )

    # --- begin and follow ------------------------------------------------------------------------------

    def begin(self, job: str, grants: Mapping[str, Envelope], asker: str) -> None:
        """Start our worker, all parties having granted the same plan.

        Raises RefusedError, VerificationError when a grant is missing or for another plan, MisuseError when the
        job does not wait for its start.
        """
        record = self.of(job, asker)
        cards = self.home.cards(self.store)
        for party in record.parties:
            if party not in grants:
                raise RefusedError("grants", f"the grant of {party} is missing")
            require_grant(grants[party], record.plan_hash, cards[party], datetime.now(UTC))
        request = request_from_json(record.request)
        terms = self.agreements.find(record.agreement).terms
        documents: dict[str, Json] = {party: grants[party].as_json() for party in record.parties}
        if not self.store.move(job, State.RUNNING, grants=[documents]):
            raise MisuseError(f"job {job} does not wait for its start here (it is {self.store.job(job).state})")
        self.home.ledger.append(
            Kind.RUN,
            f"{job}/run",
            {"job": job, "plan": record.plan_hash, "agreement": record.agreement, "grants": documents},
        )
        task = Task(request, terms, self._meeting(record, cards), self.home.job_folder(job))
        task.save()
        self._workshop.start(job, task.folder, lambda message: self._heard(job, message))
        self.notify()

    def _meeting(self, record: JobRecord, cards: Mapping[str, Card]) -> Meeting:
        settings = self.home.settings
        return Meeting(
            job=record.job,
            plan=record.plan_hash,
            me=self.home.name,
            members=tuple(Member(name, cards[name].address, cards[name].root) for name in record.parties),
            credentials=self.home.credentials,
            opening_seconds=settings.opening_seconds,
            patience=settings.patience,
        )

    def _heard(self, job: str, message: Message) -> None:
        """A word from our worker."""
        kind, body = message["kind"], {name: value for name, value in message.items() if name != "kind"}
        if kind == "done":
            testimonies: Any = body.pop("testimonies")
            if self.store.move(job, State.COMPUTED, testimonies=testimonies, result=body):
                self.home.ledger.append(Kind.RESULT, f"{job}/result", {"job": job, "digest": body["digest"]})
                if self.on_computed and self.store.job(job).requester == self.home.name:
                    self.on_computed(job)
        elif kind == "failed":
            fault = Fault.from_json(body["fault"])
            self.fail(job, fault if fault.party else replace(fault, party=self.home.name))
        elif kind == "release":
            record: Any = body["record"]
            self.home.ledger.append(
                Kind.RELEASE, f"{job}/release/{record['dataset']}", {"job": job, "release": record}
            )
        else:
            self.store.add_event(job, str(kind), body)
        self.notify()

    # --- countersign and conclude ----------------------------------------------------------------------

    def countersign(self, job: str, asker: str) -> Envelope:
        """Our signature under the receipt, once our worker has ended well. Raises AbortedError if it failed."""
        record = self.of(job, asker)
        deadline = time.monotonic() + COUNTERSIGN_SECONDS
        while record.state is State.RUNNING and (left := deadline - time.monotonic()) > 0:
            self.wait_for_news(left)
            record = self.store.job(job)
        if record.state not in (State.COMPUTED, State.DONE):
            raise record.fault.error() if record.fault else UnavailableError(f"job {job} is {record.state} here")
        return self.own_receipt(record)

    def own_receipt(self, record: JobRecord) -> Envelope:
        """The receipt as this node makes it, under its own signature alone."""
        plan, _ = self.derive(request_from_json(record.request))
        digests = {party: document.digest for party, document in grants_of(record).items()}
        testimonies: Any = record.testimonies
        return sign_receipt(statement(plan, digests, testimonies, declared(plan)), self.home.signing_key)

    def conclude(self, job: str, receipt: Envelope, asker: str) -> None:
        """Take in the receipt that all have signed: the job is done. Raises VerificationError, MisuseError."""
        record = self.of(job, asker)
        self.settle(record, receipt)

    def settle(self, record: JobRecord, receipt: Envelope) -> None:
        """Check the receipt against our own account and record it, the ledger first: who sees `done` finds it."""
        self.seal_receipt(record, receipt)
        if self.store.move(record.job, State.DONE, receipt=receipt.as_json()):
            self.gate.settle(record.job, began=True)
            self.notify()
            for party in record.parties:
                if party != self.home.name:
                    with contextlib.suppress(RuntimeError):  # the node is closing: after the next run, then
                        self.background.submit(self.heads.ask_quietly, party)

    def seal_receipt(self, record: JobRecord, receipt: Envelope) -> None:
        """Check the receipt and take it into the ledger. Raises VerificationError, MisuseError."""
        if record.state not in (State.COMPUTED, State.DONE):
            raise MisuseError(f"job {record.job} waits for no receipt here (it is {record.state})")
        cards = self.home.cards(self.store)
        said = require_receipt(receipt, {name: cards[name] for name in record.parties})
        self.own_receipt(record).merged(receipt)  # raises if it is another statement than ours
        self.home.ledger.append(
            Kind.RECEIPT, f"{record.job}/receipt", {"job": record.job, "receipt": receipt.as_json()}
        )
        if found := deviations(said):
            self._undeclared(record.job, found)

    def _undeclared(self, job: str, found: Sequence[str]) -> None:
        """What was sent is not what was declared: an incident, on record and told to people."""
        log.error("job %s: what was sent is not what was declared: %s", job, "; ".join(found))
        what: dict[str, Json] = {"what": "what was sent is not what was declared", "why": "; ".join(found)}
        if self.home.ledger.find(f"{job}/incident") is None:
            self.store.add_event(job, "incident", what)
        self.home.ledger.append(Kind.INCIDENT, f"{job}/incident", {"job": job, **what})

    # --- failing ---------------------------------------------------------------------------------------

    def abandon(self, job: str, fault: Fault, sender: str) -> None:
        """A partner says that the job has failed with it."""
        record = self.store.job(job)
        if sender not in record.parties:
            raise RefusedError("parties", f"{sender} is no party of this job")
        if fault.ended_by(self.home.name):  # our own worker knows why, and is about to say
            self._await_end(job, _OWN_WORDS_SECONDS)
        blamed = fault.party or sender
        reported = "" if blamed == sender or "reported by" in fault.message else f" (reported by {sender})"
        self.fail(job, replace(fault, party=blamed, message=fault.message + reported), told_by=sender)

    def stop(self, job: str) -> None:
        """An operator of ours ends a job."""
        record = self.store.job(job)
        if record.state.final or record.state is State.COMPUTED:
            raise MisuseError(f"job {record.job} has ended already ({record.state})")
        self.fail(record.job, Fault(AbortedError.code, "stopped by its operator", self.home.name))

    def halt(self, agreement: str, reason: str) -> None:
        """End all jobs of an agreement that have not ended: its kill switch."""
        for record in self.store.jobs(agreement=agreement):
            if not record.state.final:
                self.fail(record.job, Fault(AbortedError.code, reason, self.home.name))

    def fail(self, job: str, fault: Fault, told_by: str = "") -> None:
        """Mark a job failed, here and with those who must hear of it from us. The first reason stands."""
        record = self.store.job(job)
        if not self.store.move(job, State.FAILED, fault=fault):
            return
        log.warning("job %s failed: %s", job, fault)
        self.gate.settle(job, began=bool(self.store.job(job).grants))
        self.home.ledger.append(Kind.FAILURE, f"{job}/failure", {"job": job, "fault": fault.as_json()})
        self._workshop.stop(job)
        self.notify()
        listeners = record.parties if record.requester == self.home.name else (record.requester,)
        for party in listeners:
            if party not in (self.home.name, told_by):
                self.background.submit(self.tell, party, job, fault)

    def tell(self, party: str, job: str, fault: Fault) -> None:
        try:
            with self.client(party) as client:
                client.abandon(job, fault)
        except UnseenError as error:
            log.info("could not tell %s that job %s failed: %s", party, job, error)

    # --- small things ----------------------------------------------------------------------------------

    def of(self, job: str, asker: str) -> JobRecord:
        """A job that `asker` has asked for. Raises RefusedError, MisuseError."""
        record = self.store.job(job)
        if record.requester != asker:
            raise RefusedError("requester", f"job {job} was not asked for by {asker}")
        return record

    def client(self, party: str) -> NodeClient:
        """Speak to a partner's node; the caller closes it."""
        partners = self.home.partners(self.store)
        if party not in partners:
            raise MisuseError(f"{party!r} is not introduced here")
        return NodeClient.of(self.home, partners[party])

    def expects(self, job: str) -> bool:
        """Whether a session of this job may be opened here, now or soon."""
        try:
            return self.store.job(job).state in (State.GRANTED, State.RUNNING)
        except MisuseError:
            return False

    def notify(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def _await_end(self, job: str, seconds: float) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self.store.job(job).state.final, timeout=seconds)

    def wait_for_news(self, seconds: float) -> None:
        """Wait until something has changed in any job, at most so long."""
        with self._changed:
            self._changed.wait(min(seconds, 1.0))

    def close(self) -> None:
        self.background.shutdown(wait=True, cancel_futures=True)


def grants_of(record: JobRecord) -> dict[str, Envelope]:
    """The grants under which a job began, by party."""
    documents: Any = record.grants[0] if record.grants else {}
    return {party: from_json(document) for party, document in documents.items()}
