"""Commands about jobs: run, jobs, job show, job stop."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Final

from cyclopts import Parameter
from rich.console import Console
from rich.markup import escape

from unseen.cli.options import AsJson, HomeFolder, emit, open_home, size, table
from unseen.cli.plans import estimate_line, estimated
from unseen.cli.requests import RequestFile, Under, derived
from unseen.cli.staff import signed_asking
from unseen.errors import MisuseError, UnseenError
from unseen.interaction.agreements import Agreements
from unseen.interaction.application import find
from unseen.interaction.client import NodeClient
from unseen.interaction.home import Home
from unseen.interaction.store import now
from unseen.interaction.workroom import Workroom

MOST_LISTED: Final = 8
JobName = Annotated[str, Parameter(name="JOB", help="The job's name, or its first digits.")]


def run(
    app: str,
    request: RequestFile,
    /,
    *,
    agreement: Under,
    person: Annotated[str, Parameter(name="--as", help="Who asks: an analyst, where four eyes are agreed.")] = "",
    key: Annotated[Path | None, Parameter(name="--key", help="That person's own key file.")] = None,
    home: HomeFolder = None,
    timeout: Annotated[float | None, Parameter(help="Most seconds to wait; the job itself goes on.")] = None,
    report: Annotated[
        Path | None, Parameter(help="Where the report goes, if the application has one; report-JOB.html.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run an application and wait for the end."""
    ours = open_home(home)
    console = Console(stderr=as_json, highlight=False, soft_wrap=True)
    with NodeClient.own(ours) as client:
        client.status()  # a node that does not run is said first
        asked, plan, _ = derived(app, request, agreement, home)
        answer: dict[str, Any] = {"plan": plan.as_json(), "estimate": estimated(plan, home)}
        if not as_json:
            show_plan(console, answer["plan"], answer["estimate"])
        for warning in key_warnings(ours, answer["plan"]):
            console.print(f"[yellow]warning[/]  {escape(warning)}")
        job = client.submit_prepared(asked, signed_asking(plan, ours.name, person, key))
        console.print(f"Job [bold]{job[:12]}[/] goes to {escape(', '.join(_everyone(answer['plan'])))}")
        with progress(console) as tell:
            for event in client.follow(job, timeout):
                tell(event)
        try:
            record = client.wait(job, timeout)
        except UnseenError:
            _diagnosis(console, client.job(job), ours)
            raise
        result = client.result(job)["result"]
    emit(
        as_json,
        {**record, "result": result, "files": ours.results(job).names()},
        lambda shown: _done(shown, ours, record, result, report or Path(f"report-{job[:12]}.html")),
    )


def list_all(*, home: HomeFolder = None, as_json: AsJson = False) -> None:
    """List the jobs that this institution took part in."""
    ours = open_home(home)
    with ours.store() as store:
        records = store.jobs()
    rows = [[r.job[:12], r.application, r.requester, r.state.value, r.created[:19]] for r in records]
    value = [dict(zip(("job", "application", "requester", "state", "created"), r, strict=True)) for r in rows]
    emit(
        as_json,
        {"jobs": [{**entry, "job": record.job} for entry, record in zip(value, records, strict=True)]},
        lambda console: console.print(table(("job", "application", "asked by", "state", "when (UTC)"), rows)),
    )


def show(job: JobName, /, *, home: HomeFolder = None, as_json: AsJson = False) -> None:
    """Show one job."""
    from unseen.interaction.view import full_view

    ours = open_home(home)
    with ours.store() as store:
        record = full_view(store.job(job), ours.name)

    def show_job(console: Console) -> None:
        console.print(f"Job [bold]{record['job']}[/]: {record['state']}, asked for by {record['requester']}")
        if record["bytes"]:
            console.print(f"{size(record['bytes'])} between all parties, {record['rounds']} rounds")
        _incidents(console, record)
        if record["fault"]:
            _diagnosis(console, record, ours)
        show_plan(console, record["plan"], None)

    emit(as_json, record, show_job)


def stop(job: JobName, /, *, home: HomeFolder = None, as_json: AsJson = False) -> None:
    """End a running job at all parties."""
    with NodeClient.own(open_home(home)) as client:
        client.stop(job)
    emit(as_json, {"stopped": job}, lambda console: console.print(f"Job {escape(job)} is stopped"))


def open_results(
    job: JobName,
    /,
    *,
    to: Annotated[Path, Parameter(help="The folder, which is made; its files are in the clear.")],
    home: HomeFolder = None,
    as_json: AsJson = False,
) -> None:
    """Write a job's results out in the clear."""
    from unseen.data.sealed import write_whole
    from unseen.interaction.ledger import Kind

    ours = open_home(home)
    with ours.store() as store:
        name = store.job(job).job
    results = ours.results(name)
    if not results.names():
        raise MisuseError(f"job {job} has left no results here")
    body: dict[str, Any] = {"job": name, "files": results.names(), "event": "results opened"}
    ours.ledger.append(Kind.KEY_EVENT, f"{name}/opened/{now()}", body)
    to.mkdir(mode=0o700, parents=True, exist_ok=True)
    for file in results.names():
        (to / file).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(to / file, results.read(file))
    written = [str(to / file) for file in results.names()]
    emit(as_json, {"job": name, "files": written}, lambda console: console.print("\n".join(written), markup=False))


# --- reading and showing -------------------------------------------------------------------------------


def key_warnings(home: Home, plan: Mapping[str, Any]) -> list[str]:
    """Before a join: what this side should know of its own keys."""
    from unseen.data.catalogue import Catalogue
    from unseen.data.key_check import column_report, key_report, parse_keys

    joined = {use["dataset"] for use in plan["uses"] if use["party"] == home.name and use["use"] == "join"}
    found: list[str] = []
    with home.store() as store:
        catalogue = Catalogue(store.engine)
        keys = parse_keys(plan["parameters"].get("keys", {}).get(home.name, ()))
        for name in sorted(joined):
            reports: list[Any] = [column_report(catalogue, name, *key) for key in keys.items()]
            for report in reports or [key_report(catalogue, name)]:
                found += [f"data set {name}, column {report['column']}: {said}" for said in report["warnings"]]
    return found


def show_plan(console: Console, plan: Mapping[str, Any], estimate: Mapping[str, Any] | None) -> None:
    """A plan for people: what for, which columns, and what each party learns."""
    console.print(f"[bold]{escape(plan['application'])}[/] for {escape(plan['purpose'])}")
    uses: dict[tuple[str, str], dict[str, list[str]]] = {}
    for use in plan["uses"]:
        uses.setdefault((use["party"], use["dataset"]), {}).setdefault(use["use"], []).append(use["column"])
    for (party, dataset), columns in uses.items():
        for use, names in columns.items():
            console.print(f"  {escape(party)}'s {escape(dataset)} as {use}: {escape(', '.join(names))}")
    console.print("What each party learns:")
    for party, sentences in plan["disclosures"].items():
        for sentence in sentences or ["nothing"]:
            console.print(f"  [bold]{escape(party)}[/]  {escape(sentence)}")
    for party, outputs in plan["outputs"].items():
        console.print(f"Results for [bold]{escape(party)}[/]: {escape(', '.join(outputs) or 'none')}")
    if estimate:
        console.print(estimate_line(estimate))


@contextmanager
def progress(console: Console) -> Iterator[Any]:
    """A live line a step; yields the function that takes the job's events."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with Progress(*columns, console=console) as live:
        tasks: dict[str, Any] = {}

        def tell(event: Mapping[str, Any]) -> None:
            if event["kind"] != "progress":
                return
            body = event["body"]
            step = body["step"]
            if step not in tasks:
                tasks[step] = live.add_task(escape(step), total=1.0, note="")
            live.update(tasks[step], completed=body["done"], note=escape(body["note"]))

        yield tell


def _everyone(plan: Mapping[str, Any]) -> list[str]:
    return [*plan["parties"], *([plan["dealer"]] if plan["dealer"] else [])]


def _done(
    console: Console, home: Home, record: Mapping[str, Any], result: Mapping[str, Any], report: Path
) -> None:
    seconds = record["seconds"] or {}
    console.print(
        f"[green]Done[/] in {sum(seconds.values()):.1f} s, {size(record['bytes'])}, {record['rounds']} rounds;"
        " the receipt is signed by all parties"
    )
    _incidents(console, record)
    present = getattr(find(record["application"]), "present", None)
    if present is not None:
        with home.store() as store:
            title = Agreements(home, store).find(record["agreement"]).terms.agreement
        present(console, {**record, "title": title}, result, report, [home.path / "ledger"])
    else:
        for name, value in result.items():
            if isinstance(value, str | int | float | bool):
                console.print(f"  {escape(name)}: {escape(str(value))}")
    files = _listed(home.results(record["job"]).names())
    clear = f"unseen job open {record['job'][:12]} --to FOLDER"
    console.print(f"Sealed at home: {escape(files)}. In the clear: {clear}")


def _listed(names: list[str]) -> str:
    """A few names, or the first and the last of many."""
    return ", ".join(names) if len(names) <= MOST_LISTED else f"{names[0]} … {names[-1]} ({len(names):,} files)"


def _incidents(console: Console, record: Mapping[str, Any]) -> None:
    for words in record["incidents"]:
        console.print(
            f"[bold red]Incident[/]  {escape(words)}; it is in the ledger. Ask the maker or the partner why."
        )


def _diagnosis(console: Console, record: Mapping[str, Any], home: Home) -> None:
    found = record.get("diagnosis")
    if found:
        console.print(f"[bold red]{escape(found['happened'])}[/]")
        console.print(f"Where: {found['place']} ({escape(found['party'])}). {escape(found['advice'])}")
    if Workroom(home, record["job"]).goes_on():
        console.print(f"What is done is kept here. Go on: the same request with `resumes: {record['job']}`")
