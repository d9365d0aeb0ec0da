"""Who an institution is: a signing key, a root certificate of its own, and node certificates under it.

No public authority is needed. Two institutions are introduced by exchanging cards and comparing a fingerprint
by telephone; from then on each trusts the other's signing key and root, and nothing else.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.x509.oid import NameOID

from unseen.encoding import from_base64, to_base64
from unseen.errors import MisuseError, VerificationError
from unseen.interaction.envelope import Envelope, fingerprint, seal

CARD: Final = "application/vnd.unseen.card+json"
ROOT_DAYS: Final = 3650
NODE_DAYS: Final = 397
NAME_LIMIT: Final = 63


@dataclass(frozen=True)
class SigningKey:
    """An institution's signing key; `repr` shows its fingerprint only."""

    key: Ed25519PrivateKey

    @property
    def public(self) -> Ed25519PublicKey:
        return self.key.public_key()

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.public)

    def sign(self, data: bytes) -> bytes:
        return self.key.sign(data)

    def __repr__(self) -> str:
        return f"SigningKey({self.fingerprint[:16]}…)"


@dataclass(frozen=True)
class Card:
    """What an institution tells the world about itself: signed with its own key, so that it cannot be altered.

    A card proves nothing about who made it; only the fingerprint compared over another way does.
    """

    name: str
    address: str
    key: Ed25519PublicKey
    root: str
    envelope: Envelope

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.key)

    @property
    def spoken(self) -> str:
        """The fingerprint's first half in groups of four, to be read aloud: 128 bits."""
        return grouped(self.fingerprint)


def grouped(name: str) -> str:
    half = name[:32]
    return " ".join(half[i : i + 4] for i in range(0, len(half), 4))


def checked_name(name: str) -> str:
    """A name that may stand in certificates and file names. Raises MisuseError."""
    if (
        not 0 < len(name) <= NAME_LIMIT
        or not name.replace("-", "").isalnum()
        or not name.isascii()
        or name != name.lower()
    ):
        raise MisuseError(f"{name!r} is no name for an institution; use small letters, digits and hyphens")
    return name


def create_keys(folder: Path, name: str) -> None:
    """Make signing key, root and node key with certificates in `folder` (mode 0700; keys 0600).

    Raises MisuseError if there are keys already: they are never overwritten.
    """
    checked_name(name)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if (folder / "signing.key").exists():
        raise MisuseError(f"{folder} holds keys already; choose another home")
    _write_key(folder / "signing.key", Ed25519PrivateKey.generate())
    root_key = ec.generate_private_key(ec.SECP256R1())
    _write_key(folder / "root.key", root_key)
    root = _certificate(name, root_key, name, root_key, ROOT_DAYS, authority=True)
    _write(folder / "root.crt", root.public_bytes(serialization.Encoding.PEM), 0o644)
    renew_node_certificate(folder, name)


def renew_node_certificate(folder: Path, name: str, days: float = NODE_DAYS) -> None:
    """A new node key and certificate under the institution's root."""
    root_key = serialization.load_pem_private_key((folder / "root.key").read_bytes(), None)
    if not isinstance(root_key, ec.EllipticCurvePrivateKey):
        raise MisuseError(f"{folder / 'root.key'} is not a key of the kind that this version makes")
    node_key = ec.generate_private_key(ec.SECP256R1())
    _write_key(folder / "node.key", node_key)
    node = _certificate(name, node_key, name, root_key, days, authority=False)
    _write(folder / "node.crt", node.public_bytes(serialization.Encoding.PEM), 0o644)


def load_signing_key(folder: Path) -> SigningKey:
    """Raises MisuseError when the file is missing or readable by others."""
    path = folder / "signing.key"
    try:
        mode, data = path.stat().st_mode, path.read_bytes()
    except OSError as error:
        raise MisuseError(f"cannot read {path}: {error.strerror}") from error
    if mode & 0o077:
        raise MisuseError(f"{path} may be read by others; run chmod 600 on it")
    key = serialization.load_pem_private_key(data, None)
    if not isinstance(key, Ed25519PrivateKey):
        raise MisuseError(f"{path} is not an Ed25519 key")
    return SigningKey(key)


def make_card(name: str, address: str, signing: SigningKey, root: str) -> Card:
    """Sign a card for this institution. `root` is its root certificate, PEM."""
    payload = {
        "name": name,
        "address": address,
        "signing_key": to_base64(signing.public.public_bytes_raw()),
        "root_certificate": root,
    }
    return read_card(seal(CARD, payload, signing))


def read_card(envelope: Envelope) -> Card:
    """Read a card and check that it is signed with the key that it states. Raises VerificationError."""
    value = envelope.read()
    try:
        if not isinstance(value, dict):
            raise MisuseError("not a card")
        key = Ed25519PublicKey.from_public_bytes(from_base64(str(value["signing_key"])))
        x509.load_pem_x509_certificate(str(value["root_certificate"]).encode())
        card = Card(
            checked_name(str(value["name"])), str(value["address"]), key, str(value["root_certificate"]), envelope
        )
    except (KeyError, ValueError, MisuseError) as error:
        raise VerificationError(f"this is no card of an institution: {error}") from error
    envelope.verify(CARD, [key])
    return card


def _certificate(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: str,
    issuer_key: ec.EllipticCurvePrivateKey,
    days: float,
    authority: bool,
) -> x509.Certificate:
    now = datetime.now(UTC)
    usage = x509.KeyUsage(
        digital_signature=not authority,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
    return (
        x509.CertificateBuilder()
        .subject_name(_x500(f"{name} {'root' if authority else 'node'}"))
        .issuer_name(_x500(f"{issuer} root"))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=0 if authority else None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
        .sign(issuer_key, hashes.SHA256())
    )


def _x500(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _write_key(path: Path, key: Ed25519PrivateKey | ec.EllipticCurvePrivateKey) -> None:
    encoded = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    _write(path, encoded, 0o600)


def _write(path: Path, data: bytes, mode: int) -> None:
    """Written whole or not at all, never readable by others for a moment."""
    partial = path.with_suffix(path.suffix + ".partial")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
