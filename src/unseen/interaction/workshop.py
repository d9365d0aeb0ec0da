"""The worker processes of one node: one for each running job, all from one `spring`.

A worker is a process with one socket to its node. Importing the computation takes seconds, so a process that has
imported everything waits, the spring, of which each job gets a copy.

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
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

from unseen.encoding import Json
from unseen.errors import PeerLostError
from unseen.interaction.job import Fault

CALLER, STOP = b"c", b"s"
WORKER, KILL = b"w", b"k"
NUMBER_BYTES: Final = 8
BLAS_ALONE: Final = {"OPENBLAS_NUM_THREADS": "1"}
"""What a job leaves to BLAS is small; where others work, its threads mostly wait for one another."""
STARTING_SECONDS: Final = 60.0
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
        self._spring: _Spring | None = None
        self._followers: list[threading.Thread] = []
        self._closed = False

    def prepare(self) -> None:
        """Have a spring to take workers from."""
        with self._lock:
            if not self._closed:
                self._living_spring()

    def _living_spring(self) -> _Spring:
        if self._spring is None or not self._spring.alive:
            if self._spring is not None:
                self._spring.end()
            self._spring = _Spring()
        return self._spring

    def start(self, job: str, folder: Path, listener: Listener) -> None:
        """Run the job whose task lies in `folder`; `listener` hears of it from a thread of its own."""
        with self._lock:
            worker = self._running[job] = self._living_spring().worker()
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
        return worker.number(STARTING_SECONDS) if worker else None

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
            workers, followers, spring = list(self._running.values()), self._followers, self._spring
        for worker in workers:
            worker.end()
        if spring is not None:
            spring.end()
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


def _lost(code: int | None) -> Fault:
    """The fault of a worker that ended without a word."""
    if code is None:
        return Fault(PeerLostError.code, "its worker ended; see its worker.log")
    if code < 0:
        with contextlib.suppress(ValueError):
            return Fault(PeerLostError.code, f"its worker was killed ({signal.Signals(-code).name})")
    return Fault(PeerLostError.code, f"its worker ended with exit code {code}; see its worker.log")


class _Spring:
    """The process that workers come from, and this side of its socket."""

    def __init__(self) -> None:
        self._socket, theirs = socket.socketpair()
        self._lock = threading.Lock()
        self._asked: deque[_Worker] = deque()
        self._workers: dict[int, _Worker] = {}
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "unseen.interaction.spring", str(theirs.fileno())],
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                start_new_session=True,  # an interrupt at the node's terminal is the node's to pass on
                env=BLAS_ALONE | os.environ,
            )
        self._listening = threading.Thread(target=self._listen, name="spring", daemon=True)
        self._listening.start()

    @property
    def alive(self) -> bool:
        return self._listening.is_alive() and self.process.poll() is None

    def worker(self) -> _Worker:
        """Ask for a worker; it begins as soon as the spring has imported everything."""
        ours, theirs = socket.socketpair()
        made = _Worker(ours, self.kill)
        with theirs, self._lock:
            self._asked.append(made)
            with contextlib.suppress(OSError):
                socket.send_fds(self._socket, [WORKER], [theirs.fileno()])
        return made

    def kill(self, number: int) -> None:
        """End a worker by force; only the spring knows for sure that the number is still that worker's."""
        with self._lock, contextlib.suppress(OSError):
            self._socket.sendall(KILL + number.to_bytes(NUMBER_BYTES, "big"))

    def end(self) -> None:
        """End it, and with it all workers that it has made."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(STOPPING_SECONDS if self._workers else 0)
        self.process.kill()
        self.process.wait()
        self._listening.join()
        self._socket.close()

    def _listen(self) -> None:
        """Tell workers who they are and how they ended; that nothing more is known when the spring is gone."""
        for message in _lines(self._socket):
            with self._lock:
                if "began" in message:
                    made = self._asked.popleft()
                    self._workers[int(str(message["began"]))] = made
                    made.began(int(str(message["began"])))
                else:
                    self._workers.pop(int(str(message["ended"]))).ended(int(str(message["code"])))
        with self._lock:
            for made in (*self._asked, *self._workers.values()):
                made.ended(None)


class _Worker:
    """One worker process and this side of its socket."""

    def __init__(self, connection: socket.socket, kill: Callable[[int], None]) -> None:
        self._socket = connection
        self._kill = kill
        self._number: int | None = None
        self._code: int | None = None
        self._begun, self._over = threading.Event(), threading.Event()

    def began(self, number: int) -> None:
        self._number = number
        self._begun.set()

    def ended(self, code: int | None) -> None:
        self._code = code
        self._begun.set()
        self._over.set()

    def number(self, patience: float) -> int | None:
        """The process number, once it is known."""
        self._begun.wait(patience)
        return self._number

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

    def wait(self) -> int | None:
        """The exit code, after closing the socket: a worker that does not end by itself is ended."""
        if not self._over.wait(STOPPING_SECONDS) and self._number is not None:
            self._kill(self._number)
            self._over.wait(STOPPING_SECONDS)
        self._socket.close()
        return self._code

    def end(self) -> None:
        """At once. One that has not begun yet finds its socket closed, and ends by itself."""
        if self._number is not None:
            self._kill(self._number)
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)  # wakes whoever still reads what it said


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
