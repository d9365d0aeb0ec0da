"""The command that measures: `unseen bench`."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter
from rich.console import Console

from unseen.cli.bench.registry import WORKLOADS, workload
from unseen.cli.options import AsJson, emit, table
from unseen.errors import MisuseError


class Between(StrEnum):
    """What lies between the processes."""

    LOCAL = "local"
    SLOW = "slow"


def bench(
    work: Annotated[str | None, Parameter(help="The workload; without one, they are listed.")] = None,
    /,
    *,
    size: Annotated[
        tuple[str, ...] | None,
        Parameter(
            help="NAME=NUMBER, once for each size to change; a bare number where there is one.", negative=""
        ),
    ] = None,
    parties: Annotated[int | None, Parameter(help="How many computing parties.")] = None,
    repeat: Annotated[int | None, Parameter(help="How many timed runs.")] = None,
    link: Annotated[
        Between,
        Parameter(help="slow: a relay adds 20 ms to each round trip and lets 100 Mbit/s through each way."),
    ] = Between.LOCAL,
    everything: Annotated[bool, Parameter(name="--all", negative="", help="Run all workloads.")] = False,
    write: Annotated[Path | None, Parameter(help="Rewrite the table in this Markdown file.")] = None,
    as_json: AsJson = False,
) -> None:
    """Measure workloads between real processes over TLS on this machine."""
    if everything:
        if link is not Between.LOCAL:
            raise MisuseError("--all fills the table of local links; measure one workload with --link slow")
        reports = _all(parties, repeat, as_json)
        if write is not None:
            from unseen.cli.bench.tables import markdown, write_between

            write_between(write, "bench", markdown(reports))
        emit(as_json, {"reports": reports}, lambda console: _show(console, reports))
        return
    if work is None:
        _list(as_json)
        return
    from unseen.cli.bench.harness import measure
    from unseen.cli.bench.slow_link import SLOW

    known, far = workload(work), SLOW if link is Between.SLOW else None
    report = measure(known, known.read(size or ()), parties, repeat, far)
    emit(as_json, report, lambda console: _show(console, [report]))


def _all(parties: int | None, repeat: int | None, quiet: bool) -> list[dict[str, Any]]:
    from unseen.cli.bench.harness import measure

    console = Console(stderr=True, highlight=False)
    reports = []
    for known in WORKLOADS:
        for given, count in known.shown():
            if not quiet:
                console.print(f"{known.name} {dict(given)}, {parties or count} parties …")
            reports.append(measure(known, given, parties or count, repeat))
    return reports


def _list(as_json: bool) -> None:
    value = [
        {"work": known.name, "summary": known.summary, "parties": known.parties, "size": dict(known.size)}
        for known in WORKLOADS
    ]
    rows = [[known.name, known.summary, _written(known.size)] for known in WORKLOADS]
    emit(
        as_json,
        {"workloads": value},
        lambda console: console.print(table(("work", "what it does", "size"), rows)),
    )


def _show(console: Console, reports: Sequence[dict[str, Any]]) -> None:
    for report in reports:
        for name, value in report.items():
            shown = _written(value) if isinstance(value, dict) else value
            console.print(f"{name:>14}  {shown:.6g}" if isinstance(value, float) else f"{name:>14}  {shown}")
        console.print()


def _written(size: dict[str, int] | Any) -> str:
    return ", ".join(f"{name}={value}" for name, value in size.items())
