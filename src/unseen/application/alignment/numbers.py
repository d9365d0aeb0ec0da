"""What a run of align or overlap tells of itself in numbers: who offered how many, how fit keys were, how long."""

from __future__ import annotations

from typing import Protocol

from unseen.data.contract import KeyReport
from unseen.encoding import Json
from unseen.interaction.application import Run


class Fit(Protocol):
    """How fit a party's keys were."""

    @property
    def report(self) -> KeyReport: ...

    @property
    def left_out(self) -> int: ...

    def warnings(self) -> list[str]: ...


def partners(run: Run, own: int, theirs: int) -> dict[str, Json]:
    """Who offered how many."""
    return {"party": run.party, "partner": run.circle.others()[0].peer, "offered": own, "partner_offered": theirs}


def keys_and_time(keys: Fit, seconds: float) -> dict[str, Json]:
    """How fit the keys were, and how long it took."""
    report = keys.report
    return {
        "warnings": list(keys.warnings()),
        "keys": {
            "rows": report.rows,
            "left_out": keys.left_out,
            "empty": report.empty,
            "duplicate": report.duplicate,
            "malformed": report.malformed,
            "normalisation": report.normalisation,
        },
        "seconds": round(seconds, 3),
    }
