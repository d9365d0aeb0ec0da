"""Commands about an agreement's life: draft, compare, amend, counter, stop, resume, leave, tell."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Final

from cyclopts import Parameter
from rich.console import Console
from rich.markup import escape

from unseen.cli.agreements import Identifier, read_terms, report
from unseen.cli.options import AsJson, HomeFolder, emit, open_home
from unseen.errors import MisuseError, UnseenError
from unseen.interaction import template
from unseen.interaction.agreement import Agreement
from unseen.interaction.agreements import Agreements, Standing
from unseen.interaction.gate import Gate
from unseen.interaction.lifecycle import Step, differences
from unseen.interaction.notices import Notices

ALL: Final = "all"
TermsFile = Annotated[Path, Parameter(name="FILE", help="The terms in YAML.")]
Reason = Annotated[str, Parameter(help="Why, in words that all parties will read.")]
Which = Annotated[str, Parameter(help="A YAML file, or an agreement's identifier or its first digits.")]


def new(
    *,
    template_name: Annotated[str, Parameter(name="--template", help="What for: credit, exposure, …")],
    to: Annotated[Path | None, Parameter(help="The file to write; printed if not given.")] = None,
    as_json: AsJson = False,
) -> None:
    """Write a draft to be filled in."""
    text = template.read(template_name)
    if to is not None:
        try:
            with to.open("x", encoding="utf-8") as file:
                file.write(text)
        except FileExistsError:
            raise MisuseError(f"{to} is there already; name another file") from None
        except OSError as error:
            raise MisuseError(f"cannot write {to}: {error.strerror}") from error
    value = {"template": template_name, "file": str(to) if to else None, "text": text}
    emit(as_json, value, lambda console: console.print(f"Draft in {to}" if to else text, markup=False))


def diff(older: Which, newer: Which, /, *, home: HomeFolder = None, as_json: AsJson = False) -> None:
    """Show what changes between two agreements, field by field."""
    lines = differences(_terms(older, home), _terms(newer, home))

    def show(console: Console) -> None:
        for line in lines or ["no difference"]:
            console.print(line, markup=False)

    emit(as_json, {"differences": lines}, show)


def amend(agreement: Identifier, file: TermsFile, /, *, home: HomeFolder = None, as_json: AsJson = False) -> None:
    """Propose new terms as the next version of an agreement; the present one holds until all have signed."""
    _offer(agreement, file, home, as_json, Agreements.amend)


def counter(
    agreement: Identifier, file: TermsFile, /, *, home: HomeFolder = None, as_json: AsJson = False
) -> None:
    """Offer other terms instead of a partner's proposal."""
    _offer(agreement, file, home, as_json, Agreements.counter)


def _offer(
    agreement: str,
    file: Path,
    home: Path | None,
    as_json: bool,
    step: Callable[[Agreements, str, Agreement], Standing],
) -> None:
    ours = open_home(home)
    with ours.store() as store:
        agreements = Agreements(ours, store)
        older = agreements.find(agreement).terms
        offered = step(agreements, agreement, read_terms(file))
        standing, failures = agreements.exchange(offered.id)
    lines = differences(older, standing.terms)
    value = {"agreement": standing.id, "version": str(standing.terms.version), "instead_of": older.id}
    _report(value, failures, as_json, "\n".join([f"Proposed as {standing.id[:12]}. What changes:", *lines]))


def suspend(
    agreement: Identifier, /, *, reason: Reason = "", home: HomeFolder = None, as_json: AsJson = False
) -> None:
    """Stop the agreement's running jobs at all parties and grant no more."""
    _give(agreement, Step.SUSPEND, reason, home, as_json)


def resume(
    agreement: Identifier, /, *, reason: Reason = "", home: HomeFolder = None, as_json: AsJson = False
) -> None:
    """Lift a suspension of ours."""
    _give(agreement, Step.RESUME, reason, home, as_json)


def terminate(
    agreement: Identifier, /, *, reason: Reason = "", home: HomeFolder = None, as_json: AsJson = False
) -> None:
    """End the agreement for good; its running jobs stop at all parties."""
    _give(agreement, Step.TERMINATE, reason, home, as_json)


def leave(
    agreement: Identifier,
    /,
    *,
    reason: Reason = "",
    withdraw: Annotated[
        tuple[str, ...], Parameter(help="Jobs whose models and results are erased; `all`: every one.")
    ] = (),
    home: HomeFolder = None,
    as_json: AsJson = False,
) -> None:
    """Leave the partnership: terminate, revoke our key in it, withdraw results."""
    _give(agreement, Step.EXIT, reason, home, as_json, withdraw)


def tell(agreement: Identifier, /, *, home: HomeFolder = None, as_json: AsJson = False) -> None:
    """Send all notices about an agreement to its parties again."""
    ours = open_home(home)
    with ours.store() as store:
        failures = Notices(ours, store).tell(agreement)
    _report({}, failures, as_json, "All parties know all notices.")


def _give(
    agreement: str, step: Step, reason: str, home: Path | None, as_json: bool, withdraw: tuple[str, ...] = ()
) -> None:
    ours = open_home(home)
    with ours.store() as store:
        notices = Notices(ours, store)
        if tuple(withdraw) == (ALL,):
            withdraw = tuple(
                record.job for record in store.jobs(agreement=Agreements(ours, store).find(agreement).id)
            )
        jobs = [store.job(prefix).job for prefix in withdraw]
        terms, given = notices.give(agreement, step, reason, jobs)
        failures = notices.tell(agreement)
        standing = Gate(ours, store).standing(Agreements(ours, store).find(agreement).envelope, terms)
    value = {"agreement": terms.id, "step": given.step.value, "phase": standing.phase.value, "why": standing.why}
    _report(value, failures, as_json, f"Agreement {terms.id[:12]} is {standing.phase.value}: {standing.why}")


def _report(value: dict[str, str], failures: dict[str, UnseenError], as_json: bool, words: str) -> None:
    report(as_json, value, escape(words), failures, "Tell them again with: unseen agree tell")


def _terms(which: str, home: Path | None) -> Agreement:
    if which.endswith((".yaml", ".yml")):
        return read_terms(Path(which))
    ours = open_home(home)
    with ours.store() as store:
        return Agreements(ours, store).find(which).terms
