"""Parties as threads of one process: the wire that tests use, with the same channels above it.

A pipe holds a bounded number of bytes, as a socket does, so that a protocol which would deadlock over a
network deadlocks here too.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Final, TypeVar

from unseen.computation.channel import Channel, Rounds, open_channel
from unseen.computation.circle import Circle, gathered
from unseen.computation.correlation.dealer import DealtSource, serve
from unseen.computation.prg import fresh_seed
from unseen.errors import PeerError, PeerLostError

PIPE_BYTES: Final = 4 << 20
Result = TypeVar("Result")


class Pipe:
    """One direction of bytes between two threads, at most `capacity` of them under way."""

    def __init__(self, capacity: int = PIPE_BYTES) -> None:
        self._capacity = capacity
        self._chunks: deque[memoryview] = deque()
        self._held = 0
        self._open = True
        self._changed = threading.Condition()

    def write(self, data: memoryview) -> None:
        position = 0
        while position < len(data):
            with self._changed:
                self._changed.wait_for(lambda: self._held < self._capacity or not self._open)
                if not self._open:
                    raise BrokenPipeError("the pipe is closed")
                size = min(self._capacity - self._held, len(data) - position)
                self._chunks.append(memoryview(bytes(data[position : position + size])))
                self._held += size
                position += size
                self._changed.notify_all()

    def write_some(self, data: memoryview) -> int:
        with self._changed:
            if not self._open:
                raise BrokenPipeError("the pipe is closed")
            size = min(self._capacity - self._held, len(data))
            if size > 0:
                self._chunks.append(memoryview(bytes(data[:size])))
                self._held += size
                self._changed.notify_all()
            return max(0, size)

    def read_into(self, view: memoryview, patience: float) -> None:
        position = 0
        while position < len(view):
            with self._changed:
                if not self._changed.wait_for(lambda: self._chunks or not self._open, timeout=patience):
                    raise TimeoutError("nothing arrived")
                if not self._chunks:
                    raise EOFError("the pipe is closed")
                chunk = self._chunks.popleft()
                size = min(len(chunk), len(view) - position)
                view[position : position + size] = chunk[:size]
                if size < len(chunk):
                    self._chunks.appendleft(chunk[size:])
                self._held -= size
                position += size
                self._changed.notify_all()

    def close(self) -> None:
        with self._changed:
            self._open = False
            self._changed.notify_all()


class PipeWire:
    """The wire between two threads: a pipe each way."""

    def __init__(self, outgoing: Pipe, incoming: Pipe) -> None:
        self._outgoing = outgoing
        self._incoming = incoming

    def write(self, data: memoryview) -> None:
        self._outgoing.write(data)

    def write_some(self, data: memoryview) -> int:
        return self._outgoing.write_some(data)

    def holding(self) -> bool:
        return False

    def read_into(self, view: memoryview, patience: float) -> None:
        self._incoming.read_into(view, patience)

    def close(self) -> None:
        self._outgoing.close()
        self._incoming.close()


def wire_pair(capacity: int = PIPE_BYTES) -> tuple[PipeWire, PipeWire]:
    """Two ends of one in-process wire."""
    there, back = Pipe(capacity), Pipe(capacity)
    return PipeWire(there, back), PipeWire(back, there)


def channels_among(
    names: Sequence[str], capacity: int = PIPE_BYTES, patience: float = 30.0
) -> dict[str, dict[str, Channel]]:
    """A channel between every two of `names`: `result[me][peer]`. Each name has one round counter."""
    rounds = {name: Rounds() for name in names}
    channels: dict[str, dict[str, Channel]] = {name: {} for name in names}
    for i, one in enumerate(names):
        for other in names[i + 1 :]:
            left, right = wire_pair(capacity)
            channels[one][other] = open_channel(left, other, rounds[one], patience)
            channels[other][one] = open_channel(right, one, rounds[other], patience)
    return channels


DEALER: Final = "dealer"


def run_parties(
    program: Callable[[Circle], Result],
    parties: int | Sequence[str] = 2,
    *,
    patience: float = 60.0,
    capacity: int = PIPE_BYTES,
) -> list[Result]:
    """Run `program` once per party, each in a thread with its own circle, and a dealer beside them.

    Returns the parties' results in rank order. If any party fails, its channels tell the others, and the error
    nearest to the cause is raised: one that blames nobody else, then one that names what a peer did, not its echo.
    """
    names = [f"party{rank}" for rank in range(parties)] if isinstance(parties, int) else list(parties)
    channels = channels_among([*names, DEALER], capacity, patience)
    session = fresh_seed()

    def party(rank: int) -> Result:
        mine = dict(channels[names[rank]])
        to_dealer = mine.pop(DEALER)
        try:
            source = DealtSource(rank, names, to_dealer)
            circle = gathered(rank, names, mine, source, session)
            result = program(circle)
            source.finish()
            return result
        except BaseException as error:
            for channel in (*mine.values(), to_dealer):
                channel.abort(error)
            raise

    def dealer() -> None:
        try:
            serve([channels[DEALER][name] for name in names])
        except BaseException as error:
            for channel in channels[DEALER].values():
                channel.abort(error)
            raise

    with ThreadPoolExecutor(len(names) + 1) as pool:
        dealing = pool.submit(dealer)
        running = [pool.submit(party, rank) for rank in range(len(names))]
        tasks: list[Future[Any]] = [*running, dealing]
        errors = [error for task in tasks if (error := task.exception())]
    for of_one in channels.values():
        for channel in of_one.values():
            channel.close()
    if errors:
        raise min(errors, key=_distance_from_cause)
    return [task.result() for task in running]


def _distance_from_cause(error: BaseException) -> int:
    if any(words in str(error) for words in ("reported by", "ended the run")):
        return 3
    return 2 if isinstance(error, PeerLostError) else 1 if isinstance(error, PeerError) else 0
