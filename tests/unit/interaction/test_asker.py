"""Four eyes at a node: who asks is named and signs, who approves is another, over the exact plan."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

sys.path.insert(0, str(Path(__file__).parents[2] / "end_to_end"))

from neighbourhood import AGREEMENT, APPLICATIONS, REQUEST, Neighbourhood

from unseen.errors import MisuseError, RefusedError
from unseen.interaction.agreement import from_yaml
from unseen.interaction.agreements import Agreements
from unseen.interaction.application import Request
from unseen.interaction.approval import APPROVAL, approve
from unseen.interaction.asker import ASKING, ask, read_asking
from unseen.interaction.asking import Asking
from unseen.interaction.conductor import Conductor
from unseen.interaction.envelope import seal
from unseen.interaction.identity import SigningKey
from unseen.interaction.job import new_request
from unseen.interaction.people import enrol
from unseen.interaction.plan import Plan
from unseen.interaction.terms import ApprovalScope, Role
from unseen.interaction.workshop import Workshop

KEYS = {name: SigningKey(Ed25519PrivateKey.generate()) for name in ("ana", "olga")}
ROLES = {"ana": Role.ANALYST, "olga": Role.OFFICER}
JOB_BY_JOB = AGREEMENT + "approvals: {scope: job, count: 1, role: officer}\n"


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture(scope="module")
def lender(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Conductor]:
    """The lender's side, with an analyst and an officer, under an agreement that asks for job by job."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(APPLICATIONS))
        houses = Neighbourhood(tmp_path_factory.mktemp("asker"))
        home = houses.lender.home
        with home.store() as store:
            workshop = Workshop()
            conductor = Conductor(home, store, workshop)
            for name, role in ROLES.items():
                document = enrol("lender", name, KEYS[name].public, [role], home.signing_key, now())
                conductor.gate.documents.keep(f"person/{name}", document)
            envelope = Agreements(home, store).propose(from_yaml(JOB_BY_JOB)).envelope
            for one in houses.all:
                envelope = envelope.signed_by(one.home.signing_key)
            conductor.agreements.receive(envelope, "bureau")
            yield conductor
            workshop.close()
            conductor.close()


@pytest.fixture
def request_(lender: Conductor) -> Request:
    (standing,) = lender.agreements.all()
    return new_request("trial", standing.id, "lender", REQUEST)


@pytest.fixture
def plan(lender: Conductor, request_: Request) -> Plan:
    return lender.derive(request_)[0]


def approved(lender: Conductor, plan: Plan, by: str, scope: ApprovalScope = ApprovalScope.JOB) -> None:
    document = approve(plan, scope, "lender", by, KEYS[by], now())
    assert document.kind == APPROVAL
    lender.gate.documents.keep(plan.agreement, document)


def rule(lender: Conductor, plan: Plan, person: str) -> str:
    with pytest.raises(RefusedError) as caught:
        lender.check_and_grant(plan, asked_here=True, person=person)
    return caught.value.rule


def test_an_exact_plan_is_granted_once_an_officer_has_signed_it(
    lender: Conductor, plan: Plan, request_: Request
) -> None:
    assert rule(lender, plan, "ana") == "four-eyes"
    approved(lender, plan, "olga")
    other = replace(plan, job="f" * 32)
    assert rule(lender, other, "ana") == "four-eyes"
    granted = lender.check_and_grant(plan, asked_here=True, person="ana").read()
    assert isinstance(granted, dict)
    assert granted["rests_on"]["asked_by"] == "ana"  # type: ignore[index,call-overload]
    assert len(granted["rests_on"]["approvals"]) == 1  # type: ignore[index,call-overload,arg-type]


def test_an_approval_of_a_class_does_not_stand_for_one_of_the_job(lender: Conductor, plan: Plan) -> None:
    approved(lender, plan, "olga", ApprovalScope.CLASS)
    assert rule(lender, plan, "ana") == "four-eyes"


def test_nobody_asks_namelessly_and_who_asks_does_not_approve(lender: Conductor, plan: Plan) -> None:
    approved(lender, plan, "olga")
    assert rule(lender, plan, "") == "four-eyes"
    assert rule(lender, plan, "olga") == "four-eyes"


def test_who_asks_is_an_analyst_of_this_institution_and_signs_just_this_plan(
    lender: Conductor, plan: Plan
) -> None:
    enrolled = lender.gate.enrolled()
    good = ask(plan, "lender", "ana", KEYS["ana"], now())
    assert read_asking(good, plan, "lender", enrolled) == "ana"
    forged = seal(ASKING, good.read(), KEYS["olga"])
    bad = {
        "role": ask(plan, "lender", "olga", KEYS["olga"], now()),
        "signature": forged,
        "plan": ask(replace(plan, job="f" * 32), "lender", "ana", KEYS["ana"], now()),
        "institution": ask(plan, "bureau", "ana", KEYS["ana"], now()),
        "form": seal(ASKING, {"person": "ana"}, KEYS["ana"]),
    }
    for what, document in bad.items():
        with pytest.raises(RefusedError) as caught:
            read_asking(document, plan, "lender", enrolled)
        assert caught.value.rule == ("role" if what == "role" else "asking"), what


def test_a_prepared_request_is_asked_for_where_it_was_prepared(lender: Conductor, request_: Request) -> None:
    asking = Asking(lender)
    with pytest.raises(MisuseError, match="prepared at bureau"):
        asking.submit_prepared(replace(request_, requester="bureau"), None)
    asking.close()
