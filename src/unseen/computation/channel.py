"""A channel to one peer: typed messages over a wire, counted, digested and bounded.

The receiver of a message knows its tag, dtype and shape beforehand; anything else is a `ProtocolError` naming
the peer. An array handed to `send` must not be changed afterwards: it may still wait to be written. Streams
(`fork`) share one wire without waiting for each other. How frames travel is in `link`.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from unseen.computation.counters import Counters
from unseen.computation.link import FRAME_LIMIT, PATIENCE, Link, tag_number
from unseen.computation.types import Array, octets
from unseen.computation.wire import Wire
from unseen.errors import MisuseError

__all__ = ["FRAME_LIMIT", "PATIENCE", "Channel", "Counters", "Rounds", "Wire", "open_channel", "tag_number"]


class Rounds:
    """Counts rounds at one party: a receive that follows a send is one more."""

    def __init__(self) -> None:
        self.count = 0
        self._sent = False
        self._overlapping = False
        self._sent_meanwhile = False

    def sending(self) -> None:
        if self._overlapping:
            self._sent_meanwhile = True
        else:
            self._sent = True

    def receiving(self) -> None:
        if self._sent:
            self._sent = False
            self.count += 1

    def overlap(self) -> Overlap:
        """What is received within answers what was sent before, however sends and receives alternate here."""
        return Overlap(self)

    def begin_overlap(self) -> bool:
        """Whether this lies within another overlap; `end_overlap` wants to know."""
        outer = self._overlapping
        self._sent = self._sent or self._sent_meanwhile
        self._overlapping, self._sent_meanwhile = True, False
        return outer

    def end_overlap(self, outer: bool) -> None:
        self._overlapping = outer
        if not outer:
            self._sent = self._sent or self._sent_meanwhile
            self._sent_meanwhile = False


class Overlap:
    """What `Rounds.overlap` gives to a `with`: entered at every round, so it is no generator."""

    def __init__(self, rounds: Rounds) -> None:
        self._rounds = rounds
        self._outer = False

    def __enter__(self) -> None:
        self._outer = self._rounds.begin_overlap()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._rounds.end_overlap(self._outer)


class Channel:
    """One stream of messages to `peer`. All public methods raise PeerLostError, ProtocolError, AbortedError."""

    def __init__(self, link: Link, stream: int, path: str, rounds: Rounds) -> None:
        self._link = link
        self._stream = stream
        self._path = path
        self._rounds = rounds

    @property
    def peer(self) -> str:
        return self._link.peer

    @property
    def counters(self) -> Counters:
        return self._link.counters

    @property
    def rounds(self) -> Rounds:
        return self._rounds

    def digests(self) -> tuple[str, str]:
        """BLAKE3 over all bytes sent and over all bytes received so far: the peer holds the mirror image."""
        return self._link.digests()

    def flush(self) -> None:
        """Wait until all that was sent so far has gone into the wire, and so into the digest."""
        self._link.flush()

    def send(self, tag: str, array: Array) -> None:
        """Send an array; the peer must ask for the same tag, dtype and shape."""
        self._rounds.sending()
        self._link.send(self._stream, tag, octets(array))

    def send_all(self, tag: str, arrays: Sequence[Array]) -> None:
        """Send arrays, each a message of its own: small ones go into the wire together."""
        if len(arrays) == 1:
            self.send(tag, arrays[0])
            return
        with self._link.corked():
            for array in arrays:
                self.send(tag, array)

    def receive(self, tag: str, dtype: DTypeLike, shape: int | tuple[int, ...]) -> Array:
        """Receive exactly one array of this dtype and shape, or raise."""
        array: np.ndarray[Any, Any] = np.empty(shape, dtype=dtype)
        self.receive_into(tag, array)
        return array

    def receive_into(self, tag: str, array: Array) -> None:
        """Receive exactly the bytes of a contiguous array, in place."""
        if not array.flags.c_contiguous:
            raise MisuseError("only a contiguous array can be received in place")
        self._rounds.receiving()
        if array.size:
            self._link.receive_into(self._stream, tag, octets(array))
        else:
            self._link.receive_bytes(self._stream, tag, 0)

    def send_bytes(self, tag: str, data: bytes) -> None:
        """Send at most FRAME_LIMIT bytes whose length the peer cannot know beforehand."""
        if len(data) > FRAME_LIMIT:
            raise MisuseError(f"a message of {len(data)} bytes does not fit into one frame")
        self._rounds.sending()
        self._link.send(self._stream, tag, memoryview(data))

    def receive_bytes(self, tag: str, limit: int) -> bytes:
        """Receive one message of at most `limit` bytes."""
        self._rounds.receiving()
        return self._link.receive_bytes(self._stream, tag, limit)

    def fork(self, label: str) -> Channel:
        """A stream of its own for work that overlaps; both sides name the same label. Rounds count apart."""
        path = f"{self._path}/{label}"
        return Channel(self._link, self._link.register(path), path, Rounds())

    def abort(self, error: BaseException) -> None:
        """Tell the peer why this side ends, as far as it still listens, and close."""
        self._link.abort(error)

    def close(self) -> None:
        """Send what is still queued, then close the wire."""
        self._link.close()


def open_channel(wire: Wire, peer: str, rounds: Rounds | None = None, patience: float = PATIENCE) -> Channel:
    """The first stream over a fresh wire. `rounds` is shared by the channels of one circle."""
    link = Link(wire, peer, patience)
    return Channel(link, link.register("main"), "main", rounds or Rounds())
