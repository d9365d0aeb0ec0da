"""Commands about persons in the data: subject consent, subject object, subject erase, subject access."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter
from rich.console import Console
from rich.markup import escape

from unseen.cli.options import AsJson, HomeFolder, emit, open_home, table
from unseen.errors import MisuseError
from unseen.interaction.home import Home

Subject = Annotated[
    str | None, Parameter(name="ID", help="The person, as the data sets' subject columns name them.")
]
Purpose = Annotated[str, Parameter(help="The purpose as agreements name it; * for all.")]
Origin = Annotated[str, Parameter(help="Where it came in: a form, a branch, a telephone line.")]
Evidence = Annotated[str, Parameter(help="What proves it, such as a document's number; sealed on disk.")]
Moment = Annotated[datetime | None, Parameter(help="When the person said so; now.")]
Table = Annotated[
    Path | None,
    Parameter(name="--from", help="A CSV file of many persons: subject and, if it has them, purpose, at, source."),
]


def consent(
    subject: Subject = None,
    /,
    *,
    purpose: Purpose = "*",
    withdraw: Annotated[bool, Parameter(negative="", help="The consent is withdrawn.")] = False,
    source: Origin = "",
    evidence: Evidence = "",
    at: Moment = None,
    file: Table = None,
    home: HomeFolder = None,
    as_json: AsJson = False,
) -> None:
    """Record that persons consent to a purpose, or no longer do."""
    from unseen.data.subject.book import Asked, Note

    note = Note(subject or "", Asked.WITHDRAWAL if withdraw else Asked.CONSENT, purpose, at, source, evidence)
    _noted(open_home(home), note, file, as_json)


def object_(
    subject: Subject = None,
    /,
    *,
    purpose: Purpose = "*",
    lift: Annotated[bool, Parameter(negative="", help="The objection is taken back.")] = False,
    source: Origin = "",
    evidence: Evidence = "",
    at: Moment = None,
    file: Table = None,
    home: HomeFolder = None,
    as_json: AsJson = False,
) -> None:
    """Record that persons object to a purpose, or no longer do."""
    from unseen.data.subject.book import Asked, Note

    note = Note(subject or "", Asked.LIFTED if lift else Asked.OBJECTION, purpose, at, source, evidence)
    _noted(open_home(home), note, file, as_json)


def erase(
    subject: Annotated[str, Parameter(name="ID", help="The person, as subject columns name them.")],
    /,
    *,
    source: Origin = "",
    evidence: Evidence = "",
    home: HomeFolder = None,
    as_json: AsJson = False,
) -> None:
    """Use a person's record for nothing any more; list the runs that used it, and where rows still lie."""
    from unseen.interaction.subjects import Subjects

    subjects = Subjects(open_home(home))
    used = subjects.erase(subject, source, evidence)
    rows = subjects.rows(subject)

    def show(console: Console) -> None:
        console.print("No release holds this person from now on; their random tokens are forgotten.")
        for name, count in rows.items():
            console.print(
                f"[yellow]still there[/]  rows in data set {escape(name)}: {count}; erase them at the source"
            )
        _runs(console, [use.as_json() for use in used])

    emit(as_json, {"runs": [use.as_json() for use in used], "rows": rows}, show)


def access(
    subject: Annotated[str, Parameter(name="ID", help="The person, as subject columns name them.")],
    /,
    *,
    home: HomeFolder = None,
    as_json: AsJson = False,
) -> None:
    """Tell what there is about a person: data sets, their own words, runs that used their record."""
    from unseen.interaction.subjects import Subjects

    words, rows, runs = Subjects(open_home(home)).access(subject)
    value = {
        "rows": rows,
        "words": [word.as_json() for word in words],
        "runs": [use.as_json() for use in runs],
    }

    def show(console: Console) -> None:
        for name, count in rows.items():
            console.print(f"Rows in data set [bold]{escape(name)}[/]: {count}")
        if not rows:
            console.print("No data set here holds this person")
        for word in words:
            told = word.as_json()
            console.print(f"{told['at']}  {told['asked']} for {escape(word.purpose)}  {escape(word.source)}")
        _runs(console, [use.as_json() for use in runs])

    emit(as_json, value, show)


def _noted(home: Home, note: Any, file: Path | None, as_json: bool) -> None:
    from unseen.interaction.subjects import Subjects

    if (file is None) == (not note.subject):
        raise MisuseError("name one person, or a file of many with --from")
    subjects = Subjects(home)
    count = 1
    if file is None:
        subjects.note(note)
    else:
        if note.source or note.evidence or note.at:
            raise MisuseError("a file has its own columns at and source; leave out --at, --source and --evidence")
        with _counting(as_json) as tell:
            count = subjects.take(file, note.asked, note.purpose, tell)
    value = {"asked": note.asked.word, "purpose": note.purpose, "persons": count}
    persons = "1 person" if count == 1 else f"{count} persons"
    words = (
        f"{note.asked.word} of {persons} for {escape(note.purpose)} is recorded; it counts from the next release"
    )
    emit(as_json, value, lambda console: console.print(words))


def _counting(as_json: bool) -> Any:
    """A live line that tells how many rows were read."""
    from contextlib import contextmanager

    @contextmanager
    def live() -> Any:
        from rich.progress import Progress, TextColumn, TimeElapsedColumn

        columns = (TextColumn("{task.completed:,.0f} persons"), TimeElapsedColumn())
        with Progress(*columns, console=Console(stderr=True), disable=as_json, transient=True) as progress:
            task = progress.add_task("read", total=None)
            yield lambda rows: progress.update(task, completed=rows)

    return live()


def _runs(console: Console, runs: list[Any]) -> None:
    if not runs:
        console.print("No run has used this person's record")
        return
    console.print(f"Runs that have used this person's record: {len(runs)}")
    rows = [
        [
            run["when"][:19],
            run["job"][:12],
            run["application"],
            run["title"],
            ", ".join(run["columns"]),
            run["state"],
        ]
        for run in runs
    ]
    console.print(table(("when (UTC)", "job", "application", "agreement", "columns", "state"), rows))
