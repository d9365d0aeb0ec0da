"""A finished scorecard for the person who asked for it: printed, and as a report beside the results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console

from unseen.application.credit import summary
from unseen.application.credit.report import Context, write_report
from unseen.interaction.verify import verify_ledgers


def present(
    console: Console, record: Mapping[str, Any], result: Mapping[str, Any], report: Path, ledgers: Sequence[Path]
) -> bool:
    """Print the scorecard, check the ledgers at hand, write the report to `report`; whether all ledgers verify.

    `record` is the job's record, `result` this party's result. Prints no row of anyone. A party without the
    model (the partner) gets a note instead.
    """
    if "scorecard" not in result:
        console.print(f"{result['rows']['aligned']:,} common customers; the model went to its recipients")
        return True
    checked = verify_ledgers(ledgers)
    context = Context(
        title=record["title"],
        date=datetime.now(UTC).strftime("%d %B %Y").lstrip("0"),
        plan=record["plan_hash"],
        agreement=record["agreement"],
        disclosures=record["plan"]["disclosures"],
        bytes_sent=record["bytes"],
        seconds=sum((record["seconds"] or {}).values()),
        ledgers=(*checked.words, *checked.findings),
        ledgers_verified=checked.sound,
    )
    summary.show(console, result, context)
    write_report(report, result, context)
    console.print("\nLedgers", style="bold underline")
    for line in context.ledgers:
        console.print(f"  {line}", markup=False)
    console.print("[green]all ledgers verify[/]" if checked.sound else "[bold red]a ledger does not verify[/]")
    console.print(f"\nReport: {report.resolve().as_uri()}")
    return checked.sound
