"""Three and more institutions: the customers that all know (align-all), how many so many know (known-at), and how
many each agreed pair shares (overlap-pairs)."""

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


class AlignAll:
    """The application `align-all`. Its parts are imported when they are used: a node starts without them."""

    name = "align-all"
    version = "1"
    summary = "own rows of the customers that all of three or more know, in one order at all"

    def plan(self, request: Request, agreement: Agreement) -> Plan:
        from unseen.application.several.planning import plan_align_all

        return plan_align_all(request, agreement)

    def run(self, run: Run) -> Mapping[str, Json]:
        from unseen.application.several.job import align_everyone

        return align_everyone(run)

    def present(
        self,
        console: Console,
        record: Mapping[str, Any],
        result: Mapping[str, Any],
        report: Path,
        ledgers: Sequence[Path],
    ) -> None:
        from unseen.application.several.job import present

        present(console, result)


class KnownAt:
    """The application `known-at`: how many customers are known at so many institutions, and nothing of which."""

    name = "known-at"
    version = "1"
    summary = "how many customers are known at so many or more of the institutions, and nothing of which"

    def plan(self, request: Request, agreement: Agreement) -> Plan:
        from unseen.application.several.planning import plan_known_at

        return plan_known_at(request, agreement)

    def run(self, run: Run) -> Mapping[str, Json]:
        from unseen.application.several.job import count_everyone

        return count_everyone(run)

    def present(
        self,
        console: Console,
        record: Mapping[str, Any],
        result: Mapping[str, Any],
        report: Path,
        ledgers: Sequence[Path],
    ) -> None:
        from unseen.application.several.job import present

        present(console, result)


class OverlapPairs:
    """The application `overlap-pairs`: how many customers pairs of institutions share, where that is agreed."""

    name = "overlap-pairs"
    version = "1"
    summary = "how many customers each agreed pair of three or more institutions shares, and nothing of which"

    def plan(self, request: Request, agreement: Agreement) -> Plan:
        from unseen.application.several.pairs import plan_pairs

        return plan_pairs(request, agreement)

    def run(self, run: Run) -> Mapping[str, Json]:
        from unseen.application.several.pairs import count_each_pair

        return count_each_pair(run)

    def estimate(self, plan: Plan, rows: int) -> Mapping[str, Json]:
        from unseen.application.several.pairs import estimate

        return estimate(plan)

    def present(
        self,
        console: Console,
        record: Mapping[str, Any],
        result: Mapping[str, Any],
        report: Path,
        ledgers: Sequence[Path],
    ) -> None:
        from unseen.application.several.pairs import present

        present(console, result)


ALIGN_ALL = AlignAll()
KNOWN_AT = KnownAt()
OVERLAP_PAIRS = OverlapPairs()
