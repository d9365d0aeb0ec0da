"""Texts that follow one another: amendments, counter-proposals, and what an exit ends. Homes without nodes."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "end_to_end"))

from neighbourhood import AGREEMENT, REQUEST, Institution, Neighbourhood

from unseen.errors import MisuseError, RefusedError
from unseen.interaction.agreement import Agreement, from_yaml
from unseen.interaction.agreements import Agreements, Standing
from unseen.interaction.gate import Gate
from unseen.interaction.job import JobRecord, State, new_request, request_as_json
from unseen.interaction.ledger import Kind
from unseen.interaction.lifecycle import Phase, Step
from unseen.interaction.notices import Notices
from unseen.interaction.retention import Retention
from unseen.interaction.store import Store

NEWER = AGREEMENT.replace("{runs: 1000}", "{runs: 7}")


@pytest.fixture
def village(tmp_path: Path) -> Neighbourhood:
    """Three homes that know each other; no node runs, so that the test carries the documents."""
    return Neighbourhood(tmp_path)


@pytest.fixture
def stores(village: Neighbourhood) -> Iterator[dict[str, Store]]:
    found = {one.name: one.home.store() for one in village.all}
    yield found
    for store in found.values():
        store.close()


def at(one: Institution, stores: dict[str, Store]) -> Agreements:
    return Agreements(one.home, stores[one.name])


def carry(village: Neighbourhood, stores: dict[str, Store], standing: Standing, *signing: Institution) -> None:
    """Those who sign do, and everyone gets the document."""
    envelope = standing.envelope
    for one in signing:
        envelope = envelope.signed_by(one.home.signing_key)
    for one in village.all:
        at(one, stores).receive(envelope, "lender")


def agreed(village: Neighbourhood, stores: dict[str, Store], text: str = AGREEMENT) -> Standing:
    standing = at(village.lender, stores).propose(from_yaml(text))
    carry(village, stores, standing, *village.all)
    return standing


def phase(one: Institution, stores: dict[str, Store], agreement: str) -> Phase:
    found = at(one, stores).find(agreement)
    return Gate(one.home, stores[one.name]).standing(found.envelope, found.terms).phase


def test_an_amendment_takes_over_when_all_have_signed_and_the_older_version_stays_readable(
    village: Neighbourhood, stores: dict[str, Store]
) -> None:
    first = agreed(village, stores)
    newer = at(village.lender, stores).amend(first.id, from_yaml(NEWER))
    assert (newer.terms.version, newer.terms.amends, newer.terms.limits.runs) == (2, first.id, 7)
    carry(village, stores, newer, village.bureau)
    assert phase(village.bureau, stores, first.id) is Phase.EFFECTIVE
    carry(village, stores, newer, village.bureau, village.dealer)
    for one in village.all:
        assert phase(one, stores, first.id) is Phase.SUPERSEDED
        assert phase(one, stores, newer.id) is Phase.EFFECTIVE
        older = at(one, stores).find(first.id)
        assert older.effective
        assert older.terms.limits.runs == 1000


def test_an_amendment_that_skips_a_version_or_changes_a_party_is_taken_by_nobody(
    village: Neighbourhood, stores: dict[str, Store]
) -> None:
    first = agreed(village, stores)
    odd = from_yaml(NEWER + f'version: 3\namends: "{first.id}"\n')
    with pytest.raises(MisuseError, match="has version 2"):
        at(village.lender, stores).propose(odd)
    unknown = from_yaml(NEWER + f'version: 2\namends: "{"a" * 64}"\n')
    with pytest.raises(MisuseError, match="no agreement begins"):
        at(village.lender, stores).propose(unknown)
    other = _as_if_proposed(odd, village)
    with pytest.raises(RefusedError) as caught:
        at(village.bureau, stores).receive(other.envelope, "lender")
    assert caught.value.rule == "agreement-place"


def _as_if_proposed(terms: Agreement, village: Neighbourhood) -> Standing:
    """What a partner could send that does not check as we do."""
    from unseen.interaction.agreement import propose

    cards = {one.name: one.home.card for one in village.all}
    keyed = terms.with_keys(cards)
    return Standing(keyed.id, keyed, propose(keyed, village.lender.home.signing_key), ())


def test_a_counter_proposal_is_shown_beside_the_proposal_and_wins_when_all_sign_it(
    village: Neighbourhood, stores: dict[str, Store]
) -> None:
    proposal = at(village.lender, stores).propose(from_yaml(AGREEMENT))
    carry(village, stores, proposal)
    answer = at(village.bureau, stores).counter(proposal.id, from_yaml(NEWER))
    assert answer.terms.answers == proposal.id
    carry(village, stores, answer)
    assert phase(village.lender, stores, proposal.id) is Phase.COUNTERED
    assert phase(village.lender, stores, answer.id) is Phase.PROPOSED
    carry(village, stores, answer, village.lender, village.dealer)
    assert phase(village.lender, stores, proposal.id) is Phase.SUPERSEDED
    assert phase(village.lender, stores, answer.id) is Phase.EFFECTIVE


def test_what_all_have_signed_is_amended_and_not_countered(
    village: Neighbourhood, stores: dict[str, Store]
) -> None:
    first = agreed(village, stores)
    with pytest.raises(MisuseError, match="agree amend"):
        at(village.bureau, stores).counter(first.id, from_yaml(NEWER))


@pytest.mark.parametrize("step", [Step.TERMINATE, Step.EXIT])
def test_what_has_ended_has_no_further_version(
    village: Neighbourhood, stores: dict[str, Store], step: Step
) -> None:
    first = agreed(village, stores)
    Notices(village.bureau.home, stores["bureau"]).give(first.id, step, "over")
    with pytest.raises(MisuseError, match="by bureau; propose a new agreement"):
        at(village.bureau, stores).amend(first.id, from_yaml(NEWER))


def ended(store: Store, one: Institution, agreement: str, state: State, days: int) -> JobRecord:
    """A job that ended so many days ago and left a result, a log and a task."""
    request = new_request("trial", agreement, "lender", REQUEST)
    moment = (datetime.now(UTC) - timedelta(days=days)).isoformat(timespec="microseconds")
    record = JobRecord(
        request.job,
        "trial",
        agreement,
        "lender",
        state,
        request_as_json(request),
        "0" * 64,
        {},
        moment,
        moment,
        0.0,
    )
    store.add_job(record)
    folder = one.home.job_folder(request.job)
    (folder / "plots").mkdir(parents=True)
    for name in ("result.json", "scores.parquet", "plots/one.png", "worker.log", "task.json"):
        (folder / name).write_text("x")
    return record


@pytest.mark.parametrize(
    ("state", "days", "kept"),
    [(State.DONE, 29, True), (State.DONE, 31, False), (State.FAILED, 0, False), (State.RUNNING, 400, True)],
)
def test_results_leave_after_the_agreed_days_and_what_a_failed_run_left_at_once(
    village: Neighbourhood, stores: dict[str, Store], state: State, days: int, kept: bool
) -> None:
    first = agreed(village, stores, AGREEMENT + "retention: {results: 30, shares: 0}\n")
    lender, store = village.lender, stores["lender"]
    record = ended(store, lender, first.id, state, days)
    found = Retention(lender.home, store).sweep()
    left = {path.name for path in lender.home.job_folder(record.job).iterdir()}
    assert found == ([] if kept else [record.job])
    assert left == {"worker.log", "task.json"} | ({"result.json", "scores.parquet", "plots"} if kept else set())
    entry = lender.home.ledger.find(f"{record.job}/erased")
    assert (entry is None) is kept
    assert Retention(lender.home, store).sweep() == []
    if entry is not None:
        assert entry.kind is Kind.ADMINISTRATION
        assert "days" in str(entry.body["why"])
