"""Commands that give evidence from the ledger: export a bundle, trace lineage."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console

from unseen.cli.options import AsJson, HomeFolder, emit, open_home
from unseen.errors import MisuseError
from unseen.interaction.bundle import export_job, export_ledger
from unseen.interaction.ledger import Kind
from unseen.interaction.lineage import lineage
from unseen.interaction.story import stories

Job = Annotated[str, Parameter(name="JOB", help="The job's name, or its first digits.")]


def export(
    to: Annotated[Path, Parameter(name="FILE", help="The bundle to write.")],
    /,
    *,
    job: Annotated[str, Parameter(help="One job alone, with proofs that it is in the ledger.")] = "",
    home: HomeFolder = None,
    as_json: AsJson = False,
) -> None:
    """Write a bundle for a supervisor, that verifies offline."""
    ours = open_home(home)
    if job:
        with ours.store() as store:
            name = store.job(job).job
        report = export_job(ours.ledger, name, to)
    else:
        report = export_ledger(ours.ledger.folder, to)

    def show(console: Console) -> None:
        for line in stories(report):
            console.print(line, markup=False)
        console.print(f"Bundle in {to}; check it anywhere with: unseen verify {to}", markup=False)

    value = {"file": str(to), "institution": report.institution, "entries": report.entries, "root": report.root}
    emit(as_json, {**value, "jobs": sorted(report.runs)}, show)


def stamp(
    *,
    authority: Annotated[str, Parameter(help="The time-stamp authority's URL.")],
    root: Annotated[Path, Parameter(help="The authority's root certificates, PEM.")],
    home: HomeFolder = None,
    as_json: AsJson = False,
) -> None:
    """Have our newest tree head stamped by an authority (RFC 3161), and keep the stamp in the ledger."""
    from unseen.interaction.timestamp import load_roots, stamp_ledger

    found = stamp_ledger(open_home(home).ledger, authority, load_roots(root))
    words = f"Stamped: {found.size} entries existed at {found.time.isoformat()}"
    value = {"entries": found.size, "time": found.time.isoformat(), "authority": authority}
    emit(as_json, value, lambda console: console.print(words, markup=False))


def trace(job: Job, /, *, home: HomeFolder = None, as_json: AsJson = False) -> None:
    """Print a job's lineage as W3C PROV-JSON."""
    ours = open_home(home)
    with ours.store() as store:
        record = store.job(job)
    ledger = ours.ledger
    begun, ended = ledger.find(f"{record.job}/run"), ledger.find(f"{record.job}/receipt")
    result = ledger.find(f"{record.job}/result")
    if begun is None or ended is None or ended.kind is not Kind.RECEIPT:
        raise MisuseError(f"job {record.job[:12]} has not come to an end here that could be traced")
    results = {ours.name: str(result.body["digest"])} if result is not None else {}
    value = lineage(record.plan, begun.time, ended.time, results)
    emit(as_json, value, lambda console: console.print_json(data=value))
