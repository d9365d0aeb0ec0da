"""Common customers between real nodes: own rows in one order, the number alone, and what stops each."""

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
from unseen.errors import RefusedError, UnseenError

AGREEMENT = """
agreement: Common customers
parties:
  lender: {role: controller}
  bureau: {role: controller}
purpose: dpv:FraudPreventionAndDetection
valid: {from: 2020-01-01, until: 2099-12-31}
columns:
  lender: {clients: {tax: [join], segment: [feature]}, many: {tax: [join]}, few: {tax: [join]}}
  bureau: {persons: {number: [join], grade: [feature]}, crowd: {number: [join]}}
computations: [align, overlap]
recipients: {lender-rows: [lender], bureau-rows: [bureau], overlap: [lender]}
limits: {smallest_overlap: 50, round_to: 10, most_identifiers: 5000, runs: 1000}
"""
CLIENTS, PERSONS, FIRST = 300, 400, 153
"""Clients 0 … 299 of the lender; the bureau knows persons 153 … 552, so that 147 are common."""


def offer(houses: Neighbourhood, party: str, name: str, table: dict[str, list[Any]], key: str) -> None:
    house = getattr(houses, party)
    file = houses.folder / f"{name}.parquet"
    pq.write_table(pa.table(table), file)
    uses = {column: [Use.FEATURE] for column in table if column != key}
    with house.home.store() as store:
        Catalogue(store.engine).add(name, str(file), key, uses)


@pytest.fixture(scope="module")
def agreed(session_houses: Neighbourhood) -> str:
    """Data sets on offer and an agreement; its identifier. One client has no number, and one has two rows."""
    houses = session_houses
    clients = [f" T{i} " for i in range(CLIENTS)]
    segments = [f"s{i}" for i in range(CLIENTS)]
    offer(houses, "lender", "clients", {"tax": [*clients, None, "t0"], "segment": [*segments, "x", "y"]}, "tax")
    persons = [f"t{i}" for i in range(FIRST, FIRST + PERSONS)][::-1]
    offer(
        houses, "bureau", "persons", {"number": persons, "grade": [f"g{name[1:]}" for name in persons]}, "number"
    )
    offer(houses, "lender", "many", {"tax": [f"t{i}" for i in range(3000)]}, "tax")
    offer(houses, "bureau", "crowd", {"number": [f"t{i}" for i in range(1000, 4000)]}, "number")
    offer(houses, "lender", "few", {"tax": ["", "t1", "t1", *(f"u{i}" for i in range(97))]}, "tax")
    return houses.agree(AGREEMENT, ("bureau",))


def body(**lender: Any) -> dict[str, Any]:
    """The request for clients and persons, with the lender's side changed."""
    return {
        "parties": {
            "lender": {"dataset": "clients", "key": "tax", "rows": CLIENTS + 2, **lender},
            "bureau": {"dataset": "persons", "key": "number", "rows": PERSONS},
        }
    }


def run(houses: Neighbourhood, app: str, agreement: str, request: dict[str, Any]) -> dict[str, Any]:
    """Submit and wait until it is done; the lender's result."""
    with houses.lender.client() as client:
        job = client.submit(app, agreement, request)
        assert client.wait(job, SECONDS)["state"] == "done"
        result: dict[str, Any] = client.result(job)["result"]
        return result


def typed(
    houses: Neighbourhood, app: str, agreement: str, request: dict[str, Any], report: Path
) -> tuple[str, str]:
    """The same as a person types it: the job's name, and what was printed."""
    file = report.with_suffix(".yaml")
    file.write_text(yaml.safe_dump(request))
    done = houses.lender.command("run", app, str(file), "--agreement", agreement[:12], "--report", str(report))
    assert done.returncode == 0, done.stderr
    said = " ".join(done.stdout.split())
    with houses.lender.home.store() as store:
        return store.job(said.split("Job ")[1].split()[0]).job, said


def common_rows(houses: Neighbourhood, party: str, job: str) -> dict[str, list[str]]:
    kept = getattr(houses, party).home.results(job)
    rows: dict[str, list[str]] = pq.read_table(io.BytesIO(kept.read("common.parquet"))).to_pydict()
    return rows


def result_at(houses: Neighbourhood, party: str, job: str) -> Any:
    return json.loads(getattr(houses, party).home.results(job).read("result.json"))


def test_each_takes_home_its_own_rows_of_the_common_customers_in_one_order(
    houses: Neighbourhood, agreed: str, tmp_path: Path
) -> None:
    request = body(columns=["segment"])
    request["parties"]["bureau"]["columns"] = ["grade"]
    job, said = typed(houses, "align", agreed, request, tmp_path / "report.html")
    ours, theirs = common_rows(houses, "lender", job), common_rows(houses, "bureau", job)
    assert list(ours) == ["tax", "segment"]
    assert list(theirs) == ["number", "grade"]
    numbers = [name.strip().lower() for name in ours["tax"]]
    assert numbers == theirs["number"]
    assert [segment[1:] for segment in ours["segment"]] == [grade[1:] for grade in theirs["grade"]]
    assert set(numbers) == {f"t{i}" for i in range(FIRST, CLIENTS)}
    result, other = (result_at(houses, party, job) for party in ("lender", "bureau"))
    assert (result["offered"], result["partner_offered"], result["common"]) == (CLIENTS, PERSONS, len(numbers))
    assert result["keys"]["left_out"] == 2
    assert (other["warnings"], other["common"]) == ([], len(numbers))
    for words in (
        "offered by bureau 400",
        "common 147",
        "share of lender's 49.0%",
        "method curves",
        *result["warnings"],
    ):
        assert words in said
    assert "<svg" in (tmp_path / "report.html").read_text()


def test_overlap_tells_its_recipient_a_rounded_number_and_nothing_of_which(
    houses: Neighbourhood, agreed: str, tmp_path: Path
) -> None:
    job, said = typed(houses, "overlap", agreed, body(), tmp_path / "report.html")
    assert "common 150 (rounded to 10)" in said
    assert houses.lender.home.results(job).names() == ["result.json"]
    result = result_at(houses, "lender", job)
    assert (result["common"], result["rounded_to"], result["estimate"]) == (150, 10, False)
    assert "common" not in result_at(houses, "bureau", job)


def _setups(houses: Neighbourhood) -> list[dict[str, bytes]]:
    """What lies at the lender and at the bureau: a partner may have a half of either direction."""
    folders = [houses.lender.home.path / "setups", houses.bureau.home.path / "setups"]
    return [{file.name: file.read_bytes() for file in folder.glob("*.sealed")} for folder in folders]


def test_many_identifiers_are_counted_on_a_sample_and_found_by_vector_ole(
    houses: Neighbourhood, agreed: str
) -> None:
    request = {
        "parties": {
            "lender": {"dataset": "many", "key": "tax", "rows": 3000},
            "bureau": {"dataset": "crowd", "key": "number", "rows": 3000},
        }
    }
    counted = run(houses, "overlap", agreed, {**request, "exact_up_to": 1500})
    assert counted["estimate"]
    between = counted["interval"]
    assert between["low"] <= counted["common"] <= between["high"]
    assert abs(counted["common"] - 2000) < 500  # over six standard deviations
    kept = []
    for _ in range(2):
        found = run(houses, "align", agreed, request)
        assert (found["common"], found["method"]) == (2000, "vector-ole")
        kept.append(_setups(houses))
    for first, second in zip(*kept, strict=True):
        assert first.keys() == second.keys(), "the second run begins from what the first one left"
        changed = [name for name in first if first[name] != second[name]]
        assert len(changed) == 1, "the set-up that one run leaves is used, and replaced, by the next"
    assert houses.lender.command("key", "refresh", "bureau").returncode == 0
    assert not list((houses.lender.home.path / "setups").glob("*.sealed"))
    assert run(houses, "align", agreed, request)["common"] == 2000


def test_a_large_list_is_prepared_by_one_job_and_serves_one_later_job(
    houses: Neighbourhood, agreed: str, tmp_path: Path
) -> None:
    """The states lie sealed between the two and are gone after the second."""
    request = {
        "parties": {
            "lender": {"dataset": "clients", "key": "tax", "rows": CLIENTS + 2},
            "bureau": {"dataset": "persons", "key": "number", "rows": PERSONS},
        }
    }
    job, said = typed(houses, "align", agreed, {**request, "prepare": True}, tmp_path / "first.html")
    assert f"Use it once: prepared: {job}" in said
    assert houses.lender.home.results(job).names() == ["prepared.state", "result.json"]
    assert houses.bureau.home.results(job).names() == ["prepared.list", "prepared.state", "result.json"]
    later, said = typed(houses, "align", agreed, {**request, "prepared": job}, tmp_path / "second.html")
    assert "common 147" in said
    ours, theirs = common_rows(houses, "lender", later), common_rows(houses, "bureau", later)
    assert [name.strip().lower() for name in ours["tax"]] == theirs["number"]
    assert houses.lender.home.results(job).names() == ["result.json"]
    assert houses.bureau.home.results(job).names() == ["prepared.list", "result.json"]
    with houses.lender.client() as client, pytest.raises(UnseenError, match="has had its one run"):
        client.wait(client.submit("align", agreed, {**request, "prepared": job}), SECONDS)


def test_one_party_alone_takes_its_rows_home(houses: Neighbourhood, agreed: str) -> None:
    with houses.lender.client() as client:
        job = client.submit("align", agreed, {**body(), "recipients": ["bureau"]})
        assert client.wait(job, SECONDS)["state"] == "done"
    assert result_at(houses, "bureau", job)["common"] == 147
    assert "common" not in result_at(houses, "lender", job)
    assert houses.lender.home.results(job).names() == ["result.json"]
    assert len(common_rows(houses, "bureau", job)["number"]) == 147


@pytest.mark.parametrize("app", ["align", "overlap"])
def test_too_few_in_common_and_nobody_gets_a_number_or_a_row(houses: Neighbourhood, agreed: str, app: str) -> None:
    request = {**body(dataset="few", rows=100), "most_unfit": 0.05}
    with houses.lender.client() as client:
        job = client.submit(app, agreed, request)
        with pytest.raises(RefusedError, match=r"smallest-overlap.*too few common customers"):
            client.wait(job, SECONDS)
    for house in (houses.lender, houses.bureau):
        assert not house.home.results(job).names()


@pytest.mark.parametrize(
    ("app", "rows", "rule"),
    [
        ("align", CLIENTS + 3, "catalogue-rows"),
        ("overlap", CLIENTS + 3, "catalogue-rows"),
        ("align", 5001, "most-identifiers"),
        ("overlap", 5001, "most-identifiers"),
        ("align", CLIENTS - 1, "declared-size"),
    ],
)
def test_more_identifiers_than_there_are_rows_than_agreed_or_than_declared_end_it(
    houses: Neighbourhood, agreed: str, app: str, rows: int, rule: str
) -> None:
    with houses.lender.client() as client, pytest.raises(RefusedError) as caught:
        client.wait(client.submit(app, agreed, body(rows=rows)), SECONDS)
    assert caught.value.rule == rule
    assert caught.value.mend


def test_a_partner_refuses_to_offer_more_than_its_own_catalogue_counts(houses: Neighbourhood, agreed: str) -> None:
    request = body()
    request["parties"]["bureau"]["rows"] = PERSONS + 1
    with houses.lender.client() as client, pytest.raises(RefusedError, match="bureau") as caught:
        client.wait(client.submit("align", agreed, request), SECONDS)
    assert caught.value.rule == "catalogue-rows"


def test_a_run_in_buckets_whose_worker_is_killed_goes_on_where_it_broke_off(
    houses: Neighbourhood, agreed: str, tmp_path: Path
) -> None:
    """Killed at the bureau; typed again with `resumes`, it ends with the right rows at both."""
    request: dict[str, Any] = {
        "parties": {
            "lender": {"dataset": "many", "key": "tax", "rows": 3000},
            "bureau": {"dataset": "crowd", "key": "number", "rows": 3000},
        },
        "buckets": 32,
    }
    with houses.lender.client() as client:
        job = client.submit("align", agreed, request)
        for event in client.follow(job, SECONDS):
            words = str(event["body"].get("note", "")).split()
            if words[:1] == ["bucket"] and int(words[1]) >= 4:
                houses.bureau.worker(job).kill()
                break
        with pytest.raises(UnseenError, match="bureau"):
            client.wait(job, SECONDS)
    shown = houses.lender.command("job", "show", job)
    assert f"Go on: the same request with `resumes: {job}`" in " ".join(shown.stdout.split())
    houses.lender.stop()  # a restarted node sweeps what results and shares may no longer stay
    houses.lender.start()
    later, said = typed(houses, "align", agreed, {**request, "resumes": job}, tmp_path / "report.html")
    assert "in 32 buckets one after the other" in said
    assert "common 2,000" in said
    results = [result_at(houses, party, later) for party in ("lender", "bureau")]
    assert len({result["gone_on_from"] for result in results}) == 1
    assert 3 <= results[0]["gone_on_from"] < 32
    names: list[list[str]] = []
    for party, key in (("lender", "tax"), ("bureau", "number")):
        kept = getattr(houses, party).home.results(later)
        parts = [name for name in kept.names() if name.startswith("common/")]
        assert len(parts) == 32
        tables = [pq.read_table(io.BytesIO(kept.read(name))) for name in parts]
        names.append([name.strip() for name in pa.concat_tables(tables)[key].to_pylist()])
        assert not list((getattr(houses, party).home.path / "jobs").rglob("*.spool"))
    assert names[0] == names[1]
    assert sorted(names[0]) == sorted(f"t{i}" for i in range(1000, 3000))
    assert not houses.findings()
