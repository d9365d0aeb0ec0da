"""TLS 1.3 between institutions that know each other's root certificate, and the wire that runs over it.

House rules
- TLS 1.3 only. Both sides show a certificate; only the roots pinned at introduction are trusted, no public CA.
- Who the peer is follows from which pinned root signed its certificate, never from a name the peer states.
- No session tickets: a session connection must never be written to by the side that reads.
- A `TlsWire` has two connections, one for each direction, so that no TLS object is used by two threads.
- Every wait has a deadline, except writing, which ends when the wire is closed.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from unseen.errors import PeerLostError, ProtocolError
from unseen.interaction.front_door import parse_address
from unseen.interaction.tls_connection import TlsConnection

TLS_RECORD: Final = 16 << 10
_UNREACHABLE_SECONDS: Final = 60
_EXPIRED, _NOT_YET_VALID = 10, 9  # OpenSSL's X509_V_ERR_CERT_HAS_EXPIRED and X509_V_ERR_CERT_NOT_YET_VALID


@dataclass(frozen=True)
class Credentials:
    """Paths of a node's own certificate and key, both PEM."""

    certificate: Path
    key: Path


def client_context(credentials: Credentials, root: str) -> ssl.SSLContext:
    """A context to call one partner: trusts the partner's root (PEM) and nothing else."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False  # the name proves nothing; the pinned root does
    return _strict(context, credentials, [root])


def server_context(credentials: Credentials, roots: Iterable[str]) -> ssl.SSLContext:
    """A context to be called by anyone whose certificate comes from one of the `roots` (PEM)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.num_tickets = 0
    return _strict(context, credentials, roots)


def _strict(context: ssl.SSLContext, credentials: Credentials, roots: Iterable[str]) -> ssl.SSLContext:
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(credentials.certificate, credentials.key)
    for root in roots:
        context.load_verify_locations(cadata=root)
    return context


def signer_of(certificate: bytes, roots: Mapping[str, str]) -> str | None:
    """The name whose root certificate (PEM) signed this certificate (DER); None if no one's did."""
    leaf = x509.load_der_x509_certificate(certificate)
    for name, root in roots.items():
        with contextlib.suppress(InvalidSignature, ValueError, TypeError):
            leaf.verify_directly_issued_by(x509.load_pem_x509_certificate(root.encode()))
            return name
    return None


def connect(address: str, deadline: float) -> socket.socket:
    """A TCP connection to `host:port`, by the monotonic `deadline`. Raises OSError, TimeoutError, MisuseError."""
    raw = socket.create_connection(parse_address(address), timeout=left(deadline))
    tune(raw)
    return raw


def tune(raw: socket.socket) -> None:
    """Send small messages at once, and notice within a minute that the other machine is gone."""
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in (("TCP_KEEPIDLE", 20), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 4)):
        if hasattr(socket, option):
            raw.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNREACHABLE_SECONDS * 1000)


def caller(raw: socket.socket, context: ssl.SSLContext, server_name: str) -> TlsConnection:
    """The calling side of a TLS connection that has not greeted yet; it takes `raw` over."""
    return TlsConnection(raw, context, server_name=server_name)


def answerer(raw: socket.socket, context: ssl.SSLContext) -> TlsConnection:
    """The answering side of a TLS connection that has not greeted yet; it takes `raw` over."""
    return TlsConnection(raw, context, answers=True)


def greet(connection: TlsConnection, party: str, deadline: float) -> None:
    """Greet `party`, which was called.

    Raises ProtocolError naming the party when its certificate is not the introduced one, PeerLostError when it
    hangs up or is silent.
    """
    try:
        connection.settimeout(left(deadline))
        connection.do_handshake()
    except ssl.SSLCertVerificationError as error:
        raise certificate_error(party, error) from error
    except TimeoutError as error:
        raise PeerLostError(party, "did not answer the TLS greeting in time") from error
    except OSError as error:
        raise PeerLostError(party, "closed the connection during the TLS greeting") from error


def certificate_error(party: str, error: ssl.SSLCertVerificationError) -> ProtocolError:
    """Say what is wrong with the certificate that `party` showed, and the mend."""
    if error.verify_code == _NOT_YET_VALID:
        return ProtocolError(party, "its certificate is not valid yet; compare the clocks of both machines")
    if error.verify_code == _EXPIRED:
        return ProtocolError(
            party, "its certificate has expired; compare the clocks, then have it renew it: unseen renew"
        )
    return ProtocolError(
        party,
        "its certificate is not the introduced one. If it has new keys, ask it for its new card and compare"
        " fingerprints by phone before `unseen introduce`; otherwise someone else answers at its address",
    )


def certificate_refused(party: str, error: ssl.SSLError) -> ProtocolError | None:
    """The error for a party that refused OUR certificate by a TLS alert; None if that is not what happened.

    In TLS 1.3 a caller learns of it only at its first read, after the handshake has seemed to succeed.
    """
    reason = error.reason or ""
    if "ALERT" not in reason:
        return None
    if "EXPIRED" in reason:
        return ProtocolError(party, "it finds our certificate expired; compare the clocks of both machines")
    if "UNKNOWN_CA" in reason or "CERTIFICATE" in reason or "DECRYPT" in reason:
        return ProtocolError(
            party, "it does not accept our certificate; it must `unseen introduce` our present card first"
        )
    return None


def left(deadline: float) -> float:
    """Seconds until a monotonic deadline. Raises TimeoutError when it has passed."""
    seconds = deadline - monotonic()
    if seconds <= 0:
        raise TimeoutError("the deadline has passed")
    return seconds


class _OneWay:
    """One connection, used in one direction by one thread at a time; its last user closes the descriptor.

    A descriptor that is closed under a blocked thread could be given to another file meanwhile.
    """

    def __init__(self, connection: TlsConnection) -> None:
        self._connection = connection
        self._lock = threading.Lock()
        self._used = False
        self._closed = False

    def __enter__(self) -> TlsConnection:
        with self._lock:
            if self._closed:
                raise BrokenPipeError("the wire is closed")
            self._used = True
        return self._connection

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._used = False
            if self._closed:
                self._connection.close()

    def close(self) -> None:
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._connection.interrupt()
            if not self._used:
                self._connection.close()


class TlsWire:
    """A wire (`computation.wire.Wire`) over two TLS connections to one peer, one for each direction."""

    def __init__(self, outgoing: TlsConnection, incoming: TlsConnection) -> None:
        outgoing.settimeout(None)
        self._outgoing, self._incoming = _OneWay(outgoing), _OneWay(incoming)
        self._patience: float | None = None

    def write(self, data: memoryview) -> None:
        with self._outgoing as connection:
            connection.sendall(data)

    def write_some(self, data: memoryview) -> int:
        with self._outgoing as connection:
            return connection.send_some(data)

    def holding(self) -> bool:
        with self._outgoing as connection:
            return connection.holding

    def read_into(self, view: memoryview, patience: float) -> None:
        with self._incoming as connection:
            if patience != self._patience:
                connection.settimeout(patience)
                self._patience = patience
            position = 0
            while position < len(view):
                count = connection.recv_into(view[position:])
                if count == 0:
                    raise EOFError("the peer closed the connection")
                position += count

    def close(self) -> None:
        self._outgoing.close()
        self._incoming.close()
