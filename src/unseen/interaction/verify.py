"""Offline verification of ledgers, from copied folders alone: no node, no data, no network.

For every ledger
 1. each line's digest and place, and that no step is recorded twice;
 2. the signed head over the tree of all entries;
 3. its institution's card and the cards of those it was introduced to;
 4. every signed document that it holds: by introduced keys, unaltered;
 5. every receipt: signed by all parties to the run, what each sent is what the other received, and the grants,
    results and disclosures that the ledger itself records for the run are those in the receipt.
Across ledgers
 6. one run has the same receipt everywhere;
 7. the heads that an institution signed for its partners are heads of its ledger: it was never rewritten.

A failed check names the ledger and the first bad entry. Nothing is held in memory but the hashes of entries.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from unseen.encoding import Json
from unseen.errors import MisuseError, ProtocolError, VerificationError
from unseen.interaction import envelope as envelopes
from unseen.interaction.checks import GRANT
from unseen.interaction.envelope import Envelope, fingerprint
from unseen.interaction.identity import CARD, Card, read_card
from unseen.interaction.ledger import HEAD, Entry, Kind, read_entries
from unseen.interaction.merkle import Tree
from unseen.interaction.people import ENROLMENT, enrolled_key
from unseen.interaction.receipt import RECEIPT, Statement, read_statement
from unseen.interaction.testimony import compare

_HASH: Final = 32


@dataclass(frozen=True)
class Run:
    """A run as a ledger records it: the receipt, what it says, the entry that holds it and when that was made."""

    receipt: Envelope
    statement: Statement
    entry: int
    time: str


@dataclass(frozen=True)
class SignedHead:
    """What an institution signed about its own ledger, and the entry that holds it (-1: head.json itself)."""

    institution: str
    size: int
    root: str
    entry: int


@dataclass(frozen=True)
class LedgerReport:
    """What one ledger says, all checks passed: its institution, counts of entries by kind, runs by job."""

    institution: str
    entries: int
    root: str
    kinds: Mapping[str, int]
    runs: Mapping[str, Run]
    cards: Mapping[str, Card]
    heads: tuple[SignedHead, ...]
    leaves: bytes = field(repr=False)

    @property
    def receipts(self) -> dict[str, Envelope]:
        return {job: run.receipt for job, run in self.runs.items()}


@dataclass(frozen=True)
class Verification:
    """The outcome over all ledgers given: what was found sound, in words, and what was not."""

    ledgers: tuple[LedgerReport, ...]
    findings: tuple[str, ...] = ()
    words: tuple[str, ...] = ()

    @property
    def sound(self) -> bool:
        return not self.findings


def verify_ledgers(folders: Sequence[Path]) -> Verification:
    """Check copied ledger folders alone and against each other. Never raises for a bad ledger: it is a finding."""
    reports, findings = [], []
    for folder in folders:
        try:
            reports.append(verify_ledger(folder))
        except (VerificationError, MisuseError, OSError) as error:
            findings.append(f"{folder}: {error}")
    findings += _differing_receipts(reports)  # 6
    findings += _differing_heads(reports)  # 7
    return Verification(tuple(reports), tuple(findings), tuple(_summary(report) for report in reports))


def together(outcomes: Sequence[Verification]) -> Verification:
    """Several outcomes as one, with the checks across ledgers (6, 7) over all of them."""
    reports = tuple(report for outcome in outcomes for report in outcome.ledgers)
    findings = [finding for outcome in outcomes for finding in outcome.findings]
    across = (*_differing_receipts(reports), *_differing_heads(reports))
    findings += [finding for finding in across if finding not in findings]
    return Verification(reports, tuple(findings), tuple(word for outcome in outcomes for word in outcome.words))


def verify_ledger(folder: Path) -> LedgerReport:
    """Check one ledger folder. Raises VerificationError naming the first bad entry, MisuseError, OSError."""
    reading = Reading()
    leaves = bytearray()
    for entry, leaf in read_entries(folder / "entries.jsonl"):  # 1
        leaves += leaf
        reading.take(entry)
    tree = Tree.of(_split(leaves))
    head = envelopes.parse((folder / "head.json").read_bytes())
    own = check_head(head, tree, reading)  # 2, 3
    return LedgerReport(
        own.institution,
        tree.size,
        own.root,
        reading.kinds,
        reading.runs,
        {card.name: card for card in reading.cards.values()},
        (own, *reading.heads),
        bytes(leaves),
    )


class Reading:
    """What is known of a ledger while its entries pass by, in order."""

    def __init__(self) -> None:
        self.kinds: dict[str, int] = {}
        self.cards: dict[str, Card] = {}
        """By fingerprint, in order of introduction: a partner with a new key has two."""
        self.runs: dict[str, Run] = {}
        self.heads: list[SignedHead] = []
        self._people: dict[str, Ed25519PublicKey] = {}
        """Keys of the institution's own people, by fingerprint, as its enrolments give them."""
        self._keys: set[str] = set()
        self._grants: dict[str, dict[str, str]] = {}
        self._results: dict[str, str] = {}

    def take(self, entry: Entry) -> None:
        """Check one entry. Raises VerificationError naming it."""
        self.kinds[entry.kind.value] = self.kinds.get(entry.kind.value, 0) + 1
        try:
            if entry.key in self._keys:
                raise VerificationError("the step was recorded before")
            self._keys.add(entry.key)
            if entry.kind is Kind.RESULT:
                self._results[str(entry.body.get("job"))] = str(entry.body.get("digest"))
            for document in documents(entry.body):
                self._document(entry, document)
        except (VerificationError, MisuseError, ProtocolError) as error:
            raise VerificationError(f"entry {entry.index}: {error}") from error

    def _document(self, entry: Entry, document: Envelope) -> None:
        if document.kind == CARD:
            card = read_card(document)
            self.cards[card.fingerprint] = card
            return
        known = {**self._people, **{name: card.key for name, card in self.cards.items()}}
        if strangers := [name for name in document.signatures if name not in known]:
            raise VerificationError(
                f"a {entry.kind.value} signed by a key that was never introduced ({strangers[0][:16]}…)"
            )
        value = document.verify(document.kind, [known[name] for name in document.signatures])
        if document.kind == ENROLMENT and self._signers(document):
            key = enrolled_key(value)
            self._people[fingerprint(key)] = key
        if document.kind == GRANT and isinstance(value, dict):
            self._grants.setdefault(str(value.get("job")), {})[str(value.get("party"))] = document.digest
        elif document.kind == HEAD:
            self.heads.append(self._signed_head(document, value, entry.index))
        elif document.kind == RECEIPT:
            said = self._receipt(document, value)
            self.runs[said.job] = Run(document, said, entry.index, entry.time)

    def _signed_head(self, document: Envelope, value: Json, entry: int) -> SignedHead:
        if not isinstance(value, dict):
            raise VerificationError("a tree head without fields")
        name = str(value.get("institution"))
        if name not in self._signers(document):
            raise VerificationError(f"a tree head of {name} under another's signature")
        return SignedHead(name, int(str(value.get("size"))), str(value.get("root")), entry)

    def _receipt(self, document: Envelope, value: Json) -> Statement:
        said = read_statement(value)
        if missing := sorted({*said.parties} - self._signers(document)):
            raise VerificationError(f"the receipt is not signed by {', '.join(missing)}")
        compare({account.party: account.model_dump(mode="json") for account in said.accounts})
        for party, granted in self._grants.get(said.job, {}).items():
            if said.grants.get(party) != granted:
                raise VerificationError(f"the receipt of job {said.job} names another grant of {party}'s")
        own = self._results.get(said.job)
        if own is not None and own not in [account.result for account in said.accounts]:
            raise VerificationError(f"the receipt of job {said.job} names another result than was recorded")
        return said

    def _signers(self, document: Envelope) -> set[str]:
        return {self.cards[name].name for name in document.signatures if name in self.cards}


def check_head(head: Envelope, tree: Tree, reading: Reading) -> SignedHead:
    """The signed head, if it is over just this tree. Raises VerificationError."""
    said = own_head(head, reading)
    if said.size != tree.size:
        raise VerificationError(
            f"the signed head covers {said.size} entries and the ledger has {tree.size}: entries were cut or added"
        )
    if said.root != tree.root().hex():
        raise VerificationError("the signed head does not fit the entries: the ledger was rewritten")
    return said


def own_head(head: Envelope, reading: Reading) -> SignedHead:
    """What an institution signed of its ledger, by the card that this ledger holds. Raises VerificationError."""
    claimed = head.read()
    name = str(claimed["institution"]) if isinstance(claimed, dict) and "institution" in claimed else ""
    own = [card for card in reading.cards.values() if card.name == name and card.fingerprint in head.signatures]
    if not own:
        raise VerificationError("the ledger does not hold its own institution's card")
    value = head.verify(HEAD, [own[-1].key])
    if not isinstance(value, dict) or not isinstance(value.get("size"), int):
        raise VerificationError("a tree head without a size")
    return SignedHead(name, int(str(value["size"])), str(value.get("root")), -1)


def documents(value: Json) -> Iterable[Envelope]:
    """All signed envelopes inside an entry's body."""
    if isinstance(value, dict):
        if "payloadType" in value and set(value) == {"payloadType", "payload", "signatures"}:
            yield envelopes.from_json(value)
            return
        for inner in value.values():
            if isinstance(inner, dict | list):
                yield from documents(inner)
    elif isinstance(value, list):
        for inner in value:
            if isinstance(inner, dict | list):
                yield from documents(inner)


def _differing_receipts(reports: Sequence[LedgerReport]) -> list[str]:
    """(6) One job, one receipt, in every ledger of a party to it that is at hand."""
    findings = []
    first: dict[str, tuple[str, str]] = {}
    for report in reports:
        for job, run in report.runs.items():
            institution, digest = first.setdefault(job, (report.institution, run.receipt.digest))
            if digest != run.receipt.digest:
                findings.append(f"the receipts of job {job} differ between {institution} and {report.institution}")
    return findings


def _differing_heads(reports: Sequence[LedgerReport]) -> list[str]:
    """(7) Every head that an institution signed, wherever it is kept, is a head of its one ledger."""
    findings = []
    told = {head.institution for report in reports for head in report.heads if head.entry >= 0}
    whole = [report for report in reports if report.leaves and report.institution in told]
    trees = {report.institution: Tree.of(_split(report.leaves)) for report in whole}
    signed: dict[tuple[str, int], SignedHead] = {}
    for report in reports:
        for head in report.heads:
            other = signed.setdefault((head.institution, head.size), head)
            where = f"entry {head.entry} of {report.institution}'s ledger"
            if other.root != head.root:
                findings.append(
                    f"{head.institution} signed two different heads over {head.size} entries (see {where})"
                )
            elif (
                head.entry >= 0
                and (tree := trees.get(head.institution))
                and (head.size > tree.size or tree.root(head.size).hex() != head.root)
            ):
                findings.append(
                    f"{head.institution}'s ledger does not continue the head that it gave {report.institution}"
                    f" ({where}): entries were cut or rewritten after entry {head.size - 1}"
                )
    return findings


def _split(leaves: bytes | bytearray) -> Iterable[bytes]:
    return (bytes(leaves[start : start + _HASH]) for start in range(0, len(leaves), _HASH))


def _summary(report: LedgerReport) -> str:
    return f"{report.institution}: {report.entries} entries, unaltered, under a signed head" + (
        f"; {len(report.runs)} countersigned receipt(s)" if report.runs else ""
    )
