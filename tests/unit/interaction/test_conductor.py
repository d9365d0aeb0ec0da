"""What a node accepts of a partner about a job, and what it makes of jobs after a crash. No network: one node."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "end_to_end"))

from neighbourhood import APPLICATIONS, REQUEST, Neighbourhood

from unseen.errors import MisuseError, PeerLostError, RefusedError, UnseenError
from unseen.interaction.agreement import from_yaml
from unseen.interaction.agreements import Agreements
from unseen.interaction.application import Request
from unseen.interaction.asking import Asking
from unseen.interaction.checks import grant
from unseen.interaction.conductor import Conductor
from unseen.interaction.envelope import Envelope, seal
from unseen.interaction.job import Fault, State, new_request
from unseen.interaction.ledger import Kind, read_entries
from unseen.interaction.receipt import RECEIPT
from unseen.interaction.store import now
from unseen.interaction.workshop import Workshop


@pytest.fixture(scope="module")
def village(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Neighbourhood]:
    """Three homes that know each other and have signed; no node runs."""
    from neighbourhood import AGREEMENT

    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(APPLICATIONS))
        houses = Neighbourhood(tmp_path_factory.mktemp("village"))
        with houses.lender.home.store() as store:
            standing = Agreements(houses.lender.home, store).propose(from_yaml(AGREEMENT))
        envelope = standing.envelope
        for institution in (houses.bureau, houses.dealer):
            envelope = envelope.signed_by(institution.home.signing_key)
        for institution in houses.all:
            with institution.home.store() as store:
                Agreements(institution.home, store).receive(envelope, "bureau")
        houses.agreement = standing.id
        yield houses


@pytest.fixture
def bureau(village: Neighbourhood) -> Iterator[Conductor]:
    """The bureau's side."""
    with village.bureau.home.store() as store:
        workshop = Workshop()
        conductor = Conductor(village.bureau.home, store, workshop)
        yield conductor
        workshop.close()
        conductor.close()


@pytest.fixture
def request_(village: Neighbourhood) -> Request:
    return new_request("trial", village.agreement, "lender", REQUEST)


def hash_of(conductor: Conductor, request: Request) -> str:
    return conductor.derive(request)[0].hash


def granted(conductor: Conductor, request: Request) -> str:
    """Let the bureau grant; the job's name."""
    document = conductor.consider(request, hash_of(conductor, request), "lender", now())
    assert document.kind.endswith("grant+json"), document.read()
    return request.job


def test_a_right_request_is_granted_and_stands_in_store_and_ledger(bureau: Conductor, request_: Request) -> None:
    job = granted(bureau, request_)
    assert bureau.store.job(job).state is State.GRANTED
    entries = [entry for entry, _ in read_entries(bureau.home.path / "ledger" / "entries.jsonl")]
    assert any(entry.kind is Kind.GRANT and entry.body["job"] == job for entry in entries)


def test_the_same_request_is_not_granted_twice(bureau: Conductor, request_: Request) -> None:
    granted(bureau, request_)
    with pytest.raises(MisuseError, match="exists already"):
        granted(bureau, request_)


@pytest.mark.parametrize("hours", [1, -1])
def test_a_clock_an_hour_off_is_named(bureau: Conductor, request_: Request, hours: int) -> None:
    moment = (datetime.now(UTC) + timedelta(hours=hours)).isoformat()
    with pytest.raises(RefusedError) as caught:
        bureau.consider(request_, hash_of(bureau, request_), "lender", moment)
    assert caught.value.rule == "clock"
    assert "60 minutes apart" in caught.value.reason


@pytest.mark.parametrize("moment", ["", "yesterday", "2026-01-01"])
def test_a_time_that_is_none_is_refused(bureau: Conductor, request_: Request, moment: str) -> None:
    with pytest.raises((MisuseError, RefusedError)):
        bureau.consider(request_, hash_of(bureau, request_), "lender", moment)


def test_nobody_asks_in_anothers_name(bureau: Conductor, request_: Request) -> None:
    with pytest.raises(RefusedError) as caught:
        bureau.consider(request_, hash_of(bureau, request_), "dealer", now())
    assert caught.value.rule == "requester"


def test_another_plan_under_the_same_request_is_refused_and_signed(bureau: Conductor, request_: Request) -> None:
    document = bureau.consider(request_, "0" * 64, "lender", now())
    assert document.kind.endswith("refusal+json")
    with pytest.raises(MisuseError):
        bureau.store.job(request_.job)


def test_an_application_that_is_not_installed_is_named(bureau: Conductor, request_: Request) -> None:
    with pytest.raises(RefusedError, match="'nothing' is installed"):
        bureau.consider(replace(request_, application="nothing"), "0" * 64, "lender", now())


def test_a_run_does_not_begin_without_everyones_grant(bureau: Conductor, request_: Request) -> None:
    plan, _ = bureau.derive(request_)
    own = bureau.consider(request_, plan.hash, "lender", now())
    with pytest.raises(RefusedError) as caught:
        bureau.begin(request_.job, {"bureau": own}, "lender")
    assert caught.value.rule == "grants"
    assert bureau.store.job(request_.job).state is State.GRANTED


def test_a_grant_of_another_party_or_plan_does_not_count(bureau: Conductor, village: Neighbourhood) -> None:
    one, two = (new_request("trial", village.agreement, "lender", REQUEST) for _ in range(2))
    grants = {}
    for request in (one, two):
        plan, _ = bureau.derive(request)
        grants[request.job] = bureau.consider(request, plan.hash, "lender", now())
    stolen = dict.fromkeys(("bureau", "lender", "dealer"), grants[one.job])
    with pytest.raises(UnseenError):
        bureau.begin(one.job, stolen, "lender")
    with pytest.raises(UnseenError):
        bureau.begin(two.job, stolen, "lender")
    assert bureau.store.job(one.job).state is bureau.store.job(two.job).state is State.GRANTED


def test_only_the_asking_party_begins_and_only_a_party_abandons(bureau: Conductor, request_: Request) -> None:
    job = granted(bureau, request_)
    with pytest.raises(RefusedError):
        bureau.begin(job, {}, "dealer")
    with pytest.raises(RefusedError):
        bureau.abandon(job, Fault("aborted", "because"), "stranger")
    bureau.abandon(job, Fault("aborted", "no reason"), "lender")
    fault = bureau.store.job(job).fault
    assert fault is not None
    assert fault.party == "lender"


def test_who_passes_blame_on_is_named_with_it(bureau: Conductor, request_: Request) -> None:
    job = granted(bureau, request_)
    bureau.abandon(job, Fault("peer-lost", "its worker was killed", "dealer"), "lender")
    fault = bureau.store.job(job).fault
    assert fault is not None
    assert isinstance(fault.error(), PeerLostError)
    assert str(fault) == "dealer: its worker was killed (reported by lender)"


def test_after_a_crash_nothing_is_left_half_granted(bureau: Conductor, request_: Request) -> None:
    job = granted(bureau, request_)
    asking = Asking(bureau)
    asking.recover()
    record = bureau.store.job(job)
    assert record.state is State.FAILED
    assert record.fault is not None
    assert "its node stopped while the job was granted" in record.fault.message
    asking.close()


def test_what_was_granted_and_never_started_ends_by_itself(
    bureau: Conductor, request_: Request, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = granted(bureau, request_)
    asking = Asking(bureau)
    asking.check()
    assert bureau.store.job(job).state is State.GRANTED
    later = time.time() + 1000
    monkeypatch.setattr("unseen.interaction.asking.time.time", lambda: later)
    asking.check()
    record = bureau.store.job(job)
    assert record.state is State.FAILED
    assert record.fault is not None
    assert record.fault.party == "lender"
    asking.close()


def test_a_request_over_the_bound_is_refused(bureau: Conductor, village: Neighbourhood) -> None:
    asking = Asking(bureau)
    body: dict[str, Any] = {**REQUEST, "laps": 1, "more": "x" * (1 << 20)}
    with pytest.raises(MisuseError, match="at most"):
        asking.prepare("trial", village.agreement, body)
    asking.close()


def test_of_two_grants_asked_at_once_against_one_run_one_is_refused(
    bureau: Conductor, village: Neighbourhood
) -> None:
    from neighbourhood import AGREEMENT

    single = AGREEMENT.replace("agreement: Trial", "agreement: Once").replace("runs: 1000", "runs: 1")
    with village.lender.home.store() as store:
        envelope = Agreements(village.lender.home, store).propose(from_yaml(single)).envelope
    for institution in (village.bureau, village.dealer):
        envelope = envelope.signed_by(institution.home.signing_key)
    once = bureau.agreements.receive(envelope, "lender").id
    requests = [new_request("trial", once, "lender", REQUEST) for _ in range(6)]
    with ThreadPoolExecutor(len(requests)) as pool:
        documents = list(
            pool.map(lambda one: bureau.consider(one, hash_of(bureau, one), "lender", now()), requests)
        )
    refusals = [document.read() for document in documents if document.kind.endswith("refusal+json")]
    assert len(refusals) == len(requests) - 1
    assert {refusal["rule"] for refusal in refusals} == {"runs"}  # type: ignore[index,call-overload]
    assert len(bureau.gate.held(once)) == 1


def test_what_was_granted_for_an_asker_that_gave_up_meanwhile_ends_when_the_asker_is_asked(
    bureau: Conductor, request_: Request, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = granted(bureau, request_)

    class Lender:
        """The asker's node, which was killed, and whose word came before the grant did."""

        def __enter__(self) -> Lender:
            return self

        def __exit__(self, *_: object) -> None: ...

        def outcome(self, of: str) -> dict[str, Any]:
            fault = Fault("aborted", "its node stopped while the job was requested", "lender")
            return {"state": "failed", "receipt": None, "fault": fault.as_json() if of == job else None}

    monkeypatch.setattr(bureau, "client", lambda party: Lender())
    asking = Asking(bureau)
    asking.check()
    assert bureau.store.job(job).state is State.GRANTED
    monkeypatch.setattr("unseen.interaction.asking.OUTCOME_SECONDS", -1.0)
    asking.check()
    assert bureau.store.job(job).state is State.FAILED
    assert not bureau.gate.budget.reserved() or job not in bureau.gate.budget.reserved()
    asking.close()


def receipt_of(bureau: Conductor, village: Neighbourhood) -> Envelope:
    """Something signed by all that says it is a receipt, of no job in particular."""
    document = seal(RECEIPT, {"job": "0" * 32}, bureau.home.signing_key)
    for institution in (village.lender, village.dealer):
        document = document.signed_by(institution.home.signing_key)
    return document


@pytest.mark.parametrize("state", list(State))
def test_no_message_out_of_its_order_moves_a_job(
    bureau: Conductor, request_: Request, village: Neighbourhood, state: State
) -> None:
    """A malicious asker says everything that it can say, twice, in a state in which nothing of it fits."""
    plan, _ = bureau.derive(request_)
    grants = {one.name: grant(plan, one.name, {}, one.home.signing_key, datetime.now(UTC)) for one in village.all}
    bureau.record(request_, plan, state)
    job, receipt = request_.job, receipt_of(bureau, village)
    said = {
        "begin": lambda: bureau.begin(job, grants, "lender"),
        "begin without grants": lambda: bureau.begin(job, {}, "lender"),
        "grant": lambda: bureau.consider(request_, plan.hash, "lender", now()),
        "conclude": lambda: bureau.conclude(job, receipt, "lender"),
        "conclude by another": lambda: bureau.conclude(job, receipt, "dealer"),
    }
    if state not in (State.RUNNING, State.COMPUTED, State.DONE):
        said["countersign"] = lambda: bureau.countersign(job, "lender")
    if state is State.GRANTED:
        del said["begin"]  # here it fits
    for words, say in said.items():
        for _ in range(2):
            with pytest.raises(UnseenError):
                say()
            assert bureau.store.job(job).state is state, words
