"""Time stamps of a third party over our tree heads: that so many entries existed at a moment, said by a stranger.

Source: RFC 3161, over the head's signed payload with SHA-256. The stamp is kept in the ledger beside the head that
it is of, and is checked offline against the authority's root certificate, which the checker brings. Optional: it
needs `rfc3161-client` (the extra `timestamp`) and an authority that the node can reach.

Who learns what: the authority sees the digest of a head, our address, and the moment; no entry.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import httpx
from cryptography import x509

from unseen.encoding import Json, from_base64, to_base64
from unseen.errors import MisuseError, UnavailableError, VerificationError
from unseen.interaction import envelope as envelopes
from unseen.interaction.envelope import Envelope
from unseen.interaction.ledger import Entry, Kind, Ledger, read_entries

STAMP_LIMIT: Final = 64 << 10
SECONDS: Final = 20.0
_FIELD: Final = "time_stamp"


@dataclass(frozen=True)
class Stamp:
    """A stamp that was checked: over how many entries the head is, and the moment that the authority states."""

    institution: str
    size: int
    time: datetime


def fetch(head: Envelope, authority: str) -> bytes:
    """Ask an authority (its URL) for a stamp over a head. Raises UnavailableError, VerificationError."""
    client = _library()
    builder = client.TimestampRequestBuilder().data(head.payload).hash_algorithm(client.HashAlgorithm.SHA256)
    query = builder.nonce(nonce=True).cert_request(cert_request=True).build()
    try:
        with httpx.stream(
            "POST",
            authority,
            content=query.as_bytes(),
            headers={"Content-Type": "application/timestamp-query"},
            timeout=SECONDS,
            trust_env=False,
        ) as response:
            data = b""
            for part in response.iter_bytes():
                data += part
                if len(data) > STAMP_LIMIT:
                    raise VerificationError(f"the answer of {authority} is larger than any stamp")
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise UnavailableError(f"no time stamp from {authority}: {type(error).__name__}") from error
    if response.status_code != httpx.codes.OK or _info(_read(data)).nonce != query.nonce:
        raise VerificationError(f"{authority} did not answer our request for a stamp")
    return data


def check(stamp: bytes, head: Envelope, roots: list[x509.Certificate]) -> datetime:
    """The moment that a stamp states over this head. Raises VerificationError."""
    client, answer = _library(), _read(stamp)
    builder = client.VerifierBuilder()
    for root in roots:
        builder = builder.add_root_certificate(root)
    try:
        builder.build().verify_message(answer, head.payload)
    except (client.VerificationError, ValueError) as error:
        raise VerificationError(f"a time stamp does not hold: {error}") from error
    moment: datetime = _info(answer).gen_time
    return moment.astimezone(UTC)


def stamp_ledger(ledger: Ledger, authority: str, roots: list[x509.Certificate]) -> Stamp:
    """Have the newest head stamped, check the stamp, and keep both in the ledger."""
    head = ledger.head()
    data = fetch(head, authority)
    found = Stamp(*_said(head), check(data, head, roots))
    body: dict[str, Json] = {"head": head.as_json(), _FIELD: to_base64(data), "authority": authority}
    ledger.append(Kind.ADMINISTRATION, f"time-stamp/{head.digest}", body)
    return found


def stamps(folder: Path, roots: list[x509.Certificate]) -> Iterator[Stamp]:
    """Check all stamps in a ledger's folder. Raises VerificationError naming the entry of the first that fails."""
    for entry, _ in read_entries(folder / "entries.jsonl"):
        if entry.kind is Kind.ADMINISTRATION and _FIELD in entry.body:
            yield _checked(entry, roots)


def load_roots(path: Path) -> list[x509.Certificate]:
    """The authority's root certificates (PEM). Raises MisuseError."""
    try:
        return x509.load_pem_x509_certificates(path.read_bytes())
    except (OSError, ValueError) as error:
        raise MisuseError(f"{path} holds no certificates in PEM") from error


def _checked(entry: Entry, roots: list[x509.Certificate]) -> Stamp:
    try:
        head = envelopes.from_json(entry.body["head"])
        return Stamp(*_said(head), check(from_base64(str(entry.body[_FIELD])), head, roots))
    except (VerificationError, MisuseError, KeyError) as error:
        raise VerificationError(f"entry {entry.index}: {error}") from error


def _said(head: Envelope) -> tuple[str, int]:
    value = head.read()
    if not isinstance(value, Mapping) or not isinstance(value.get("size"), int):
        raise VerificationError("a stamped head without a size")
    return str(value.get("institution")), int(str(value["size"]))


def _read(data: bytes) -> Any:
    try:
        return _library().decode_timestamp_response(data)
    except ValueError as error:
        raise VerificationError("this is no time stamp") from error


def _info(answer: Any) -> Any:
    """What a stamp says. Raises VerificationError for an answer that is a refusal."""
    try:
        return answer.tst_info
    except ValueError as error:
        raise VerificationError("the authority refused to stamp") from error


def _library() -> Any:
    try:
        import rfc3161_client
    except ImportError:
        raise MisuseError("time stamps need the extra: pip install 'unseen[timestamp]'") from None
    return rfc3161_client
