"""The worker processes of one node: one for each running job, and one in reserve.

A worker is a fresh Python process with one socket to its node. Importing the computation takes a second or
two, so one worker waits in reserve with everything imported; a job that starts takes it.

The socket's words, node to worker: a line with the job's folder; then single bytes, `c` with the descriptor of
a caller's connection, `s` to stop. Worker to node: one JSON object a line, ending with `done` or `failed`.
When the node dies the socket closes, and the worker ends itself at once.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

from unseen.encoding import Json
from unseen.errors import PeerLostError
from unseen.interaction.job import Fault

CALLER, STOP = b"c", b"s"
STOPPING_SECONDS: Final = 5.0
_ENDINGS: Final = ("done", "failed")

log = logging.getLogger(__name__)

Message = Mapping[str, Json]
Listener = Callable[[Message], None]
"""Is told every message of a worker, `done` or `failed` last and exactly once."""


class Workshop:
    """Starts workers, passes callers on to them, and tells what they say. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: dict[str, _Worker] = {}
        self._reserve: _Worker | None = None
        self._followers: list[threading.Thread] = []
        self._closed = False

    def prepare(self) -> None:
        """Have a worker in reserve."""
        with self._lock:
            if self._reserve is None and not self._closed:
                self._reserve = _Worker()

    def start(self, job: str, folder: Path, listener: Listener) -> None:
        """Run the job whose task lies in `folder`; `listener` hears of it from a thread of its own."""
        with self._lock:
            worker, self._reserve = self._reserve, None
            if worker is not None and not worker.alive:
                worker.end()
                worker = None
            worker = self._running[job] = worker or _Worker()
            following = (job, worker, listener)
            follower = threading.Thread(target=self._follow, args=following, name=f"follow-{job[:8]}")
            self._followers = [thread for thread in self._followers if thread.is_alive()] + [follower]
            worker.begin(folder)
            follower.start()

    def deliver(self, job: str, caller: socket.socket) -> bool:
        """Give a caller's connection to the job's worker; False if there is none. Closes `caller` if given."""
        with self._lock:
            worker = self._running.get(job)
        if worker is None or not worker.give(caller):
            return False
        caller.close()
        return True

    def process(self, job: str) -> int | None:
        """The process number of the job's worker, if it runs."""
        with self._lock:
            worker = self._running.get(job)
        return worker.process.pid if worker else None

    def stop(self, job: str) -> None:
        """End a job's worker: by word, and by force if it does not end by itself soon."""
        with self._lock:
            worker = self._running.get(job)
        if worker is not None:
            worker.stop()

    def close(self) -> None:
        """End all workers, and wait until their listeners have heard of it."""
        with self._lock:
            self._closed = True
            workers = [*self._running.values()] + ([self._reserve] if self._reserve else [])
            followers = self._followers
        for worker in workers:
            worker.end()
        for follower in followers:
            follower.join()

    def _follow(self, job: str, worker: _Worker, listener: Listener) -> None:
        ending: Message | None = None
        for message in worker.messages():
            if message.get("kind") in _ENDINGS:
                ending = message
                break
            listener(message)
        code = worker.wait()
        with self._lock:
            self._running.pop(job, None)
        listener(ending if ending is not None else {"kind": "failed", "fault": _lost(code).as_json()})
        self.prepare()


def _lost(code: int) -> Fault:
    """The fault of a worker that ended without a word."""
    if code < 0:
        with contextlib.suppress(ValueError):
            return Fault(PeerLostError.code, f"its worker was killed ({signal.Signals(-code).name})")
    return Fault(PeerLostError.code, f"its worker ended with exit code {code}; see its worker.log")


class _Worker:
    """One worker process and this side of its socket."""

    def __init__(self) -> None:
        self._socket, theirs = socket.socketpair()
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "unseen.interaction.worker", str(theirs.fileno())],
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                start_new_session=True,  # an interrupt at the node's terminal is the node's to pass on
            )

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def begin(self, folder: Path) -> None:
        with contextlib.suppress(OSError):
            self._socket.sendall(os.fsencode(folder) + b"\n")

    def give(self, caller: socket.socket) -> bool:
        try:
            socket.send_fds(self._socket, [CALLER], [caller.fileno()])
        except OSError:
            return False
        return True

    def messages(self) -> Iterator[Message]:
        return _lines(self._socket)

    def stop(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.sendall(STOP)
        timer = threading.Timer(STOPPING_SECONDS, self.end)
        timer.daemon = True
        timer.start()

    def wait(self) -> int:
        """The exit code, after closing the socket: a worker that does not end by itself is ended."""
        try:
            code = self.process.wait(timeout=STOPPING_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        self._socket.close()
        return code

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)  # wakes whoever still reads what it said
        self._socket.close()


def _lines(source: socket.socket) -> Iterator[Message]:
    """The JSON objects that a worker writes, one a line, until its end of the socket closes."""
    with source.makefile("rb") as file, contextlib.suppress(OSError):
        for line in file:
            try:
                message = json.loads(line)
            except ValueError:
                log.warning("a worker wrote a line that is no JSON")
                continue
            if isinstance(message, dict):
                yield message
