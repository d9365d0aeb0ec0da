"""A steward's commands: classify, steward, preview a release, and data contracts out and in."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter
from rich.console import Console
from rich.markup import escape

from unseen.cli.datasets import (
    Jurisdictions,
    Kept,
    Owner,
    absolute,
    catalogue_of,
    parse_retention,
    record_entry,
    show_entry,
)
from unseen.cli.options import AsJson, HomeFolder, emit, open_home, table
from unseen.data.dataset import Classified
from unseen.errors import MisuseError

Name = Annotated[str, Parameter(name="NAME", help="The data set's name.")]
CONTRACT_LIMIT = 16 << 20


def classify(
    name: Name,
    *,
    holds: Annotated[
        tuple[str, ...] | None,
        Parameter(name="--set", help="COLUMN=CATEGORY that a steward knows better.", negative=""),
    ] = None,
    yes: Annotated[bool, Parameter(negative="", help="Record what is found without asking.")] = False,
    home: HomeFolder = None,
    as_json: AsJson = False,
) -> None:
    """Find personal data by values and names of columns; record it once a person has confirmed."""
    from unseen.data.classify.dataset import classify as find
    from unseen.data.classify.dataset import declared

    ours = open_home(home)
    console = Console(stderr=as_json, highlight=False, soft_wrap=True)
    with catalogue_of(ours) as catalogue:
        entry = catalogue.get(name)
        with console.status(f"looking at {escape(name)}"):
            found = find(catalogue, name)
        for words in holds or ():
            column, equals, category = words.partition("=")
            if not equals:
                raise MisuseError(f"{words!r} says nothing of a column; write --set COLUMN=CATEGORY")
            found[entry.column(column).name] = declared(category)
        if not as_json:
            _show_found(console, found)
        recorded = yes or (not as_json and _confirmed())
        if recorded:
            entry = catalogue.classify(name, found)
            record_entry(ours, entry)
    value = {"dataset": name, "version": entry.version, "recorded": recorded, "columns": _found_json(found)}
    done = f"Recorded as version {entry.version} of {escape(name)}" if recorded else "Nothing is recorded"
    emit(as_json, value, lambda shown: shown.print(done))


def steward(
    name: Name,
    *,
    owner: Owner = None,
    retention: Kept = None,
    jurisdiction: Jurisdictions = None,
    home: HomeFolder = None,
    as_json: AsJson = False,
) -> None:
    """Set who answers for a data set, how long its rows are kept, and where its persons live."""
    ours = open_home(home)
    with catalogue_of(ours) as catalogue:
        entry = catalogue.steward(
            name, owner=owner, retention=parse_retention(retention), jurisdictions=jurisdiction
        )
    record_entry(ours, entry)
    emit(as_json, entry.as_json(), lambda console: show_entry(console, entry))


def release_preview(
    name: Name,
    *,
    agreement: Annotated[str, Parameter(help="The first signs of the agreement's identifier.")],
    home: HomeFolder = None,
    as_json: AsJson = False,
) -> None:
    """Show exactly what would leave the source under an agreement, for whom and why; nothing leaves."""
    from unseen.interaction.preview import preview

    seen = preview(open_home(home), name, agreement)
    emit(as_json, seen, lambda console: _show_preview(console, seen))


def contract(
    name: Name,
    *,
    to: Annotated[Path | None, Parameter(help="Write it to this file.")] = None,
    home: HomeFolder = None,
    as_json: AsJson = False,
) -> None:
    """Write a data set's entry as an Open Data Contract Standard document."""
    from unseen.data.odcs import to_odcs

    with catalogue_of(open_home(home)) as catalogue:
        entry = catalogue.get(name)
    text = to_odcs(entry)
    if to is not None:
        to.write_text(text, encoding="utf-8")
    value = {"dataset": name, "version": entry.version, "contract": text}
    emit(as_json, value, lambda console: print(text) if to is None else console.print(f"Written to {to}"))


def adopt(
    file: Annotated[Path, Parameter(name="FILE", help="A data contract in YAML.")],
    /,
    *,
    home: HomeFolder = None,
    as_json: AsJson = False,
) -> None:
    """Take in a data contract as an entry, once its source has the columns that it names."""
    from dataclasses import replace

    from unseen.data.odcs import from_odcs

    try:
        with file.open(encoding="utf-8") as opened:
            text = opened.read(CONTRACT_LIMIT)
    except (OSError, UnicodeDecodeError) as error:
        raise MisuseError(f"cannot read {file}: it is no text that this account may read") from error
    written = from_odcs(text)
    ours = open_home(home)
    with catalogue_of(ours) as catalogue:
        entry = catalogue.adopt(replace(written, source=absolute(written.source)))
    record_entry(ours, entry)
    emit(as_json, entry.as_json(), lambda console: show_entry(console, entry))


# --- showing ---------------------------------------------------------------------------------------------


def _confirmed() -> bool:
    """A person says yes at a terminal; without one nothing is recorded."""
    if not sys.stdin.isatty():
        raise MisuseError("nothing is recorded before a person confirms it: look at it, then repeat with --yes")
    return input("Is that what these columns hold? Record it? [yes/no] ").strip().lower() == "yes"


def _found_json(found: Mapping[str, Classified]) -> dict[str, Any]:
    return {
        column: {
            "category": held.category,
            "level": held.level.value,
            "financial": held.financial.value,
            "special": held.special,
            "confidence": held.confidence,
            "evidence": [one.as_json() for one in held.evidence],
        }
        for column, held in found.items()
    }


def _show_found(console: Console, found: Mapping[str, Classified]) -> None:
    rows = [
        [
            column,
            held.category + (" (special)" if held.special else ""),
            held.level.value,
            held.financial.value,
            f"{held.confidence:.2f}",
            ", ".join(
                f"{one.rule} {one.matched}/{one.sampled}" if one.sampled else one.rule for one in held.evidence
            ),
        ]
        for column, held in found.items()
    ]
    console.print(table(("column", "category", "level", "class", "confidence", "evidence"), rows))


def _show_preview(console: Console, seen: Mapping[str, Any]) -> None:
    console.print(
        f"[bold]{escape(seen['dataset'])}[/] version {seen['version']} under {escape(seen['title'])}"
        f" ({seen['agreement'][:12]}…)"
    )
    console.print(f"Why: {escape(seen['purpose'])}; {escape(_basis(seen['legal_basis']))}")
    console.print(f"Computations: {escape(', '.join(seen['computations']))}")
    for output, parties in seen["recipients"].items():
        console.print(f"  {escape(output)} for {escape(', '.join(parties) or 'nobody')}")
    rows = [
        [
            line["column"],
            ", ".join(line["uses"]) or "refused",
            line["category"] or "",
            line["level"] or "",
            line["protection"]["name"] if line["protection"] else "as it is",
        ]
        for line in seen["columns"]
    ]
    console.print(table(("column", "used as", "category", "level", "leaves as"), rows))
    for line in seen["columns"]:
        for refused in line["refused"]:
            console.print(f"[yellow]refused[/]  {escape(refused)}")
    console.print(f"Stays: {escape(', '.join(seen['stays']) or 'no column')}")
    if "rows" in seen:
        console.print(f"Rows: {seen['rows']} would be read; {seen['excluded']} left out by their persons' wishes")
        console.print(f"Fingerprint: {seen['fingerprint']}")
        console.print("The source is asked:")
        console.print(escape(seen["query"]))


def _basis(basis: str | Mapping[str, str]) -> str:
    if isinstance(basis, str):
        return basis or "no legal basis is named"
    return "; ".join(f"{law}: {text}" for law, text in basis.items())
