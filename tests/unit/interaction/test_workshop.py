"""Workers are processes of their own: they end with their job, with a word to stop, and with their node."""

from __future__ import annotations

import queue
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from unseen.interaction.workshop import Message, Workshop

SECONDS = 60.0
JOB = "0" * 32


@pytest.fixture
def workshop() -> Iterator[Workshop]:
    made = Workshop()
    yield made
    made.close()


def heard(messages: queue.SimpleQueue[Message]) -> list[dict[str, Any]]:
    """All messages up to the last."""
    found: list[dict[str, Any]] = []
    while not found or found[-1]["kind"] not in ("done", "failed"):
        found.append(dict(messages.get(timeout=SECONDS)))
    return found


def test_a_worker_without_a_task_fails_with_words(workshop: Workshop, tmp_path: Path) -> None:
    messages: queue.SimpleQueue[Message] = queue.SimpleQueue()
    workshop.start(JOB, tmp_path, messages.put)
    (last,) = heard(messages)
    assert last["fault"]["code"] == "misuse"
    assert "task.json cannot be used" in last["fault"]["message"]


def test_a_worker_that_is_killed_is_reported_once(workshop: Workshop, tmp_path: Path) -> None:
    messages: queue.SimpleQueue[Message] = queue.SimpleQueue()
    workshop.start(JOB, tmp_path, messages.put)
    process = workshop.process(JOB)
    assert process is not None
    psutil.Process(process).kill()
    (last,) = heard(messages)
    assert last["fault"]["code"] == "peer-lost"
    assert "killed (SIGKILL)" in last["fault"]["message"]


def test_a_caller_of_no_job_is_not_taken(workshop: Workshop) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert not workshop.deliver(JOB, theirs)
        theirs.sendall(b"still open")
        assert ours.recv(20) == b"still open"


def test_the_worker_in_reserve_ends_with_its_workshop() -> None:
    others = set(psutil.Process().children())  # the nodes of other tests may still run
    workshop = Workshop()
    workshop.prepare()
    (worker,) = set(psutil.Process().children()) - others
    workshop.close()
    assert not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE


NODE = """
import sys
from unseen.interaction.workshop import Workshop
workshop = Workshop()
workshop.prepare()
print(workshop._reserve.process.pid, flush=True)
sys.stdin.read()
"""


def test_a_worker_does_not_outlive_a_node_that_is_killed() -> None:
    node = subprocess.Popen([sys.executable, "-c", NODE], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert node.stdin is not None
    assert node.stdout is not None
    worker = psutil.Process(int(node.stdout.readline()))
    with node.stdin, node.stdout:
        node.kill()
        node.wait(timeout=SECONDS)
        assert psutil.wait_procs([worker], timeout=SECONDS)[1] == []
