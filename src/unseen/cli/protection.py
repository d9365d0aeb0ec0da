"""Commands about protected data: dataset protect, risk, reverse, export, trace, purge."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter
from rich.console import Console
from rich.markup import escape

from unseen.cli.options import AsJson, HomeFolder, emit, open_home, table
from unseen.errors import MisuseError
from unseen.interaction.ledger import Kind

if TYPE_CHECKING:
    import pyarrow as pa

    from unseen.data.protect.hierarchy import Hierarchy

Name = Annotated[str, Parameter(name="NAME", help="The data set's name.")]


def protect(
    name: Name,
    *choices: Annotated[
        str, Parameter(name="COLUMN=PROTECTION", help="For example phone=mask:last=3; none takes one off.")
    ],
    home: HomeFolder = None,
    as_json: AsJson = False,
) -> None:
    """Choose how columns are protected before they leave; without a choice, show those there are."""
    from unseen.data.catalogue import Catalogue
    from unseen.data.protect.choice import PROTECTIONS, checked, read_choice

    ours = open_home(home)
    with ours.store() as store:
        catalogue = Catalogue(store.engine)
        entry = catalogue.get(name)
        chosen: dict[str, Any] = {}
        for words in choices:
            column, equals, text = words.partition("=")
            if not equals:
                raise MisuseError(f"{words!r} chooses nothing; write COLUMN=PROTECTION")
            choice = read_choice(text)
            found = entry.column(column)
            chosen[column] = None if choice is None else checked(choice, found.type)
        if chosen:
            entry = catalogue.protect(name, chosen)
            key = f"dataset/{entry.name}/{entry.version}"
            ours.ledger.append(Kind.ADMINISTRATION, key, {"dataset": entry.name, "entry": entry.as_json()})

    def show(console: Console) -> None:
        console.print(f"[bold]{escape(name)}[/] version {entry.version}")
        rows = [[column.name, _words(column.protection)] for column in entry.columns]
        console.print(table(("column", "leaves as"), rows))
        if not choices:
            kinds = [[kind, about.about, _defaults(about.parameters)] for kind, about in PROTECTIONS.items()]
            console.print(table(("protection", "what it does", "parameters"), kinds))

    emit(as_json, entry.as_json(), show)


def risk(
    name: Name,
    *,
    by: Annotated[str, Parameter(help="Columns by which a person could be found again: age,zip,sex")],
    sensitive: Annotated[str, Parameter(help="Columns that nobody is to learn: diagnosis,income")] = "",
    k: Annotated[int, Parameter(help="Fewest rows that look alike.")] = 5,
    l: Annotated[float, Parameter(help="Fewest values of each sensitive column among them.")] = 1,  # noqa: E741
    t: Annotated[float, Parameter(help="Farthest that their distribution is from the whole table's.")] = 1.0,
    left_out: Annotated[float, Parameter(help="Largest share of rows that may be left out.")] = 0.05,
    steps: Annotated[
        tuple[str, ...] | None,
        Parameter(help="COLUMN=5/10/20: widths of intervals, or characters kept of text (3/2/1).", negative=""),
    ] = None,
    home: HomeFolder = None,
    as_json: AsJson = False,
) -> None:
    """Measure the risk that persons are found again, before and after generalising columns; nothing is changed."""
    from unseen.data.catalogue import Catalogue
    from unseen.data.look import columns_of
    from unseen.data.protect.anonymise import Goal, anonymise

    with open_home(home).store() as store:
        entry = Catalogue(store.engine).get(name)
    identifying, private = _names(by), _names(sensitive)
    rows = columns_of(entry, [*identifying, *private])
    result = anonymise(rows, _hierarchies(rows, identifying, steps or ()), private, Goal(k, l, t, left_out))
    value = {"dataset": name, "rows": rows.num_rows, **result.as_json()}

    def show(console: Console) -> None:
        before, after = result.before.as_json(), result.after.as_json()
        lines = [[title, _figure(before[field]), _figure(after[field])] for field, title in _RISKS.items()]
        console.print(table(("", "before", "after"), lines))
        levels = [[column, level, f"{result.losses[column]:.0%}"] for column, level in result.levels.items()]
        console.print(table(("column", "level", "information lost"), levels))
        console.print(f"{result.left_out} of {rows.num_rows} rows left out; {result.loss:.0%} of information lost")

    emit(as_json, value, show)


def reverse(
    name: Name,
    column: Annotated[str, Parameter(name="COLUMN", help="The protected column.")],
    file: Annotated[Path, Parameter(name="FILE", help="A CSV or Parquet file that has the column.")],
    /,
    *,
    who: Annotated[str, Parameter(help="Who asks.")],
    why: Annotated[str, Parameter(help="The reason; it goes into the ledger before any value is shown.")],
    agreement: Annotated[str, Parameter(help="The agreement or export/RECIPIENT that the values left under.")],
    to: Annotated[Path, Parameter(help="Where the file goes with the original values, CSV or Parquet.")],
    home: HomeFolder = None,
    as_json: AsJson = False,
) -> None:
    """Take a protection off the values of a file that came back, for a reason on record."""
    import pyarrow as pa

    from unseen.data.catalogue import Catalogue
    from unseen.data.look import table_of
    from unseen.data.protect.choice import PROTECTIONS, made
    from unseen.data.protect.protection import Reason
    from unseen.interaction.door import place_of
    from unseen.interaction.exports import write
    from unseen.interaction.store import now

    ours = open_home(home)
    with ours.store() as store:
        entry = Catalogue(store.engine).get(name)
        purpose = agreement if "/" in agreement else store.agreement(agreement)[0]
    chosen = entry.column(column).protection
    if chosen is None or not PROTECTIONS[chosen.name].reversible:
        raise MisuseError(f"column {column!r} of {name} leaves {_words(chosen)}, which cannot be reversed")
    found = table_of(str(file.resolve()))
    needed = {column, entry.subject} if chosen.name == "date-shift" else {column}
    if missing := sorted(needed - set(found.column_names)):
        raise MisuseError(f"{file} has no column {', '.join(missing)}")
    protection: Any = made(chosen, place_of(ours, name, column, purpose))

    def record(body: Any) -> None:
        said = {"event": "reversed", "dataset": name, "column": column, "purpose": purpose, **body}
        ours.ledger.append(Kind.KEY_EVENT, f"reversed/{name}/{column}/{now()}", said)

    subjects = found[entry.subject].combine_chunks() if entry.subject in found.column_names else None
    values = found[column].combine_chunks()
    back = protection.reverse(values, Reason(who, why, record), subjects)
    place = found.schema.get_field_index(column)
    write(found.set_column(place, column, pa.chunked_array([back])), to)
    value = {"dataset": name, "column": column, "values": len(values), "file": str(to)}
    emit(as_json, value, lambda console: console.print(f"{len(values)} values reversed, on record: {to}"))


def export(
    name: Name,
    *,
    recipient: Annotated[str, Parameter(help="Who gets the copy; a leaked one names them.")],
    to: Annotated[Path, Parameter(help="The .csv or .parquet file to write.")],
    columns: Annotated[str, Parameter(help="a,b,c; all that are on offer as retrieve.")] = "",
    purpose: Annotated[
        str,
        Parameter(
            help="The purpose, for persons' consents and objections; without it, who objects to any is left out."
        ),
    ] = "*",
    consent: Annotated[bool, Parameter(negative="", help="Only persons whose consent stands.")] = False,
    home: HomeFolder = None,
    as_json: AsJson = False,
) -> None:
    """Write a protected copy that is marked for its recipient."""
    from unseen.interaction.exports import Order, export

    made = export(open_home(home), Order(name, _names(columns), recipient, purpose, consent), to)

    def show(console: Console) -> None:
        console.print(f"{made.record.rows} rows for {escape(recipient)} in {to}; {made.record.excluded} left out")
        for column, change in made.marked.items():
            console.print(f"marked: {escape(column)}, no value moved by more than {change:g}")
        for warning in made.warnings:
            console.print(f"[yellow]warning[/]  {escape(warning)}")

    emit(as_json, made.as_json(), show)


def trace(
    file: Annotated[Path, Parameter(name="FILE", help="The copy that was found, CSV or Parquet.")],
    /,
    *,
    home: HomeFolder = None,
    as_json: AsJson = False,
) -> None:
    """Name the recipient of a copy that was found."""
    from unseen.data.look import table_of
    from unseen.interaction.exports import traced

    findings = traced(open_home(home), table_of(str(file.resolve())))
    value = [
        {**vars(finding), "recipient": finding.recipient.partition("/")[0], "export": finding.recipient}
        for finding in findings
    ]

    def show(console: Console) -> None:
        if not findings:
            console.print("No export on record: the copy is none of ours, or its numbers were changed")
        for finding in findings:
            who, _, what = finding.recipient.partition("/")
            console.print(
                f"[bold]{escape(who)}[/]  {escape(what)}: {finding.agreeing} of {finding.values} values of"
                f" {escape(finding.column)} agree; by chance with probability at most {finding.chance:.1e}"
            )

    emit(as_json, {"findings": value}, show)


def purge(
    name: Name,
    *,
    yes: Annotated[bool, Parameter(negative="", help="Remove the rows; else they are counted.")] = False,
    home: HomeFolder = None,
    as_json: AsJson = False,
) -> None:
    """Remove the rows that are past their retention from the source."""
    from unseen.data import purge as purging
    from unseen.data.catalogue import Catalogue
    from unseen.interaction.store import now

    ours = open_home(home)
    with ours.store() as store:
        entry = Catalogue(store.engine).get(name)
    found = purging.overdue(entry)
    removed = 0
    if yes and found.rows:
        removed = purging.purge(entry, found)
        body: dict[str, Any] = {"dataset": name, "event": "purged", "rows": removed, "before": str(found.since)}
        ours.ledger.append(Kind.ADMINISTRATION, f"purged/{name}/{now()}", body)
    value = {"dataset": name, "overdue": found.rows, "undated": found.undated, "removed": removed}

    def show(console: Console) -> None:
        console.print(f"{found.rows} of {found.whole} rows of {escape(name)} are from before {found.since}")
        if found.undated:
            console.print(f"[yellow]warning[/]  {found.undated} rows have no date and stay")
        if removed:
            console.print(f"{removed} rows removed, on record")
        elif found.rows:
            console.print(f"To remove them: unseen dataset purge {escape(name)} --yes")

    emit(as_json, value, show)


_RISKS = {
    "rows": "rows",
    "classes": "groups that look alike",
    "smallest": "smallest group",
    "prosecutor_highest": "prosecutor, highest risk",
    "prosecutor_average": "prosecutor, average",
    "at_risk": "share of rows at a risk above 5%",
    "journalist_highest": "journalist, highest risk",
    "journalist_average": "journalist, average",
    "marketer": "marketer, share found again",
}


def _hierarchies(rows: pa.Table, names: Sequence[str], steps: Sequence[str]) -> dict[str, Hierarchy]:
    import pyarrow as pa

    from unseen.data.protect.hierarchy import Prefixes, Widths, fitting

    found = {name: fitting(rows[name].combine_chunks()) for name in names}
    for words in steps:
        column, _, text = words.partition("=")
        if column not in found:
            raise MisuseError(f"--steps {words!r} names none of {', '.join(names)}")
        try:
            numbers = [float(part) for part in text.split("/")]
        except ValueError:
            raise MisuseError(f"--steps {words!r} has no numbers; write COLUMN=5/10/20") from None
        textual = pa.types.is_string(rows[column].type) or pa.types.is_large_string(rows[column].type)
        found[column] = Prefixes(*(int(number) for number in numbers)) if textual else Widths(*numbers)
    return found


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _words(chosen: Any) -> str:
    if chosen is None:
        return "as it is"
    given = ", ".join(f"{key} {value}" for key, value in chosen.parameters.items())
    return f"{chosen.name} ({given})" if given else str(chosen.name)


def _defaults(parameters: Any) -> str:
    return ", ".join(key if value is None else f"{key}={value}" for key, value in parameters.items())


def _figure(value: Any) -> str:
    return f"{value:.4f}" if isinstance(value, float) else str(value)
