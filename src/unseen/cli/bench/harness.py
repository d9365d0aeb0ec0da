"""Runs a workload between real processes over TLS on this machine, and adds up what they report."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from time import monotonic
from typing import Any, Final

from unseen.cli.bench.party import DEALER
from unseen.cli.bench.registry import Size, Workload
from unseen.cli.bench.slow_link import Link, relay
from unseen.errors import AbortedError, MisuseError
from unseen.interaction.identity import create_keys
from unseen.interaction.workshop import BLAS_ALONE

PATIENCE: Final = 600.0
SECONDS_LIMIT: Final = 3600.0


def measure(
    work: Workload,
    given: Size,
    parties: int | None = None,
    repeat: int | None = None,
    link: Link | None = None,
    *,
    warm: bool = False,
    limit: float = SECONDS_LIMIT,
) -> dict[str, Any]:
    """Run a workload and return its report; over `link`, every two processes that far apart.

    `warm`: one run at full size goes before, which is not timed. `limit`: the most seconds that it all may take.

    Keys: `work`, `parties`, `size`, `seconds` (median), `seconds_min`, `seconds_max`, `bytes` (sent by all
    processes in one run), `rounds`, `peak_rss_mb` (largest process), `link` if one was given, and what the
    work itself adds.
    """
    size, count, times = work.sized(given), parties or work.parties, repeat or work.repeat
    if count < 2 or times < 1:
        raise MisuseError("a measurement has at least two parties and one repetition")
    names = [*(f"party{rank}" for rank in range(count)), DEALER]
    with tempfile.TemporaryDirectory(prefix="unseen-bench-") as name:
        task = {"work": work.name, "size": dict(size), "repeat": times, "warm": warm}
        figures = _processes(Path(name), names, task, link, limit)
    runs = list(zip(*(figure["runs"] for figure in figures[:-1]), strict=True))
    share = size[work.each] if work.each else 1
    seconds = [max(run["seconds"] for run in at_all) / share for at_all in runs]
    return {
        "work": work.name,
        "parties": count,
        "size": dict(size),
        "seconds": median(seconds),
        "seconds_min": min(seconds),
        "seconds_max": max(seconds),
        "bytes": max(sum(run["bytes"] for run in at_all) for at_all in runs) // share,
        "rounds": max(run["rounds"] for at_all in runs for run in at_all) // share,
        "peak_rss_mb": round(max(figure["peak_rss_mb"] for figure in figures), 1),
        **({"link": str(link)} if link else {}),
        **runs[-1][0]["more"],
    }


def _processes(
    folder: Path, names: Sequence[str], task: Mapping[str, Any], link: Link | None, limit: float
) -> list[dict[str, Any]]:
    """Start one process a name, wait for all, return their figures in order. Raises AbortedError."""
    with ExitStack() as stack:
        listeners = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in names]
        addresses = [listener.getsockname() for listener in listeners]
        if link is not None:
            addresses = [stack.enter_context(relay(address, link)) for address in addresses]
        members = [_member(folder, name, address) for name, address in zip(names, addresses, strict=True)]
        whole = {
            **task,
            "members": members,
            "job": secrets.token_hex(16),
            "plan": secrets.token_hex(32),
            "patience": PATIENCE,
        }
        (folder / "bench.json").write_text(json.dumps(whole), encoding="utf-8")
        running = [
            stack.enter_context(_process(folder, index, listener)) for index, listener in enumerate(listeners)
        ]
        latest = monotonic() + limit
        return [_figures(name, process, latest) for name, process in zip(names, running, strict=True)]


def _member(folder: Path, name: str, address: tuple[str, int]) -> dict[str, str]:
    """Keys made for the occasion."""
    create_keys(folder / name / "keys", name)
    host, port = address
    root = (folder / name / "keys" / "root.crt").read_text(encoding="ascii")
    return {"name": name, "address": f"{host}:{port}", "root": root}


@contextmanager
def _process(folder: Path, index: int, listener: socket.socket) -> Iterator[subprocess.Popen[bytes]]:
    descriptor = listener.fileno()
    process = subprocess.Popen(
        [sys.executable, "-m", "unseen.cli.bench.party", str(folder), str(index), str(descriptor)],
        pass_fds=(descriptor,),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        env=BLAS_ALONE | os.environ,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def _figures(name: str, process: subprocess.Popen[bytes], latest: float) -> dict[str, Any]:
    try:
        output, _ = process.communicate(timeout=max(0.0, latest - monotonic()))
    except subprocess.TimeoutExpired:
        raise AbortedError(f"{name} did not end within the time that the measurement has") from None
    lines = output.splitlines()
    figures: dict[str, Any] = json.loads(lines[-1]) if lines else {"error": "it ended without a word"}
    if "error" in figures:
        raise AbortedError(f"the measurement failed at {name}: {figures['error']}")
    return figures
