"""The session of one job: authenticated channels between its members, bound to one plan.

Between every two members there are two TLS connections, one for each direction. Both are opened by the member
that stands later in the order (the computing parties in rank order, then the dealer). On each connection the
caller's first frame is its HELLO and the answerer's first frame is its own: the plan's hash, the job, the
party, the direction, the protocol and library versions. Then the connection carries one direction only.

House rules
- Who a caller is follows from the root that signed its certificate; a HELLO that says otherwise ends the run.
- A member with another plan, job or session protocol ends the run, and the error names it.
- A stranger's connection is dropped and does not end anything.
- All connections stand by one deadline, or the error names the member that is missing.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic
from typing import Final, Protocol

import unseen
from unseen.computation.channel import Channel, Rounds, open_channel
from unseen.encoding import canonical, parse_json
from unseen.errors import MisuseError, PeerLostError, ProtocolError, UnseenError
from unseen.interaction.front_door import session_name
from unseen.interaction.tls_connection import TlsConnection
from unseen.interaction.transport import (
    Credentials,
    TlsWire,
    answerer,
    caller,
    certificate_refused,
    client_context,
    connect,
    greet,
    left,
    server_context,
    signer_of,
    tune,
)

PROTOCOL: Final = "unseen/session/1"
HELLO_LIMIT: Final = 1024
GREETING_SECONDS: Final = 10.0
"""Most seconds for one caller to finish TLS and HELLO."""

_LENGTH: Final = struct.Struct("<I")
_RETRY_SECONDS: Final = 0.1
TO_ANSWERER, TO_CALLER = "to-answerer", "to-caller"


class Doorway(Protocol):
    """Where a member's incoming connections come from: the node's front door, or a listener of its own."""

    def next_caller(self, patience: float) -> int | None:
        """The descriptor of the next raw TCP connection; None after `patience` seconds without one."""


@dataclass(frozen=True)
class Member:
    """One member of a session as the others know it: address `host:port`, pinned root certificate (PEM)."""

    name: str
    address: str
    root: str


@dataclass(frozen=True)
class Meeting:
    """What a member needs to meet the others. `members` are in the session's order, this one included."""

    job: str
    plan: str
    me: str
    members: tuple[Member, ...]
    credentials: Credentials
    opening_seconds: float = 60.0
    patience: float = 120.0

    def __post_init__(self) -> None:
        if self.me not in self.names:
            raise MisuseError(f"{self.me!r} is no member of the session")

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(member.name for member in self.members)

    def earlier(self) -> tuple[Member, ...]:
        """The members that this one calls."""
        return self.members[: self.names.index(self.me)]

    def later(self) -> tuple[Member, ...]:
        """The members that call this one."""
        return self.members[self.names.index(self.me) + 1 :]


@dataclass(frozen=True)
class Hello:
    """The first frame each way. Public; all of it is compared with what this side expects."""

    protocol: str
    version: str
    plan: str
    job: str
    party: str
    direction: str

    def to_bytes(self) -> bytes:
        return canonical(dict(self.__dict__))

    @classmethod
    def from_bytes(cls, data: bytes, sender: str) -> Hello:
        """Raises ProtocolError naming the sender."""
        try:
            value = parse_json(data, HELLO_LIMIT)
            if not isinstance(value, Mapping) or set(value) != set(cls.__dataclass_fields__):
                raise MisuseError("other fields than a HELLO has")
            if not all(isinstance(field, str) for field in value.values()):
                raise MisuseError("fields that are no text")
        except MisuseError as error:
            raise ProtocolError(sender, f"its first frame is no HELLO: {error}") from error
        return cls(**{name: str(field) for name, field in value.items()})

    def expect(self, meeting: Meeting, party: str, direction: str) -> None:
        """Compare with what `party` must say here. Raises ProtocolError."""
        if self.protocol != PROTOCOL:
            raise ProtocolError(
                party,
                f"speaks {self.protocol[:40]!r} (unseen {self.version[:20]!r}), this node {PROTOCOL!r}"
                f" (unseen {unseen.__version__!r}); run the same version on both sides",
            )
        if self.party != party:
            raise ProtocolError(party, "its HELLO names another party than its certificate")
        if self.job != meeting.job or self.plan != meeting.plan:
            raise ProtocolError(party, "runs another plan than the one that was granted")
        if self.direction != direction or direction not in (TO_ANSWERER, TO_CALLER):
            raise ProtocolError(party, "its HELLO is for another direction than this connection")


def open_session(meeting: Meeting, doorway: Doorway) -> tuple[dict[str, Channel], Rounds]:
    """Channels to all other members, by name, and the round counter that they share.

    Blocks until all stand, at most `meeting.opening_seconds`. Raises PeerLostError naming a member that did
    not come, ProtocolError naming one that came with another certificate, plan or version.
    """
    opening = _Opening(meeting)
    calls = [(member, way) for member in meeting.earlier() for way in (TO_ANSWERER, TO_CALLER)]
    with ThreadPoolExecutor(max_workers=len(calls) + 1, thread_name_prefix="opening") as pool:
        tasks = [pool.submit(opening.guard, opening.call, member, way) for member, way in calls]
        if meeting.later():
            tasks.append(pool.submit(opening.guard, opening.answer_all, doorway))
        for task in tasks:
            task.result()
    wires = opening.wires()
    rounds = Rounds()
    return {name: open_channel(wire, name, rounds, meeting.patience) for name, wire in wires.items()}, rounds


class _Opening:
    """The connections of a session while it opens: two slots for each other member."""

    def __init__(self, meeting: Meeting) -> None:
        self._meeting = meeting
        self._deadline = monotonic() + meeting.opening_seconds
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._failure: UnseenError | None = None
        self._open: dict[tuple[str, str], TlsConnection] = {}
        self._roots = {member.name: member.root for member in meeting.later()}
        self._greeting: set[TlsConnection] = set()
        self._oddity = ""

    def guard(self, step: Callable[..., None], *arguments: object) -> None:
        """Run one step; the first failure ends all others."""
        try:
            step(*arguments)
        except UnseenError as error:
            with self._lock:
                self._failure = self._failure or error
                self._stopped.set()
                for connection in self._greeting:
                    connection.interrupt()

    @contextmanager
    def _hold(self, connection: TlsConnection) -> Iterator[TlsConnection]:
        """While a connection greets, a failure elsewhere interrupts it; it is closed unless all went well."""
        with self._lock:
            self._greeting.add(connection)
            if self._stopped.is_set():
                connection.interrupt()
        try:
            yield connection
        except BaseException:
            connection.close()
            raise
        finally:
            with self._lock:
                self._greeting.discard(connection)

    def wires(self) -> dict[str, TlsWire]:
        """The wire to each other member; on failure, tell those who are there why, and raise."""
        wires = self._pairs()
        if self._failure is not None:
            for name, wire in wires.items():
                open_channel(wire, name).abort(self._failure)
            for connection in self._open.values():
                connection.close()
            raise self._failure
        return wires

    def _pairs(self) -> dict[str, TlsWire]:
        """A wire to every member with both connections open."""
        wires = {}
        for members, out, back in (
            (self._meeting.earlier(), TO_ANSWERER, TO_CALLER),
            (self._meeting.later(), TO_CALLER, TO_ANSWERER),
        ):
            for name in (member.name for member in members):
                if (name, out) in self._open and (name, back) in self._open:
                    wires[name] = TlsWire(self._open[name, out], self._open[name, back])
        return wires

    # --- calling ---------------------------------------------------------------------------------------

    def call(self, member: Member, direction: str) -> None:
        """Connect to an earlier member; it may not be there yet, so try until the deadline."""
        context = client_context(self._meeting.credentials, member.root)
        name = session_name(self._meeting.job)
        while not self._stopped.is_set():
            try:
                with self._hold(caller(connect(member.address, self._deadline), context, name)) as connection:
                    greet(connection, member.name, self._deadline)
                    self._exchange(connection, member.name, direction)
            except (OSError, PeerLostError) as error:
                if monotonic() + _RETRY_SECONDS >= self._deadline:
                    reason = error.reason if isinstance(error, PeerLostError) else error.strerror or "no answer"
                    raise PeerLostError(
                        member.name, f"no session with it at {member.address} ({reason})"
                    ) from error
                self._stopped.wait(_RETRY_SECONDS)
                continue
            with self._lock:
                self._open[member.name, direction] = connection
            return

    def _exchange(self, connection: TlsConnection, party: str, direction: str) -> None:
        """The caller's HELLO, then the answerer's."""
        connection.settimeout(left(self._deadline))
        _send_hello(connection, self._hello(direction))
        Hello.from_bytes(_receive_hello(connection, party), party).expect(self._meeting, party, direction)

    def _hello(self, direction: str) -> Hello:
        meeting = self._meeting
        return Hello(PROTOCOL, unseen.__version__, meeting.plan, meeting.job, meeting.me, direction)

    # --- answering -------------------------------------------------------------------------------------

    def answer_all(self, doorway: Doorway) -> None:
        """Answer callers until every later member has both its connections."""
        context = server_context(self._meeting.credentials, self._roots.values())
        wanted = {(name, way) for name in self._roots for way in (TO_ANSWERER, TO_CALLER)}
        while not self._stopped.is_set():
            missing = sorted(wanted - self._open.keys())
            if not missing:
                return
            seconds = self._deadline - monotonic()
            if seconds <= 0:
                raise PeerLostError(
                    missing[0][0],
                    f"did not come to the session within {self._meeting.opening_seconds:.0f} s{self._oddity}",
                )
            descriptor = doorway.next_caller(min(seconds, 0.5))
            if descriptor is not None:
                self._answer(descriptor, context)

    def _answer(self, descriptor: int, context: ssl.SSLContext) -> None:
        raw = socket.socket(fileno=descriptor)
        with contextlib.suppress(OSError):  # a caller that has gone already fails at the greeting
            tune(raw)
        with self._hold(answerer(raw, context)) as connection:
            party = self._identified(connection)
            if party is None:
                connection.close()
                return
            try:
                hello = Hello.from_bytes(_receive_hello(connection, party), party)
                _send_hello(connection, self._hello(hello.direction))  # before the check: both sides must see
                hello.expect(self._meeting, party, hello.direction)
            except (OSError, PeerLostError):
                connection.close()
                self._oddity = "; one of its connections broke off"
                return
        with self._lock:
            # The member's own second try replaces its first, whose answer it may not have seen.
            replaced = self._open.pop((party, hello.direction), None)
            self._open[party, hello.direction] = connection
        if replaced is not None:
            replaced.close()

    def _identified(self, connection: TlsConnection) -> str | None:
        """Which later member calls, by the root that signed its certificate; None for a stranger."""
        try:
            connection.settimeout(min(GREETING_SECONDS, left(self._deadline)))
            connection.do_handshake()
            party = signer_of(connection.getpeercert(), self._roots)
        except OSError:
            party = None
        if party is None:
            self._oddity = "; a caller came whose certificate is nobody's in this session"
        return party


def _send_hello(connection: TlsConnection, hello: Hello) -> None:
    data = hello.to_bytes()
    connection.sendall(_LENGTH.pack(len(data)) + data)


def _receive_hello(connection: TlsConnection, party: str) -> bytes:
    """Read one bounded frame. Raises ProtocolError, or PeerLostError when the peer hangs up or is silent."""
    try:
        (length,) = _LENGTH.unpack(_exactly(connection, _LENGTH.size))
        if length > HELLO_LIMIT:
            raise ProtocolError(party, f"its first frame of {length} bytes is no HELLO")
        return _exactly(connection, length)
    except (EOFError, OSError) as error:
        if isinstance(error, ssl.SSLError) and (refusal := certificate_refused(party, error)):
            raise refusal from error
        raise PeerLostError(party, "closed the connection before its HELLO") from error


def _exactly(connection: TlsConnection, count: int) -> bytes:
    data = b""
    while len(data) < count:
        part = connection.recv(count - len(data))
        if not part:
            raise EOFError
        data += part
    return data
