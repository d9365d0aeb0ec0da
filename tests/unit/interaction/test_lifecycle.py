"""The life of an agreement: stopped by anyone, resumed by who stopped it, ended for good, replaced by all."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unseen.errors import MisuseError, RefusedError, VerificationError
from unseen.interaction.agreement import Agreement, from_yaml, propose, read_agreement
from unseen.interaction.envelope import Envelope, seal
from unseen.interaction.identity import Card, SigningKey
from unseen.interaction.lifecycle import (
    NOTICE,
    Notice,
    Phase,
    Step,
    as_json,
    differences,
    notice,
    read_notice,
    require_amendment,
    require_answer,
    standing,
)

People = dict[str, tuple[SigningKey, Card]]
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
DAY = date(2026, 6, 1)


def cards_of(people: People) -> dict[str, Card]:
    return {name: card for name, (_, card) in people.items()}


def signed(agreement: Agreement, people: People, *names: str) -> Envelope:
    document = propose(agreement, people[names[0]][0])
    for name in names[1:]:
        document = document.signed_by(people[name][0])
    return document


@pytest.fixture(scope="module")
def agreement(people: People, terms: str) -> Agreement:
    return from_yaml(terms).with_keys(cards_of(people))


@pytest.fixture(scope="module")
def agreed(people: People, agreement: Agreement) -> Envelope:
    return signed(agreement, people, "lender", "bureau", "dealer")


class Partners:
    """Three parties who give notices about one agreement."""

    def __init__(self, people: People, agreed: Envelope) -> None:
        self.people, self.agreed, self.terms = people, agreed, read_agreement(agreed)
        self.notices: list[Notice] = []

    def give(self, party: str, step: Step, **more: object) -> Notice:
        key = self.people[party][0]
        document = notice(self.terms, step, key, party, self.notices, NOON, **more)  # type: ignore[arg-type]
        self.notices.append(read_notice(document, self.terms, cards_of(self.people)))
        return self.notices[-1]

    def phase(self, day: date = DAY, *successors: Envelope) -> Phase:
        return standing(self.agreed, self.notices, successors, cards_of(self.people), day).phase


@pytest.fixture
def partners(people: People, agreed: Envelope) -> Partners:
    return Partners(people, agreed)


def test_dates_and_signatures_alone_give_the_first_phases(
    partners: Partners, people: People, agreement: Agreement
) -> None:
    assert partners.phase() is Phase.EFFECTIVE
    assert partners.phase(date(2025, 12, 31)) is Phase.WAITING
    assert partners.phase(date(2028, 1, 1)) is Phase.EXPIRED
    half = standing(signed(agreement, people, "lender"), [], [], cards_of(people), DAY)
    assert half.phase is Phase.PROPOSED
    assert "bureau, dealer" in half.why


def test_two_suspensions_need_two_to_lift_them(partners: Partners) -> None:
    partners.give("lender", Step.SUSPEND, reason="an incident")
    partners.give("dealer", Step.SUSPEND)
    partners.give("lender", Step.RESUME)
    assert partners.phase() is Phase.SUSPENDED
    with pytest.raises(MisuseError, match="nothing to resume"):
        partners.give("bureau", Step.RESUME)
    partners.give("dealer", Step.RESUME)
    assert partners.phase() is Phase.EFFECTIVE


def test_termination_is_final_and_names_who_and_why(partners: Partners, people: People) -> None:
    partners.give("bureau", Step.TERMINATE, reason="contract ended")
    with pytest.raises(MisuseError, match="final"):
        partners.give("bureau", Step.RESUME)
    found = standing(partners.agreed, partners.notices, [], cards_of(people), DAY)
    assert found.why == "terminated by bureau (contract ended)"
    with pytest.raises(RefusedError, match=r"agreement-phase.*propose a new agreement"):
        found.require_effective("Joint default scorecard")


def test_an_exit_names_keys_and_jobs_and_nothing_else_does(partners: Partners, people: People) -> None:
    key = people["bureau"][1].fingerprint
    with pytest.raises(MisuseError, match="only an exit"):
        partners.give("bureau", Step.SUSPEND, revoked_keys=[key])
    left = partners.give("bureau", Step.EXIT, revoked_keys=[key], withdrawn_jobs=["a" * 32])
    assert left.revoked_keys == (key,)
    assert left.withdrawn_jobs == ("a" * 32,)
    assert partners.phase() is Phase.TERMINATED


def test_a_replayed_resumption_does_not_lift_a_later_suspension(partners: Partners) -> None:
    partners.give("lender", Step.SUSPEND)
    old = partners.give("lender", Step.RESUME)
    partners.give("lender", Step.SUSPEND)
    partners.notices.append(old)
    assert partners.phase() is Phase.SUSPENDED


def test_the_phase_does_not_depend_on_the_order_of_arrival(partners: Partners, people: People) -> None:
    partners.give("lender", Step.SUSPEND)
    partners.give("bureau", Step.SUSPEND)
    partners.give("lender", Step.RESUME)
    partners.give("bureau", Step.RESUME)
    for order in itertools.permutations(partners.notices):
        assert standing(partners.agreed, order, [], cards_of(people), DAY).phase is Phase.EFFECTIVE


def test_a_notice_is_believed_only_under_the_key_of_the_party_it_names(
    partners: Partners, people: People, agreement: Agreement
) -> None:
    forged = as_json(partners.give("lender", Step.SUSPEND))
    cards = cards_of(people)
    for document in (
        seal(NOTICE, forged, people["bureau"][0]),
        seal("application/other", forged, people["lender"][0]),
        seal(NOTICE, {"agreement": agreement.id}, people["lender"][0]),
        seal(NOTICE, {**forged, "agreement": "0" * 64}, people["lender"][0]),  # type: ignore[dict-item]
        replace(seal(NOTICE, forged, people["lender"][0]), payload=b"\xff"),
    ):
        with pytest.raises(VerificationError):
            read_notice(document, agreement, cards)


def amended(agreement: Agreement, **changes: object) -> Agreement:
    return agreement.model_copy(update={"version": agreement.version + 1, "amends": agreement.id, **changes})


def test_an_amendment_replaces_the_old_version_once_all_have_signed(
    partners: Partners, people: People, agreement: Agreement
) -> None:
    newer = amended(agreement, purpose="dpv:FraudPreventionAndDetection")
    require_amendment(newer, agreement)
    assert partners.phase(DAY, signed(newer, people, "lender", "bureau")) is Phase.EFFECTIVE
    assert partners.phase(DAY, signed(newer, people, "lender", "bureau", "dealer")) is Phase.SUPERSEDED
    assert "changed purpose: dpv:CreditChecking → dpv:FraudPreventionAndDetection" in differences(agreement, newer)


def test_an_amendment_of_something_else_or_with_other_parties_is_none(agreement: Agreement) -> None:
    with pytest.raises(MisuseError, match="version 2"):
        require_amendment(amended(agreement, version=5), agreement)
    parties = {**agreement.parties, "stranger": agreement.parties["lender"]}
    with pytest.raises(MisuseError, match="keeps the parties"):
        require_amendment(amended(agreement, parties=parties), agreement)


def answer(agreement: Agreement, **changes: object) -> Agreement:
    return agreement.model_copy(update={"answers": agreement.id, **changes})


def test_a_counter_proposal_stands_beside_the_proposal_until_all_have_signed_one_of_them(
    people: People, agreement: Agreement
) -> None:
    proposal = signed(agreement, people, "lender", "dealer")
    other = answer(agreement, purpose="dpv:FraudPreventionAndDetection")
    require_answer(other, agreement)
    cards = cards_of(people)
    found = standing(proposal, [], [signed(other, people, "bureau")], cards, DAY)
    assert (found.phase, found.why) == (Phase.COUNTERED, f"bureau offers {other.id[:12]} instead")
    with pytest.raises(RefusedError, match="is countered"):
        found.require_effective("it")
    everyone = ("bureau", "lender", "dealer")
    assert standing(proposal, [], [signed(other, people, *everyone)], cards, DAY).phase is Phase.SUPERSEDED
    assert standing(signed(other, people, *everyone), [], [proposal], cards, DAY).phase is Phase.EFFECTIVE


def test_an_answer_to_something_else_or_with_other_parties_is_none(agreement: Agreement) -> None:
    with pytest.raises(MisuseError, match="answers"):
        require_answer(answer(agreement, answers="0" * 64), agreement)
    parties = {**agreement.parties, "stranger": agreement.parties["lender"]}
    with pytest.raises(MisuseError, match="keeps the parties"):
        require_answer(answer(agreement, parties=parties), agreement)
    with pytest.raises(MisuseError, match="has the version"):
        require_answer(answer(agreement, version=2, amends="0" * 64), agreement)


def test_a_version_signed_by_other_parties_replaces_nothing(
    partners: Partners, people: People, agreement: Agreement
) -> None:
    alone = {name: party for name, party in agreement.parties.items() if name != "dealer"}
    newer = amended(agreement, parties=alone)
    assert partners.phase(DAY, signed(newer, people, "lender", "bureau")) is Phase.EFFECTIVE


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(["lender", "bureau", "dealer"]), st.sampled_from(list(Step))), max_size=12)
)
def test_any_sequence_of_steps_agrees_with_a_plain_model(
    people: People, agreed: Envelope, steps: list[tuple[str, Step]]
) -> None:
    partners = Partners(people, agreed)
    suspended: set[str] = set()
    ended: set[str] = set()
    for party, step in steps:
        allowed = party not in ended and (
            step in (Step.TERMINATE, Step.EXIT)
            or (step is Step.SUSPEND and party not in suspended)
            or (step is Step.RESUME and party in suspended)
        )
        if not allowed:
            with pytest.raises(MisuseError):
                partners.give(party, step)
            continue
        partners.give(party, step)
        if step is Step.SUSPEND:
            suspended.add(party)
        elif step is Step.RESUME:
            suspended.discard(party)
        else:
            ended.add(party)
    expected = Phase.TERMINATED if ended else Phase.SUSPENDED if suspended else Phase.EFFECTIVE
    assert partners.phase() is expected
