"""Commands about data sets on offer: add, list, show, allow, check."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter
from rich.console import Console
from rich.markup import escape

from unseen.cli.options import AsJson, HomeFolder, emit, open_home, table
from unseen.data.catalogue import Catalogue, Dataset, Use
from unseen.errors import MisuseError
from unseen.interaction.home import Home
from unseen.interaction.ledger import Kind

Uses = Annotated[
    tuple[str, ...] | None,
    Parameter(
        name="--use",
        help="COLUMN=USE[,USE…], once for each column. Uses: " + ", ".join(use.value for use in Use) + ".",
        negative="",
    ),
]


def add(
    name: str,
    source: Annotated[str, Parameter(help="A CSV or Parquet file, or a database's URL with a table.")],
    *,
    subject: Annotated[str, Parameter(help="The column that names the person.")],
    use: Uses = None,
    describe: Annotated[
        tuple[str, ...] | None, Parameter(help="COLUMN=WORDS that partners may read.", negative="")
    ] = None,
    home: HomeFolder = None,
    as_json: AsJson = False,
) -> None:
    """Put a data set on offer."""
    ours = open_home(home)
    where = str(Path(source).resolve()) if Path(source).exists() else source
    with _catalogue(ours) as catalogue:
        entry = catalogue.add(name, where, subject, parse_uses(use or ()), _descriptions(describe or ()))
    _record(ours, entry)
    emit(as_json, entry.as_json(), lambda console: _show(console, entry))


def allow(
    name: str,
    *uses: Annotated[str, Parameter(name="COLUMN=USES", help="For example amount=feature,aggregate")],
    home: HomeFolder = None,
    as_json: AsJson = False,
) -> None:
    """Change what columns may be used for."""
    ours = open_home(home)
    with _catalogue(ours) as catalogue:
        entry = catalogue.allow(name, parse_uses(uses))
    _record(ours, entry)
    emit(as_json, entry.as_json(), lambda console: _show(console, entry))


def list_all(*, home: HomeFolder = None, as_json: AsJson = False) -> None:
    """List the data sets on offer."""
    with _catalogue(open_home(home)) as catalogue:
        entries = [catalogue.get(name) for name in catalogue.names()]
    rows = [[e.name, e.rows, len(e.columns), f"v{e.version}", e.source] for e in entries]
    emit(
        as_json,
        {"datasets": [entry.as_json() for entry in entries]},
        lambda console: console.print(table(("data set", "rows", "columns", "version", "source"), rows)),
    )


def show(name: str, *, home: HomeFolder = None, as_json: AsJson = False) -> None:
    """Show one data set."""
    with _catalogue(open_home(home)) as catalogue:
        entry = catalogue.get(name)
    emit(as_json, entry.as_json(), lambda console: _show(console, entry))


def check(name: str, *, home: HomeFolder = None, as_json: AsJson = False) -> None:
    """Check the keys of a data set."""
    from unseen.data.key_check import key_report

    with _catalogue(open_home(home)) as catalogue:
        report: Any = key_report(catalogue, name)
    findings: list[str] = report["warnings"]

    def show_findings(console: Console) -> None:
        console.print(f"{escape(name)}: {report['rows']} keys, written as {report['normalisation']}")
        for finding in findings:
            console.print(f"[yellow]warning[/]  {escape(finding)}")
        if not findings:
            console.print("[green]fit to join on[/]: no key is empty, repeated or malformed")

    emit(as_json, report, show_findings)


def parse_uses(words: Sequence[str]) -> dict[str, tuple[Use, ...]]:
    """Read COLUMN=USE[,USE…]. Raises MisuseError, naming the uses there are."""
    uses: dict[str, tuple[Use, ...]] = {}
    for word in words:
        column, equals, given = word.partition("=")
        try:
            named = tuple(Use(use.strip()) for use in given.split(",") if use.strip())
        except ValueError:
            named = ()
        if not column or not equals or (given.strip() and not named):
            known = ", ".join(use.value for use in Use)
            raise MisuseError(f"{word!r} is no use of a column; write COLUMN=USE[,USE…] with uses out of {known}")
        uses[column] = (*uses.get(column, ()), *named)
    return uses


def _descriptions(words: Sequence[str]) -> dict[str, str]:
    pairs = [word.partition("=") for word in words]
    if not all(column and equals for column, equals, _ in pairs):
        raise MisuseError("write --describe COLUMN=WORDS")
    return {column: text for column, _, text in pairs}


@contextmanager
def _catalogue(home: Home) -> Iterator[Catalogue]:
    with home.store() as store:
        yield Catalogue(store.engine)


def _record(home: Home, entry: Dataset) -> None:
    key = f"dataset/{entry.name}/{entry.version}"
    home.ledger.append(Kind.ADMINISTRATION, key, {"dataset": entry.name, "entry": entry.as_json()})


def _show(console: Console, entry: Dataset) -> None:
    console.print(
        f"[bold]{escape(entry.name)}[/] version {entry.version}: {entry.rows} rows, {escape(entry.source)}"
    )
    rows = [
        [column.name, column.type, column.level.name.lower(), ", ".join(column.uses) or "not on offer"]
        for column in entry.columns
    ]
    console.print(table(("column", "type", "level", "may be used as"), rows))
