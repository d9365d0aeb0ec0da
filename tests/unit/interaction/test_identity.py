"""Keys and cards: made once, kept private, altered by nobody."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from unseen.errors import MisuseError, VerificationError
from unseen.interaction.envelope import seal
from unseen.interaction.identity import Card, SigningKey, create_keys, load_signing_key, read_card

People = dict[str, tuple[SigningKey, Card]]


def test_a_card_signed_by_another_key_is_no_card(people: People) -> None:
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
