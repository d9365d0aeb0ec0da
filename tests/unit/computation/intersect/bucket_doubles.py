"""A spool in memory, a party that is listened to, and one that is lost in the middle of a run in buckets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from unseen.computation.circle import Circle
from unseen.errors import PeerLostError

Heard = list[tuple[str, int]]


class Memory:
    """A spool in memory."""

    def __init__(self) -> None:
        self.chunks: dict[str, list[bytes]] = {}

    def write(self, name: str, chunk: bytes) -> None:
        self.chunks.setdefault(name, []).append(chunk)

    def read(self, name: str) -> Iterator[bytes]:
        return iter(list(self.chunks.get(name, [])))

    def keep(self, name: str, chunks: int) -> None:
        del self.chunks.get(name, [])[chunks:]

    def forget(self, name: str) -> None:
        self.chunks.pop(name, None)


def heard_by(circle: Circle) -> Heard:
    """Every message that this party sends from now on, with its size."""
    channel, sent = circle.others()[0], []
    honest = channel.send

    def send(tag: str, array: Any) -> None:
        sent.append((tag, array.nbytes))
        honest(tag, array)

    channel.send = send  # type: ignore[method-assign]
    return sent


def dies_before(tag: str, bucket: int, rank: int = 0) -> Callable[[Circle], None]:
    """The party of that rank loses its connection before this message of that bucket."""

    def spoil(circle: Circle) -> None:
        channel, seen = circle.others()[0], [0]
        honest = channel.send

        def send(name: str, array: Any) -> None:
            if name == tag:
                seen[0] += 1
                if seen[0] > bucket:
                    raise PeerLostError(channel.peer, "its connection closed")
            honest(name, array)

        if circle.rank == rank:
            channel.send = send  # type: ignore[method-assign]

    return spoil
