"""The process that computes one job at one party.

It comes from the node's `spring` with all imported that it will need and one socket to the node (its words: see
`workshop`), hears of its job's folder, and then: reads the task, derives the plan again and compares the hash,
opens the session, runs the application (or deals), exchanges testimonies, writes the result, reports. It holds the
institution's rows and shares, and nothing of them leaves it but through the protocol and, sealed, into the job's
folder.

It ends when the job ends, when the node says so, and at once when the node is gone.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import queue
import resource
import socket
import sys
import tempfile
import threading
import traceback
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Final, NoReturn

from unseen.computation.channel import Channel
from unseen.computation.circle import Circle, gathered
from unseen.computation.correlation import dealer
from unseen.computation.correlation.dealer import DealtSource
from unseen.computation.correlation.kept_setup import Shelf
from unseen.computation.correlation.pairwise import NoDealer
from unseen.data.sealed import in_memory
from unseen.encoding import Json, canonical, digest_bytes
from unseen.errors import AbortedError, MisuseError, UnseenError
from unseen.interaction import door
from unseen.interaction.application import Run, find, installed
from unseen.interaction.door import Door
from unseen.interaction.home import Home
from unseen.interaction.job import Fault
from unseen.interaction.plan import Plan
from unseen.interaction.session import open_session
from unseen.interaction.setups import Setups
from unseen.interaction.task import RESULT_FILE, Task
from unseen.interaction.testimony import exchange, result_digest, testify
from unseen.interaction.workroom import Workroom, free_memory
from unseen.interaction.workshop import CALLER

SESSION_TAG: Final = "unseen/session/v1"
SWITCH_SECONDS: Final = 0.0005
"""How long a thread may keep the interpreter while another waits for it. A writer thread needs it for a moment
between any two TLS records; at Python's own 5 ms a busy main thread would starve it (10 to 40% of a run)."""
_KEPT_BYTES: Final = 1 << 30
_HEAP_ARRAY_BYTES: Final = 1 << 25  # the most that glibc takes
_PROGRESS_SECONDS: Final = 0.1


class NodeLine:
    """This side of the socket to the node: reports go out, callers and the word to stop come in."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._writing = threading.Lock()
        self._callers: queue.SimpleQueue[int] = queue.SimpleQueue()
        self._stopped = threading.Event()
        self._channels: list[Channel] = []

    def folder(self) -> Path:
        """Wait for the job. Ends the process if the node goes first."""
        line = b""
        while not line.endswith(b"\n"):
            byte = self._connection.recv(1)
            if not byte:
                os._exit(0)
            line += byte
        threading.Thread(target=self._listen, name="node-line", daemon=True).start()
        return Path(os.fsdecode(line[:-1]))

    def report(self, kind: str, **body: Json) -> None:
        with self._writing, contextlib.suppress(OSError):
            self._connection.sendall(json.dumps({"kind": kind, **body}).encode() + b"\n")

    def next_caller(self, patience: float) -> int | None:
        """See `session.Doorway`."""
        if self._stopped.is_set():
            raise AbortedError("the run was stopped")
        try:
            return self._callers.get(timeout=patience)
        except queue.Empty:
            return None

    def guard(self, channels: list[Channel]) -> None:
        """Close these channels when the node says stop."""
        self._channels = channels
        if self._stopped.is_set():
            self._stop()

    def _listen(self) -> None:
        while True:
            try:
                word, descriptors, _, _ = socket.recv_fds(self._connection, 1, 1)
            except OSError:
                word, descriptors = b"", []
            if not word:
                os._exit(1)  # the node is gone, and the job with it
            if word == CALLER:
                for descriptor in descriptors:
                    self._callers.put(descriptor)
            else:
                self._stopped.set()
                self._stop()

    def _stop(self) -> None:
        for channel in self._channels:
            channel.abort(AbortedError("the run was stopped"))


def keep_freed_memory() -> None:
    """Let glibc keep what arrays of up to 32 MB have freed for the next ones, up to a gigabyte.

    By itself it gives large arrays back to the kernel, which clears their pages anew for the next ones: a tenth
    of a run's processor time. Where there is no glibc nothing happens.
    """
    trim_threshold, mmap_threshold = -1, -3  # M_TRIM_THRESHOLD and M_MMAP_THRESHOLD of malloc.h
    set_option = getattr(ctypes.CDLL(None), "mallopt", None)
    if set_option is not None:
        set_option(mmap_threshold, _HEAP_ARRAY_BYTES)
        set_option(trim_threshold, _KEPT_BYTES)


def serve(connection: socket.socket) -> NoReturn:
    """Do the job that the node names over its socket, and end the process."""
    line = NodeLine(connection)
    folder = line.folder()
    _write_log_to(folder / "worker.log")
    code = 0
    try:
        perform(folder, line)
    except BaseException as error:  # noqa: BLE001  # the node must hear of a bug too
        if not isinstance(error, UnseenError):
            _log_places(error)
        line.report("failed", fault=Fault.of(error).as_json())
        code = 1
    sys.stderr.flush()
    os._exit(code)  # threads that still wait on a dead peer must not hold the process back


def import_ahead() -> None:
    """Do while there is no job what any job would do first: import, and open a source once.

    A broken application must not keep the others from running; it fails when its own job comes.
    """
    with contextlib.suppress(Exception):
        for application in installed().values():
            warm_up = getattr(application, "warm_up", None)
            if warm_up is not None:
                warm_up()
    from unseen.data.release import warm_up as open_a_source

    door.warm_up()
    with tempfile.NamedTemporaryFile("w", suffix=".csv") as file:
        file.write("column\n1\n")
        file.flush()
        open_a_source(file.name)


def _log_places(error: BaseException) -> None:
    """Where a fault of our own happened, and of what type it was. Its words are left out: they may quote rows."""
    sys.stderr.write("".join(traceback.format_tb(error.__traceback__)) + type(error).__name__ + "\n")


def _write_log_to(path: Path) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.close(descriptor)


def perform(folder: Path, line: NodeLine) -> None:
    """Do the job whose task lies in `folder`. Raises whatever ends it early, after telling the other members."""
    started = monotonic()
    task, home = Task.load(folder), Home(folder.parents[1])
    plan = find(task.request.application).plan(task.request, task.agreement)
    if plan.hash != task.meeting.plan:
        raise MisuseError("the plan derived by the worker is not the granted one; was an application upgraded?")
    channels, rounds = open_session(task.meeting, line)
    line.guard(list(channels.values()))
    opened = monotonic()
    line.report("progress", step="session", done=1.0, note="")
    try:
        if task.meeting.me == plan.dealer:
            dealer.serve([channels[party] for party in plan.parties])
            result: Mapping[str, Json] = {}
        else:
            room = Workroom(home, task.meeting.job)
            with in_memory() as scratch, closing(room):
                gate = Door(home, task.agreement, plan, lambda record: line.report("release", record=record))
                result = _compute(task, plan, channels, _Surroundings(gate, _Progress(line), scratch, room, home))
                home.results(task.meeting.job).take(scratch)
        named = result_digest(dict(result))
        own = testify(task.meeting.me, plan.hash, task.meeting.job, named, rounds.count, channels)
        testimonies = exchange(own, channels)
    except BaseException as error:
        for channel in channels.values():
            channel.abort(error)
        raise
    for channel in channels.values():
        channel.close()
    home.results(task.meeting.job).write(RESULT_FILE, canonical(dict(result)))
    line.report(
        "done",
        testimonies=[dict(testimony) for testimony in testimonies],
        digest=named,
        seconds={"session": opened - started, "run": monotonic() - opened},
        peak_rss_mb=peak_rss_mb(),
    )


@dataclass(frozen=True)
class _Surroundings:
    """What an application meets besides the protocol: the door to its rows, who hears of it, room for files."""

    door: Door
    progress: _Progress
    scratch: Path
    room: Workroom
    home: Home


def _compute(task: Task, plan: Plan, channels: Mapping[str, Channel], around: _Surroundings) -> Mapping[str, Json]:
    shelf = Setups(around.home, {member.name: member.root for member in task.meeting.members})
    circle = make_circle(plan.hash, task.meeting.me, plan.parties, plan.dealer, channels, shelf)
    run = Run(
        party=task.meeting.me,
        plan=plan,
        circle=circle,
        release=around.door,
        progress=around.progress,
        folder=around.scratch,
        earlier=around.room.earlier,
        erase=around.room.erase,
        batches=around.door.batches,
        room=around.room,
        memory=free_memory(),
    )
    result = find(plan.application).run(run)
    circle.source.finish()
    return result


def make_circle(
    plan: str,
    me: str,
    parties: tuple[str, ...],
    dealer_name: str | None,
    channels: Mapping[str, Channel],
    shelf: Shelf | None = None,
) -> Circle:
    """This party's circle over open channels; the dealer's channel becomes the source of correlations."""
    rank = parties.index(me)
    dealt = DealtSource(rank, parties, channels[dealer_name]) if dealer_name else NoDealer()
    among = {name: channels[name] for name in parties if name != me}
    session = bytes.fromhex(digest_bytes(SESSION_TAG, plan.encode()))
    return gathered(rank, parties, among, dealt, session, shelf)


class _Progress:
    """`Run.progress`: at most ten reports a second of one step."""

    def __init__(self, line: NodeLine) -> None:
        self._line = line
        self._last = ("", 0.0)

    def __call__(self, step: str, done: float, note: str = "") -> None:
        moment = monotonic()
        if done < 1.0 and self._last[0] == step and moment - self._last[1] < _PROGRESS_SECONDS:
            return
        self._last = (step, moment)
        self._line.report("progress", step=step, done=min(1.0, max(0.0, float(done))), note=note)


def peak_rss_mb() -> float:
    """The largest memory that this process held so far, in MiB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1 << 20) if sys.platform == "darwin" else peak / (1 << 10)
