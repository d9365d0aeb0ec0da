"""An institution's own policy narrows what the laws permit, and never vanishes unnoticed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from unseen.errors import MisuseError, RefusedError
from unseen.interaction.agreement import Agreement
from unseen.interaction.law.own import own_policy, write_draft
from unseen.interaction.law.verdict import judge
from unseen.interaction.plan import Plan
from unseen.interaction.terms import Limits, SubjectClauses

RULE = """
@id("own-telemetry") @article("Own policy, 2") @reason("No scores leave the house.") @evidence("board-decision")
@mend("Obtain the board's decision.")
forbid (principal, action == Action::"disclose", resource) when { context.shape == "person" }
unless { context.evidence.contains("board-decision") };
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    write_draft(tmp_path, "lender", "2026-01-01")
    return tmp_path


def test_without_a_policy_the_laws_alone_are_asked(tmp_path: Path, plan: Plan, agreement: Agreement) -> None:
    assert own_policy(tmp_path) is None
    assert judge(plan, agreement, None).permitted


def test_the_draft_permits_what_it_does_not_name_and_refuses_groups_too_small(
    home: Path, plan: Plan, agreement: Agreement
) -> None:
    verdict = judge(plan, agreement, own_policy(home))
    assert verdict.permitted
    assert [pack.id for pack in verdict.packs] == ["eu", "us", "own"]
    small = agreement.model_copy(update={"limits": Limits(smallest_group=5)})
    with pytest.raises(RefusedError, match="Own policy, 1") as caught:
        judge(plan, small, own_policy(home)).require_permitted()
    assert caught.value.rule == "law/own-groups"


def test_an_own_rule_refuses_what_all_laws_permit_and_names_its_evidence(
    home: Path, plan: Plan, agreement: Agreement
) -> None:
    policies = home / "policy" / "policies.cedar"
    policies.write_text(policies.read_text() + RULE)
    with pytest.raises(RefusedError, match="missing evidence: board-decision"):
        judge(plan, agreement, own_policy(home)).require_permitted()


def test_it_is_asked_where_the_agreement_names_no_law(home: Path, plan: Plan, agreement: Agreement) -> None:
    lawless = agreement.model_copy(
        update={
            "subjects": SubjectClauses(),
            "parties": {n: p.model_copy(update={"jurisdiction": None}) for n, p in agreement.parties.items()},
            "limits": Limits(smallest_group=5),
        }
    )
    verdict = judge(replace(plan, agreement=lawless.id), lawless, own_policy(home))
    assert not verdict.permitted
    assert "no law was checked" in verdict.words[0]


@pytest.mark.parametrize("spoil", ["forbid (principal", "", RULE.replace("context.shape", "context.shap")])
def test_a_policy_that_cannot_be_used_grants_nothing(home: Path, spoil: str) -> None:
    policies = home / "policy" / "policies.cedar"
    policies.write_text(policies.read_text() + spoil if spoil else RULE.replace("@mend", "@mnd"))
    with pytest.raises(RefusedError) as caught:
        own_policy(home)
    assert caught.value.rule == "own-policy"


def test_a_policy_is_never_overwritten(home: Path) -> None:
    with pytest.raises(MisuseError, match="is there already"):
        write_draft(home, "lender", "2026-01-01")
