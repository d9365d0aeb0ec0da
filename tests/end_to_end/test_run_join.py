"""A join between real nodes, typed as a person types it: two keys with rules, repeats, a bound on its kind."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from neighbourhood import SECONDS, Neighbourhood

from unseen.data.catalogue import Catalogue, Use
from unseen.errors import RefusedError
from unseen.interaction.home import Home

AGREEMENT = """
agreement: Joined customers
parties:
  lender: {role: controller}
  bureau: {role: controller}
  dealer: {role: dealer}
purpose: dpv:FraudPreventionAndDetection
valid: {from: 2020-01-01, until: 2099-12-31}
columns:
  lender: {accounts: {tax: [join], phone: [join], account: [feature]}}
  bureau: {files: {number: [join], telephone: [join], grade: [feature]}}
computations: {align: {kind: {among: [inner, left]}}}
recipients: {lender-rows: [lender], bureau-rows: [bureau]}
limits: {smallest_overlap: 50, most_identifiers: 5000, runs: 1000}
"""
PEOPLE, FIRST = 200, 60
"""Persons 0 … 199 at the lender, with two accounts for every tenth; the bureau knows persons 60 … 199."""
REQUEST: dict[str, Any] = {
    "parties": {
        "lender": {
            "dataset": "accounts",
            "rows": PEOPLE + PEOPLE // 10,
            "keys": [["tax=unseen-document/1"], ["phone=unseen-phone/1:DE"]],
            "columns": ["account"],
        },
        "bureau": {
            "dataset": "files",
            "rows": PEOPLE - FIRST,
            "keys": [["number=unseen-document/1"], ["telephone=unseen-phone/1"]],
            "columns": ["grade"],
        },
    },
    "kind": "left",
    "left": "lender",
}


@pytest.fixture(scope="module")
def agreed(session_houses: Neighbourhood) -> str:
    """Data sets on offer and an agreement. Every seventh person's tax number is not known to the bureau."""
    houses = session_houses
    persons = [*range(PEOPLE), *range(0, PEOPLE, 10)]
    accounts = {
        "tax": [f"t-{i:05}" for i in persons],
        "phone": [f"0170 {1000000 + i}" for i in persons],
        "account": [f"a{i}" for i in persons],
    }
    known = range(FIRST, PEOPLE)
    files = {
        "number": [f"T{i:05}" if i % 7 else None for i in known],
        "telephone": [f"+49 170 {1000000 + i}" for i in known],
        "grade": [f"g{i}" for i in known],
    }
    for party, name, table, key, other in (
        ("lender", "accounts", accounts, "tax", "phone"),
        ("bureau", "files", files, "number", "telephone"),
    ):
        house, file = getattr(houses, party), houses.folder / f"{name}.parquet"
        pq.write_table(pa.table(table), file)
        uses = {column: [Use.JOIN] if column == other else [Use.FEATURE] for column in table if column != key}
        with house.home.store() as store:
            Catalogue(store.engine).add(name, str(file), key, uses)
    return houses.agree(AGREEMENT)


def joined_at(home: Home, job: str) -> dict[str, list[Any]]:
    """A party's own rows of the joint table, in one file or in parts."""
    kept = home.results(job)
    names = [name for name in kept.names() if name == "left.parquet" or name.startswith("left/")]
    parts = [pq.read_table(io.BytesIO(kept.read(name))) for name in names]
    rows: dict[str, list[Any]] = pa.concat_tables(parts).to_pydict()
    return rows


@pytest.mark.parametrize("more", [{}, {"buckets": 4}], ids=["at-once", "in-buckets"])
def test_a_left_join_on_two_keys_gives_both_sides_one_table(
    houses: Neighbourhood, agreed: str, tmp_path: Path, more: dict[str, int]
) -> None:
    (tmp_path / "join.yaml").write_text(yaml.safe_dump({**REQUEST, **more}))
    report = tmp_path / "report.html"
    done = houses.lender.command(
        "run", "align", str(tmp_path / "join.yaml"), "--agreement", agreed[:12], "--report", str(report)
    )
    assert done.returncode == 0, done.stderr
    said = " ".join(done.stdout.split())
    with houses.lender.home.store() as store:
        job = store.job(said.split("Job ")[1].split()[0]).job
    ours, theirs = (joined_at(house.home, job) for house in (houses.lender, houses.bureau))
    pairs = set(zip(ours["account"], theirs["grade"], strict=True))
    assert pairs == {(f"a{i}", f"g{i}" if i >= FIRST else None) for i in range(PEOPLE)}
    assert len(ours["account"]) == PEOPLE + PEOPLE // 10
    result = json.loads(houses.bureau.home.results(job).read("result.json"))
    by_tax, by_phone = sum(i % 7 > 0 for i in range(FIRST, PEOPLE)), sum(i % 7 == 0 for i in range(FIRST, PEOPLE))
    assert [one["common"] for one in result["by_key"]] == [by_tax, by_phone]
    for words in (
        "bureau number = lender tax, else bureau telephone = lender phone",
        "how many rows lender has",
        f"by phone {by_phone} common",
        "rows of the left join 220, of them 66 of lender without a partner",
        "column tax: 9.09% of the keys are repeated",
    ):
        assert words in said
    assert "rows of the left join" in report.read_text()
    assert ("buckets 4, one after the other" in said) == bool(more)
    assert not houses.findings()


def test_a_kind_that_the_agreement_does_not_allow_is_refused(houses: Neighbourhood, agreed: str) -> None:
    request = json.loads(json.dumps({**REQUEST, "kind": "difference"}))
    del request["parties"]["bureau"]["columns"]
    with houses.lender.client() as client, pytest.raises(RefusedError, match="kind"):
        client.wait(client.submit("align", agreed, request), SECONDS)
