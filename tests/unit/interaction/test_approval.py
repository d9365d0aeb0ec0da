"""Four eyes: who asks cannot approve, approvals are of one plan, for a time, and no person counts twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sql
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from unseen.errors import MisuseError, RefusedError, VerificationError
from unseen.interaction.agreement import Agreement, from_yaml
from unseen.interaction.approval import APPROVAL, approve, plan_class, require_approvals
from unseen.interaction.documents import Documents
from unseen.interaction.envelope import Envelope
from unseen.interaction.identity import SigningKey
from unseen.interaction.people import ENROLMENT, Person, enrol, people, require_role
from unseen.interaction.plan import Plan
from unseen.interaction.terms import Approvals, ApprovalScope, Role

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
INSTITUTION = SigningKey(Ed25519PrivateKey.generate())
KEYS = {name: SigningKey(Ed25519PrivateKey.generate()) for name in ("ann", "bob", "cleo", "dan")}
ROLES = {"ann": Role.ANALYST, "bob": Role.OFFICER, "cleo": Role.OFFICER, "dan": Role.STEWARD}


def staff(**changes: Role | None) -> dict[str, Person]:
    documents = [
        enrol("lender", name, KEYS[name].public, [role] if role else [], INSTITUTION, NOON)
        for name, role in {**ROLES, **changes}.items()
    ]
    return people(documents, "lender", INSTITUTION.public)


@pytest.fixture
def plan(terms: str) -> Plan:
    agreement = from_yaml(terms)
    return Plan(
        job="1" * 32,
        agreement=agreement.id,
        application="credit",
        application_version="1",
        purpose=agreement.purpose,
        parties=agreement.computing,
        dealer="dealer",
        uses=(),
        steps=(),
        outputs={},
        parameters={"bins": 5},
        seed="0" * 64,
    )


def terms_with(terms: str, count: int = 1, scope: ApprovalScope = ApprovalScope.JOB) -> Agreement:
    return from_yaml(terms).model_copy(update={"approvals": Approvals(count=count, scope=scope)})


def by(person: str, plan: Plan, scope: ApprovalScope = ApprovalScope.JOB, **more: int) -> Envelope:
    return approve(plan, scope, "lender", person, KEYS[person], NOON, **more)


def check(
    plan: Plan,
    agreement: Agreement,
    *documents: Envelope,
    asker: str = "ann",
    used: int = 0,
    now: datetime = NOON,
    enrolled: dict[str, Person] | None = None,
) -> dict[str, int]:
    known = enrolled if enrolled is not None else staff()
    return require_approvals(plan, agreement, "lender", documents, known, asker, lambda _: used, now)


def test_no_approval_is_needed_where_the_agreement_asks_for_none(plan: Plan, terms: str) -> None:
    assert check(plan, from_yaml(terms)) == {}


def test_an_officer_who_did_not_ask_approves_one_exact_plan(plan: Plan, terms: str) -> None:
    given = by("bob", plan)
    assert check(plan, terms_with(terms), given) == {given.digest: 1}
    for other in (
        replace(plan, seed="1" * 64),
        replace(plan, job="2" * 32),
        replace(plan, parameters={"bins": 6}),
    ):
        with pytest.raises(RefusedError, match="of another plan"):
            check(other, terms_with(terms), given)


def test_who_asked_cannot_approve(plan: Plan, terms: str) -> None:
    with pytest.raises(RefusedError, match="bob asked for it") as caught:
        check(plan, terms_with(terms), by("bob", plan), asker="bob")
    assert caught.value.rule == "four-eyes"


def test_two_approvals_of_one_person_count_once(plan: Plan, terms: str) -> None:
    twice = [by("bob", plan), by("bob", plan, days=3)]
    with pytest.raises(RefusedError, match="1 did"):
        check(plan, terms_with(terms, count=2), *twice)
    assert len(check(plan, terms_with(terms, count=2), *twice, by("cleo", plan))) == 2


def test_other_roles_expired_used_up_and_future_approvals_do_not_count(plan: Plan, terms: str) -> None:
    agreement = terms_with(terms)
    with pytest.raises(RefusedError, match="dan is no officer"):
        check(plan, agreement, by("dan", plan))
    with pytest.raises(RefusedError, match="expired"):
        check(plan, agreement, by("bob", plan), now=NOON + timedelta(days=8))
    with pytest.raises(RefusedError, match="used up"):
        check(plan, agreement, by("bob", plan), used=1)
    with pytest.raises(RefusedError, match="future"):
        check(plan, agreement, by("bob", plan), now=NOON - timedelta(hours=1))


def test_a_person_dismissed_since_no_longer_counts(plan: Plan, terms: str) -> None:
    with pytest.raises(RefusedError, match="bob is not enrolled"):
        check(plan, terms_with(terms), by("bob", plan), enrolled=staff(bob=None))


def test_an_approval_signed_by_another_hand_does_not_count(plan: Plan, terms: str) -> None:
    forged = approve(plan, ApprovalScope.JOB, "lender", "bob", KEYS["ann"], NOON)
    with pytest.raises(RefusedError, match="not signed by the key"):
        check(plan, terms_with(terms), forged)


def test_a_class_is_approved_beforehand_for_a_quota(plan: Plan, terms: str) -> None:
    agreement = terms_with(terms, scope=ApprovalScope.CLASS)
    given = by("bob", plan, ApprovalScope.CLASS, quota=3)
    later = replace(plan, job="2" * 32, seed="1" * 64)
    assert plan_class(later) == plan_class(plan)
    assert check(later, agreement, given, used=2) == {given.digest: 3}
    with pytest.raises(RefusedError, match="used up"):
        check(later, agreement, given, used=3)
    with pytest.raises(RefusedError, match="another plan"):
        check(replace(plan, parameters={"bins": 6}), agreement, given)
    with pytest.raises(RefusedError, match="each job"):
        check(plan, terms_with(terms), given)
    with pytest.raises(MisuseError, match="quota of one"):
        by("bob", plan, quota=2)


@pytest.mark.parametrize("pair", [("analyst", "officer"), ("administrator", "officer"), ("auditor", "analyst")])
def test_duties_that_must_stay_apart_are_never_enrolled_together(pair: tuple[str, str]) -> None:
    with pytest.raises(MisuseError, match="must be two people"):
        enrol("lender", "eve", KEYS["ann"].public, [Role(role) for role in pair], INSTITUTION, NOON)


def test_enrolments_under_another_key_are_not_read(plan: Plan) -> None:
    forged = enrol("lender", "eve", KEYS["ann"].public, [Role.OFFICER], KEYS["ann"], NOON)
    with pytest.raises(VerificationError):
        people([forged], "lender", INSTITUTION.public)


def test_a_role_is_demanded_by_name() -> None:
    assert require_role(staff(), "dan", Role.STEWARD, Role.OFFICER).name == "dan"
    with pytest.raises(RefusedError, match="role"):
        require_role(staff(), "ann", Role.OFFICER)


def test_documents_are_kept_once_and_found_by_what_they_are_about(tmp_path: Path, plan: Plan) -> None:
    engine = sql.create_engine(f"sqlite:///{tmp_path / 'state.db'}")
    documents = Documents(engine)
    given = by("bob", plan)
    assert documents.keep(plan.hash, given)
    assert not documents.keep(plan.hash, given)
    assert documents.about(plan.hash, APPROVAL) == [given]
    assert documents.about(plan.hash, ENROLMENT) == []
    assert Documents(engine).of_kind(APPROVAL) == [given]
    engine.dispose()
