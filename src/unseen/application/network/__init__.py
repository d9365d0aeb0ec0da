"""Network: a small dense network on columns of several institutions that none of them shows."""

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


class Network:
    """The application `network`. Its parts are imported when they are used: a node starts without them."""

    name = "network"
    version = "1"
    summary = "a small dense network for an outcome; weights, scores and gradients stay shared"

    def plan(self, request: Request, agreement: Agreement) -> Plan:
        from unseen.application.network.planning import plan

        return plan(request, agreement)

    def run(self, run: Run) -> Mapping[str, Json]:
        from unseen.application.network.job import perform

        return perform(run)

    def estimate(self, plan: Plan, rows: int) -> Mapping[str, Json]:
        from unseen.application.network.planning import estimate

        return estimate(plan, rows)

    def present(
        self,
        console: Console,
        record: Mapping[str, Any],
        result: Mapping[str, Any],
        report: Path,
        ledgers: Sequence[Path],
    ) -> None:
        from unseen.application.network.presentation import present

        present(console, record, result, report)


APPLICATION = Network()
