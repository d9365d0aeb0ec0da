"""Commands about the law: packs, rules, what they say of a plan, drafts for the register."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter
from rich.console import Console
from rich.markup import escape

from unseen.cli.options import AsJson, HomeFolder, emit, open_home, table
from unseen.cli.plans import save
from unseen.cli.requests import RequestFile, Under, derived
from unseen.encoding import Json
from unseen.errors import MisuseError
from unseen.interaction.agreements import Agreements
from unseen.interaction.law.own import own_policy, write_draft
from unseen.interaction.law.pack import Pack, Rule, packs
from unseen.interaction.law.verdict import NO_ADVICE, Verdict, judge
from unseen.interaction.law.vocabulary import categories, purposes
from unseen.interaction.register import impact_assessment, processing_record

ToFile = Annotated[Path | None, Parameter(name="--to", help="The file to write; printed if not given.")]


def list_all(*, as_json: AsJson = False) -> None:
    """List the law packs of this installation."""
    found = list(packs().values())
    rows = [[p.id, p.name, p.law, sum(r.forbids for r in p.rules.values()), p.as_of.isoformat()] for p in found]
    names = ("pack", "jurisdiction", "law", "rules", "as_of")

    def show(console: Console) -> None:
        console.print(table(("pack", "jurisdiction", "law", "rules", "as of"), rows))
        console.print(NO_ADVICE)

    emit(as_json, {"packs": [dict(zip(names, row, strict=True)) for row in rows], "note": NO_ADVICE}, show)


def explain(
    rule: Annotated[str, Parameter(name="RULE", help="A rule's name, or a pack's for all of its rules.")],
    /,
    *,
    as_json: AsJson = False,
) -> None:
    """Explain a rule: article, reason, the evidence it asks for, the mend."""
    found = [(pack, item) for pack in packs().values() for item in pack.rules.values() if _named(rule, pack, item)]
    if not found:
        raise MisuseError(f"no law pack has a rule {rule!r}; unseen law list shows the packs there are")

    def show(console: Console) -> None:
        for _, item in found:
            console.print(f"[bold]{escape(item.id)}[/]  {escape(item.article)}")
            console.print(f"  {escape(item.reason)}")
            console.print(f"  evidence: {escape(' or '.join(item.evidence) or 'none opens this')}")
            console.print(f"  to mend: {escape(item.mend)}")
        console.print(NO_ADVICE)

    emit(as_json, {"rules": [_rule(pack, item) for pack, item in found], "note": NO_ADVICE}, show)


def list_terms(word: Annotated[str, Parameter(name="WORD")] = "", /, *, as_json: AsJson = False) -> None:
    """List the purposes and categories of data that an agreement may name, those with WORD in them."""
    found = {
        kind: sorted(term for term in known if word.lower() in term.lower())
        for kind, known in (("purposes", purposes()), ("categories", categories()))
    }

    def show(console: Console) -> None:
        for kind, terms in found.items():
            console.print(f"[bold]{kind}[/]  {escape(', '.join(terms) or 'none')}")

    emit(as_json, found, show)


def own(*, home: HomeFolder = None, as_json: AsJson = False) -> None:
    """Write a policy of this institution to start from, or show the rules of the one it has."""
    ours = open_home(home)
    policy = own_policy(ours.path)
    if policy is None:
        folder = write_draft(ours.path, ours.name, date.today().isoformat())
        policy = own_policy(ours.path)
        words = [f"A policy to start from is in {folder}: edit policies.cedar. It holds from now on."]
    else:
        words = [f"The policy in {ours.path / 'policy'} holds."]
    rules = [item for item in policy.rules.values() if item.forbids] if policy else []
    words += [f"[{item.id}] {item.reason}" for item in rules]
    value = {"policy": str(ours.path / "policy"), "rules": [item.id for item in rules]}
    emit(as_json, value, lambda console: console.print("\n".join(words), markup=False))


def check(
    app: str, request: RequestFile, /, *, agreement: Under, home: HomeFolder = None, as_json: AsJson = False
) -> None:
    """Ask all packs that apply about a request's plan, without running it."""
    _, plan, terms = derived(app, request, agreement, home)
    verdict = judge(plan, terms, own_policy(open_home(home).path))
    emit(as_json, verdict.as_json(), lambda console: _show(console, verdict))


def record(*, home: HomeFolder = None, to: ToFile = None, as_json: AsJson = False) -> None:
    """Write a draft of the record of processing (GDPR art. 30) from the agreements."""
    ours = open_home(home)
    with ours.store() as store:
        terms = [standing.terms for standing in Agreements(ours, store).all()]
    _write(processing_record(ours.name, terms), to, as_json)


def assessment(
    app: str,
    request: RequestFile,
    /,
    *,
    agreement: Under,
    home: HomeFolder = None,
    to: ToFile = None,
    as_json: AsJson = False,
) -> None:
    """Write a draft of the impact assessment (GDPR art. 35) of a request's plan."""
    _, plan, terms = derived(app, request, agreement, home)
    _write(impact_assessment(plan, terms, judge(plan, terms, own_policy(open_home(home).path))), to, as_json)


def _named(name: str, pack: Pack, rule: Rule) -> bool:
    return rule.forbids and name.removeprefix("law/") in (rule.id, pack.id)


def _rule(pack: Pack, rule: Rule) -> dict[str, Any]:
    return {
        "pack": pack.id,
        "rule": rule.id,
        "article": rule.article,
        "reason": rule.reason,
        "evidence": list(rule.evidence),
        "mend": rule.mend,
    }


def _show(console: Console, verdict: Verdict) -> None:
    console.print("[green]permitted[/]" if verdict.permitted else "[bold red]refused[/]")
    for line in verdict.words:
        console.print(line, markup=False)


def _write(value: Json, to: Path | None, as_json: bool) -> None:
    text = json.dumps(value, indent=2, ensure_ascii=False)
    if to is not None:
        save(to, text + "\n")
    emit(as_json, value, lambda console: console.print(f"Draft in {to}" if to else text, markup=False))
