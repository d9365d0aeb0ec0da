"""A TLS connection whose records are made and read in memory, and go over the socket many at a time.

Python's own `SSLSocket` writes each record of 16 KiB to the socket by itself and reads each in two parts: for
hundreds of megabytes the calls into the kernel cost as much as the cipher. Here a quarter of a mebibyte goes at a
time. One thread writes at a time and one reads, never both on one connection: see `transport.TlsWire`.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
from typing import Final

_CHUNK: Final = 256 << 10
_PIECE: Final = 64 << 10


class TlsConnection:
    """A socket taken over for TLS, which has not greeted yet. Errors are those of `ssl.SSLSocket`."""

    def __init__(
        self, raw: socket.socket, context: ssl.SSLContext, *, answers: bool = False, server_name: str | None = None
    ) -> None:
        self._raw = raw
        self._arrived, self._leaving = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(
            self._arrived, self._leaving, server_side=answers, server_hostname=server_name
        )
        self._buffer = bytearray(_CHUNK)
        self._held = memoryview(b"")
        self._ended = False

    def settimeout(self, seconds: float | None) -> None:
        """How long one read or write of the socket may take; None: as long as needed."""
        self._raw.settimeout(seconds)

    def fileno(self) -> int:
        return self._raw.fileno()

    def do_handshake(self) -> None:
        """Greet. Raises ssl.SSLCertVerificationError, other OSErrors, TimeoutError."""
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                self._flush()
                self._fetch()
            except ssl.SSLError:
                with contextlib.suppress(OSError):
                    self._flush()  # the alert tells the peer what is wrong
                raise
            else:
                self._flush()
                return

    def getpeercert(self) -> bytes:
        """The peer's certificate (DER), empty if it showed none."""
        return self._tls.getpeercert(binary_form=True) or b""

    def version(self) -> str | None:
        """The protocol spoken, once greeted."""
        return self._tls.version()

    def sendall(self, data: bytes | memoryview) -> None:
        view = memoryview(data)
        if self._held:
            self._raw.sendall(self._held)
            self._held = memoryview(b"")
        for start in range(0, len(view), _CHUNK):
            part = view[start : start + _CHUNK]
            while part:
                part = part[self._tls.write(part) :]
            self._flush()

    def send_some(self, data: memoryview) -> int:
        """Send what goes without waiting; how many bytes were taken. Records that did not go are held here."""
        for start in range(0, len(data), _PIECE):
            if self._held:
                return start
            part = data[start : start + _PIECE]
            while part:
                part = part[self._tls.write(part) :]
            records = memoryview(self._leaving.read())
            try:
                gone = self._raw.send(records, socket.MSG_DONTWAIT)
            except BlockingIOError:
                gone = 0
            self._held = records[gone:]
        return len(data)

    @property
    def holding(self) -> bool:
        """Whether records wait here to be sent: whatever is sent next, even nothing, sends them first."""
        return bool(self._held)

    def recv(self, most: int) -> bytes:
        """Up to so many bytes; none at the end."""
        data = bytearray(most)
        return bytes(data[: self.recv_into(memoryview(data))])

    def recv_into(self, view: memoryview) -> int:
        """Fill `view` with what is there, waiting for the first byte; how many bytes, zero at the end."""
        position = 0
        if view and not (self._tls.pending() or self._arrived.pending or self._ended):
            self._fetch()
        while position < len(view):
            try:
                count = self._tls.read(len(view) - position, view[position:])
            except ssl.SSLWantReadError:
                if position:
                    break
                self._fetch()
            except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                self._ended = True
                break
            else:
                position += int(count)
        return position

    def _fetch(self) -> None:
        count = self._raw.recv_into(self._buffer)
        if count:
            self._arrived.write(memoryview(self._buffer)[:count])
        else:
            self._arrived.write_eof()

    def _flush(self) -> None:
        if self._leaving.pending:
            self._raw.sendall(self._leaving.read())

    def interrupt(self) -> None:
        """Wake whoever waits on the connection, from another thread; its owner closes it."""
        with contextlib.suppress(OSError):
            self._raw.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._raw.close()
