"""A bundle for a supervisor: one file that verifies offline, of a whole ledger or of one job alone.

    ledger bundle    entries.jsonl  head.json  story.txt
    job bundle       job.json       story.txt

`job.json` holds the signed head and, for each entry about the job, each approval that it rests on, and each card
and enrolment needed to check these, its line and its inclusion proof (RFC 9162): it proves that these entries are
in the ledger, and shows no other. A bundle comes from outside: it is read with bounds on names, number and size of
its members.
"""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Set
from pathlib import Path
from typing import Final

from unseen.encoding import Json, canonical, parse_json
from unseen.errors import MisuseError, VerificationError
from unseen.interaction import envelope as envelopes
from unseen.interaction.checks import GRANT
from unseen.interaction.envelope import fingerprint
from unseen.interaction.ledger import Entry, Kind, Ledger, read_line
from unseen.interaction.merkle import verify_inclusion
from unseen.interaction.people import enrolled_key
from unseen.interaction.story import stories
from unseen.interaction.verify import (
    LedgerReport,
    Reading,
    Verification,
    documents,
    own_head,
    verify_ledger,
    verify_ledgers,
)

_ENTRIES, _HEAD, _JOB, _STORY = "entries.jsonl", "head.json", "job.json", "story.txt"
_MOST_BYTES: Final = 8 << 30
_JOB_BYTES: Final = 256 << 20
_CARDS: Final = frozenset({Kind.ADMINISTRATION, Kind.INTRODUCTION})


def export_ledger(folder: Path, to: Path) -> LedgerReport:
    """Verify a ledger folder, and write it with its story into a bundle. Raises VerificationError, MisuseError."""
    report = verify_ledger(folder)
    with _create(to) as bundle:
        for name in (_ENTRIES, _HEAD):
            bundle.write(folder / name, name)
        bundle.writestr(_STORY, "\n".join(stories(report)) + "\n")
    return report


def export_job(ledger: Ledger, job: str, to: Path) -> LedgerReport:
    """Write what the ledger holds about one job, with proofs. Raises MisuseError, VerificationError."""
    about = {entry.index: entry for entry in ledger.entries() if entry.body.get("job") == job}
    if not about:
        raise MisuseError(f"this ledger holds nothing about job {job}")
    about |= {entry.index: entry for entry in _approvals(ledger, about.values())}
    signers = {
        name for entry in about.values() for document in documents(entry.body) for name in document.signatures
    }
    about |= {entry.index: entry for entry in ledger.entries() if _is_card(entry) or _enrols(entry, signers)}
    chosen = [about[index] for index in sorted(about)]
    entries: list[Json] = [
        {"line": ledger.line(entry.index), "proof": [step.hex() for step in ledger.inclusion(entry.index)]}
        for entry in chosen
    ]
    value: Json = {"head": ledger.head().as_json(), "entries": entries}
    report = _check_job(value)
    with _create(to) as bundle:
        bundle.writestr(_JOB, canonical(value))
        bundle.writestr(_STORY, "\n".join(stories(report)) + "\n")
    return report


def verify_bundle(path: Path) -> Verification:
    """Check a bundle. A bad one is a finding, as with `verify_ledgers`; MisuseError for a file that is none."""
    try:
        with zipfile.ZipFile(path) as bundle:
            names = {info.filename: info.file_size for info in bundle.infolist()}
            if _JOB in names:
                return _verify_job(path, _read(bundle, _JOB, _JOB_BYTES))
            if not {_ENTRIES, _HEAD} <= set(names):
                raise MisuseError(f"{path} is no bundle: it holds neither a ledger nor a job")
            with tempfile.TemporaryDirectory() as folder:
                for name in (_ENTRIES, _HEAD):
                    _unpack(bundle, name, Path(folder) / name)
                return verify_ledgers([Path(folder)])
    except (OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise MisuseError(f"{path} is no bundle that can be read") from error


def _verify_job(path: Path, data: bytes) -> Verification:
    try:
        report = _check_job(parse_json(data, _JOB_BYTES))
    except (VerificationError, MisuseError) as error:
        return Verification((), (f"{path}: {error}",))
    words = f"{report.institution}: {report.entries} entries proved to be in its ledger, unaltered"
    return Verification((report,), (), (words,))


def _check_job(value: Json) -> LedgerReport:
    """Each entry by its line and its proof under the signed head. Raises VerificationError naming the entry."""
    if not isinstance(value, dict) or set(value) != {"head", "entries"} or not isinstance(value["entries"], list):
        raise VerificationError("the job's part of the bundle has another form")
    reading, leaves = Reading(), []
    for item in value["entries"]:
        entry, leaf, proof = _proved(item)
        reading.take(entry)
        leaves.append((entry.index, leaf, proof))
    head = own_head(envelopes.from_json(value["head"]), reading)
    for index, leaf, proof in leaves:
        try:
            verify_inclusion(leaf, index, head.size, proof, bytes.fromhex(head.root))
        except (VerificationError, ValueError) as error:
            raise VerificationError(f"entry {index}: {error}") from error
    cards = {card.name: card for card in reading.cards.values()}
    heads = (head, *reading.heads)
    return LedgerReport(head.institution, len(leaves), head.root, reading.kinds, reading.runs, cards, heads, b"")


def _proved(item: Json) -> tuple[Entry, bytes, list[bytes]]:
    try:
        if not isinstance(item, dict) or not isinstance(item["proof"], list):
            raise VerificationError("an entry of the bundle has another form")
        line = str(item["line"]).encode()
        stated = parse_json(line)
        number = int(stated["entry"]["index"])  # type: ignore[index,call-overload,arg-type]
        entry, leaf = read_line(line, number)
        return entry, leaf, [bytes.fromhex(str(step)) for step in item["proof"]]
    except (KeyError, TypeError, ValueError, MisuseError) as error:
        raise VerificationError("an entry of the bundle was altered") from error


def _is_card(entry: Entry) -> bool:
    return entry.kind in _CARDS and "card" in entry.body


def _approvals(ledger: Ledger, entries: Iterable[Entry]) -> Iterator[Entry]:
    """The approvals on which the grants among these entries rest, where this ledger has them."""
    for entry in entries:
        for document in documents(entry.body):
            if document.kind != GRANT:
                continue
            said = document.read()
            rests_on = said.get("rests_on") if isinstance(said, dict) else None
            counted = rests_on.get("approvals") if isinstance(rests_on, dict) else None
            for name in counted if isinstance(counted, list) else ():
                if (found := ledger.find(f"approval/{name}")) is not None:
                    yield found


def _enrols(entry: Entry, signers: Set[str]) -> bool:
    """Whether an entry enrols one of these people, by the fingerprint of their key."""
    if entry.kind is not Kind.ADMINISTRATION or "enrolment" not in entry.body:
        return False
    return any(fingerprint(enrolled_key(document.read())) in signers for document in documents(entry.body))


def _create(to: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(to, "x", zipfile.ZIP_DEFLATED)
    except FileExistsError:
        raise MisuseError(f"{to} is there already; name another file") from None
    except OSError as error:
        raise MisuseError(f"cannot write {to}: {error.strerror}") from error


def _read(bundle: zipfile.ZipFile, name: str, limit: int) -> bytes:
    with bundle.open(name) as member:
        data = member.read(limit + 1)
    if len(data) > limit:
        raise MisuseError(f"{name} in the bundle is over the limit of {limit} bytes")
    return data


def _unpack(bundle: zipfile.ZipFile, name: str, to: Path) -> None:
    left = _MOST_BYTES
    with bundle.open(name) as member, to.open("wb") as file:
        while part := member.read(1 << 20):
            left -= len(part)
            if left < 0:
                raise MisuseError(f"{name} in the bundle is over the limit of {_MOST_BYTES} bytes")
            file.write(part)
