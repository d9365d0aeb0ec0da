"""Seconds and bytes of each step of a run, and its progress told on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

from unseen.encoding import Json
from unseen.interaction.application import Run


class Stopwatch:
    """Measures the steps of one run. Bytes are those between the computing parties, both ways."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._current = ""
        self._began = 0.0, 0
        self._steps: dict[str, dict[str, Json]] = {}

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Everything inside belongs to this step of the plan."""
        self._current = name
        self._began = perf_counter(), self._moved()
        self._run.progress(name, 0.0)
        yield
        self._note()
        self._run.progress(name, 1.0)

    def tell(self, done: float, note: str) -> None:
        """Progress within the current step."""
        self._run.progress(self._current, done, note)

    def as_json(self) -> dict[str, Json]:
        """All steps so far, the present one included."""
        self._note()
        return dict(self._steps)

    def _note(self) -> None:
        started, moved = self._began
        seconds = round(perf_counter() - started, 3)
        self._steps[self._current] = {"seconds": seconds, "bytes": self._moved() - moved}

    def _moved(self) -> int:
        return sum(c.counters.bytes_sent + c.counters.bytes_received for c in self._run.circle.channels.values())
