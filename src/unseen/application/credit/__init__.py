"""Credit: a scorecard on columns of several institutions that none of them shows."""

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


class Credit:
    """The application `credit`. Its parts are imported when they are used: a node starts without them."""

    name = "credit"
    version = "1"
    summary = "a scorecard on the columns of a label's holder and its partners"

    def plan(self, request: Request, agreement: Agreement) -> Plan:
        from unseen.application.credit.planning import plan

        return plan(request, agreement)

    def run(self, run: Run) -> Mapping[str, Json]:
        from unseen.application.credit.job import perform

        return perform(run)

    def estimate(self, plan: Plan, rows: int) -> Mapping[str, Json]:
        from unseen.application.credit.planning import estimate

        return estimate(plan, rows)

    def present(
        self,
        console: Console,
        record: Mapping[str, Any],
        result: Mapping[str, Any],
        report: Path,
        ledgers: Sequence[Path],
    ) -> bool:
        from unseen.application.credit.presentation import present

        return present(console, record, result, report, ledgers)


APPLICATION = Credit()
