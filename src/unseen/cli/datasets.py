"""Commands about data sets on offer: add, list, show, allow, check."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Final

from cyclopts import Parameter
from rich.console import Console
from rich.markup import escape

from unseen.cli.options import AsJson, HomeFolder, emit, open_home, table
from unseen.data.catalogue import Catalogue, Dataset, Retention, Use
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
Owner = Annotated[str | None, Parameter(help="Who in the institution answers for the data set.")]
Kept = Annotated[
    str | None, Parameter(help="DAYS that rows are kept, or DAYS:COLUMN, counted from that column's date.")
]
Jurisdictions = Annotated[
    tuple[str, ...] | None, Parameter(help="Where the persons in it live: EU, US, JP, AU, CN, …", negative="")
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
    owner: Owner = None,
    retention: Kept = None,
    jurisdiction: Jurisdictions = None,
    home: HomeFolder = None,
    as_json: AsJson = False,
) -> None:
    """Put a data set on offer."""
    ours = open_home(home)
    with catalogue_of(ours) as catalogue:
        entry = catalogue.add(
            name,
            absolute(source),
            subject,
            parse_uses(use or ()),
            _descriptions(describe or ()),
            owner=owner or "",
            retention=parse_retention(retention),
            jurisdictions=jurisdiction or (),
        )
    record_entry(ours, entry)
    emit(as_json, entry.as_json(), lambda console: show_entry(console, entry))


def allow(
    name: str,
    *uses: Annotated[str, Parameter(name="COLUMN=USES", help="For example amount=feature,aggregate")],
    home: HomeFolder = None,
    as_json: AsJson = False,
) -> None:
    """Change what columns may be used for."""
    ours = open_home(home)
    with catalogue_of(ours) as catalogue:
        entry = catalogue.allow(name, parse_uses(uses))
    record_entry(ours, entry)
    emit(as_json, entry.as_json(), lambda console: show_entry(console, entry))


def list_all(*, home: HomeFolder = None, as_json: AsJson = False) -> None:
    """List the data sets on offer."""
    with catalogue_of(open_home(home)) as catalogue:
        entries = [catalogue.get(name) for name in catalogue.names()]
    rows = [[e.name, e.rows, len(e.columns), f"v{e.version}", e.source] for e in entries]
    emit(
        as_json,
        {"datasets": [entry.as_json() for entry in entries]},
        lambda console: console.print(table(("data set", "rows", "columns", "version", "source"), rows)),
    )


def show(name: str, *, home: HomeFolder = None, as_json: AsJson = False) -> None:
    """Show one data set."""
    from unseen.data.freshness import freshness

    with catalogue_of(open_home(home)) as catalogue:
        entry = catalogue.get(name)
    fresh = freshness(entry)
    value: Any = entry.as_json()

    def show_all(console: Console) -> None:
        show_entry(console, entry)
        changed = [f"{word} {fresh[key]}" for key, word in FRESH.items() if fresh[key] is not None]
        console.print(f"Freshness: {', '.join(changed) or 'not known'}")
        if fresh["problem"]:
            console.print(f"[yellow]The source cannot be read now[/]: {escape(str(fresh['problem']))}")

    emit(as_json, {**value, "freshness": fresh}, show_all)


def check(
    name: str,
    *,
    key: Annotated[
        tuple[str, ...] | None,
        Parameter(
            help="COLUMN=RULE, once for each column to join on, for example phone=unseen-phone/1:DE. Rules:"
            " unseen-key/1, unseen-phone/1[:REGION], unseen-document/1[:SCHEME], unseen-email/1,"
            " unseen-date/1[:DMY or :MDY]. Without it: the subject column.",
            negative="",
        ),
    ] = None,
    home: HomeFolder = None,
    as_json: AsJson = False,
) -> None:
    """Check the keys of a data set: empty, repeated, malformed."""
    from unseen.data.key_check import column_report, key_report, parse_keys

    forms = parse_keys(key or ())
    with catalogue_of(open_home(home)) as catalogue:
        reports: list[Any] = [column_report(catalogue, name, column, form) for column, form in forms.items()]
        reports = reports or [key_report(catalogue, name)]

    def show_findings(console: Console) -> None:
        for report in reports:
            console.print(
                f"{escape(name)}: {report['rows']} keys in {escape(report['column'])}, written as"
                f" {escape(report['normalisation'])}"
            )
            for finding in report["warnings"]:
                console.print(f"[yellow]warning[/]  {escape(finding)}")
            if report["warnings"]:
                console.print(
                    "To mend: one row a person at the source, each with a key of its own; a join leaves out"
                )
                console.print(
                    "the empty and malformed, of repeated keys takes the first, and stops where many are."
                )
            else:
                console.print("[green]fit to join on[/]: no key is empty, repeated or malformed")

    emit(as_json, {"dataset": name, "keys": reports} if key else reports[0], show_findings)


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


def parse_retention(words: str | None) -> Retention | None:
    """Read DAYS or DAYS:COLUMN. Raises MisuseError."""
    if words is None:
        return None
    days, _, column = words.partition(":")
    if not days.isdigit() or int(days) == 0:
        raise MisuseError(f"{words!r} is no retention; write a number of days, or DAYS:COLUMN")
    return Retention(int(days), column)


def absolute(source: str) -> str:
    """A source's name, a file's path made absolute: the node runs elsewhere."""
    path, mark, table_name = source.partition("#")
    return str(Path(path).resolve()) + mark + table_name if Path(path).exists() else source


FRESH: Final = {"rows": "rows now", "changed": "file changed", "newest": "newest row of"}


@contextmanager
def catalogue_of(home: Home) -> Iterator[Catalogue]:
    with home.store() as store:
        yield Catalogue(store.engine)


def record_entry(home: Home, entry: Dataset) -> None:
    key = f"dataset/{entry.name}/{entry.version}"
    home.ledger.append(Kind.ADMINISTRATION, key, {"dataset": entry.name, "entry": entry.as_json()})


def show_entry(console: Console, entry: Dataset) -> None:
    """One entry for people: what it is, and a line a column."""
    console.print(
        f"[bold]{escape(entry.name)}[/] version {entry.version}: {entry.rows} rows, {escape(entry.source)}"
    )
    kept = "" if entry.retention is None else f"{entry.retention.days} days from {entry.retention.column or 'now'}"
    facts = {
        "subject": entry.subject,
        "owner": entry.owner,
        "kept": kept,
        "persons live in": ", ".join(entry.jurisdictions),
    }
    console.print(escape("; ".join(f"{name} {value}" for name, value in facts.items() if value)))
    rows = [
        [
            column.name,
            column.type,
            "" if column.nulls is None else f"{column.nulls:.1%}",
            "" if column.distinct is None else column.distinct,
            column.category + (" (special)" if column.special else ""),
            column.level.value,
            column.financial.value,
            ", ".join(column.uses) or "not on offer",
            column.protection.name if column.protection else "",
        ]
        for column in entry.columns
    ]
    heads = ("column", "type", "empty", "distinct", "category", "level", "class", "may be used as", "leaves as")
    console.print(table(heads, rows))
