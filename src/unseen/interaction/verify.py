"""Offline verification of ledgers, from copied folders alone: no node, no data, no network.

For every ledger: (1) each line's digest, (2) the signed head over the tree of all entries, (3) the institution's
card and the cards of those it was introduced to, (4) every signed document that it holds. Across ledgers:
(5) the same run has the same receipt everywhere, and it is signed by all its parties.

A failed check names the ledger and the first bad entry.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from unseen.encoding import Json
from unseen.errors import MisuseError, VerificationError
from unseen.interaction import envelope as envelopes
from unseen.interaction.envelope import Envelope
from unseen.interaction.identity import CARD, Card, read_card
from unseen.interaction.ledger import HEAD, Entry, Kind, read_entries
from unseen.interaction.merkle import Frontier
from unseen.interaction.receipt import RECEIPT, read_statement


@dataclass(frozen=True)
class LedgerReport:
    """What one ledger says, all checks passed: its institution, counts of entries by kind, receipts by job."""

    institution: str
    entries: int
    root: str
    kinds: Mapping[str, int]
    receipts: Mapping[str, Envelope]
    cards: Mapping[str, Card]


@dataclass(frozen=True)
class Verification:
    """The outcome over all ledgers given."""

    ledgers: tuple[LedgerReport, ...]
    findings: tuple[str, ...] = ()
    words: tuple[str, ...] = field(default=())

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
    words = [
        f"{report.institution}: {report.entries} entries, unaltered, under a signed head"
        + (f"; {len(report.receipts)} countersigned receipt(s)" if report.receipts else "")
        for report in reports
    ]
    findings += _differing_receipts(reports)
    return Verification(tuple(reports), tuple(findings), tuple(words))


def verify_ledger(folder: Path) -> LedgerReport:
    """Check one ledger folder. Raises VerificationError naming the first bad entry, MisuseError, OSError."""
    frontier = Frontier()
    kinds: dict[str, int] = {}
    entries: list[Entry] = []
    for entry, leaf in read_entries(folder / "entries.jsonl"):  # 1
        frontier.append(leaf)
        kinds[entry.kind.value] = kinds.get(entry.kind.value, 0) + 1
        entries.append(entry)
    cards = _cards(entries)
    head = envelopes.parse((folder / "head.json").read_bytes())
    institution = _check_head(head, frontier, cards)  # 2, 3
    receipts = {}
    for entry in entries:  # 4
        for document in _documents(entry.body):
            _check_document(entry, document, cards)
            if document.kind == RECEIPT:
                receipts[str(entry.body.get("job", entry.key))] = document
    return LedgerReport(institution, frontier.size, frontier.root().hex(), kinds, receipts, cards)


def _check_head(head: Envelope, frontier: Frontier, cards: Mapping[str, Card]) -> str:
    claimed = head.read()
    name = str(claimed["institution"]) if isinstance(claimed, dict) else ""
    if name not in cards:
        raise VerificationError("the ledger does not hold its own institution's card")
    value = head.verify(HEAD, [cards[name].key])
    if not isinstance(value, dict) or value["size"] != frontier.size:
        size = value["size"] if isinstance(value, dict) else "?"
        raise VerificationError(
            f"the signed head covers {size} entries and the ledger has {frontier.size}: entries were cut or added"
        )
    if value["root"] != frontier.root().hex():
        raise VerificationError("the signed head does not fit the entries: the ledger was rewritten")
    return name


def _cards(entries: Iterable[Entry]) -> dict[str, Card]:
    """Cards by name, the newest of each: its own (administration) and those introduced."""
    cards = {}
    for entry in entries:
        for document in _documents(entry.body):
            if document.kind == CARD:
                try:
                    card = read_card(document)
                except VerificationError as error:
                    raise VerificationError(f"entry {entry.index}: {error}") from error
                cards[card.name] = card
    return cards


def _check_document(entry: Entry, document: Envelope, cards: Mapping[str, Card]) -> None:
    by_key = {card.fingerprint: card.key for card in cards.values()}
    known = [by_key[name] for name in document.signatures if name in by_key]
    if len(known) < len(document.signatures):
        raise VerificationError(
            f"entry {entry.index}: a {entry.kind.value} signed by a key that was never introduced"
        )
    try:
        document.verify(document.kind, known)
    except VerificationError as error:
        raise VerificationError(f"entry {entry.index}: {error}") from error
    if entry.kind is Kind.RECEIPT:
        parties = set(read_statement(document.read()).parties)
        signers = {name for name, card in cards.items() if card.fingerprint in document.signatures}
        if missing := sorted(parties - signers):
            raise VerificationError(f"entry {entry.index}: the receipt is not signed by {', '.join(missing)}")


def _documents(value: Json) -> Iterable[Envelope]:
    """All signed envelopes inside an entry's body."""
    if isinstance(value, Mapping):
        if set(value) == {"payloadType", "payload", "signatures"}:
            yield envelopes.from_json(value)
            return
        for inner in value.values():
            yield from _documents(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _documents(inner)


def _differing_receipts(reports: Sequence[LedgerReport]) -> list[str]:
    """(5) One job, one receipt, in every ledger of a party to it that is at hand."""
    findings = []
    first: dict[str, tuple[str, str]] = {}
    for report in reports:
        for job, receipt in report.receipts.items():
            institution, digest = first.setdefault(job, (report.institution, receipt.digest))
            if digest != receipt.digest:
                findings.append(f"the receipts of job {job} differ between {institution} and {report.institution}")
    return findings
