"""Signed documents: DSSE envelopes with Ed25519 signatures.

Source: Dead Simple Signing Envelope 1.0.2, protocol; RFC 8032 (Ed25519). The payload is canonical JSON
(RFC 8785). A signature covers the payload's type as well as its bytes, so that a grant never passes for a
refusal. Signatures of several institutions stand side by side.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from unseen.encoding import Json, canonical, digest_bytes, from_base64, parse_json, to_base64
from unseen.errors import MisuseError, VerificationError

SIGNATURES_LIMIT: Final = 64


class Signer(Protocol):
    """Something that signs for an institution; the key itself stays inside."""

    @property
    def fingerprint(self) -> str:
        """Names the public key."""

    def sign(self, data: bytes) -> bytes:
        """An Ed25519 signature, 64 bytes."""


@dataclass(frozen=True)
class Envelope:
    """A payload with its type and signatures by fingerprint of the signing key."""

    kind: str
    payload: bytes = field(repr=False)
    signatures: Mapping[str, bytes] = field(repr=False)

    def signed_by(self, signer: Signer) -> Envelope:
        """The same document with one more signature."""
        signature = signer.sign(authenticated_bytes(self.kind, self.payload))
        return replace(self, signatures={**self.signatures, signer.fingerprint: signature})

    def merged(self, other: Envelope) -> Envelope:
        """Signatures of two copies together. Raises VerificationError if they are different documents."""
        if (self.kind, self.payload) != (other.kind, other.payload):
            raise VerificationError("signatures under another document cannot be joined to this one")
        return replace(self, signatures={**self.signatures, **other.signatures})

    def verify(self, kind: str, keys: Iterable[Ed25519PublicKey]) -> Json:
        """The payload, if it is of this kind and every one of `keys` signed it. Raises VerificationError."""
        if self.kind != kind:
            raise VerificationError(f"this is a {self.kind}, not a {kind}")
        for key in keys:
            name = fingerprint(key)
            if name not in self.signatures:
                raise VerificationError(f"the {kind} is not signed by the key {name[:16]}…")
            try:
                key.verify(self.signatures[name], authenticated_bytes(self.kind, self.payload))
            except InvalidSignature:
                raise VerificationError(
                    f"the {kind} was altered: the signature of {name[:16]}… does not fit"
                ) from None
        return self.read()

    def read(self) -> Json:
        """The payload without any check: for showing it, never for acting on it."""
        return parse_json(self.payload)

    @property
    def digest(self) -> str:
        """Names the document whoever signed it: 64 hexadecimal digits."""
        return digest_bytes(self.kind, self.payload)

    def as_json(self) -> Json:
        return {
            "payloadType": self.kind,
            "payload": to_base64(self.payload),
            "signatures": [
                {"keyid": name, "sig": to_base64(signature)} for name, signature in sorted(self.signatures.items())
            ],
        }


def seal(kind: str, value: Json, signer: Signer) -> Envelope:
    """Sign a document."""
    return Envelope(kind, canonical(value), {}).signed_by(signer)


def from_json(value: Json) -> Envelope:
    """Read an envelope from parsed JSON. Raises MisuseError for anything that is not one."""
    try:
        if not isinstance(value, Mapping) or set(value) != {"payloadType", "payload", "signatures"}:
            raise MisuseError("not a signed envelope")
        signatures = value["signatures"]
        if not isinstance(signatures, list) or len(signatures) > SIGNATURES_LIMIT:
            raise MisuseError("not a list of signatures, or too many")
        return Envelope(
            str(value["payloadType"]),
            from_base64(str(value["payload"])),
            {str(entry["keyid"]): from_base64(str(entry["sig"])) for entry in signatures},
        )
    except (KeyError, TypeError) as error:
        raise MisuseError("not a signed envelope") from error


def parse(data: bytes) -> Envelope:
    """Read an envelope from bytes of a file or a peer. Raises MisuseError."""
    return from_json(parse_json(data))


def authenticated_bytes(kind: str, payload: bytes) -> bytes:
    """What is signed: DSSE's pre-authentication encoding of type and payload."""
    name = kind.encode()
    return b"DSSEv1 %d %b %d %b" % (len(name), name, len(payload), payload)


def fingerprint(key: Ed25519PublicKey) -> str:
    """SHA-256 under a tag of the raw public key: 64 hexadecimal digits."""
    return digest_bytes("unseen/key", key.public_bytes_raw())
