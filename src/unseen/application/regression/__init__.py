"""Regression: linear, logistic, Poisson and gamma models on columns of several institutions that none shows."""

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


class Regression:
    """The application `regression`. Its parts are imported when they are used: a node starts without them."""

    name = "regression"
    version = "1"
    summary = "linear, logistic, Poisson or gamma regression, with errors, p-values, selection and signs"

    def plan(self, request: Request, agreement: Agreement) -> Plan:
        from unseen.application.regression.planning import plan

        return plan(request, agreement)

    def run(self, run: Run) -> Mapping[str, Json]:
        from unseen.application.regression.job import perform

        return perform(run)

    def estimate(self, plan: Plan, rows: int) -> Mapping[str, Json]:
        from unseen.application.regression.planning import estimate

        return estimate(plan, rows)

    def present(
        self,
        console: Console,
        record: Mapping[str, Any],
        result: Mapping[str, Any],
        report: Path,
        ledgers: Sequence[Path],
    ) -> None:
        from unseen.application.regression.presentation import present

        present(console, record, result, report)


APPLICATION = Regression()
