"""Common customers: which of one's own customers a partner knows too (align), or only how many (overlap)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unseen.encoding import Json
from unseen.interaction.agreement import Agreement
from unseen.interaction.application import Request, Run
from unseen.interaction.plan import Plan

if TYPE_CHECKING:
    from rich.console import Console


class Align:
    """The application `align`. Its parts are imported when they are used: a node starts without them."""

    name = "align"
    version = "1"
    summary = "own rows of the customers that both know, in one order at both"

    def plan(self, request: Request, agreement: Agreement) -> Plan:
        from unseen.application.alignment.planning import plan_align

        return plan_align(request, agreement)

    def run(self, run: Run) -> Mapping[str, Json]:
        from unseen.application.alignment.job import align

        return align(run)

    def estimate(self, plan: Plan, rows: int) -> Mapping[str, Json]:
        from unseen.application.alignment.planning import estimate_align

        return estimate_align(plan)

    def present(
        self,
        console: Console,
        record: Mapping[str, Any],
        result: Mapping[str, Any],
        report: Path,
        ledgers: Sequence[Path],
    ) -> None:
        from unseen.application.alignment.presentation import present

        present(console, record, result, report)


class Overlap:
    """The application `overlap`: the number of common customers, and nothing of which."""

    name = "overlap"
    version = "1"
    summary = "how many customers both know, and nothing of which; an estimate from a sample where there are many"

    def plan(self, request: Request, agreement: Agreement) -> Plan:
        from unseen.application.alignment.planning import plan_overlap

        return plan_overlap(request, agreement)

    def run(self, run: Run) -> Mapping[str, Json]:
        from unseen.application.alignment.job import overlap

        return overlap(run)

    def estimate(self, plan: Plan, rows: int) -> Mapping[str, Json]:
        from unseen.application.alignment.planning import estimate_overlap

        return estimate_overlap(plan)

    def present(
        self,
        console: Console,
        record: Mapping[str, Any],
        result: Mapping[str, Any],
        report: Path,
        ledgers: Sequence[Path],
    ) -> None:
        from unseen.application.alignment.presentation import present

        present(console, record, result, report)


ALIGN = Align()
OVERLAP = Overlap()
