"""Offline verification: what is wrong is named, wherever it lies; nothing sound is called wrong."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from unseen.encoding import Json, canonical, digest
from unseen.errors import VerificationError
from unseen.interaction.checks import GRANT
from unseen.interaction.envelope import Envelope, seal
from unseen.interaction.identity import Card, SigningKey
from unseen.interaction.ledger import HEAD, Kind, Ledger
from unseen.interaction.receipt import RECEIPT
from unseen.interaction.verify import verify_ledger, verify_ledgers

People = dict[str, tuple[SigningKey, Card]]
JOB = "0" * 32


def receipt(people: People, result: str = "r-lender", heard: str = "1", signers: tuple[str, ...] = ()) -> Envelope:
    """A countersigned receipt of a run between lender and bureau."""
    line = {"bytes": 10, "messages": 1, "sent": "0", "received": "1"}
    back = {"bytes": 10, "messages": 1, "sent": heard, "received": "0"}
    value: Json = {
        "plan": "p" * 64,
        "job": JOB,
        "agreement": "a" * 64,
        "application": "credit",
        "grants": {"lender": grant(people).digest},
        "disclosures": {"lender": ["the overlap"]},
        "accounts": [
            account("bureau", "r-bureau", {"lender": back}),
            account("lender", result, {"bureau": line}),
        ],
    }
    envelope = Envelope(RECEIPT, canonical(value), {})
    for name in signers or ("lender", "bureau"):
        envelope = envelope.signed_by(people[name][0])
    return envelope


def account(party: str, result: str, lines: Json) -> Json:
    return {"party": party, "plan": "p" * 64, "job": JOB, "result": result, "rounds": 1, "lines": lines}


def grant(people: People, expires: str = "2026-01-02T00:00:00+00:00") -> Envelope:
    value: Json = {"plan": "p" * 64, "job": JOB, "party": "lender", "expires": expires}
    return seal(GRANT, value, people["lender"][0])


def ledger_at(folder: Path, people: People, name: str = "lender") -> Ledger:
    """A ledger that knows its own institution and the other one."""
    key, card = people[name]
    ledger = Ledger(folder, name, key)
    ledger.append(Kind.ADMINISTRATION, "created", {"card": card.envelope.as_json()})
    for other in ("lender", "bureau"):
        if other != name:
            ledger.append(Kind.INTRODUCTION, f"introduced/{other}", {"card": people[other][1].envelope.as_json()})
    return ledger


def record_run(ledger: Ledger, envelope: Envelope) -> None:
    ledger.append(Kind.RUN, f"{JOB}/run", {"job": JOB})
    ledger.append(Kind.RECEIPT, f"{JOB}/receipt", {"job": JOB, "receipt": envelope.as_json()})


def test_one_flipped_byte_anywhere_names_its_entry(tmp_path: Path, people: People) -> None:
    ledger = ledger_at(tmp_path, people)
    record_run(ledger, receipt(people))
    file = tmp_path / "entries.jsonl"
    whole = file.read_bytes()
    for position in [*range(0, len(whole), 7), *(i for i, byte in enumerate(whole) if byte == 10)]:
        for bit in (0x01, 0x04, 0x20):
            altered = bytearray(whole)
            altered[position] ^= bit
            file.write_bytes(altered)
            number = whole[:position].count(b"\n")
            findings = verify_ledgers([tmp_path]).findings
            assert len(findings) == 1
            assert f"entry {number} " in findings[0] or f"entry {number}:" in findings[0]
    file.write_bytes(whole)
    assert verify_ledgers([tmp_path]).sound


def test_every_byte_of_the_head_counts(tmp_path: Path, people: People) -> None:
    ledger_at(tmp_path, people)
    file = tmp_path / "head.json"
    whole = file.read_bytes()
    for position in range(0, len(whole), 5):
        file.write_bytes(whole[:position] + bytes([whole[position] ^ 0x01]) + whole[position + 1 :])
        assert not verify_ledgers([tmp_path]).sound
    file.write_bytes(whole)
    assert verify_ledgers([tmp_path]).sound


def test_a_cut_ledger_does_not_fit_its_signed_head(tmp_path: Path, people: People) -> None:
    ledger_at(tmp_path, people)
    file = tmp_path / "entries.jsonl"
    file.write_bytes(b"".join(file.read_bytes().splitlines(keepends=True)[:-1]))
    with pytest.raises(VerificationError, match="cut or added"):
        verify_ledger(tmp_path)


def test_two_sound_ledgers_say_the_same_of_one_run(tmp_path: Path, people: People) -> None:
    for name in ("lender", "bureau"):
        record_run(ledger_at(tmp_path / name, people, name), receipt(people))
    outcome = verify_ledgers([tmp_path / "lender", tmp_path / "bureau"])
    assert outcome.sound
    assert [list(report.runs) for report in outcome.ledgers] == [[JOB], [JOB]]
    assert any("1 countersigned" in words for words in outcome.words)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"signers": ("lender",)}, "not signed by bureau"),
        ({"heard": "2"}, "sent something else"),
        ({"result": "r-other"}, "another result"),
        ({"signers": ("lender", "bureau", "dealer")}, "never introduced"),
    ],
)
def test_a_receipt_that_does_not_hold_is_named(
    tmp_path: Path, people: People, changes: dict[str, object], words: str
) -> None:
    ledger = ledger_at(tmp_path, people)
    ledger.append(Kind.RESULT, f"{JOB}/result", {"job": JOB, "digest": "r-lender"})
    record_run(ledger, receipt(people, **changes))  # type: ignore[arg-type]
    with pytest.raises(VerificationError, match=f"entry 4: .*{words}"):
        verify_ledger(tmp_path)


def test_a_receipt_over_another_grant_than_the_recorded_one_is_named(tmp_path: Path, people: People) -> None:
    ledger = ledger_at(tmp_path, people)
    other = grant(people, expires="2027-01-01T00:00:00+00:00")
    ledger.append(Kind.GRANT, f"{JOB}/grant", {"job": JOB, "grant": other.as_json()})
    record_run(ledger, receipt(people))
    with pytest.raises(VerificationError, match="another grant of lender"):
        verify_ledger(tmp_path)


def test_receipts_that_differ_between_two_ledgers_are_named(tmp_path: Path, people: People) -> None:
    record_run(ledger_at(tmp_path / "lender", people, "lender"), receipt(people))
    record_run(ledger_at(tmp_path / "bureau", people, "bureau"), receipt(people, result="r-other"))
    findings = verify_ledgers([tmp_path / "lender", tmp_path / "bureau"]).findings
    assert findings == (f"the receipts of job {JOB} differ between lender and bureau",)


def note_head(own: Ledger, head: Envelope) -> None:
    own.append(Kind.PARTNER_HEAD, f"head/{head.digest}", {"head": head.as_json()})


def test_a_ledger_that_was_rewritten_and_signed_again_is_caught_by_its_partners_copy(
    tmp_path: Path, people: People
) -> None:
    lender = ledger_at(tmp_path / "lender", people, "lender")
    bureau = ledger_at(tmp_path / "bureau", people, "bureau")
    bureau.append(Kind.RUN, "run/inconvenient", {"job": JOB})
    note_head(lender, bureau.head())
    bureau.append(Kind.RUN, "run/later", {"job": JOB})
    assert verify_ledgers([tmp_path / "lender", tmp_path / "bureau"]).sound
    shutil.rmtree(tmp_path / "bureau")
    rewritten = ledger_at(tmp_path / "bureau", people, "bureau")
    rewritten.append(Kind.RUN, "run/harmless", {"job": JOB})
    rewritten.append(Kind.RUN, "run/later", {"job": JOB})
    findings = verify_ledgers([tmp_path / "lender", tmp_path / "bureau"]).findings
    assert len(findings) == 1
    assert "bureau's ledger does not continue the head that it gave lender (entry 2" in findings[0]


def test_a_partner_that_signs_two_different_heads_is_caught_without_its_ledger(
    tmp_path: Path, people: People
) -> None:
    lender = ledger_at(tmp_path, people, "lender")
    for root in ("a" * 64, "b" * 64):
        value: Json = {"institution": "bureau", "size": 7, "root": root, "time": "2026-01-01T00:00:00+00:00"}
        note_head(lender, seal(HEAD, value, people["bureau"][0]))
    findings = verify_ledgers([tmp_path]).findings
    assert len(findings) == 1
    assert "bureau signed two different heads over 7 entries" in findings[0]


def test_a_partner_with_a_new_key_leaves_its_older_signatures_valid(tmp_path: Path, people: People) -> None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from unseen.interaction.identity import make_card

    ledger = ledger_at(tmp_path, people)
    record_run(ledger, receipt(people))
    new = SigningKey(Ed25519PrivateKey.generate())
    card = make_card("bureau", "127.0.0.1:7000", new, people["bureau"][1].root)
    ledger.append(Kind.INTRODUCTION, "introduced/bureau/2", {"card": card.envelope.as_json()})
    assert verify_ledger(tmp_path).cards["bureau"].fingerprint == new.fingerprint


def test_digests_of_one_thing_never_stand_for_another() -> None:
    assert digest(GRANT, {"x": 1}) != digest(RECEIPT, {"x": 1})
