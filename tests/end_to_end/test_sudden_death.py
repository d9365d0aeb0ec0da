"""Nodes are killed without a word at instants drawn by chance; after their restart all agree on every job.

The suite draws a few instants; `make deaths` draws fifty (UNSEEN_DEATHS=50).
"""

from __future__ import annotations

import contextlib
import os
import random
import select
import signal
from time import monotonic

import pytest
from neighbourhood import SECONDS, Institution, Neighbourhood, next_run_works

from unseen.errors import UnseenError
from unseen.interaction.budget import BudgetBook
from unseen.interaction.job import State
from unseen.interaction.ledger import read_entries

INSTANTS = int(os.environ.get("UNSEEN_DEATHS", "3"))
LONGEST = 1.5
"""Seconds after the request within which the node dies: the whole of a short job, grants and receipt included."""


@pytest.mark.parametrize("seed", range(INSTANTS))
def test_after_a_sudden_death_all_agree_no_entry_is_lost_and_no_budget_is_half_granted(
    houses: Neighbourhood, seed: int
) -> None:
    chance = random.Random(seed)
    victim = chance.choice(houses.all)
    before = {one.name: leaves(one) for one in houses.all}
    job = ""
    with contextlib.suppress(UnseenError):
        job = houses.submit(laps=50)
    select.select([], [], [], chance.uniform(0.0, LONGEST))
    victim.stop(signal.SIGKILL)
    victim.start()
    states = _final(houses, job)
    assert states <= {State.DONE} or states <= {State.FAILED, State.REFUSED}, states
    assert not houses.findings()
    for one in houses.all:
        assert leaves(one)[: len(before[one.name])] == before[one.name]
        assert not _reserved(one)
    next_run_works(houses)


def leaves(institution: Institution) -> list[bytes]:
    """The digests of all whole entries in an institution's ledger, in order."""
    return [leaf for _, leaf in read_entries(institution.home.path / "ledger" / "entries.jsonl")]


def _reserved(institution: Institution) -> list[str]:
    """Jobs whose runs and budget are neither spent nor given back, once there are none or time is up."""
    deadline = monotonic() + SECONDS
    with institution.home.store() as store:
        book = BudgetBook(store.engine)
        while (held := book.reserved()) and monotonic() < deadline:
            select.select([], [], [], 0.1)
    return held


def _final(houses: Neighbourhood, job: str) -> set[State]:
    """The states of the job where it is known, once all are final."""
    deadline = monotonic() + SECONDS
    while True:
        states = houses.states(job)
        if all(state.final for state in states):
            return set(states)
        assert monotonic() < deadline, states
        select.select([], [], [], 0.1)
