"""An application whose parts are imported when they are used: a node, and `unseen --help`, start without them.

Parts are named as in an entry point, MODULE:FUNCTION, and tests hold all of them against the signatures here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any, Protocol, cast

from unseen.encoding import Json
from unseen.interaction.agreement import Agreement
from unseen.interaction.application import Request, Run
from unseen.interaction.plan import Plan

if TYPE_CHECKING:
    from rich.console import Console


class Planner(Protocol):
    """Derives the plan; see `Application.plan`."""

    def __call__(self, request: Request, agreement: Agreement) -> Plan: ...


class Performer(Protocol):
    """Computes at this party; see `Application.run`."""

    def __call__(self, run: Run) -> Mapping[str, Json]: ...


class Estimator(Protocol):
    """Seconds and bytes that a plan will take with so many rows of one's own, and what else can be said."""

    def __call__(self, plan: Plan, rows: int) -> Mapping[str, Json]: ...


class Presenter(Protocol):
    """Prints a finished job's result, and writes a page to `report` where there is one to write.

    Returns whether the ledgers verify, where it looks at them, else None.
    """

    def __call__(
        self,
        console: Console,
        record: Mapping[str, Any],
        result: Mapping[str, Any],
        report: Path,
        ledgers: Sequence[Path] = (),
    ) -> bool | None: ...


PARTS = {"planner": Planner, "performer": Performer, "presenter": Presenter, "estimator": Estimator}


@dataclass(frozen=True)
class Lazy:
    """An `Application`; without `estimator` it does not say what a plan will cost."""

    name: str
    summary: str
    planner: str
    performer: str
    presenter: str
    estimator: str = ""
    version: str = "1"

    def plan(self, request: Request, agreement: Agreement) -> Plan:
        """Derive the plan. Raises MisuseError, RefusedError."""
        return cast("Planner", resolve_name(self.planner))(request, agreement)

    def run(self, run: Run) -> Mapping[str, Json]:
        """Compute at this party."""
        return cast("Performer", resolve_name(self.performer))(run)

    def estimate(self, plan: Plan, rows: int) -> Mapping[str, Json]:
        """Seconds and bytes; nothing where nobody has measured."""
        return cast("Estimator", resolve_name(self.estimator))(plan, rows) if self.estimator else {}

    def present(
        self,
        console: Console,
        record: Mapping[str, Any],
        result: Mapping[str, Any],
        report: Path,
        ledgers: Sequence[Path] = (),
    ) -> bool | None:
        """Print and write what came out."""
        return cast("Presenter", resolve_name(self.presenter))(console, record, result, report, ledgers)

    def warm_up(self) -> None:
        """Import what a run needs."""
        resolve_name(self.performer)
