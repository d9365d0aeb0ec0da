"""Commands about agreements: propose, sign, show, list."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import yaml
from cyclopts import Parameter
from rich.console import Console
from rich.markup import escape

from unseen.cli.options import AsJson, HomeFolder, emit, open_home, table
from unseen.errors import MisuseError, UnseenError
from unseen.interaction.agreement import Agreement, from_yaml
from unseen.interaction.agreements import Agreements, Standing
from unseen.interaction.gate import Gate

Identifier = Annotated[str, Parameter(name="AGREEMENT", help="The agreement's identifier, or its first digits.")]


def propose(
    file: Annotated[Path, Parameter(name="FILE", help="The agreement's terms in YAML.")],
    /,
    *,
    home: HomeFolder = None,
    as_json: AsJson = False,
) -> None:
    """Sign an agreement and send it to its parties."""
    ours, terms = open_home(home), read_terms(file)
    with ours.store() as store:
        agreements = Agreements(ours, store)
        proposed = agreements.propose(terms)
        standing, failures = agreements.exchange(proposed.id)
    _report(as_json, standing, failures)


def sign(agreement: Identifier, /, *, home: HomeFolder = None, as_json: AsJson = False) -> None:
    """Sign an agreement and tell the other parties."""
    ours = open_home(home)
    with ours.store() as store:
        agreements = Agreements(ours, store)
        signed = agreements.sign(agreement)
        standing, failures = agreements.exchange(signed.id)
    _report(as_json, standing, failures)


def show(agreement: Identifier, /, *, home: HomeFolder = None, as_json: AsJson = False) -> None:
    """Show an agreement's terms and who has signed."""
    ours = open_home(home)
    with ours.store() as store:
        standing = Agreements(ours, store).find(agreement)
        phase = Gate(ours, store).standing(standing.envelope, standing.terms)

    def show_terms(console: Console) -> None:
        console.print(_line(standing))
        console.print(f"It is {phase.phase.value}: {phase.why}", markup=False)
        text = yaml.safe_dump(standing.terms.as_json(), sort_keys=False, allow_unicode=True)
        console.print(escape(text))

    value = {**_json(standing), "phase": phase.phase.value, "why": phase.why}
    emit(as_json, value, show_terms)


def list_all(*, home: HomeFolder = None, as_json: AsJson = False) -> None:
    """List the agreements known here."""
    ours = open_home(home)
    with ours.store() as store:
        found = Agreements(ours, store).all()
        gate = Gate(ours, store)
        phases = [gate.standing(s.envelope, s.terms) for s in found]
    rows = [
        [
            s.id[:12],
            s.terms.agreement,
            str(s.terms.version),
            ", ".join(s.terms.parties),
            f"{p.phase.value}: {p.why}",
        ]
        for s, p in zip(found, phases, strict=True)
    ]
    emit(
        as_json,
        {"agreements": [{**_json(s), "phase": p.phase.value} for s, p in zip(found, phases, strict=True)]},
        lambda console: console.print(table(("agreement", "title", "version", "parties", "state"), rows)),
    )


def read_terms(file: Path) -> Agreement:
    """An agreement's terms from a YAML file. Raises MisuseError."""
    try:
        return from_yaml(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise MisuseError(f"cannot read {file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise MisuseError(f"{file} is no text") from error


def report(
    as_json: bool, value: Mapping[str, Any], line: str, failures: Mapping[str, UnseenError], advice: str
) -> None:
    """Print a line of markup and who could not be told, with what helps then; as JSON, `value` with the same."""

    def show_report(console: Console) -> None:
        console.print(line)
        for party, error in failures.items():
            console.print(f"[yellow]not told[/]  {escape(party)}: {escape(str(error))}")
        if failures:
            console.print(advice)

    emit(as_json, {**value, "not_told": {party: str(error) for party, error in failures.items()}}, show_report)


def _report(as_json: bool, standing: Standing, failures: Mapping[str, UnseenError]) -> None:
    later = "They hear of it when they are told again, or when a run needs it."
    report(as_json, _json(standing), _line(standing), failures, later)


def _state(standing: Standing) -> str:
    return "effective" if standing.effective else f"waits for {', '.join(standing.missing)}"


def _line(standing: Standing) -> str:
    return (
        f"Agreement [bold]{standing.id[:12]}[/] “{escape(standing.terms.agreement)}”: {escape(_state(standing))}"
    )


def _json(standing: Standing) -> dict[str, Any]:
    return {
        "id": standing.id,
        "title": standing.terms.agreement,
        "effective": standing.effective,
        "missing": list(standing.missing),
        "terms": standing.terms.as_json(),
    }
