"""How agreements travel: propose, answer, amend, sign, send to the other parties, take in what they send.

Copies of one agreement differ only in the signatures that they carry; copies are joined, never replaced. Every
step goes into the ledger. An agreement is effective when every party named in it has signed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from unseen.encoding import canonical
from unseen.errors import MisuseError, RefusedError, UnseenError, VerificationError
from unseen.interaction import envelope as envelopes
from unseen.interaction.agreement import Agreement, missing_signatures, propose, read_agreement
from unseen.interaction.client import NodeClient
from unseen.interaction.documents import Documents
from unseen.interaction.envelope import Envelope
from unseen.interaction.home import Home
from unseen.interaction.identity import Card
from unseen.interaction.ledger import Kind
from unseen.interaction.lifecycle import NOTICE, Step, read_notice, require_amendment, require_answer
from unseen.interaction.store import Store


@dataclass(frozen=True)
class Standing:
    """An agreement as it is known here: its terms, the document, and who has not signed yet."""

    id: str
    terms: Agreement
    envelope: Envelope
    missing: tuple[str, ...]

    @property
    def effective(self) -> bool:
        return not self.missing


class Agreements:
    """The agreements of one home."""

    def __init__(self, home: Home, store: Store) -> None:
        self._home = home
        self._store = store

    def propose(self, terms: Agreement) -> Standing:
        """Fill in the parties' keys from their cards, sign, record. Raises MisuseError."""
        if self._home.name not in terms.parties:
            raise MisuseError(f"{self._home.name} is no party of this agreement; add it under `parties`")
        keyed = terms.with_keys(self._home.cards(self._store))
        self._require_place(keyed)
        return self._save(propose(keyed, self._home.signing_key))

    def amend(self, prefix: str, terms: Agreement) -> Standing:
        """Propose these terms as the next version of an agreement. Raises MisuseError."""
        older = self.find(prefix).terms
        newer = terms.model_copy(update={"version": older.version + 1, "amends": older.id, "answers": ""})
        return self.propose(newer)

    def counter(self, prefix: str, terms: Agreement) -> Standing:
        """Offer these terms instead of a proposal that not all have signed. Raises MisuseError."""
        standing = self.find(prefix)
        if standing.effective:
            raise MisuseError("all have signed this agreement; change it with: unseen agree amend")
        older = standing.terms
        answer = {"version": older.version, "amends": older.amends, "answers": older.id}
        return self.propose(terms.model_copy(update=answer))

    def _require_place(self, terms: Agreement) -> None:
        """Check what an agreement says of an earlier one against that one. Raises MisuseError."""
        if terms.amends:
            older = self.find(terms.amends)
            require_amendment(terms, older.terms)
            if left := self._ended(older):
                raise MisuseError(f"the agreement that it amends is {left}; propose a new agreement")
        if terms.answers:
            require_answer(terms, self.find(terms.answers).terms)

    def _ended(self, older: Standing) -> str:
        """By whom an agreement was terminated or left: its keys sign no further version of it."""
        cards = self._home.cards(self._store)
        for document in Documents(self._store.engine).about(older.id, NOTICE):
            given = read_notice(document, older.terms, cards)
            if given.step in (Step.TERMINATE, Step.EXIT):
                return f"{'left' if given.step is Step.EXIT else 'terminated'} by {given.party}"
        return ""

    def sign(self, prefix: str) -> Standing:
        """Put our signature under a recorded agreement. Raises MisuseError, VerificationError."""
        standing = self.find(prefix)
        return self._save(standing.envelope.signed_by(self._home.signing_key))

    def find(self, prefix: str) -> Standing:
        """The one agreement whose identifier begins so."""
        _, data = self._store.agreement(prefix)
        return self._standing(envelopes.parse(data), self._home.cards(self._store))

    def all(self) -> list[Standing]:
        """All that are recorded here, newest change first."""
        cards = self._home.cards(self._store)
        return [self._standing(envelopes.parse(data), cards) for _, data in self._store.agreements()]

    def receive(self, envelope: Envelope, sender: str) -> Standing:
        """Take in a copy from a partner and join its signatures to those known here.

        Raises RefusedError when the partner or we are no party of it, or a party is not introduced here.
        """
        terms = read_agreement(envelope)
        if sender not in terms.parties or self._home.name not in terms.parties:
            raise RefusedError("agreement-parties", f"{sender} and {self._home.name} are not both parties of it")
        try:
            self._require_place(terms)
        except MisuseError as error:
            raise RefusedError("agreement-place", str(error), "send the agreement that it names first") from error
        try:
            return self._save(envelope)
        except VerificationError as error:
            raise RefusedError(
                "agreement-signatures", str(error), "introduce all parties to each other, then propose again"
            ) from error

    def exchange(self, prefix: str) -> tuple[Standing, dict[str, UnseenError]]:
        """Send our copy to every other party and join what comes back; who could not be reached, and why."""
        standing = self.find(prefix)
        partners = self._home.partners(self._store)
        failures: dict[str, UnseenError] = {}
        for name in standing.terms.parties:
            if name == self._home.name:
                continue
            try:
                with NodeClient.of(self._home, partners[name]) as client:
                    standing = self._save(client.offer_agreement(standing.envelope))
            except UnseenError as error:
                failures[name] = error
        return standing, failures

    def _save(self, envelope: Envelope) -> Standing:
        """Join with the copy known here, check all signatures, record."""
        cards = self._home.cards(self._store)
        identifier = read_agreement(envelope).id
        known = {name: data for name, data in self._store.agreements() if name == identifier}
        if identifier in known:
            envelope = envelope.merged(envelopes.parse(known[identifier]))
        standing = self._standing(envelope, cards)
        signed = f"{len(envelope.signatures)}-of-{len(standing.terms.parties)}"
        self._home.ledger.append(
            Kind.AGREEMENT, f"agreement/{identifier}/{signed}", {"agreement": envelope.as_json()}
        )
        self._store.save_agreement(identifier, standing.terms.agreement, canonical(envelope.as_json()))
        return standing

    def _standing(self, envelope: Envelope, cards: Mapping[str, Card]) -> Standing:
        terms = read_agreement(envelope)
        return Standing(terms.id, terms, envelope, missing_signatures(envelope, cards))
