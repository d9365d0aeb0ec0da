"""Envelopes, cards, agreements, the Merkle tree, the ledger and its offline verification."""

from __future__ import annotations

import hashlib
from datetime import date
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from unseen.data.catalogue import Use
from unseen.errors import MisuseError, RefusedError, VerificationError
from unseen.interaction import merkle
from unseen.interaction.agreement import from_yaml, missing_signatures, propose, read_agreement
from unseen.interaction.envelope import authenticated_bytes, parse, seal
from unseen.interaction.identity import Card, SigningKey, create_keys, load_signing_key, make_card, read_card
from unseen.interaction.ledger import Kind, Ledger
from unseen.interaction.verify import verify_ledger, verify_ledgers

TERMS = """
agreement: Joint default scorecard
parties:
  lender: {role: controller}
  bureau: {role: controller}
  dealer: {role: dealer}
purpose: dpv:CreditChecking
valid: {from: 2026-01-01, until: 2027-12-31}
columns:
  lender: {loans: {id: [join], amount: [feature], bad: [label]}}
  bureau: {file: {id: [join], inquiries: [feature]}}
computations: [credit]
recipients: {scores: [lender]}
"""


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[SigningKey, Card]]:
    found = {}
    for name in ("lender", "bureau", "dealer"):
        folder = tmp_path_factory.mktemp(name) / "keys"
        create_keys(folder, name)
        key = load_signing_key(folder)
        found[name] = (key, make_card(name, "127.0.0.1:7000", key, (folder / "root.crt").read_text()))
    return found


def test_the_signed_bytes_are_those_of_the_dsse_specification() -> None:
    assert authenticated_bytes("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


def test_an_envelope_under_another_kind_or_with_one_changed_byte_is_refused() -> None:
    key = SigningKey(Ed25519PrivateKey.generate())
    envelope = seal("kind/a", {"x": 1}, key)
    assert envelope.verify("kind/a", [key.public]) == {"x": 1}
    with pytest.raises(VerificationError, match="not a kind/b"):
        envelope.verify("kind/b", [key.public])
    for position in range(len(envelope.payload)):
        payload = bytearray(envelope.payload)
        payload[position] ^= 1
        with pytest.raises(VerificationError, match="altered"):
            type(envelope)("kind/a", bytes(payload), envelope.signatures).verify("kind/a", [key.public])


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_no_envelope_and_end_in_a_clear_error(data: bytes) -> None:
    with pytest.raises(MisuseError):
        parse(data)


def test_a_card_signed_by_another_key_is_no_card(people: dict[str, tuple[SigningKey, Card]]) -> None:
    lender, card = people["lender"]
    stranger = SigningKey(Ed25519PrivateKey.generate())
    forged = seal(card.envelope.kind, card.envelope.read(), stranger)
    with pytest.raises(VerificationError):
        read_card(forged)
    assert read_card(card.envelope).fingerprint == lender.fingerprint
    assert len(card.spoken.split()) == 8


def test_keys_are_for_their_owner_only_and_never_overwritten(tmp_path: Path) -> None:
    create_keys(tmp_path, "lender")
    assert {p.name for p in tmp_path.iterdir() if p.stat().st_mode & 0o077} == {"root.crt", "node.crt"}
    with pytest.raises(MisuseError, match="holds keys already"):
        create_keys(tmp_path, "lender")
    (tmp_path / "signing.key").chmod(0o644)
    with pytest.raises(MisuseError, match="chmod 600"):
        load_signing_key(tmp_path)


def test_an_agreement_is_effective_only_under_all_signatures(people: dict[str, tuple[SigningKey, Card]]) -> None:
    cards = {name: card for name, (_, card) in people.items()}
    agreement = from_yaml(TERMS).with_keys(cards)
    assert agreement.computing == ("bureau", "lender")
    assert agreement.dealer == "dealer"
    assert agreement.uses("bureau", "file", "inquiries") == (Use.FEATURE,)
    envelope = propose(agreement, people["lender"][0])
    assert missing_signatures(envelope, cards) == ("bureau", "dealer")
    for name in ("bureau", "dealer"):
        envelope = envelope.merged(envelope.signed_by(people[name][0]))
    assert missing_signatures(envelope, cards) == ()
    assert read_agreement(parse_again(envelope)).id == agreement.id


def parse_again(envelope):  # type: ignore[no-untyped-def]
    from unseen.encoding import canonical

    return parse(canonical(envelope.as_json()))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("role: dealer", "role: controller", None),
        ("lender: {loans", "stranger: {loans", "stranger is no party"),
        ("until: 2027-12-31", "until: 2025-12-31", "ends before it begins"),
        ("[feature]", "[everything]", "columns"),
        ("purpose: dpv", "porpose: dpv", "porpose"),
        ("dealer: {role: dealer}", "dealer: {role: dealer}\n  other: {role: dealer}", "one dealer only"),
        ("{from:", "{from", "no YAML|valid"),
    ],
)
def test_terms_that_cannot_be_kept_are_refused_by_field(old: str, new: str, words: str | None) -> None:
    text = TERMS.replace(old, new)
    if words is None:
        assert from_yaml(text).dealer is None
        return
    with pytest.raises(MisuseError, match=words):
        from_yaml(text)


def test_an_expired_agreement_names_its_dates() -> None:
    with pytest.raises(RefusedError, match="agreement-dates"):
        from_yaml(TERMS).require_valid_on(date(2028, 1, 1))


def naive_root(leaves: list[bytes]) -> bytes:
    """RFC 9162, section 2.1.1, word by word."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    cut = 1
    while cut * 2 < len(leaves):
        cut *= 2
    return merkle.node_hash(naive_root(leaves[:cut]), naive_root(leaves[cut:]))


@given(st.integers(0, 70), st.data())
def test_tree_hash_and_proofs_follow_the_rfc(size: int, data: st.DataObject) -> None:
    leaves = [merkle.leaf_hash(bytes([i])) for i in range(size)]
    root = merkle.root_of(leaves)
    assert root == naive_root(leaves)
    if not size:
        return
    index = data.draw(st.integers(0, size - 1))
    proof = merkle.inclusion_proof(leaves, index)
    merkle.verify_inclusion(leaves[index], index, size, proof, root)
    if size > 1:
        with pytest.raises(VerificationError):
            merkle.verify_inclusion(leaves[index], (index + 1) % size, size, proof, root)
    old = data.draw(st.integers(1, size))
    steps = merkle.consistency_proof(leaves, old)
    merkle.verify_consistency(old, merkle.root_of(leaves[:old]), size, root, steps)
    if old < size:
        with pytest.raises(VerificationError):
            merkle.verify_consistency(old, merkle.leaf_hash(b"other"), size, root, steps)


def test_tree_hash_equals_the_published_vector() -> None:
    """The eight inputs and roots that certificate-transparency's own tests publish."""
    inputs = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
    leaves = [merkle.leaf_hash(bytes.fromhex(text)) for text in inputs]
    assert merkle.root_of(leaves[:1]).hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert merkle.root_of(leaves).hex() == "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"


def ledger_at(folder: Path, people: dict[str, tuple[SigningKey, Card]], entries: int = 4) -> Ledger:
    key, card = people["lender"]
    ledger = Ledger(folder, "lender", key)
    ledger.append(Kind.ADMINISTRATION, "init", {"card": card.envelope.as_json()})
    for number in range(entries):
        ledger.append(Kind.RUN, f"run/{number}", {"job": f"{number:032x}"})
    return ledger


def test_a_ledger_survives_reopening_and_records_each_step_once(
    tmp_path: Path, people: dict[str, tuple[SigningKey, Card]]
) -> None:
    ledger_at(tmp_path, people)
    with (tmp_path / "entries.jsonl").open("ab") as file:
        file.write(b'{"digest":"torn by a cra')
    again = Ledger(tmp_path, "lender", people["lender"][0])
    assert again.append(Kind.RUN, "run/2", {"job": "twice"}) == 3
    assert again.append(Kind.RUN, "run/new", {"job": "new"}) == 5
    assert [entry.key for entry in again.entries()][-1] == "run/new"
    assert verify_ledger(tmp_path).entries == 6


def test_one_flipped_byte_anywhere_names_its_entry(
    tmp_path: Path, people: dict[str, tuple[SigningKey, Card]]
) -> None:
    ledger_at(tmp_path, people)
    file = tmp_path / "entries.jsonl"
    whole = file.read_bytes()
    for position in range(0, len(whole), 7):
        altered = bytearray(whole)
        altered[position] ^= 0x04
        file.write_bytes(altered)
        number = whole[:position].count(b"\n")
        findings = verify_ledgers([tmp_path]).findings
        assert len(findings) == 1
        assert f"entry {number} " in findings[0] or f"entry {number}:" in findings[0]
    file.write_bytes(whole)
    assert verify_ledgers([tmp_path]).sound


def test_a_cut_or_rewritten_ledger_does_not_fit_its_signed_head(
    tmp_path: Path, people: dict[str, tuple[SigningKey, Card]]
) -> None:
    ledger_at(tmp_path, people)
    file = tmp_path / "entries.jsonl"
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(lines[:-1]))
    with pytest.raises(VerificationError, match="cut or added"):
        verify_ledger(tmp_path)
