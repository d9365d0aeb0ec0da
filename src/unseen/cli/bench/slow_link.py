"""A link between two cities, on one machine: a relay in front of each process that holds bytes back.

Every byte of a connection waits half a round trip, and each direction lets no more than so many bits a second
through. It is a relay in user space, not `tc netem` between network namespaces: it needs no privilege and no
kernel module. What it does not show is what TCP itself would do over such a distance (slow start, losses): a
connection to the relay is a local one. Session and TLS handshakes come before what is measured.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from queue import Queue
from threading import Event, Thread
from time import monotonic
from typing import Final

PIECE_BYTES: Final = 1 << 14
PIECES: Final = 64
"""Most pieces on the way in one direction: 1 MiB, above what 100 Mbit/s carry in 20 ms (250 kB)."""


@dataclass(frozen=True)
class Link:
    """How far apart processes are: `round_trip` in seconds, `rate` in bits a second, each direction by itself."""

    name: str
    round_trip: float
    rate: float

    def __str__(self) -> str:
        return f"{self.round_trip * 1e3:g} ms round trip, {self.rate / 1e6:g} Mbit/s each way"


SLOW: Final = Link("slow", 0.020, 100e6)


@contextmanager
def relay(target: tuple[str, int], link: Link) -> Iterator[tuple[str, int]]:
    """An address at which everyone reaches `target` over such a link, for as long as the context lasts.

    Each connection made to it has its own two directions. Ends all connections when left.
    """
    ended, open_sockets = Event(), list[socket.socket]()
    listener = socket.create_server(("127.0.0.1", 0))
    accepting = Thread(target=_accept, args=(listener, target, link, ended, open_sockets), daemon=True)
    accepting.start()
    try:
        host, port = listener.getsockname()
        yield host, port
    finally:
        ended.set()
        _close(listener)
        accepting.join()
        for end in open_sockets:
            _close(end)


def _accept(
    listener: socket.socket, target: tuple[str, int], link: Link, ended: Event, open_sockets: list[socket.socket]
) -> None:
    while not ended.is_set():
        try:
            caller, _ = listener.accept()
        except OSError:
            return
        try:
            callee = socket.create_connection(target)
        except OSError:
            _close(caller)
            continue
        open_sockets += (caller, callee)
        for source, sink in ((caller, callee), (callee, caller)):
            sink.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            on_its_way: Queue[tuple[float, bytes]] = Queue(PIECES)
            Thread(target=_take_in, args=(source, on_its_way), daemon=True).start()
            Thread(target=_let_out, args=(sink, on_its_way, link, ended), daemon=True).start()


def _take_in(source: socket.socket, on_its_way: Queue[tuple[float, bytes]]) -> None:
    """Note when each piece came in; an empty piece is the end."""
    piece = b"\0"
    while piece:
        try:
            piece = source.recv(PIECE_BYTES)
        except OSError:
            piece = b""
        on_its_way.put((monotonic(), piece))


def _let_out(sink: socket.socket, on_its_way: Queue[tuple[float, bytes]], link: Link, ended: Event) -> None:
    """Let each piece out when its last bit would have passed the line, half a round trip after it came in."""
    line_free, gone = 0.0, False
    while True:
        came, piece = on_its_way.get()
        line_free = max(line_free, came) + 8 * len(piece) / link.rate
        if not gone:
            ended.wait(max(0.0, line_free + link.round_trip / 2 - monotonic()))
        try:
            if not piece:
                sink.shutdown(socket.SHUT_WR)
                return
            if not gone:
                sink.sendall(piece)
        except OSError:
            gone = True
            if not piece:
                return


def _close(end: socket.socket) -> None:
    """Wake whoever waits on it, and close."""
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()
