"""The frames of all streams over one wire: a queue out with its writer thread, an inbox per stream.

House rules
- A message is one or more frames: 16 bytes of head (stream, tag, length), then the payload.
- No length that a peer states is used before it is compared with a bound.
- `send` never waits for the peer: what does not fit into the wire at once goes to a writer thread, so that
  two parties that send to each other cannot deadlock.
- Every wait has a deadline.
- Whoever waits first reads for all streams.
- Who fails tells the others why (`abort`), so that every party names the culprit and not the messenger.
"""

from __future__ import annotations

import struct
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache, partial
from typing import Final, NoReturn

from blake3 import blake3

from unseen.computation.counters import Counters
from unseen.computation.wire import Wire
from unseen.encoding import canonical, parse_json
from unseen.errors import AbortedError, MisuseError, PeerLostError, ProtocolError, UnseenError

FRAME_LIMIT: Final = 32 << 20
"""Largest payload of one frame, in bytes; larger messages are cut."""
BACKLOG_LIMIT: Final = 1 << 30
"""Most bytes that may wait here to be sent, or to be picked up by another stream."""
PATIENCE: Final = 120.0
"""Seconds that a party may stay silent before it counts as lost."""

_HEAD: Final = struct.Struct("<IIQ")
_CONTROL: Final = 0xFFFFFFFF
_NOBODY: Final = 0xFFFFFFFE  # no stream: their numbers have 31 bits
_NAMES: Final = 200  # letters of the culprit's name in an abort message, or of several candidates
_DIRECT: Final = 256 << 10  # of a message up to this size, what fits into the wire goes without the writer thread
_CHUNK: Final = 256 << 10  # bytes that are digested and written, or read and digested, at a time


@lru_cache(maxsize=4096)
def tag_number(tag: str) -> int:
    """A message tag on the wire: 32 bits of its digest, enough to catch two sides out of step."""
    return int.from_bytes(blake3(tag.encode()).digest(length=4), "little")


def _exactly(view: memoryview, length: int) -> memoryview | None:
    return view if length == len(view) else None


class Link:
    """The frames of all streams over one wire: a queue out with its writer thread, an inbox per stream."""

    def __init__(self, wire: Wire, peer: str, patience: float) -> None:
        self.peer = peer
        self.counters = Counters()
        self._wire = wire
        self._patience = patience
        self._lock = threading.Condition()
        self._failure: UnseenError | None = None
        self._streams: dict[int, str] = {}
        self._inbox: dict[int, deque[tuple[int, bytearray]]] = {}
        self._waiting_bytes = 0
        self._reading = False
        self._queue: deque[tuple[bytes, memoryview, bool]] = deque()
        self._queued_bytes = 0
        self._corks, self._corked = 0, bytearray()
        self._writing = False
        self._closing = False
        self._closed = False
        self._digest_out, self._digest_in = blake3(), blake3()
        self._writer: threading.Thread | None = None

    def register(self, path: str) -> int:
        number = tag_number("stream/" + path) & 0x7FFFFFFF
        with self._lock:
            if self._streams.setdefault(number, path) != path:
                raise MisuseError(f"streams {path!r} and {self._streams[number]!r} collide; rename one")
        return number

    def digests(self) -> tuple[str, str]:
        with self._lock:
            return self._digest_out.hexdigest(), self._digest_in.hexdigest()

    # --- sending ---------------------------------------------------------------------------------------

    def send(self, stream: int, tag: str, data: memoryview) -> None:
        number, total = tag_number(tag), len(data)
        for start in range(0, total, FRAME_LIMIT) if total else (0,):
            part = data[start : start + FRAME_LIMIT]
            self._post(_HEAD.pack(stream, number, len(part)), part)
        frames = max(1, -(-total // FRAME_LIMIT))
        self.counters.sent(tag, total + frames * _HEAD.size)

    def flush(self) -> None:
        """Wait until the queue out is written. Raises PeerLostError when the peer takes nothing for too long."""
        with self._lock:
            if not self._lock.wait_for(
                lambda: self._failure or not (self._queue or self._writing or self._corked),
                timeout=self._patience,
            ):
                self._fail(PeerLostError(self.peer, f"took nothing for {self._patience:.0f} s"))
            self._check()

    def _post(self, head: bytes, part: memoryview) -> None:
        with self._lock:
            self._check()
            if self._corks and len(part) <= _DIRECT:
                self._corked += head
                self._corked += part
                if len(self._corked) > _DIRECT:
                    self._release()
                return
            self._release()
            idle = not self._queue and not self._writing
            if not idle or len(part) > _DIRECT:
                self._enqueue(head, part)
                return
            self._writing = True
        self._write_now(memoryview(b"".join((head, part))))

    @contextmanager
    def corked(self) -> Iterator[None]:
        """Small messages that are sent within go out in one piece at its end; nothing is waited for within."""
        with self._lock:
            self._corks += 1
        try:
            yield
        finally:
            with self._lock:
                self._corks -= 1
                if self._corks or self._queue or self._writing or self._failure:
                    self._release()
                message, self._corked = memoryview(self._corked), bytearray()
                self._writing = self._writing or bool(message)
            if message:
                self._write_now(message)

    def _release(self) -> None:
        """Let the writer thread bring out what is corked, before anything that is sent from now on."""
        if self._corked:
            part, self._corked = memoryview(self._corked), bytearray()
            self._queue.append((b"", part, False))
            self._queued_bytes += len(part)
            self._need_writer()
            self._lock.notify_all()

    def _write_now(self, message: memoryview) -> None:
        """Write what goes at once and leave the rest to the writer thread. `_writing` is set, and cleared here."""
        rest, held = memoryview(b""), False
        try:
            self._digest_out.update(message)
            rest = message[self._wire.write_some(message) :]
            held = self._wire.holding()
        except OSError as error:
            self._lost_while_sending(error)
        finally:
            with self._lock:
                self._writing = False
                if len(rest) or held:
                    self._queue.appendleft((b"", rest, True))
                    self._queued_bytes += len(rest)
                    self._need_writer()
                self._lock.notify_all()

    def _enqueue(self, head: bytes, part: memoryview) -> None:
        if not self._lock.wait_for(
            lambda: self._failure or self._queued_bytes < BACKLOG_LIMIT, timeout=self._patience
        ):
            self._fail(PeerLostError(self.peer, f"took nothing for {self._patience:.0f} s"))
        self._check()
        self._queue.append((head, part, False))
        self._queued_bytes += len(part)
        self._need_writer()
        self._lock.notify_all()

    def _need_writer(self) -> None:
        if self._writer is None:
            self._writer = threading.Thread(target=self._drain, name=f"writer-{self.peer}", daemon=True)
            self._writer.start()

    def _drain(self) -> None:
        while True:
            with self._lock:
                self._lock.wait_for(lambda: (self._queue and not self._writing) or self._closed)
                if self._closed or not self._queue:
                    return
                head, part, digested = self._queue.popleft()
                self._writing = True
            try:
                self._write(head, part, digested)
            except UnseenError:
                return
            finally:
                with self._lock:
                    self._queued_bytes -= len(part)
                    self._writing = False
                    self._lock.notify_all()

    def _write(self, head: bytes, part: memoryview, digested: bool) -> None:
        """Write a message, or the rest of one; an empty rest brings out what the wire holds."""
        try:
            for piece in (memoryview(head), part):
                for start in range(0, max(1, len(piece)), _CHUNK):
                    chunk = piece[start : start + _CHUNK]
                    if not digested:
                        self._digest_out.update(chunk)
                    self._wire.write(chunk)
        except OSError as error:
            self._lost_while_sending(error)

    def _lost_while_sending(self, error: OSError) -> NoReturn:
        self._hear_last_words()
        with self._lock:
            self._fail(PeerLostError(self.peer, "the connection closed while sending"))
        raise self._failure or PeerLostError(self.peer, "the connection closed") from error

    def _hear_last_words(self) -> None:
        """The peer closed; it may have said why before. Read what is there up to its abort message or the end."""
        with self._lock:
            if self._reading:
                return  # whoever reads will hear it
            self._reading = True
        try:
            while self._failure is None:
                self._read_frame(_NOBODY, "", lambda length: None)
        except UnseenError:
            return
        finally:
            with self._lock:
                self._reading = False
                self._lock.notify_all()

    # --- receiving -------------------------------------------------------------------------------------

    def receive_into(self, stream: int, tag: str, view: memoryview) -> None:
        for start in range(0, len(view), FRAME_LIMIT):
            part = view[start : start + FRAME_LIMIT]
            self._take(stream, tag, partial(_exactly, part))
        self.counters.heard(tag, len(view) + -(-len(view) // FRAME_LIMIT) * _HEAD.size)

    def receive_bytes(self, stream: int, tag: str, limit: int) -> bytes:
        box: list[bytearray] = []

        def room(length: int) -> memoryview | None:
            if length > min(limit, FRAME_LIMIT):
                return None
            box.append(bytearray(length))
            return memoryview(box[0])

        self._take(stream, tag, room)
        self.counters.heard(tag, len(box[0]) + _HEAD.size)
        return bytes(box[0])

    def _take(self, stream: int, tag: str, room: Callable[[int], memoryview | None]) -> None:
        """Bring the next frame of `stream` into the place that `room` gives for its length."""
        while True:
            with self._lock:
                inbox = self._inbox.get(stream)
                if inbox:
                    number, data = inbox.popleft()
                    self._waiting_bytes -= len(data)
                    self._place(number, tag, len(data), room)[:] = data
                    self.counters.bytes_received += len(data) + _HEAD.size
                    return
                self._check()
                if self._reading:
                    if not self._lock.wait(timeout=self._patience):
                        self._fail(PeerLostError(self.peer, f"silent for {self._patience:.0f} s"))
                    continue
                self._reading = True
            try:
                if self._read_frame(stream, tag, room):
                    return
            finally:
                with self._lock:
                    self._reading = False
                    self._lock.notify_all()

    def _read_frame(self, stream: int, tag: str, room: Callable[[int], memoryview | None]) -> bool:
        """Read one frame from the wire: True if it was ours, otherwise it went to another stream's inbox."""
        head = bytearray(_HEAD.size)
        self._read(memoryview(head))
        of, number, length = _HEAD.unpack(head)
        if of == _CONTROL:
            self._read_abort(length)
        if of == stream:
            view = self._place(number, tag, length, room)
            self._digest_in.update(head)
            self._read_and_digest(view)
            self.counters.bytes_received += length + _HEAD.size
            return True
        if length > FRAME_LIMIT or self._waiting_bytes + length > BACKLOG_LIMIT:
            self._violated(f"a frame of {length} bytes for another stream is over the limit")
        data = bytearray(length)
        self._digest_in.update(head)
        self._read_and_digest(memoryview(data))
        with self._lock:
            self._inbox.setdefault(of, deque()).append((number, data))
            self._waiting_bytes += length
        return False

    def _read_and_digest(self, view: memoryview) -> None:
        """Piece by piece: the digest finds the bytes still in the cache, while the next ones arrive."""
        for start in range(0, len(view), _CHUNK):
            chunk = view[start : start + _CHUNK]
            self._read(chunk)
            self._digest_in.update(chunk)

    def _place(self, number: int, tag: str, length: int, room: Callable[[int], memoryview | None]) -> memoryview:
        if number != tag_number(tag):
            self._violated(f"sent another message than {tag!r}; the two sides are out of step")
        view = room(length)
        if view is None:
            self._violated(f"sent {length} bytes as {tag!r}, which is not what the protocol allows")
        return view

    def _read(self, view: memoryview) -> None:
        if not len(view):
            return
        try:
            self._wire.read_into(view, self._patience)
        except TimeoutError:
            reason = f"silent for {self._patience:.0f} s"
        except (EOFError, OSError):
            reason = "the connection closed"
        else:
            return
        with self._lock:
            self._fail(PeerLostError(self.peer, reason))
            self._check()

    # --- the end ---------------------------------------------------------------------------------------

    def _read_abort(self, length: int) -> None:
        if length > 1024:
            self._violated("an oversized abort message")
        data = bytearray(length)
        self._read(memoryview(data))
        try:
            message = parse_json(bytes(data), limit=1024)
            code, party = str(message["code"])[:32], str(message["party"])[:_NAMES]  # type: ignore[index,call-overload]
        except (MisuseError, TypeError, KeyError, IndexError):
            self._violated("an abort message that is not one")
        with self._lock:
            if code == PeerLostError.code and party:
                self._fail(PeerLostError(party, f"lost (reported by {self.peer})"))
            elif code == ProtocolError.code and party:
                self._fail(ProtocolError(party, f"broke the protocol (reported by {self.peer})"))
            else:
                self._fail(AbortedError(f"{self.peer} ended the run ({code})"))
            self._check()

    def _violated(self, reason: str) -> NoReturn:
        error = ProtocolError(self.peer, reason)
        with self._lock:
            self._failure = self._failure or error
            self._lock.notify_all()
        raise error

    def _fail(self, error: UnseenError) -> None:
        self._failure = self._failure or error
        self._lock.notify_all()

    def _check(self) -> None:
        if self._failure is not None:
            raise self._failure
        if self._closing:
            raise AbortedError(f"the channel to {self.peer} is closed")

    def abort(self, error: BaseException) -> None:
        code = error.code if isinstance(error, UnseenError) else "internal"
        party = str(getattr(error, "party", ""))[:_NAMES]
        data = canonical({"code": code, "party": party})
        with self._lock:
            if self._closing:
                return
            self._queue.append((_HEAD.pack(_CONTROL, 0, len(data)), memoryview(data), False))
            self._queued_bytes += len(data)
            self._need_writer()
            self._lock.notify_all()
        self.close(patience=2.0)

    def close(self, patience: float | None = None) -> None:
        wait = self._patience if patience is None else patience
        with self._lock:
            if self._closing:
                return
            self._lock.wait_for(
                lambda: isinstance(self._failure, PeerLostError) or not (self._queue or self._writing),
                timeout=wait,
            )
            self._closing = self._closed = True
            self._lock.notify_all()
        self._wire.close()
