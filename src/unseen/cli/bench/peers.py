"""Side by side with SecretFlow's engine: `python -m unseen.cli.bench.peers`, which `make bench-peers` runs.

Both take the same inputs and take turns on the same machine. Ours: each party and the dealer a process, TLS, the
dealer's work counted. Theirs (`peers/spu_workloads.py`): a process a party, loopback without TLS, SEMI2K over
Z_2^64, party 0 making the randomness, as is its default. Both have run once at full size before they are timed
(alignments of the peer, which keep nothing warm, have not). Nothing is asserted; what fails stands in the table,
which is written after every work: what is stopped goes on with `--missing`.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from time import monotonic
from typing import Any, Final

from unseen.cli.bench.harness import measure
from unseen.cli.bench.peer_contests import CONTESTS, Contest, write_inputs
from unseen.cli.bench.peer_table import merged, now, rows, sized
from unseen.cli.bench.registry import Size, workload
from unseen.cli.bench.slow_link import Link, relay
from unseen.cli.bench.tables import read_between, write_between
from unseen.errors import MisuseError, UnseenError

SCRIPT: Final = Path("peers/spu_workloads.py")


def theirs(python: Path, folder: Path, contest: Contest, way: str) -> dict[str, Any]:
    """One turn of the peer; `failed` in place of figures if it fails or takes longer than the limit."""
    limit = contest.limit
    with ExitStack() as stack:
        ports = _free_ports(contest.parties)
        reached = [stack.enter_context(_reached(port, contest.link)) for port in ports]
        task = {"work": contest.work, "way": way, "patience": limit, "ports": ports, "reached": reached}
        (folder / "task.json").write_text(json.dumps(task), encoding="utf-8")
        process = subprocess.Popen(
            [str(python), str(SCRIPT), str(folder)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        stack.callback(_end, process)
        try:
            output, errors = process.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            return {"failed": f"no result within {limit:.0f} s"}
    lines = [line for line in output.splitlines() if line.startswith("{")]
    if process.returncode or not lines:
        return {"failed": (errors.strip().splitlines() or ["it ended without a word"])[-1][:200]}
    found: dict[str, Any] = json.loads(lines[-1])
    return found


def ours(contest: Contest, size: Size) -> dict[str, Any]:
    """One turn of ours; `failed` in place of figures."""
    try:
        return measure(
            workload(contest.work), size, contest.parties, 1, contest.link, warm=True, limit=contest.limit
        )
    except UnseenError as error:
        return {"failed": str(error)[:200]}


def turns(python: Path, contest: Contest, size: Size, repeat: int) -> list[dict[str, Any]]:
    """Ours and each of the peer's ways, one after the other, `repeat` times; progress goes to standard error.

    Raises MisuseError without the peer's environment.
    """
    if not python.exists() or not SCRIPT.exists():
        raise MisuseError(f"there is no {python} or no {SCRIPT}; run `make bench-peers` in the source's folder")
    taken = []
    with tempfile.TemporaryDirectory(prefix="unseen-peers-") as name:
        write_inputs(Path(name), contest, size)
        for number in range(min(repeat, contest.turns)):
            turn: dict[str, Any] = {"when": now(), "ours": ours(contest, size)}
            _tell(f"  turn {number + 1}: ours {_said(turn['ours'])}")
            for way in contest.ways:
                turn[way] = theirs(python, Path(name), contest, way)
                _tell(f"  turn {number + 1}: SPU {way} {_said(turn[way])}")
            taken.append(turn)
    return taken


@contextmanager
def _reached(port: int, link: Link | None) -> Iterator[int]:
    """The port at which the others reach the party that listens at `port`: a relay's, where they are far apart."""
    if link is None:
        yield port
        return
    with relay(("127.0.0.1", port), link) as (_, before):
        yield before


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        listeners = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [listener.getsockname()[1] for listener in listeners]


def _end(process: subprocess.Popen[str]) -> None:
    """The peer's processes, all of them; those that have ended are none."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def _said(figures: Mapping[str, Any]) -> str:
    return f"failed: {figures['failed']}" if "failed" in figures else f"{figures['seconds']:.3g} s"


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _wanted(asked: argparse.Namespace) -> list[Contest]:
    """The contests that were asked for. Raises MisuseError for a work that is none."""
    known = list(dict.fromkeys(contest.work for contest in CONTESTS))
    if strangers := sorted(set(asked.work or known) - set(known)):
        raise MisuseError(f"there is no {', '.join(strangers)} here (known: {', '.join(known)})")
    page = read_between(asked.write, "peers") if asked.write and asked.missing else ""
    return [
        contest
        for contest in CONTESTS
        if contest.work in (asked.work or known)
        and not all(f"| {contest.named(way)} | {sized(contest.size())} |" in page for way in contest.ways)
    ]


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(prog="python -m unseen.cli.bench.peers", description=__doc__)
    parser.add_argument("--python", type=Path, default=Path(".peers/venv/bin/python"), help="the peer's")
    parser.add_argument("--work", action="append", help="only this workload; may be repeated")
    parser.add_argument("--missing", action="store_true", help="only what has no row in the file yet")
    parser.add_argument("--turns", type=int, default=3, help="how often each")
    parser.add_argument("--small", action="store_true", help="the sizes of the tests; nothing is written")
    parser.add_argument("--write", type=Path, help="put rows into the table between peers:begin and peers:end")
    asked = parser.parse_args()
    try:
        _run(asked)
    except UnseenError as error:
        raise SystemExit(f"error: {error}") from error


def _run(asked: argparse.Namespace) -> None:
    wanted, begun, found = _wanted(asked), monotonic(), []
    for number, contest in enumerate(wanted, 1):
        size = contest.size(asked.small)
        _tell(f"[{monotonic() - begun:.0f} s] {number} of {len(wanted)}: {contest.work}, {sized(size)}")
        fresh = rows(contest, size, turns(asked.python, contest, size, asked.turns))
        found += fresh
        if asked.write and not asked.small:
            write_between(asked.write, "peers", merged(read_between(asked.write, "peers"), fresh))
    _tell(f"[{monotonic() - begun:.0f} s] done")
    for row in found:
        print("| " + " | ".join(row) + " |")


if __name__ == "__main__":
    main()
