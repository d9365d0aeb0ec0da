"""What the node expects of an application, and how it finds the installed ones.

An application is installed, not patched in: its package names an object of type `Application` under the entry
point group `unseen.applications`. The node imports no application by name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pyarrow as pa

from unseen.computation.circle import Circle
from unseen.encoding import Json
from unseen.errors import MisuseError
from unseen.interaction.agreement import Agreement
from unseen.interaction.plan import Plan

if TYPE_CHECKING:
    from unseen.interaction.workroom import Workroom

GROUP = "unseen.applications"


@dataclass(frozen=True)
class Request:
    """What a person asks for: the same at every party.

    `job` is a fresh random name given by the asking node, `body` the application's own request.
    """

    job: str
    application: str
    agreement: str
    requester: str
    seed: str
    body: Mapping[str, Json]


class Progress(Protocol):
    """How a running application tells the people who wait."""

    def __call__(self, step: str, done: float, note: str = "") -> None:
        """`step` is the plan's step name, `done` runs from 0 to 1, `note` holds no data."""


class Batches(Protocol):
    """Granted columns batch by batch, to be taken once while the source is open."""

    @property
    def schema(self) -> pa.Schema: ...

    def __iter__(self) -> Iterator[pa.RecordBatch]: ...


def _nothing_to_erase(job: str, name: str) -> None:
    _nothing_earlier(job, name)


def _nothing_earlier(job: str, name: str) -> bytes:
    raise MisuseError(f"there is no {name} of an earlier job {job!r} here")


def _no_batches(dataset: str) -> AbstractContextManager[Batches]:
    raise MisuseError(f"data set {dataset!r} is released here as a whole only")


@dataclass(frozen=True)
class Run:
    """Everything an application sees of the world while it runs at one party.

    `release` is the one door to the institution's data: it takes a data set's name and gives the granted
    columns (the plan's uses of this party) as an Arrow table; `batches` gives them batch by batch, where the whole
    would not fit into memory. `folder` is this job's own folder for results, in memory; `earlier` reads a result
    file of this party's own from an earlier job, by job and name, and `erase` removes one that may be used once
    only. `room` has spools on the disk, and takes results that would not fit into `folder`; `memory` is how many
    octets this process may take, None where nobody knows.
    """

    party: str
    plan: Plan
    circle: Circle
    release: Callable[[str], pa.Table]
    progress: Progress
    folder: Path
    earlier: Callable[[str, str], bytes] = _nothing_earlier
    erase: Callable[[str, str], None] = _nothing_to_erase
    batches: Callable[[str], AbstractContextManager[Batches]] = _no_batches
    room: Workroom | None = None
    memory: int | None = None


class Application(Protocol):
    """One thing a bank does with joint computation.

    It may also have `estimate(plan, rows)`, which returns expected `seconds` and `bytes` for that many rows, or
    nothing where nobody has measured, and `warm_up()`, which a worker in reserve calls to import and load what any
    run will need.
    """

    name: str
    version: str
    summary: str

    def plan(self, request: Request, agreement: Agreement) -> Plan:
        """Derive the plan; a pure function, the same bytes at every party. Raises MisuseError, RefusedError."""

    def run(self, run: Run) -> Mapping[str, Json]:
        """Compute at this party; returns this party's result as JSON, larger results as files in `run.folder`."""


def installed() -> dict[str, Application]:
    """All installed applications by name."""
    return {entry.name: entry.load() for entry in entry_points(group=GROUP)}


def find(name: str) -> Application:
    """The installed application of that name. Raises MisuseError, naming those there are."""
    for entry in entry_points(group=GROUP, name=name):
        application: Application = entry.load()
        return application
    known = ", ".join(sorted(entry.name for entry in entry_points(group=GROUP))) or "none"
    raise MisuseError(f"no application named {name!r} is installed here (installed: {known})")
