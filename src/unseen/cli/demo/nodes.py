"""Nodes as processes of their own, for as long as the demo takes."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from unseen.errors import UnavailableError

READY_SECONDS: Final = 60.0
STOP_SECONDS: Final = 15.0


def free_ports(count: int) -> list[int]:
    """Ports on loopback that nobody listens on now."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [s.getsockname()[1] for s in sockets]


@contextlib.contextmanager
def running_nodes(homes: Sequence[Path]) -> Iterator[None]:
    """Start a node process for each home and stop them at the end. Raises UnavailableError for one that fails."""
    processes: list[subprocess.Popen[bytes]] = []
    try:
        for home in homes:
            with (home / "node.log").open("wb") as log:
                command = [sys.executable, "-m", "unseen", "node", "--home", str(home), "--json"]
                processes.append(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log))
        for home, process in zip(homes, processes, strict=True):
            _await_ready(home, process)
        yield
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdout is not None:
                process.stdout.close()


def _await_ready(home: Path, process: subprocess.Popen[bytes]) -> None:
    """The node says one line when its port is open."""
    import select

    assert process.stdout is not None
    ready, _, _ = select.select([process.stdout], [], [], READY_SECONDS)
    if not ready or not process.stdout.readline():
        raise UnavailableError(f"the node of {home.name} did not start; its log is {home / 'node.log'}")
