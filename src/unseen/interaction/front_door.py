"""The one open port of a node: who calls is read from the TLS greeting before any key is touched.

A caller names in the greeting's server name (RFC 6066, section 3) what it wants: `control.<anything>` speaks
HTTP with the node, `<job>.session` is a session of that job's worker. The greeting is only looked at (MSG_PEEK),
so that TLS ends where the connection is used: in the node, or in the worker that gets the socket.

The greeting comes from anyone on the network. Nothing in it is trusted: its length is bounded, each field is
checked against the bytes that are there, a caller has a few seconds, and only so many may wait at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import socket
from collections.abc import Awaitable, Callable
from typing import Final

from unseen.errors import MisuseError, ProtocolError

GREETING_LIMIT: Final = 16 << 10
"""Most bytes of a greeting, in any number of TLS records."""
GREETING_SECONDS: Final = 5.0
CALLERS_LIMIT: Final = 256
"""Most callers whose greeting is awaited at once; for one more, the one who has waited longest goes."""

CONTROL: Final = "control"
SESSION: Final = "session"

_STRANGER: Final = "a caller"
_LABEL: Final = re.compile(r"[a-z0-9-]{1,63}")
_HANDSHAKE, _CLIENT_HELLO, _SERVER_NAME, _HOST_NAME = 22, 1, 0, 0

log = logging.getLogger(__name__)


def session_name(job: str) -> str:
    """The server name that asks for the worker of `job`."""
    return f"{job}.{SESSION}"


def control_name(party: str) -> str:
    """The server name that asks for the node itself; the party's name is for the log only."""
    return f"{CONTROL}.{re.sub('[^a-z0-9-]', '-', party.lower())}"


class _Reader:
    """Takes fields off the front of the bytes. Raises EOFError where they end too early."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def left(self) -> int:
        return len(self._data) - self._at

    def take(self, count: int) -> bytes:
        if self.left < count:
            raise EOFError
        self._at += count
        return self._data[self._at - count : self._at]

    def number(self, octets: int) -> int:
        return int.from_bytes(self.take(octets), "big")

    def vector(self, octets: int) -> bytes:
        """A vector as RFC 8446 section 3.4 writes it: its length in `octets` bytes, then its content."""
        return self.take(self.number(octets))


def server_name(data: bytes) -> str | None:
    """The server name in the first bytes that a TLS client sends; None while more bytes are needed.

    Raises ProtocolError for bytes that are no TLS greeting, are over the limit, or name no server.
    """
    hello = _client_hello(data)
    if hello is None:
        if len(data) >= GREETING_LIMIT:
            raise ProtocolError(_STRANGER, f"sent a greeting over {GREETING_LIMIT} bytes")
        return None
    try:
        return _name_in(_Reader(hello))
    except EOFError:
        raise ProtocolError(_STRANGER, "sent a TLS greeting whose fields do not fit into it") from None


def _client_hello(data: bytes) -> bytes | None:
    """Join the handshake message out of its records (RFC 8446, section 5.1)."""
    reader, message = _Reader(data), b""
    try:
        while True:
            kind, version = reader.number(1), reader.number(2)
            if kind != _HANDSHAKE or version >> 8 != 3:
                raise ProtocolError(_STRANGER, "speaks no TLS")
            length = reader.number(2)
            if not 0 < length <= 1 << 14:
                raise ProtocolError(_STRANGER, "sent a TLS record of an impossible length")
            message += reader.take(min(length, reader.left))
            if message and message[0] != _CLIENT_HELLO:
                raise ProtocolError(_STRANGER, "did not begin with a TLS greeting")
            if len(message) >= 4:
                total = 4 + int.from_bytes(message[1:4], "big")
                if total > GREETING_LIMIT:
                    raise ProtocolError(_STRANGER, f"announced a greeting over {GREETING_LIMIT} bytes")
                if len(message) >= total:
                    return message[4:total]
    except EOFError:
        return None


def _name_in(hello: _Reader) -> str:
    """Find the host name among the extensions of a ClientHello (RFC 8446, section 4.1.2)."""
    hello.take(2 + 32)  # legacy version, random
    hello.vector(1)  # legacy session
    hello.vector(2)  # cipher suites
    hello.vector(1)  # legacy compression
    extensions = _Reader(hello.vector(2))
    while extensions.left:
        kind, content = extensions.number(2), extensions.vector(2)
        if kind == _SERVER_NAME:
            names = _Reader(_Reader(content).vector(2))
            while names.left:
                if names.number(1) == _HOST_NAME:
                    return _checked(names.vector(2))
                names.vector(2)
    raise ProtocolError(_STRANGER, "did not say whom it wants to speak to (no server name)")


def _checked(name: bytes) -> str:
    text = name.decode("ascii", errors="replace").lower()
    labels = text.split(".")
    if len(labels) != 2 or not all(_LABEL.fullmatch(label) for label in labels):
        raise ProtocolError(_STRANGER, "asked for a server name that no node has")
    return text


def parse_address(address: str) -> tuple[str, int]:
    """Split `host:port`. Raises MisuseError."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise MisuseError(f"{address!r} is no address; write host:port, for example 10.0.0.5:7600")
    return host.strip("[]"), int(port)


def listen(address: str) -> socket.socket:
    """A listening TCP socket. Raises MisuseError when the address is taken or not ours."""
    host, port = parse_address(address)
    try:
        return socket.create_server((host, port), backlog=128, family=_family(host))
    except OSError as error:
        raise MisuseError(
            f"cannot listen on {address}: {error.strerror or error}; choose another address or port"
        ) from error


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


class FrontDoor:
    """Accepts callers, reads whom they want, and hands their sockets on, still unread.

    `control` takes a socket whose caller wants the node, `session` one whose caller wants a job's worker.
    """

    def __init__(
        self,
        listener: socket.socket,
        control: Callable[[socket.socket], Awaitable[None]],
        session: Callable[[str, socket.socket], Awaitable[None]],
    ) -> None:
        self._listener = listener
        self._control = control
        self._session = session
        self._greeting: dict[asyncio.Task[None], None] = {}
        self._served: set[asyncio.Task[None]] = set()

    async def serve(self) -> None:
        """Accept until cancelled."""
        loop = asyncio.get_running_loop()
        self._listener.setblocking(False)
        try:
            while True:
                caller, _ = await loop.sock_accept(self._listener)
                if len(self._greeting) >= CALLERS_LIMIT:
                    longest = next(iter(self._greeting))
                    del self._greeting[longest]
                    longest.cancel()
                task = loop.create_task(self._receive(caller))
                self._greeting[task] = None
                self._served.add(task)
                task.add_done_callback(self._gone)
        finally:
            for task in list(self._served):
                task.cancel()
            self._listener.close()

    def _gone(self, task: asyncio.Task[None]) -> None:
        self._greeting.pop(task, None)
        self._served.discard(task)

    async def _receive(self, caller: socket.socket) -> None:
        try:
            caller.setblocking(False)
            caller.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            async with asyncio.timeout(GREETING_SECONDS):
                name = await peek_server_name(caller)
            self._greeting.pop(asyncio.current_task(), None)  # type: ignore[arg-type]
            first, second = name.split(".")
            if first == CONTROL:
                await self._control(caller)
            elif second == SESSION:
                await self._session(first, caller)
            else:
                raise ProtocolError(_STRANGER, "asked for neither control nor a session")
        except (ProtocolError, OSError, EOFError, TimeoutError) as error:
            log.info("turned a caller away: %s", str(error) or type(error).__name__)
            caller.close()
        except BaseException:
            caller.close()
            raise


async def peek_server_name(caller: socket.socket) -> str:
    """Wait until the greeting is there and return its server name, leaving all bytes in the socket.

    Raises ProtocolError, EOFError when the caller hangs up, OSError.
    """
    loop = asyncio.get_running_loop()
    seen = 0
    try:
        while True:
            await _readable(loop, caller)
            data = caller.recv(GREETING_LIMIT, socket.MSG_PEEK)
            name = server_name(data)
            if name is not None:
                return name
            if len(data) <= seen:
                raise EOFError("the caller hung up in the middle of its greeting")
            seen = len(data)
            # Wake only when there is more than what was seen already: peeking leaves the bytes in place.
            caller.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, seen + 1)
    finally:
        with contextlib.suppress(OSError):
            caller.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 1)


async def _readable(loop: asyncio.AbstractEventLoop, caller: socket.socket) -> None:
    ready = loop.create_future()

    def wake() -> None:
        if not ready.done():
            ready.set_result(None)

    loop.add_reader(caller.fileno(), wake)
    try:
        await ready
    finally:
        loop.remove_reader(caller.fileno())
