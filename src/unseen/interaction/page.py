"""A plan on one page, for a reader who is no engineer: who, why, what of whom, who learns what, which limits.

The page says nothing that is not in the plan, the agreement or the verdict of the law packs; the list of what
each party learns is computed from the protocols, as everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from unseen.data.catalogue import Use
from unseen.interaction.agreement import Agreement
from unseen.interaction.declared import declared
from unseen.interaction.law.verdict import Verdict
from unseen.interaction.plan import Plan, Shape

_USE_WORDS: Final = {
    Use.JOIN: "to find common customers",
    Use.FEATURE: "as an input of the model",
    Use.LABEL: "as the outcome that the model learns",
    Use.FILTER: "to choose rows",
    Use.GROUP: "to form groups",
    Use.AGGREGATE: "in sums and counts over groups",
    Use.RETRIEVE: "to be looked up row by row",
}
_SHAPE_WORDS: Final = {
    Shape.COUNT: "counts over groups",
    Shape.AGGREGATE: "sums and means over groups",
    Shape.MODEL: "a model learned from all rows together",
    Shape.PERSON: "one figure for each person",
    Shape.VALUE: "values of single persons",
}


@dataclass(frozen=True)
class Section:
    """A heading with lines under it."""

    title: str
    lines: tuple[str, ...]


def sections(plan: Plan, terms: Agreement, verdict: Verdict) -> list[Section]:
    """The page's content."""
    return [
        Section("In short", _short(plan, terms)),
        Section("What data is used, and how", tuple(_columns(plan))),
        Section("What comes out, and who receives it", tuple(_outputs(plan))),
        Section("What each party learns on the way", tuple(_learned(plan))),
        Section("Limits", _limits(plan, terms)),
        Section("Law", tuple(verdict.words)),
        Section("How to check that this is the plan that ran", _proof(plan)),
    ]


def _short(plan: Plan, terms: Agreement) -> tuple[str, ...]:
    dealer = f" {plan.dealer} supplies random numbers and sees no data." if plan.dealer else ""
    return (
        f"{' and '.join(plan.parties)} compute “{plan.application}” together, under the agreement"
        f" “{terms.agreement}” (version {terms.version}).{dealer}",
        f"Purpose: {plan.purpose}. No other use is covered.",
        *(f"Legal basis of {party}: {_basis(terms, party)}." for party in plan.parties),
        "No party sees another's rows: data leaves its owner blinded or in random shares only.",
    )


def _basis(terms: Agreement, party: str) -> str:
    named = terms.legal_basis.get(party, "none named")
    return named if isinstance(named, str) else "; ".join(f"{j.value}: {text}" for j, text in named.items())


def _columns(plan: Plan) -> list[str]:
    grouped: dict[tuple[str, str, Use], list[str]] = {}
    for use in plan.uses:
        grouped.setdefault((use.party, use.dataset, use.use), []).append(use.column)
    return [
        f"{party}'s “{dataset}”: {', '.join(columns)} — {_USE_WORDS[use]}."
        for (party, dataset, use), columns in grouped.items()
    ]


def _outputs(plan: Plan) -> list[str]:
    shapes = {flow.output: flow for flow in plan.flows}
    lines = []
    for party, outputs in plan.outputs.items():
        for output in outputs:
            flow = shapes.get(output)
            what = _SHAPE_WORDS[flow.shape] if flow else "not described"
            noise = f", with noise (epsilon {flow.epsilon:g})" if flow and flow.epsilon is not None else ""
            lines.append(f"{party} receives “{output}”: {what}{noise}.")
    return lines


def _learned(plan: Plan) -> list[str]:
    return [
        f"{party}: {sentence}."
        for party, sentences in plan.disclosures().items()
        for sentence in sentences or ["nothing"]
    ]


def _limits(plan: Plan, terms: Agreement) -> tuple[str, ...]:
    limits = terms.limits
    budget = limits.privacy
    return (
        f"Nothing comes out unless at least {limits.smallest_overlap} customers are common;"
        f" no group is smaller than {limits.smallest_group}.",
        *(f"{party} offers at most {count:,} identifiers." for party, count in sorted(declared(plan).items())),
        f"At most {limits.runs} runs in all"
        + (f", {limits.runs_per_day} in any 24 hours." if limits.runs_per_day else "."),
        f"Privacy budget: epsilon {budget.epsilon:g} in {budget.days} days."
        if budget
        else "No privacy budget: no output of this agreement is noised.",
        f"Results are kept for {terms.retention.results} days; shares are gone with the run.",
        f"The agreement holds from {terms.valid.first} until {terms.valid.until}."
        + (f" {terms.approvals.count} {terms.approvals.role.value}(s) must approve." if terms.approvals else ""),
    )


def _proof(plan: Plan) -> tuple[str, ...]:
    return (
        f"Job {plan.job}; agreement {plan.agreement}.",
        f"Plan hash {plan.hash}: every party's grant, ledger entry and the receipt name it.",
        "With copies of the ledgers, anyone may run: unseen verify LEDGER…",
    )


def as_text(title: str, content: Sequence[Section], width: int = 100) -> str:
    """The page as plain text."""
    from textwrap import fill

    blocks = [title, "=" * len(title)]
    for section in content:
        blocks += ["", section.title, "-" * len(section.title)]
        blocks += [fill(line, width, initial_indent="- ", subsequent_indent="  ") for line in section.lines]
    return "\n".join(blocks) + "\n"


def as_html(title: str, content: Sequence[Section]) -> str:
    """The page as one self-contained HTML file; every word from outside is escaped."""
    body = "\n".join(
        f"<section><h2>{escape(section.title)}</h2><ul>"
        + "".join(f"<li>{escape(line)}</li>" for line in section.lines)
        + "</ul></section>"
        for section in content
    )
    return _HTML.format(title=escape(title), body=body)


_HTML: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<style>
body {{ font: 15px/1.5 system-ui, sans-serif; color: #1c2733; max-width: 46rem;
  margin: 2.5rem auto; padding: 0 1rem }}
h1 {{ font-size: 1.5rem; border-bottom: 2px solid #1f5f8b; padding-bottom: .4rem }}
h2 {{ font-size: 1.05rem; color: #1f5f8b; margin: 1.4rem 0 .3rem }}
ul {{ margin: 0; padding-left: 1.1rem }} li {{ margin: .2rem 0; overflow-wrap: anywhere }}
@media print {{ body {{ margin: 0; font-size: 11px }} }}
</style></head><body><h1>{title}</h1>
{body}
</body></html>
"""
