"""Every law pack does what its cases say, every rule is shown to bite, and several packs must all permit."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import yaml

from unseen.errors import MisuseError, RefusedError
from unseen.interaction import template
from unseen.interaction.agreement import Agreement, from_yaml
from unseen.interaction.law.act import Act, Doing, acts, applicable
from unseen.interaction.law.pack import PACKAGE, load, packs
from unseen.interaction.law.table import markdown
from unseen.interaction.law.verdict import judge
from unseen.interaction.law.vocabulary import PURPOSES, basis_of, categories, field_of, purposes
from unseen.interaction.plan import Plan
from unseen.interaction.terms import Jurisdiction

CASES = {
    law: yaml.safe_load((files(PACKAGE) / "packs" / pack.id / "cases.yaml").read_text(encoding="utf-8"))
    for law, pack in packs().items()
}


def act_of(law: Jurisdiction, case: Mapping[str, Any]) -> Act:
    base = dict(CASES[law]["base"])
    evidence = {*base.pop("evidence"), *case.get("add", [])} - set(case.get("without", []))
    fields = {**base, **case.get("set", {})}
    categories = frozenset(fields.pop("categories", []))
    doing = Doing(fields.pop("doing"))
    return Act(doing=doing, evidence=frozenset(evidence), categories=categories, **fields)


def cases(kind: str) -> Iterator[Any]:
    for law in CASES:
        for case in CASES[law][kind]:
            yield pytest.param(law, case, id=f"{law.value}: {case['case']}")


@pytest.mark.parametrize(("law", "case"), list(cases("permitted")))
def test_what_a_pack_permits(law: Jurisdiction, case: Mapping[str, Any]) -> None:
    assert [item.rule.id for item in packs()[law].objections(act_of(law, case))] == []


@pytest.mark.parametrize(("law", "case"), list(cases("refused")))
def test_what_a_pack_refuses_and_by_which_rule(law: Jurisdiction, case: Mapping[str, Any]) -> None:
    found = packs()[law].objections(act_of(law, case))
    assert case["rule"] in [item.rule.id for item in found]
    for item in found:
        assert item.rule.article in item.words
        assert item.rule.mend
        satisfied = replace(item.act, evidence=item.act.evidence | set(item.missing))
        if item.missing:  # the evidence that a refusal asks for is the evidence that lifts it
            assert item.rule.id not in [again.rule.id for again in packs()[law].objections(satisfied)] or (
                item.rule.id == "appi-18"
            )


@pytest.mark.parametrize("law", list(Jurisdiction))
def test_every_pack_has_its_dozen_of_each_and_every_rule_is_shown_to_bite(law: Jurisdiction) -> None:
    pack, given = packs()[law], CASES[law]
    assert min(len(given["permitted"]), len(given["refused"])) >= 12
    assert {case["rule"] for case in given["refused"]} == {rule.id for rule in pack.rules.values() if rule.forbids}
    for rule in pack.rules.values():
        assert not rule.forbids or (rule.article and rule.reason and rule.mend)


def test_a_plan_with_all_on_record_is_permitted_by_both_packs_and_says_so(
    plan: Plan, agreement: Agreement
) -> None:
    verdict = judge(plan, agreement)
    verdict.require_permitted()
    assert [pack.id for pack in verdict.packs] == ["eu", "us"]
    assert "does not replace it" in verdict.words[-1]
    assert "European Union" in verdict.words[0]


def test_one_missing_document_refuses_with_rule_article_evidence_and_mend(
    plan: Plan, agreement: Agreement
) -> None:
    evidence = {name: dict(held) for name, held in agreement.evidence.items()}
    del evidence["bureau"]["impact-assessment"]
    verdict = judge(plan, agreement.model_copy(update={"evidence": evidence}))
    assert [(item.rule.id, item.act.party) for item in verdict.objections] == [("gdpr-35", "bureau")]
    with pytest.raises(RefusedError, match=r"GDPR art. 35.*missing evidence: impact-assessment") as caught:
        verdict.require_permitted()
    assert caught.value.rule == "law/gdpr-35"
    assert "assessment" in caught.value.mend


def test_all_packs_must_permit_what_one_refuses(plan: Plan, agreement: Agreement) -> None:
    moved = dict(agreement.parties)
    moved["lender"] = moved["lender"].model_copy(update={"jurisdiction": Jurisdiction.CN})
    verdict = judge(plan, agreement.model_copy(update={"parties": moved}))
    assert {pack.id for pack in verdict.packs} == {"eu", "us", "cn"}
    assert {"gdpr-44", "bulk-data-202"} <= {item.rule.id for item in verdict.objections}


def test_the_acts_of_a_scorecard_are_those_a_lawyer_would_list(plan: Plan, agreement: Agreement) -> None:
    found = {(a.doing.value, a.party, a.shape, a.recipient) for a in acts(plan, agreement, Jurisdiction.US)}
    assert found == {
        ("use", "bureau", "value", ""),
        ("use", "lender", "value", ""),
        ("transfer", "bureau", "share", "lender"),
        ("transfer", "lender", "share", "bureau"),
        ("disclose", "bureau", "person", "lender"),
        ("transfer", "bureau", "person", "lender"),
        ("decide", "lender", "person", ""),
        ("disclose", "lender", "model", "bureau"),
        ("transfer", "lender", "model", "bureau"),
    }
    assert not [a for a in acts(plan, agreement, Jurisdiction.EU) if a.doing is Doing.TRANSFER]


def test_without_jurisdictions_nothing_is_checked_and_the_verdict_says_so(plan: Plan, terms: str) -> None:
    agreement = from_yaml(terms)
    assert applicable(agreement) == ()
    assert "no law was checked" in judge(plan, agreement).words[0]


def test_a_party_without_a_seat_is_refused_where_a_law_applies(plan: Plan, agreement: Agreement) -> None:
    parties = dict(agreement.parties)
    parties["lender"] = parties["lender"].model_copy(update={"jurisdiction": None})
    with pytest.raises(RefusedError, match="where lender is seated"):
        judge(plan, agreement.model_copy(update={"parties": parties}))


def test_names_of_parties_cannot_break_out_of_the_policy_language() -> None:
    act = act_of(Jurisdiction.EU, {"set": {"party": 'x"]; permit(principal, action, resource);//'}})
    assert packs()[Jurisdiction.EU].objections(act) == []


PACK = "id: xx\njurisdiction: EU\nname: n\nlaw: l\nas_of: 2026-01-01\n"
NOTES = '@id("{id}") @article("a") @reason("r") @evidence("") @mend("m") '


@pytest.mark.parametrize(
    ("policies", "words"),
    [
        ("permit (principal, action, resource);", "lacks @id"),
        (NOTES.format(id="a") + "permit (principal, action, resource) when { context.nothing };", "not validate"),
        (2 * (NOTES.format(id="a") + "permit (principal, action, resource);"), "twice"),
    ],
)
def test_a_pack_that_is_not_well_made_is_not_loaded(tmp_path: Path, policies: str, words: str) -> None:
    (tmp_path / "pack.yaml").write_text(PACK)
    (tmp_path / "policies.cedar").write_text(policies)
    with pytest.raises(MisuseError, match=words):
        load(tmp_path)


def test_a_pack_without_a_permit_is_an_error_not_a_silent_no(tmp_path: Path) -> None:
    (tmp_path / "pack.yaml").write_text(PACK)
    (tmp_path / "policies.cedar").write_text(
        NOTES.format(id="a") + "forbid (principal, action, resource) when { resource.children };"
    )
    with pytest.raises(MisuseError, match="permits nothing"):
        load(tmp_path).objections(act_of(Jurisdiction.EU, {}))


def test_purposes_and_bases_are_read_as_people_write_them() -> None:
    assert field_of("dpv:CreditChecking").value == "credit"
    assert field_of("to make money").value == "unknown"
    assert basis_of("Legitimate interests: LIA-7") == "legitimate-interests"
    assert basis_of("GDPR art. 6(1)(b): assessing an application") == "contract"
    assert basis_of("because") == "none"


def test_every_term_that_a_pack_or_template_uses_is_in_a_vocabulary() -> None:
    folders = [files(PACKAGE) / "packs" / pack.id for pack in packs().values()]
    texts = [(folder / "policies.cedar").read_text(encoding="utf-8") for folder in folders]
    texts += [template.read(name) for name in template.names()]
    for text in texts:
        for term in re.findall(r"\b(?:dpv|sector-finance|pd|cdr|fides):[A-Za-z_.]+", text):
            assert term in purposes() | categories()
    assert set(PURPOSES) <= purposes()
    assert {"dpv:Advertising", "fides:analytics.reporting"} <= purposes()
    assert {"pd:Income", "fides:user.financial"} <= categories()


def test_the_page_of_all_rules_is_the_one_that_the_packs_give() -> None:
    page = (Path(__file__).parents[4] / "docs" / "law.md").read_text(encoding="utf-8")
    assert page.endswith(markdown()), "write it again: python -m unseen.interaction.law.table"
    assert "does not replace it" in page
