"""A machine in the middle: passes TLS records on between two members, and spoils one of them."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from enum import StrEnum

PATIENCE = 10.0
HOLD = 0.15
"""Seconds that a record is held back while the next one is awaited, to swap the two."""


class Attack(StrEnum):
    ALTER = "alter"
    REPLAY = "replay"
    REORDER = "reorder"
    TRUNCATE = "truncate"


class Interceptor:
    """Spoils record `number` of the first connection that has so many in one direction; stands aside when told."""

    def __init__(self, to: tuple[str, int], attack: Attack, upwards: bool, number: int) -> None:
        self._to = to
        self._attack, self._upwards, self._number = attack, upwards, number
        self._free = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self.connections = 0
        self.fired = -1
        """The type of the record that was spoilt; -1: none yet."""
        self.longest = 0
        """Records seen in that direction on the connection with the most."""
        self.aside = False
        self._start(self._accept)

    @property
    def address(self) -> str:
        host, port = self._listener.getsockname()
        return f"{host}:{port}"

    def close(self) -> None:
        self.aside = True
        for one in (self._listener, *self._sockets):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        for thread in self._threads:
            thread.join(PATIENCE)

    def _start(self, step: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=step, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                caller, _ = self._listener.accept()
                answerer = socket.create_connection(self._to, timeout=PATIENCE)
                self._sockets += [caller, answerer]
                self.connections += 1
                self._start(self._pass_on, caller, answerer, self._upwards)
                self._start(self._pass_on, answerer, caller, not self._upwards)

    def _pass_on(self, source: socket.socket, to: socket.socket, spoil: bool) -> None:
        with contextlib.suppress(OSError):
            for number, record in enumerate(_records(source)):
                if spoil:
                    self.longest = max(self.longest, number + 1)
                if spoil and number == self._number and not self.aside and self._free.acquire(blocking=False):
                    self._spoil(record, source, to)
                else:
                    to.sendall(record)
        for one in (source, to):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _spoil(self, record: bytes, source: socket.socket, to: socket.socket) -> None:
        if self._attack is Attack.REORDER:
            source.settimeout(HOLD)
            try:
                following = next(_records(source))
            except (StopIteration, TimeoutError):
                to.sendall(record)  # nothing comes that it could be swapped with
                return
            finally:
                source.settimeout(None)
            self.fired = record[0]
            to.sendall(following + record)
            return
        self.fired = record[0]
        middle = 5 + (len(record) - 5) // 2
        altered = record[:middle] + bytes([record[middle] ^ 1]) + record[middle + 1 :]
        sent = {
            Attack.ALTER: altered,
            Attack.REPLAY: record * 2,
            Attack.TRUNCATE: record[:middle],
        }
        to.sendall(sent[self._attack])
        if self._attack is Attack.TRUNCATE:
            raise OSError("the line is cut here")


def _records(source: socket.socket) -> Iterator[bytes]:
    """TLS records as they come (RFC 8446, section 5.1). Raises TimeoutError if the source has a timeout."""
    while True:
        head = _exactly(source, 5)
        if len(head) < 5:
            return
        yield head + _exactly(source, int.from_bytes(head[3:5], "big"))


def _exactly(source: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        part = source.recv(count - len(data))
        if not part:
            return data
        data += part
    return data
