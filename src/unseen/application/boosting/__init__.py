"""Boosting: gradient boosted trees on columns of several institutions that none of them shows."""

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


class Boosting:
    """The application `boosting`. Its parts are imported when they are used: a node starts without them."""

    name = "boosting"
    version = "1"
    summary = "boosted trees on the columns of a label's holder and its partners; nothing is shown but own splits"

    def plan(self, request: Request, agreement: Agreement) -> Plan:
        from unseen.application.boosting.planning import plan

        return plan(request, agreement)

    def run(self, run: Run) -> Mapping[str, Json]:
        from unseen.application.boosting.job import perform

        return perform(run)

    def estimate(self, plan: Plan, rows: int) -> Mapping[str, Json]:
        from unseen.application.boosting.planning import estimate

        return estimate(plan, rows)

    def present(
        self,
        console: Console,
        record: Mapping[str, Any],
        result: Mapping[str, Any],
        report: Path,
        ledgers: Sequence[Path],
    ) -> None:
        from unseen.application.boosting.presentation import present

        present(console, record, result, report)


APPLICATION = Boosting()
