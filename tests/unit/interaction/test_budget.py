"""The privacy budget: never overdrawn, by nobody, in no order, and never lost in a crash."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sql
from hypothesis import given, settings
from hypothesis import strategies as st

from unseen.errors import MisuseError, RefusedError
from unseen.interaction.budget import BudgetBook, Charge, agreement_account, dataset_account, run_charges
from unseen.interaction.terms import Limits, PrivacyBudget

ONE = PrivacyBudget(epsilon=1.0, delta=1e-6, days=30)
FILE = dataset_account("file")
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


def engine_at(path: Path) -> sql.Engine:
    return sql.create_engine(f"sqlite:///{path}", connect_args={"timeout": 30.0})


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def book(tmp_path: Path, clock: Clock) -> Iterator[BudgetBook]:
    engine = engine_at(tmp_path / "state.db")
    yield BudgetBook(engine, clock)
    engine.dispose()


def test_the_limit_is_a_hard_stop_and_the_refusal_says_what_is_left(book: BudgetBook) -> None:
    for job in range(10):
        book.reserve(str(job), [Charge(FILE, 0.1, 1e-7, ONE)])
    with pytest.raises(RefusedError, match="0 of 1 is left in 30 days") as caught:
        book.reserve("10", [Charge(FILE, 1e-9, 0.0, ONE)])
    assert caught.value.rule == "privacy-budget"
    assert book.balance(FILE, ONE).left_epsilon == 0.0


def test_a_delta_used_up_stops_as_an_epsilon_does(book: BudgetBook) -> None:
    book.reserve("a", [Charge(FILE, 0.1, 1e-6, ONE)])
    with pytest.raises(RefusedError):
        book.reserve("b", [Charge(FILE, 0.1, 1e-12, ONE)])


def test_a_job_is_charged_on_all_its_accounts_or_on_none(book: BudgetBook) -> None:
    other = agreement_account("a" * 64)
    book.reserve("a", [Charge(FILE, 0.9, 0.0, ONE)])
    with pytest.raises(RefusedError):
        book.reserve("b", [Charge(other, 0.5, 0.0, ONE), Charge(FILE, 0.5, 0.0, ONE)])
    assert book.balance(other, ONE).spent_epsilon == 0.0


def test_what_never_began_is_released_and_what_began_is_not(book: BudgetBook) -> None:
    book.reserve("a", [Charge(FILE, 0.5, 0.0, ONE)])
    book.reserve("b", [Charge(FILE, 0.5, 0.0, ONE)])
    assert book.reserved() == ["a", "b"]
    book.settle("a", began=False)
    book.settle("b", began=True)
    book.settle("b", began=False)
    assert book.reserved() == []
    assert book.balance(FILE, ONE).spent_epsilon == 0.5
    with pytest.raises(MisuseError, match="has ended"):
        book.reserve("a", [Charge(FILE, 0.1, 0.0, ONE)])


def test_asking_again_for_the_same_job_costs_nothing_more(book: BudgetBook) -> None:
    for _ in range(3):
        book.reserve("a", [Charge(FILE, 0.7, 0.0, ONE)])
    assert book.balance(FILE, ONE).spent_epsilon == 0.7


def test_the_period_moves_on_but_an_unsettled_job_keeps_its_hold(book: BudgetBook, clock: Clock) -> None:
    book.reserve("a", [Charge(FILE, 0.6, 0.0, ONE)])
    book.reserve("b", [Charge(FILE, 0.4, 0.0, ONE)])
    book.settle("a", began=True)
    clock.now += timedelta(days=31)
    assert book.balance(FILE, ONE).spent_epsilon == 0.4
    book.reserve("c", [Charge(FILE, 0.6, 0.0, ONE)])
    with pytest.raises(RefusedError):
        book.reserve("d", [Charge(FILE, 0.01, 0.0, ONE)])


def test_runs_are_counted_in_the_same_book_in_all_and_by_the_day(book: BudgetBook, clock: Clock) -> None:
    limits = Limits(runs=3, runs_per_day=2)
    for job in "ab":
        book.reserve(job, run_charges("x", limits))
    with pytest.raises(RefusedError, match="2 runs within 24 hours") as caught:
        book.reserve("c", run_charges("x", limits))
    assert caught.value.rule == "runs-per-day"
    for job in "ab":
        book.settle(job, began=True)
    clock.now += timedelta(days=2)
    book.reserve("c", run_charges("x", limits))
    with pytest.raises(RefusedError, match="3 runs are used up"):
        book.reserve("d", run_charges("x", limits))
    book.settle("c", began=False)
    book.reserve("d", run_charges("x", limits))


@pytest.mark.parametrize("amount", [float("nan"), float("inf"), -0.1])
def test_a_cost_that_is_no_cost_is_refused(amount: float) -> None:
    with pytest.raises(MisuseError):
        Charge(FILE, amount, 0.0, ONE)


def spend(path: Path, name: str, start: object) -> None:
    engine = engine_at(path)
    book = BudgetBook(engine)
    start.wait(30)  # type: ignore[attr-defined]
    for number in range(15):
        try:
            book.reserve(f"{name}{number}", [Charge(FILE, 0.1, 0.0, ONE)])
        except RefusedError:
            break
    engine.dispose()


def test_processes_that_ask_at_once_never_overdraw(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    engine = engine_at(path)
    book = BudgetBook(engine)
    context = multiprocessing.get_context("fork")
    start = context.Barrier(3)
    spenders = [context.Process(target=spend, args=(path, name, start)) for name in "abc"]
    for spender in spenders:
        spender.start()
    for spender in spenders:
        spender.join(60)
        assert spender.exitcode == 0
    assert len(book.reserved()) == 10
    assert book.balance(FILE, ONE).left_epsilon == 0.0
    engine.dispose()


def reserve_and_die(path: Path, told: object) -> None:
    book = BudgetBook(engine_at(path))
    book.reserve("crashed", [Charge(FILE, 0.5, 0.0, ONE)])
    told.set()  # type: ignore[attr-defined]
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_reservation_outlives_the_process_that_made_it(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    engine = engine_at(path)
    book = BudgetBook(engine)
    context = multiprocessing.get_context("fork")
    told = context.Event()
    process = context.Process(target=reserve_and_die, args=(path, told))
    process.start()
    assert told.wait(30)
    process.join(30)
    assert book.reserved() == ["crashed"]
    book.settle("crashed", began=False)
    assert book.balance(FILE, ONE).spent_epsilon == 0.0
    engine.dispose()


Moves = st.lists(
    st.tuples(st.sampled_from("abcdef"), st.sampled_from([0.0, 0.1, 0.25, 0.3]), st.sampled_from("rcx")),
    max_size=25,
)


@settings(max_examples=60, deadline=None)
@given(Moves)
def test_any_sequence_of_moves_agrees_with_a_plain_model(moves: list[tuple[str, float, str]]) -> None:
    engine = sql.create_engine("sqlite://")
    book = BudgetBook(engine, Clock())
    held: dict[str, int] = {}
    settled: dict[str, bool] = {}
    for job, epsilon, move in moves:
        if move != "r":
            book.settle(job, began=move == "c")
            if job in held and job not in settled:
                settled[job] = move == "c"
            continue
        used = sum(cost for name, cost in held.items() if settled.get(name, True))
        cost = round(epsilon * 100)
        charge = [Charge(FILE, epsilon, 0.0, ONE)]
        if job in held and not settled.get(job, True):
            with pytest.raises(MisuseError):
                book.reserve(job, charge)
        elif job in held or used + cost <= 100:
            book.reserve(job, charge)
            held.setdefault(job, cost)
        else:
            with pytest.raises(RefusedError):
                book.reserve(job, charge)
    spent = sum(cost for name, cost in held.items() if settled.get(name, True))
    assert round(book.balance(FILE, ONE).spent_epsilon * 100) == spent <= 100
    engine.dispose()
