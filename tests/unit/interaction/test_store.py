"""The store keeps what it is told, and lets a job move only where its state leads."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unseen.errors import MisuseError
from unseen.interaction.job import Fault, JobRecord, State
from unseen.interaction.store import Store, now

JOB = "0123456789abcdef" * 2


def record(job: str = JOB, state: State = State.REQUESTED) -> JobRecord:
    return JobRecord(
        job=job,
        application="trial",
        agreement="a" * 64,
        requester="lender",
        state=state,
        request={"job": job},
        plan_hash="b" * 64,
        plan={"parties": ["bureau", "lender"], "dealer": "dealer"},
        created=now(),
        updated=now(),
        expires=0.0,
    )


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "state.db") as opened:
        yield opened


def test_a_job_is_found_by_its_first_digits_as_it_was_stored(store: Store) -> None:
    store.add_job(record())
    assert store.job(JOB[:6]).plan == record().plan
    assert store.job(JOB).parties == ("bureau", "lender", "dealer")


@pytest.mark.parametrize(("prefix", "says"), [("ff", "no job begins"), ("", "no job begins"), ("0%", "no job")])
def test_an_unknown_job_is_said_so(store: Store, prefix: str, says: str) -> None:
    store.add_job(record())
    with pytest.raises(MisuseError, match=says):
        store.job(prefix)


def test_an_ambiguous_beginning_is_said_so(store: Store) -> None:
    store.add_job(record())
    store.add_job(record(JOB[:8] + "f" * 24))
    with pytest.raises(MisuseError, match="several jobs"):
        store.job(JOB[:4])


def test_a_job_of_the_same_name_is_not_stored_twice(store: Store) -> None:
    store.add_job(record())
    with pytest.raises(MisuseError, match="exists already"):
        store.add_job(record())


@settings(max_examples=30, deadline=None)
@given(moves=st.lists(st.sampled_from(State), max_size=8))
def test_a_job_follows_its_states_whatever_is_tried(
    tmp_path_factory: pytest.TempPathFactory, moves: list[State]
) -> None:
    with Store(tmp_path_factory.mktemp("store") / "state.db") as store:
        store.add_job(record())
        state = State.REQUESTED
        for move in moves:
            assert store.move(JOB, move) is state.may_become(move)
            state = move if state.may_become(move) else state
            assert store.job(JOB).state is state


def test_of_many_who_end_a_job_at_once_one_wins_and_its_reason_stands(store: Store) -> None:
    store.add_job(record())

    def fail(number: int) -> bool:
        return store.move(JOB, State.FAILED, fault=Fault("aborted", f"reason {number}"))

    with ThreadPoolExecutor(8) as pool:
        won = [number for number, first in enumerate(pool.map(fail, range(8))) if first]
    fault = store.job(JOB).fault
    assert len(won) == 1
    assert fault is not None
    assert fault.message == f"reason {won[0]}"


def test_events_come_in_order_and_only_the_new_ones(store: Store) -> None:
    store.add_job(record())
    store.add_event(JOB, "progress", {"step": "align", "done": 0.5})
    store.move(JOB, State.GRANTED)
    first, *rest = store.events(JOB)
    assert (first.kind, first.body) == ("state", {"state": "requested"})
    assert [event.kind for event in store.events(JOB, first.id)] == ["progress", "state"]
    assert [event.as_json() for event in rest] == [event.as_json() for event in store.events(JOB, first.id)]


def test_what_another_process_wrote_is_there(tmp_path: Path) -> None:
    with Store(tmp_path / "state.db") as one, Store(tmp_path / "state.db") as other:
        one.save_partner("bureau", b"card")
        assert other.partners() == {"bureau": b"card"}
        other.save_partner("bureau", b"new card")
        assert one.partners() == {"bureau": b"new card"}
        other.remove_partner("bureau")
        assert not one.partners()


def test_agreements_are_found_by_their_beginning_newest_change_first(store: Store) -> None:
    store.save_agreement("aa" * 32, "first", b"1")
    store.save_agreement("bb" * 32, "second", b"2")
    store.save_agreement("aa" * 32, "first", b"3")
    assert store.agreement("aa") == ("aa" * 32, b"3")
    assert [name for name, _ in store.agreements()] == ["aa" * 32, "bb" * 32]
    with pytest.raises(MisuseError, match="no agreement begins"):
        store.agreement("cc")


def test_jobs_are_listed_by_state_and_agreement(store: Store) -> None:
    store.add_job(record())
    store.add_job(record("f" * 32, State.DONE))
    assert [found.job for found in store.jobs(State.DONE)] == ["f" * 32]
    assert len(store.jobs(agreement="a" * 64)) == 2
    assert not store.jobs(agreement="c" * 64)
