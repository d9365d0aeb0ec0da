"""A job from request to receipt between real nodes over TLS."""

from __future__ import annotations

import json

from neighbourhood import TOTAL, Neighbourhood

from unseen.interaction.job import State


def test_a_job_runs_at_all_parties_and_its_receipt_lies_in_every_verified_ledger(houses: Neighbourhood) -> None:
    job = houses.submit()
    record = houses.result(job)
    assert record["state"] == "done"
    assert houses.settled(job, State.DONE)
    with houses.lender.client() as client:
        assert client.result(job)["result"] == {"total": TOTAL}
    own = json.loads(houses.bureau.home.results(job).read("result.json"))
    assert own == {"total": TOTAL}
    assert not houses.findings()
    assert record["bytes"] > 0
    assert record["rounds"] > 0
