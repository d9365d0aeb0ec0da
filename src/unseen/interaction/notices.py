"""How notices about agreements travel: sign, keep, record, tell the other parties, take in what they tell.

A notice that stops is a kill switch: every node that takes it in ends the agreement's running jobs at once.
Telling is repeated freely: a document that is known already changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from unseen.encoding import Json
from unseen.errors import MisuseError, RefusedError, UnseenError, VerificationError
from unseen.interaction.agreement import Agreement
from unseen.interaction.agreements import Agreements
from unseen.interaction.client import NodeClient
from unseen.interaction.envelope import Envelope
from unseen.interaction.gate import Gate
from unseen.interaction.home import Home
from unseen.interaction.identity import Card
from unseen.interaction.ledger import Kind
from unseen.interaction.lifecycle import NOTICE, Notice, Step, notice, read_notice
from unseen.interaction.retention import Retention
from unseen.interaction.store import Store

Halt = Callable[[str, str], None]
"""(agreement, reason): ends all running jobs of an agreement here."""


class Notices:
    """The notices of one home."""

    def __init__(self, home: Home, store: Store, gate: Gate | None = None) -> None:
        self._home = home
        self._store = store
        self._gate = gate or Gate(home, store)
        self._agreements = Agreements(home, store)
        self._retention = Retention(home, store)

    def give(
        self, prefix: str, step: Step, reason: str = "", withdrawn_jobs: Iterable[str] = ()
    ) -> tuple[Agreement, Notice]:
        """Sign a step of ours in the life of an agreement, and record it. Raises MisuseError.

        By an exit we also revoke our key of this partnership, and withdraw the results of the jobs named.
        """
        terms = self._agreements.find(prefix).terms
        me = self._home.name
        revoked = (terms.parties[me].key,) if step is Step.EXIT else ()
        document = notice(
            terms,
            step,
            self._home.signing_key,
            me,
            self._gate.notices(terms),
            datetime.now(UTC),
            reason,
            revoked,
            withdrawn_jobs,
        )
        return terms, self._take(document, terms)

    def tell(self, prefix: str) -> dict[str, UnseenError]:
        """Tell our own node and every other party all notices known here; who could not be told, and why."""
        terms = self._agreements.find(prefix).terms
        partners = self._home.partners(self._store)
        failures: dict[str, UnseenError] = {}
        for party in terms.parties:
            try:
                with self._speak(party, partners) as client:
                    for document in self._gate.documents.about(terms.id, NOTICE):
                        client.give_notice(terms.id, document)
            except UnseenError as error:
                failures[party] = error
        return failures

    def receive(self, agreement: str, document: Envelope, sender: str, halt: Halt) -> Notice:
        """Take a notice in, from whichever party brings it, and end what it stops.

        Raises RefusedError when the sender is no party or the notice is not signed by the one it names.
        """
        try:
            terms = self._agreements.find(agreement).terms
        except MisuseError as error:
            raise RefusedError("agreement", f"no agreement {agreement[:12]} is known here") from error
        if sender not in terms.parties:
            raise RefusedError("agreement-parties", f"{sender} is no party of this agreement")
        try:
            taken = self._take(document, terms)
        except VerificationError as error:
            raise RefusedError("notice", str(error)) from error
        if taken.step.stops:
            halt(terms.id, f"the agreement was stopped by {taken.party} ({taken.step.value})")
        return taken

    def _take(self, document: Envelope, terms: Agreement) -> Notice:
        """Check, keep, and record in the ledger: the store first, so that a crash between is mended by telling."""
        given = read_notice(document, terms, self._home.cards(self._store))
        self._gate.documents.keep(terms.id, document)
        self._home.ledger.append(
            Kind.AGREEMENT, f"notice/{document.digest}", {"agreement": terms.id, "notice": document.as_json()}
        )
        if given.step is Step.EXIT:
            self._carry_out(given, terms)
        return given

    def _carry_out(self, given: Notice, terms: Agreement) -> None:
        """An exit: its key signs no further version of this agreement, and what it withdraws is erased here."""
        keys: dict[str, Json] = {"agreement": terms.id, "party": given.party, "revoked": list(given.revoked_keys)}
        self._home.ledger.append(Kind.KEY_EVENT, f"exit/{terms.id}/{given.party}", keys)
        ours = {record.job for record in self._store.jobs(agreement=terms.id)}
        for job in ours.intersection(given.withdrawn_jobs):
            self._retention.erase(job, f"withdrawn by {given.party}, which left the agreement")

    def _speak(self, party: str, partners: dict[str, Card]) -> NodeClient:
        if party == self._home.name:
            return NodeClient.own(self._home)
        if party not in partners:
            raise MisuseError(f"{party!r} is not introduced here")
        return NodeClient.of(self._home, partners[party])
