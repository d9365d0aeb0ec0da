"""The kill switch: any party suspends, running jobs end everywhere, nothing new is granted until it resumes."""

from __future__ import annotations

import select
from time import monotonic

import pytest
from neighbourhood import AGREEMENT, REQUEST, SECONDS, Institution, Neighbourhood

from unseen.errors import MisuseError, RefusedError
from unseen.interaction.gate import Gate
from unseen.interaction.job import State
from unseen.interaction.ledger import Kind
from unseen.interaction.lifecycle import Phase, Step
from unseen.interaction.notices import Notices

LAPS = 100_000


@pytest.fixture
def agreement(houses: Neighbourhood, request: pytest.FixtureRequest) -> str:
    """An agreement for each test, so that others keep theirs."""
    return houses.agree(AGREEMENT.replace("agreement: Trial", f"agreement: {request.node.name}"))


def give(institution: Institution, agreement: str, step: Step, reason: str = "") -> None:
    """What `unseen agree suspend` and its like do."""
    with institution.home.store() as store:
        notices = Notices(institution.home, store)
        notices.give(agreement, step, reason)
        assert not notices.tell(agreement)


def submit(houses: Neighbourhood, agreement: str, laps: int = 1) -> str:
    with houses.lender.client() as client:
        return client.submit("trial", agreement, {**REQUEST, "laps": laps})


def phase(institution: Institution, agreement: str) -> Phase:
    with institution.home.store() as store:
        found = Gate(institution.home, store)
        _, data = store.agreement(agreement)
        from unseen.interaction.agreement import read_agreement
        from unseen.interaction.envelope import parse

        document = parse(data)
        return found.standing(document, read_agreement(document)).phase


def test_a_suspension_by_the_dealer_ends_a_running_job_everywhere_and_lifting_it_lets_the_next_one_run(
    houses: Neighbourhood, agreement: str
) -> None:
    job = submit(houses, agreement, LAPS)
    houses.wait_for_note(job, "laps begin")
    give(houses.dealer, agreement, Step.SUSPEND, "an incident")
    assert houses.settled(job, State.FAILED)
    for institution in houses.all:
        assert phase(institution, agreement) is Phase.SUSPENDED
    with pytest.raises(RefusedError, match="suspended by dealer"):
        houses.result(submit(houses, agreement))
    give(houses.dealer, agreement, Step.RESUME)
    assert houses.result(submit(houses, agreement))["state"] == "done"
    assert not houses.findings()


def test_an_exit_is_final_and_known_to_all(houses: Neighbourhood, agreement: str) -> None:
    give(houses.bureau, agreement, Step.EXIT, "the partnership ends")
    for institution in houses.all:
        assert phase(institution, agreement) is Phase.TERMINATED
    with pytest.raises(RefusedError, match="left by bureau"):
        houses.result(submit(houses, agreement))
    assert not houses.findings()


def test_an_exit_that_withdraws_results_erases_them_at_all_parties_with_a_record(
    houses: Neighbourhood, agreement: str
) -> None:
    job = submit(houses, agreement)
    houses.result(job)
    assert houses.settled(job, State.DONE)
    left = houses.bureau.command("agree", "leave", agreement[:16], "--reason", "over", "--withdraw", "all")
    assert left.returncode == 0, left.stderr
    for institution in houses.all:
        assert {path.name for path in institution.home.job_folder(job).iterdir()} <= {"task.json", "worker.log"}
        ledger = institution.home.ledger
        erased, revoked = ledger.find(f"{job}/erased"), ledger.find(f"exit/{agreement}/bureau")
        assert erased is not None
        assert erased.body["why"] == "withdrawn by bureau, which left the agreement"
        assert revoked is not None
        assert revoked.kind is Kind.KEY_EVENT
        assert revoked.body["revoked"] == [houses.bureau.home.card.fingerprint]
    with houses.lender.client() as client, pytest.raises(MisuseError, match="withdrawn by bureau"):
        client.result(job)
    assert not houses.findings()


def test_after_a_run_every_ledger_holds_the_others_heads(houses: Neighbourhood, agreement: str) -> None:
    before = {i.name: heads(i) for i in houses.all}
    houses.result(submit(houses, agreement))
    deadline = monotonic() + SECONDS
    while any(heads(i) < before[i.name] + 2 for i in houses.all):
        assert monotonic() < deadline
        select.select([], [], [], 0.05)
    assert not houses.findings()


def heads(institution: Institution) -> int:
    return sum(entry.kind is Kind.PARTNER_HEAD for entry in institution.home.ledger.entries())
