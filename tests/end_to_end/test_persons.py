"""A person objects, and is in no later run; what was done with their record is told, and nobody is named."""

from __future__ import annotations

import json

from neighbourhood import TOTAL, Neighbourhood

from unseen.interaction.ledger import Kind


def test_an_objection_shows_at_the_next_release_and_access_lists_the_runs_before(houses: Neighbourhood) -> None:
    def told(*words: str) -> dict[str, object]:
        done = houses.lender.command(*words, "--json")
        assert done.returncode == 0, done.stdout + done.stderr
        found: dict[str, object] = json.loads(done.stdout)
        return found

    def total(job: str) -> float:
        assert houses.result(job)["state"] == "done"
        with houses.lender.client() as client:
            found: float = client.result(job)["result"]["total"]
            return found

    before = houses.submit()
    assert total(before) == TOTAL
    told("subject", "object", "P1", "--purpose", "dpv:CreditChecking", "--evidence", "letter of Erika")
    after = houses.submit()
    assert total(after) == TOTAL - 20.0
    (release,) = (
        entry.body["release"]
        for entry in houses.lender.home.ledger.entries()
        if entry.kind is Kind.RELEASE and entry.body["job"] == after
    )
    assert (release["rows"], release["excluded"]) == (2, 1)  # type: ignore[call-overload, index]

    found = told("subject", "access", "p1")
    assert found["rows"] == {"loans": 1}
    assert [word["asked"] for word in found["words"]] == ["objection"]  # type: ignore[attr-defined]
    jobs = [run["job"] for run in found["runs"]]  # type: ignore[attr-defined]
    assert before in jobs
    assert after not in jobs
    (run,) = [run for run in found["runs"] if run["job"] == before]  # type: ignore[attr-defined]
    assert (run["title"], run["columns"], run["state"]) == ("Trial", ["amount"], "done")
    assert set(run["partners"]) == {"bureau", "dealer"}

    told("subject", "object", "p1", "--purpose", "dpv:CreditChecking", "--lift")
    assert total(houses.submit()) == TOTAL
    text = (houses.lender.home.path / "ledger" / "entries.jsonl").read_text()
    assert "subject-request" in text
    assert "Erika" not in text
    assert not houses.findings()
