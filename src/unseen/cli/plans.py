"""The command that shows a plan: one page in plain language, as text or HTML."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter
from rich.console import Console

from unseen.cli.options import AsJson, HomeFolder, emit, open_home, size
from unseen.cli.requests import RequestFile, Under, derived
from unseen.data.catalogue import Catalogue
from unseen.errors import DataError, MisuseError
from unseen.interaction.application import find
from unseen.interaction.law.own import own_policy
from unseen.interaction.law.verdict import judge
from unseen.interaction.page import as_html, as_text, sections
from unseen.interaction.plan import Plan

ToFile = Annotated[Path | None, Parameter(name="--to", help="The file to write: HTML if it ends in .html.")]


def show(
    app: str,
    request: RequestFile,
    /,
    *,
    agreement: Under,
    home: HomeFolder = None,
    to: ToFile = None,
    as_json: AsJson = False,
) -> None:
    """Show on one page what a request would do and what each party would learn, without running it."""
    _, plan, terms = derived(app, request, agreement, home)
    verdict = judge(plan, terms, own_policy(open_home(home).path))
    title, content = f"Plan: {terms.agreement}", sections(plan, terms, verdict)
    text = as_text(title, content)
    if to is not None:
        save(to, as_html(title, content) if to.suffix == ".html" else text)
    estimate = estimated(plan, home)
    value = {
        "plan": plan.as_json(),
        "hash": plan.hash,
        "estimate": estimate,
        "text": text,
        "file": str(to) if to else None,
    }

    def print_page(console: Console) -> None:
        console.print(f"Page in {to}" if to else text, markup=False)
        if estimate:
            console.print(estimate_line(estimate))

    emit(as_json, value, print_page)


def estimated(plan: Plan, home: Path | None) -> dict[str, Any] | None:
    """What the application expects a plan to cost with our own number of rows; None if it does not say."""
    estimate = getattr(find(plan.application), "estimate", None)
    if estimate is None:
        return None
    ours = open_home(home)
    own = {use.dataset for use in plan.uses if use.party == ours.name}
    with ours.store() as store:
        catalogue = Catalogue(store.engine)
        try:
            rows = max((catalogue.get(name).rows for name in own), default=0)
        except DataError:  # not on offer here: the run will say so
            return None
    found = estimate(plan, rows)
    return {"rows": rows, **found} if found else None


def save(to: Path, text: str) -> None:
    """Write a page or a document. Raises MisuseError."""
    try:
        to.write_text(text, encoding="utf-8")
    except OSError as error:
        raise MisuseError(f"cannot write {to}: {error.strerror}") from error


def estimate_line(estimate: Mapping[str, Any]) -> str:
    """What a run will cost, in words: time, bytes and, where the application says so, memory."""
    words = f"Estimate: {estimate['seconds']:.0f} s, {size(estimate['bytes'])}"
    if "memory" in estimate:
        words += f", {size(estimate['memory'])} of memory at a party"
    if estimate.get("buckets", 1) > 1:
        words += f", in {estimate['buckets']:,} buckets one after the other"
    return words
