"""Workers are processes of their own: they end with their job, with a word to stop, and with their node."""

from __future__ import annotations

import os
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
    os.mkfifo(tmp_path / "task.json")  # the worker waits for it to be written
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


def test_all_workers_of_a_workshop_come_from_one_process(workshop: Workshop, tmp_path: Path) -> None:
    messages: queue.SimpleQueue[Message] = queue.SimpleQueue()
    for job in ("1" * 32, "2" * 32):
        (tmp_path / job).mkdir()
        workshop.start(job, tmp_path / job, messages.put)
    assert [heard(messages)[-1]["kind"] for _ in range(2)] == ["failed", "failed"]
    assert all((tmp_path / job / "worker.log").exists() for job in ("1" * 32, "2" * 32))
    (spring,) = [child for child in psutil.Process().children() if "unseen.interaction.spring" in child.cmdline()]
    assert workshop._spring is not None
    assert spring.pid == workshop._spring.process.pid


def test_after_its_spring_was_killed_a_workshop_takes_another(workshop: Workshop, tmp_path: Path) -> None:
    messages: queue.SimpleQueue[Message] = queue.SimpleQueue()
    workshop.prepare()
    first = workshop._spring
    assert first is not None
    first.process.kill()
    first.process.wait()
    workshop.start(JOB, tmp_path, messages.put)
    (last,) = heard(messages)
    assert last["fault"]["code"] == "misuse"
    assert workshop._spring is not first


def test_a_worker_that_never_began_because_its_spring_died_is_reported(workshop: Workshop, tmp_path: Path) -> None:
    messages: queue.SimpleQueue[Message] = queue.SimpleQueue()
    workshop.start(JOB, tmp_path, messages.put)
    assert workshop._spring is not None
    workshop._spring.process.kill()  # it is still importing
    (last,) = heard(messages)
    assert last["fault"]["code"] == "peer-lost"


NODE = """
import sys
from pathlib import Path
from unseen.interaction.workshop import Workshop
workshop = Workshop()
workshop.start("0" * 32, Path(sys.argv[1]), lambda message: None)
print(workshop._spring.process.pid, workshop.process("0" * 32), flush=True)
sys.stdin.read()
"""


def test_neither_spring_nor_worker_outlives_a_node_that_is_killed(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "task.json")
    words = [sys.executable, "-c", NODE, str(tmp_path)]
    node = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert node.stdin is not None
    assert node.stdout is not None
    running = [psutil.Process(int(number)) for number in node.stdout.readline().split()]
    with node.stdin, node.stdout:
        node.kill()
        node.wait(timeout=SECONDS)
        assert psutil.wait_procs(running, timeout=SECONDS)[1] == []


def test_a_workshop_that_closes_ends_spring_and_workers(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "task.json")
    messages: queue.SimpleQueue[Message] = queue.SimpleQueue()
    workshop = Workshop()
    workshop.start(JOB, tmp_path, messages.put)
    number = workshop.process(JOB)
    assert number is not None
    assert workshop._spring is not None
    running = [psutil.Process(number), psutil.Process(workshop._spring.process.pid)]
    workshop.close()
    assert psutil.wait_procs(running, timeout=SECONDS)[1] == []
    assert heard(messages)[-1]["kind"] == "failed"
