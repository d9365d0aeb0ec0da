"""One process of a measurement: `python -m unseen.cli.bench.party FOLDER INDEX DESCRIPTOR`.

It opens the same session as a job's worker does, over TLS, with keys made for the occasion, runs the workload
with small sizes to load the kernels, then the asked number of times, and prints one JSON line of figures. The
last index is the dealer's.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from unseen.cli.bench.registry import workload
from unseen.computation.channel import Channel, Rounds
from unseen.computation.circle import Circle
from unseen.computation.correlation import dealer
from unseen.interaction.session import Meeting, Member, open_session
from unseen.interaction.task import home_credentials
from unseen.interaction.worker import SWITCH_SECONDS, keep_freed_memory, make_circle, peak_rss_mb

DEALER = "dealer"


class Listener:
    """A doorway of its own: a bench process has no node in front of it."""

    def __init__(self, descriptor: int) -> None:
        self._listener = socket.socket(fileno=descriptor)

    def next_caller(self, patience: float) -> int | None:
        self._listener.settimeout(patience)
        try:
            caller, _ = self._listener.accept()
        except TimeoutError:
            return None
        return caller.detach()


def main() -> None:
    """Entry point of the process."""
    sys.setswitchinterval(SWITCH_SECONDS)
    keep_freed_memory()
    folder, index, descriptor = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    try:
        figures = measure(folder, index, Listener(descriptor))
    except BaseException as error:  # noqa: BLE001  # whatever it is, the harness must hear of it
        traceback.print_exc()
        figures = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(figures), flush=True)
    os._exit(1 if "error" in figures else 0)


def measure(folder: Path, index: int, listener: Listener) -> dict[str, Any]:
    """Take part in the measurement described in FOLDER/bench.json; this process's figures."""
    task = json.loads((folder / "bench.json").read_text(encoding="utf-8"))
    members = tuple(Member(**entry) for entry in task["members"])
    me = members[index].name
    meeting = Meeting(
        task["job"], task["plan"], me, members, home_credentials(folder / me), 60.0, task["patience"]
    )
    channels, rounds = open_session(meeting, listener)
    try:
        parties = tuple(member.name for member in members[:-1])
        if me == DEALER:
            dealer.serve([channels[party] for party in parties])
            runs: list[dict[str, Any]] = []
        else:
            circle = make_circle(task["plan"], me, parties, DEALER, channels)
            runs = _runs(task, circle, channels, rounds)
            circle.source.finish()
    except BaseException as error:
        for channel in channels.values():
            channel.abort(error)
        raise
    for channel in channels.values():
        channel.close()
    return {"runs": runs, "peak_rss_mb": peak_rss_mb()}


def _runs(
    task: Mapping[str, Any], circle: Circle, channels: Mapping[str, Channel], rounds: Rounds
) -> list[dict[str, Any]]:
    work = workload(task["work"])
    program = work.load()
    program.run(circle, program.enter(circle, program.prepare(circle.rank, circle.size, work.small)))
    inputs = program.enter(circle, program.prepare(circle.rank, circle.size, task["size"]))
    if task["warm"]:
        program.run(circle, inputs)
    runs = []
    for _ in range(task["repeat"]):
        _meet(circle)
        before, rounds_before, started = _traffic(channels), rounds.count, perf_counter()
        more = program.run(circle, inputs)
        seconds = perf_counter() - started
        runs.append(
            {
                "seconds": seconds,
                "bytes": _traffic(channels) - before,
                "rounds": rounds.count - rounds_before,
                "more": dict(more),
            }
        )
    return runs


def _meet(circle: Circle) -> None:
    """Wait until all parties are here."""
    circle.open_words("bench/meet", np.zeros(1, dtype=np.uint64))


def _traffic(channels: Mapping[str, Channel]) -> int:
    """Bytes that this party sent, and that the dealer sent to it: summed over parties, everyone's."""
    sent = sum(channel.counters.bytes_sent for channel in channels.values())
    return sent + channels[DEALER].counters.bytes_received


if __name__ == "__main__":
    main()
