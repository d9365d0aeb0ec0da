"""Nodes are killed without a word at instants drawn by chance; after their restart all agree on every job."""

from __future__ import annotations

import contextlib
import random
import select
import signal
from time import monotonic

import pytest
from neighbourhood import SECONDS, Neighbourhood, next_run_works

from unseen.errors import UnseenError
from unseen.interaction.job import State
from unseen.interaction.ledger import read_entries

INSTANTS = 3
LONGEST = 1.5
"""Seconds after the request within which the node dies: the whole of a short job, grants and receipt included."""


@pytest.mark.parametrize("seed", range(INSTANTS))
def test_after_a_sudden_death_all_agree_on_the_job_and_no_entry_is_lost(houses: Neighbourhood, seed: int) -> None:
    chance = random.Random(seed)
    victim = chance.choice(houses.all)
    before = {one.name: len(list(read_entries(one.home.path / "ledger" / "entries.jsonl"))) for one in houses.all}
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
        assert len(list(read_entries(one.home.path / "ledger" / "entries.jsonl"))) >= before[one.name]
    next_run_works(houses)


def _final(houses: Neighbourhood, job: str) -> set[State]:
    """The states of the job where it is known, once all are final."""
    deadline = monotonic() + SECONDS
    while True:
        states = houses.states(job)
        if all(state.final for state in states):
            return set(states)
        assert monotonic() < deadline, states
        select.select([], [], [], 0.1)
