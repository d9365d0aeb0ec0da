"""Tree heads exchanged with partners, so that nobody rewrites its ledger unnoticed.

After each run a node asks the others for their newest signed head, with the proof (RFC 9162, section 2.1.4) that
it continues the one it gave before. Each head is kept and recorded in our own ledger. A partner whose proof does
not hold has contradicted itself: that is an incident, recorded with both heads as its evidence.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from unseen.encoding import Json, canonical, digest
from unseen.errors import MisuseError, UnseenError, VerificationError
from unseen.interaction import envelope as envelopes
from unseen.interaction.client import NodeClient
from unseen.interaction.documents import Documents
from unseen.interaction.envelope import Envelope
from unseen.interaction.home import Home
from unseen.interaction.identity import Card
from unseen.interaction.ledger import HEAD, Kind
from unseen.interaction.merkle import verify_consistency
from unseen.interaction.store import Store

PROOF_LIMIT: Final = 128

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Head:
    """A signed tree head, read: whose, over how many entries, with which root."""

    institution: str
    size: int
    root: bytes
    document: Envelope


def read_head(document: Envelope, card: Card) -> Head:
    """A head signed by the institution of the card. Raises VerificationError."""
    value = document.verify(HEAD, [card.key])
    try:
        if not isinstance(value, dict) or value["institution"] != card.name:
            raise VerificationError(f"the tree head is not {card.name}'s")
        size, root = value["size"], bytes.fromhex(str(value["root"]))
        if isinstance(size, bool) or not isinstance(size, int) or size < 0 or len(root) != 32:
            raise VerificationError(f"{card.name}'s tree head has another form")
        return Head(card.name, size, root, document)
    except (KeyError, ValueError) as error:
        raise VerificationError(f"{card.name}'s tree head has another form") from error


def check_continues(older: Head, newer: Head, proof: Sequence[bytes]) -> None:
    """Raises VerificationError unless the newer head's log is the older one's, grown."""
    verify_consistency(older.size, older.root, newer.size, newer.root, proof)


class Heads:
    """The partners' heads known at one home, and our own for them."""

    def __init__(self, home: Home, store: Store) -> None:
        self._home = home
        self._store = store
        self._documents = Documents(store.engine)

    def own(self, since: int) -> dict[str, Json]:
        """Our newest head, and the proof that it continues our log of `since` entries (0: no proof)."""
        ledger = self._home.ledger
        head = ledger.head()
        value = head.read()
        size = value["size"] if isinstance(value, dict) else 0
        if not isinstance(size, int) or not 0 <= since <= size:
            raise MisuseError(f"our ledger never had {since} entries")
        proof = ledger.consistency(since, size) if since else []
        return {"head": head.as_json(), "proof": [step.hex() for step in proof]}

    def known(self, party: str, card: Card) -> Head | None:
        """The newest head that this partner gave us under its present key."""
        given = self._documents.about(f"head/{party}", HEAD)
        heads = [read_head(document, card) for document in given if card.fingerprint in document.signatures]
        return max(heads, key=lambda head: head.size, default=None)

    def ask(self, party: str) -> None:
        """Ask a partner for its head, check that it continues the last, record it; an incident if it does not.

        Raises VerificationError for the incident, PeerError and the like when the partner does not answer.
        """
        card = self._home.partners(self._store)[party]
        last = self.known(party, card)
        with NodeClient.of(self._home, card) as client:
            answer = client.head(last.size if last else 0)
        self.take(card, last, answer)

    def take(self, card: Card, last: Head | None, answer: Json) -> None:
        """Check and record what a partner answered."""
        try:
            newest, proof = _read_answer(card, answer)
            if last is not None:
                check_continues(last, newest, proof)
        except (VerificationError, MisuseError) as error:
            self._incident(card, last, answer, str(error))
            raise VerificationError(f"{card.name}'s ledger: {error}") from error
        if self._documents.keep(f"head/{card.name}", newest.document):
            self._home.ledger.append(
                Kind.PARTNER_HEAD,
                f"head/{newest.document.digest}",
                {"partner": card.name, "head": newest.document.as_json()},
            )

    def _incident(self, card: Card, last: Head | None, answer: Json, why: str) -> None:
        log.error("%s's ledger does not continue: %s", card.name, why)
        given = digest(HEAD, answer)
        body: dict[str, Json] = {"partner": card.name, "what": "its ledger does not continue", "why": why}
        if last is not None:
            body["earlier_head"] = last.document.as_json()
        self._home.ledger.append(Kind.INCIDENT, f"incident/{given}", {**body, "answer": _quoted(answer)})

    def ask_quietly(self, party: str) -> None:
        """Ask; who does not answer is asked after the next run, an incident is recorded and logged."""
        try:
            self.ask(party)
        except UnseenError as error:
            log.warning("no head of %s's ledger: %s", party, error)


def _read_answer(card: Card, answer: Json) -> tuple[Head, list[bytes]]:
    if not isinstance(answer, dict) or not isinstance(answer.get("proof"), list):
        raise VerificationError("no tree head with a proof")
    steps = answer["proof"]
    if not isinstance(steps, list) or len(steps) > PROOF_LIMIT:
        raise VerificationError("a proof longer than any log's")
    try:
        proof = [bytes.fromhex(str(step)) for step in steps]
    except ValueError as error:
        raise VerificationError("a proof that is no list of hashes") from error
    return read_head(envelopes.from_json(answer.get("head")), card), proof


def _quoted(answer: Json) -> str:
    """What was answered, as text: a document inside an incident must not be taken for one that checks."""
    return canonical(answer)[:4096].decode(errors="replace")
