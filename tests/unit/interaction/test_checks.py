"""Each numbered check of a plan: what is agreed passes, and each single departure is refused under its rule."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from unseen.computation.profile import Disclosure, Profile, Role
from unseen.data.catalogue import Use
from unseen.errors import RefusedError, VerificationError
from unseen.interaction.agreement import Agreement, from_yaml, propose
from unseen.interaction.checks import check_plan, grant, refusal, require_grant
from unseen.interaction.envelope import Envelope
from unseen.interaction.identity import Card, SigningKey
from unseen.interaction.plan import ColumnUse, Flow, Plan, Shape, Step

People = dict[str, tuple[SigningKey, Card]]
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
ROWS = {"loans": 1000, "file": 5000}
SCORING = Profile("test/score", "Scoring", "none", reveals=(Disclosure(Role.RECIPIENT, "the scores"),))


@pytest.fixture(scope="module")
def agreed(people: People, terms: str) -> Envelope:
    """The terms, with bounds on one parameter, signed by all."""
    bounded = terms.replace(
        "[credit]", "{credit: {request.bins: {least: 2, most: 10}, request.kind: {among: [a]}}}"
    )
    return agreed_by_all(bounded, people)


def agreed_by_all(text: str, people: People) -> Envelope:
    """These terms under everyone's signature."""
    document = propose(from_yaml(text).with_keys({n: c for n, (_, c) in people.items()}), people["lender"][0])
    for name in ("bureau", "dealer"):
        document = document.signed_by(people[name][0])
    return document


def a_plan(agreed: Envelope) -> Plan:
    """A plan that keeps the agreement in everything."""
    return Plan(
        job="1" * 32,
        agreement=read(agreed).id,
        application="credit",
        application_version="1",
        purpose="dpv:CreditChecking",
        parties=("bureau", "lender"),
        dealer="dealer",
        uses=(
            ColumnUse("lender", "loans", "id", Use.JOIN),
            ColumnUse("lender", "loans", "bad", Use.LABEL),
            ColumnUse("bureau", "file", "inquiries", Use.FEATURE),
        ),
        steps=(Step("score", SCORING, {Role.RECIPIENT: ("lender",)}, {}),),
        outputs={"lender": ("scores",)},
        parameters={"smallest_overlap": 100, "smallest_group": 20, "request": {"bins": 5, "kind": "a"}},
        seed="0" * 64,
        flows=(
            Flow(
                "scores",
                Shape.PERSON,
                (
                    ColumnUse("lender", "loans", "bad", Use.LABEL),
                    ColumnUse("bureau", "file", "inquiries", Use.FEATURE),
                ),
            ),
        ),
    )


def read(agreed: Envelope) -> Agreement:
    from unseen.interaction.agreement import read_agreement

    return read_agreement(agreed)


def check(
    plan: Plan, agreed: Envelope, people: People, me: str = "lender", runs: int = 0, now: datetime = NOON
) -> None:
    check_plan(
        plan, agreed, {n: c for n, (_, c) in people.items()}, me, lambda *_: None, ROWS.__getitem__, runs, now
    )


def test_a_plan_that_keeps_the_agreement_passes_at_every_party(agreed: Envelope, people: People) -> None:
    for name in people:
        check(a_plan(agreed), agreed, people, name)


def with_parameters(**changes: object) -> Callable[[Plan], Plan]:
    return lambda plan: replace(plan, parameters={**plan.parameters, **changes})  # type: ignore[dict-item]


def without(name: str) -> Callable[[Plan], Plan]:
    return lambda plan: replace(plan, parameters={k: v for k, v in plan.parameters.items() if k != name})


def with_use(use: ColumnUse) -> Callable[[Plan], Plan]:
    return lambda plan: replace(plan, uses=(*plan.uses, use))


DEPARTURES: list[tuple[str, Callable[[Plan], Plan]]] = [
    ("agreement", lambda plan: replace(plan, agreement="f" * 64)),
    ("application", lambda plan: replace(plan, application="marketing")),
    ("purpose", lambda plan: replace(plan, purpose="dpv:Marketing")),
    ("parties", lambda plan: replace(plan, parties=("lender", "bureau"))),
    ("parties", lambda plan: replace(plan, parties=("bureau", "lender", "stranger"))),
    ("parties", lambda plan: replace(plan, dealer="stranger")),
    ("parties", lambda plan: replace(plan, dealer="bureau")),  # nobody deals for itself
    ("parties", lambda plan: replace(plan, parties=("bureau", "dealer", "lender"))),
    ("column-use", with_use(ColumnUse("bureau", "file", "inquiries", Use.RETRIEVE))),
    ("column-use", with_use(ColumnUse("bureau", "file", "address", Use.FEATURE))),
    ("column-use", with_use(ColumnUse("bureau", "other", "inquiries", Use.FEATURE))),
    ("column-use", with_use(ColumnUse("stranger", "file", "inquiries", Use.FEATURE))),
    ("recipient", lambda plan: replace(plan, outputs={"lender": ("scores",), "bureau": ("scores",)})),
    ("recipient", lambda plan: replace(plan, outputs={"lender": ("scores", "rows")})),
    ("limits", with_parameters(smallest_overlap=99)),
    ("limits", with_parameters(smallest_overlap=True)),
    ("limits", with_parameters(smallest_overlap="100")),
    ("limits", without("smallest_overlap")),
    ("limits", without("smallest_group")),
    ("limits", with_parameters(smallest_group=19)),
    ("parameter", with_parameters(request={"bins": 11, "kind": "a"})),
    ("parameter", with_parameters(request={"bins": 1, "kind": "a"})),
    ("parameter", with_parameters(request={"bins": True, "kind": "a"})),
    ("parameter", with_parameters(request={"bins": "5", "kind": "a"})),
    ("parameter", with_parameters(request={"bins": 5, "kind": "b"})),
    ("parameter", with_parameters(request={"kind": "a"})),
    ("parameter", without("request")),
    ("declared-size", with_parameters(declared={"lender": 900})),
    ("declared-size", with_parameters(declared={"lender": 900, "bureau": 0})),
    ("declared-size", with_parameters(declared={"lender": 900, "bureau": True})),
    ("declared-size", with_parameters(declared={"lender": 900, "bureau": "900"})),
    ("declared-size", with_parameters(declared=900)),
    ("catalogue-rows", with_parameters(declared={"lender": 1001, "bureau": 1})),
    ("disclosures", lambda plan: replace(plan, steps=(Step("s", SCORING, {Role.RECIPIENT: ("bureau",)}, {}),))),
]


@pytest.mark.parametrize(
    ("rule", "change"), DEPARTURES, ids=[f"{i}-{rule}" for i, (rule, _) in enumerate(DEPARTURES)]
)
def test_one_departure_is_refused_under_its_rule(
    agreed: Envelope, people: People, rule: str, change: Callable[[Plan], Plan]
) -> None:
    with pytest.raises(RefusedError) as caught:
        check(change(a_plan(agreed)), agreed, people)
    assert caught.value.rule == rule


def test_a_disclosure_to_a_stranger_is_refused(agreed: Envelope, people: People) -> None:
    plan = a_plan(agreed)
    step = Step("score", SCORING, {Role.RECIPIENT: ("lender",), Role.EACH: ("stranger",)}, {})
    telling = replace(SCORING, reveals=(*SCORING.reveals, Disclosure(Role.EACH, "the overlap")))
    with pytest.raises(RefusedError, match="stranger would learn"):
        check(replace(plan, steps=(replace(step, profile=telling),)), agreed, people)


def test_a_plan_that_discloses_more_than_the_agreement_lists_is_refused_by_the_sentence(
    terms: str, people: People
) -> None:
    reveals = (
        Disclosure(Role.RECIPIENT, "the scores"),
        Disclosure(Role.EACH, "how many of {rows} rows are common"),
        Disclosure(Role.DEALER, "the number of rows"),
    )
    roles = {Role.RECIPIENT: ("lender",), Role.EACH: ("bureau", "lender"), Role.DEALER: ("dealer",)}
    step = Step("score", replace(SCORING, reveals=reveals), roles, {"rows": "(900+)"})
    told = {
        "bureau": ["how many of * rows are common"],
        "lender": ["the scores", "how many of (900+) rows are common"],
        "dealer": ["*"],
    }

    def ask(listed: dict[str, list[str]]) -> None:
        text = terms.replace("[credit]", "[credit]\ndisclosures: " + json.dumps(listed))
        agreed = agreed_by_all(text, people)
        check(replace(a_plan(agreed), steps=(step,)), agreed, people)

    ask(told)
    for party, sentences in told.items():
        for left_out in sentences:
            with pytest.raises(RefusedError, match=f"{party} would learn: ") as caught:
                ask({**told, party: [sentence for sentence in sentences if sentence != left_out]})
            assert caught.value.rule == "disclosures"


def test_an_agreement_unsigned_altered_or_out_of_date_grants_nothing(agreed: Envelope, people: People) -> None:
    plan = a_plan(agreed)
    unsigned = replace(agreed, signatures=dict(list(agreed.signatures.items())[:2]))
    altered = replace(agreed, payload=agreed.payload.replace(b'"smallest_overlap":100', b'"smallest_overlap":001'))
    for document, now, rule in (
        (unsigned, NOON, "agreement-signatures"),
        (
            replace(agreed, payload=agreed.payload.replace(b"2027-12-31", b"2099-12-31")),
            NOON,
            "agreement-signatures",
        ),
        (altered, NOON, "agreement-signatures"),
        (agreed, datetime(2028, 1, 1, tzinfo=UTC), "agreement-dates"),
        (agreed, datetime(2025, 12, 31, 23, 59, tzinfo=UTC), "agreement-dates"),
    ):
        with pytest.raises(RefusedError) as caught:
            check(plan, document, people, now=now)
        assert caught.value.rule == rule


def test_the_own_catalogue_is_asked_for_own_columns_alone(agreed: Envelope, people: People) -> None:
    asked: list[tuple[str, str, Use]] = []
    cards = {n: c for n, (_, c) in people.items()}
    check_plan(
        a_plan(agreed), agreed, cards, "bureau", lambda *what: asked.append(what), ROWS.__getitem__, 0, NOON
    )
    assert asked == [("file", "inquiries", Use.FEATURE)]

    def closed(*_: object) -> None:
        raise RefusedError("catalogue-use", "not on offer")

    with pytest.raises(RefusedError, match="catalogue-use"):
        check_plan(a_plan(agreed), agreed, cards, "bureau", closed, ROWS.__getitem__, 0, NOON)
    check_plan(a_plan(agreed), agreed, cards, "dealer", closed, ROWS.__getitem__, 0, NOON)


def test_a_plan_that_needs_no_dealer_may_leave_the_agreed_one_out(agreed: Envelope, people: People) -> None:
    check(replace(a_plan(agreed), dealer=None), agreed, people)


def test_the_last_agreed_run_is_granted_and_the_next_is_not(agreed: Envelope, people: People) -> None:
    check(a_plan(agreed), agreed, people, runs=99)
    with pytest.raises(RefusedError, match="runs"):
        check(a_plan(agreed), agreed, people, runs=100)


def test_a_grant_holds_for_one_plan_one_party_and_one_day(agreed: Envelope, people: People) -> None:
    plan = a_plan(agreed)
    key, card = people["bureau"]
    granted = grant(plan, "bureau", {"file": 1}, key, NOON)
    require_grant(granted, plan.hash, card, NOON)
    other = replace(plan, seed="1" * 64)
    for attempt in (
        lambda: require_grant(granted, other.hash, card, NOON),
        lambda: require_grant(granted, plan.hash, people["lender"][1], NOON),
        lambda: require_grant(granted, plan.hash, card, NOON + timedelta(days=2)),
        lambda: require_grant(grant(plan, "lender", {}, key, NOON), plan.hash, card, NOON),
    ):
        with pytest.raises(VerificationError):
            attempt()


def test_a_refusal_carries_rule_and_mend_to_the_one_who_asked(agreed: Envelope, people: People) -> None:
    plan, (key, card) = a_plan(agreed), people["bureau"]
    document = refusal(plan, "bureau", RefusedError("runs", "used up", "propose more"), key, NOON)
    with pytest.raises(RefusedError, match="bureau: used up") as caught:
        require_grant(document, plan.hash, card, NOON)
    assert (caught.value.rule, caught.value.mend) == ("runs", "propose more")


@pytest.mark.parametrize(("seat", "passes"), [("EU", True), ("US", False), (None, False)])
def test_data_that_must_stay_is_not_computed_on_elsewhere(
    people: People, terms: str, seat: str | None, passes: bool
) -> None:
    seated = f", jurisdiction: {seat}" if seat else ""
    text = terms.replace("bureau: {role: controller}", f"bureau: {{role: controller{seated}}}")
    text = text.replace("lender: {role: controller}", "lender: {role: controller, jurisdiction: EU}")
    cards = {n: c for n, (_, c) in people.items()}
    document = propose(from_yaml(text + "localisation: {lender: [EU]}\n").with_keys(cards), people["lender"][0])
    for name in ("bureau", "dealer"):
        document = document.signed_by(people[name][0])
    plan = replace(a_plan(document), parameters={"smallest_overlap": 100, "smallest_group": 20})
    if passes:
        check(plan, document, people)
        return
    with pytest.raises(RefusedError, match="localisation"):
        check(plan, document, people)


def test_an_agreement_limits_the_identifiers_that_any_party_may_offer(terms: str, people: People) -> None:
    document = agreed_by_all(terms + "limits: {most_identifiers: 3000}\n", people)
    plan = a_plan(document)

    def ask(declared: dict[str, int] | None, me: str = "lender") -> None:
        more = {} if declared is None else {"declared": declared}
        check(replace(plan, parameters={**plan.parameters, **more}), document, people, me)

    ask({"lender": 1000, "bureau": 3000})
    ask({"lender": 2000, "bureau": 3000}, me="bureau")  # whose catalogue counts its own rows only
    for declared, rule, mend in (
        (None, "declared-size", "say in the request"),
        ({"lender": 1000, "bureau": 3001}, "most-identifiers", "declare fewer"),
        ({"lender": 1001, "bureau": 3000}, "catalogue-rows", "register it again"),
    ):
        with pytest.raises(RefusedError) as caught:
            ask(declared)
        assert caught.value.rule == rule
        assert mend in caught.value.mend
