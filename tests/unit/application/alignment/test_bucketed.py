"""An alignment bucket by bucket: what the plan decides, rows batch by batch, broken off and gone on with."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from bucket_homes import Told, ran, rows_at

from unseen.application.alignment import ALIGN
from unseen.computation.intersect.footprint import MIB, at_once, buckets_for, in_buckets
from unseen.computation.intersect.spool import MOST_BUCKETS
from unseen.errors import AbortedError, DataError, MisuseError, RefusedError, UnavailableError
from unseen.interaction.agreement import Agreement, from_yaml
from unseen.interaction.application import Request
from unseen.interaction.flow import check_flows
from unseen.interaction.home import Home
from unseen.interaction.law.verdict import judge
from unseen.interaction.plan import Plan
from unseen.interaction.template import read

TERMS = read("alignment").replace("smallest_overlap: 1000", "smallest_overlap: 5")
CLIENTS = [f"t{i}" for i in range(400)]
POLICIES = [f" T{i}" for i in range(170, 900)]
TABLES = {
    "bank": pa.table(
        {"tax_number": [*CLIENTS, None, "t3"], "SEGMENT": [f"s{i}" for i in range(400)] + ["x", "y"]}
    ),
    "insurer": pa.table({"tax_number": POLICIES, "PRODUCT": range(170, 900)}),
}
JOBS = ["1" * 32, "2" * 32, "3" * 32]


def planned(
    terms: str = TERMS, *, job: str = JOBS[0], rows: tuple[int, int] = (500, 900), **more: Any
) -> tuple[Plan, Agreement]:
    parties: dict[str, Any] = {
        "bank": {"dataset": "clients", "key": "tax_number", "rows": rows[0]},
        "insurer": {"dataset": "policies", "key": "tax_number", "rows": rows[1]},
    }
    if "columns" in more:
        parties["bank"]["columns"] = more.pop("columns")
    agreement = from_yaml(terms)
    asked = Request(job, ALIGN.name, agreement.id, "bank", "0" * 64, {"parties": parties, **more})
    return ALIGN.plan(asked, agreement), agreement


@pytest.fixture
def homes(tmp_path: Path) -> dict[str, Home]:
    return {name: Home.create(tmp_path / name, name, "127.0.0.1:1") for name in TABLES}


def assert_right(homes: Mapping[str, Home], job: str = JOBS[0]) -> None:
    bank, insurer = (rows_at(homes[party], job).to_pydict() for party in TABLES)
    assert bank["tax_number"] == [name.strip().lower() for name in insurer["tax_number"]]
    assert sorted(bank["tax_number"]) == sorted(set(CLIENTS) & {name.strip().lower() for name in POLICIES})
    assert [name[1:] for name in bank["tax_number"]] == [segment[1:] for segment in bank["SEGMENT"]]


def test_each_takes_home_its_rows_a_file_a_bucket_in_one_order(homes: dict[str, Home]) -> None:
    plan, agreement = planned(buckets=8, columns=["SEGMENT"])
    check_flows(plan, agreement)
    judge(plan, agreement).require_permitted()
    told: Told = []
    results = ran(plan, homes, TABLES, told)
    assert_right(homes)
    assert (results["bank"]["common"], results["bank"]["offered"], results["bank"]["files"]) == (230, 400, 8)
    keys: Any = results["bank"]["keys"]
    assert (keys["rows"], keys["left_out"]) == (402, 2)
    assert (keys["empty"], keys["duplicate"]) == (1 / 402, 1 / 402)
    notes = [note for _, _, note in told]
    assert "in 8 buckets" in notes
    assert any(note.startswith("bucket 8 of 8, ") and note.endswith(" left") for note in notes)
    assert [done for _, done, _ in told][-1] == 1.0
    for home in homes.values():
        assert not list(home.path.rglob("*.spool")), "nothing of the list or the checkpoint stays"


def test_a_run_that_broke_off_goes_on_with_the_first_bucket_that_is_not_done_at_both(
    homes: dict[str, Home],
) -> None:
    """Twice: the second job goes on with the first, and the third names the second or the first."""
    for job, bucket, more in ((JOBS[0], 4, {}), (JOBS[1], 6, {"resumes": JOBS[0]})):
        plan, _ = planned(job=job, buckets=8, columns=["SEGMENT"], **more)

        def dies(party: str, note: str, at: int = bucket) -> bool:
            return party == "insurer" and note.startswith(f"bucket {at} ")

        with pytest.raises(AbortedError, match="gone"):
            ran(plan, homes, TABLES, dies=dies)
    shuffled = {
        name: table.slice(100).to_batches() + table.slice(0, 100).to_batches() for name, table in TABLES.items()
    }
    tables = {name: pa.Table.from_batches(batches) for name, batches in shuffled.items()}
    plan, _ = planned(job=JOBS[2], buckets=8, columns=["SEGMENT"], resumes=JOBS[1])
    told: Told = []
    results = ran(plan, homes, tables, told)
    assert results["bank"]["gone_on_from"] == 5
    assert "in 8 buckets, going on with bucket 6" in [note for _, _, note in told]
    assert not any(note.startswith("bucket 5 ") for _, _, note in told)
    assert (results["bank"]["common"], results["insurer"]["common"]) == (230, 230)
    bank, insurer = (rows_at(homes[party], JOBS[2]).to_pydict() for party in TABLES)
    assert bank["tax_number"] == [name.strip().lower() for name in insurer["tax_number"]]
    assert len(bank["tax_number"]) == 230
    with pytest.raises(MisuseError, match="left nothing here to go on from"):
        ran(planned(job=JOBS[0][::-1], buckets=8, columns=["SEGMENT"], resumes=JOBS[0])[0], homes, TABLES)


def test_another_request_or_list_begins_anew_and_is_right(homes: dict[str, Home]) -> None:
    def dies(party: str, note: str) -> bool:
        return note.startswith("bucket 4 ")

    with pytest.raises(AbortedError):
        ran(planned(buckets=8)[0], homes, TABLES, dies=dies)
    plan, _ = planned(job=JOBS[1], buckets=8, columns=["SEGMENT"], resumes=JOBS[0])
    results = ran(plan, homes, TABLES)
    assert results["bank"]["gone_on_from"] == 0
    assert_right(homes, JOBS[1])


@pytest.mark.parametrize("common", [True, False])
def test_a_list_of_one_customer_goes_in_buckets_too(homes: dict[str, Home], common: bool) -> None:
    """Most buckets hold nobody: what would go home with them is an empty file."""
    tables = {
        "bank": pa.table({"tax_number": ["t1" if common else "x"], "SEGMENT": ["s1"]}),
        "insurer": pa.table({"tax_number": ["t1", "t2", "t3"], "PRODUCT": [1, 2, 3]}),
    }
    terms = TERMS.replace("smallest_overlap: 5", "smallest_overlap: 1")
    plan, _ = planned(terms, rows=(1, 3), buckets=8, columns=["SEGMENT"])
    if not common:
        with pytest.raises(RefusedError, match="smallest-overlap"):
            ran(plan, homes, tables)
        return
    assert ran(plan, homes, tables)["bank"]["files"] == 8
    assert rows_at(homes["bank"], JOBS[0]).to_pydict() == {"tax_number": ["t1"], "SEGMENT": ["s1"]}


def test_one_recipient_alone_takes_rows_home(homes: dict[str, Home]) -> None:
    plan, _ = planned(buckets=4, recipients=["insurer"])
    told = plan.disclosures()
    assert "into how many buckets the lists are cut: 4" in " ".join(told["bank"])
    assert "how many customers are common" not in " ".join(told["bank"])
    results = ran(plan, homes, TABLES)
    assert results["insurer"]["common"] == 230
    assert rows_at(homes["insurer"], JOBS[0]).num_rows == 230
    assert "common" not in results["bank"]
    assert homes["bank"].results(JOBS[0]).names() == []


def test_unfit_keys_stop_it_before_anything_of_them_is_sent(homes: dict[str, Home]) -> None:
    many = {**TABLES, "bank": pa.table({"tax_number": [None] * 60 + CLIENTS})}
    with pytest.raises(DataError, match=r"'clients', column 'tax_number': 13\.04% of the keys are empty"):
        ran(planned(buckets=4)[0], homes, many)
    twice = {**TABLES, "bank": pa.table({"tax_number": CLIENTS + CLIENTS[:90]})}
    with pytest.raises(DataError, match=r"18\.37% of the keys are repeated"):
        ran(planned(buckets=4)[0], homes, twice)
    empty = {**TABLES, "bank": pa.table({"tax_number": pa.array([None, None], pa.string())})}
    with pytest.raises(DataError, match=r"100\.00% of the keys are empty"):
        ran(planned(buckets=4)[0], homes, empty)
    with pytest.raises(RefusedError, match="declared-size"):
        ran(planned(buckets=4, rows=(399, 900))[0], homes, TABLES)
    with pytest.raises(RefusedError, match="smallest-overlap"):
        ran(planned(TERMS.replace("smallest_overlap: 5", "smallest_overlap: 231"), buckets=4)[0], homes, TABLES)


def test_the_plan_cuts_what_would_not_fit_into_the_memory_that_it_allows() -> None:
    small, _ = planned()
    assert (small.parameters["buckets"], small.parameters["memory"]) == (1, 4096)
    terms = TERMS.replace("most_identifiers: 1000000", "most_identifiers: 134217728")
    large, agreement = planned(terms, rows=(3 * 10**7, 3 * 10**7))
    assert large.parameters["buckets"] == 2
    assert large.steps[0].profile.id == "intersect/buckets"
    judge(large, agreement).require_permitted()
    tight, _ = planned(terms, rows=(10**6, 10**7), memory=1500)
    assert int(str(tight.parameters["buckets"])) > 1
    assert planned(terms, rows=(10**8, 10**8), buckets=1)[0].parameters["buckets"] == 1
    assert planned(terms, rows=(10**8, 10**8), method="curves")[0].parameters["buckets"] == 1
    for memory, buckets in ((4096, 8), (1024, 64)):
        plan, _ = planned(terms, rows=(10**8, 10**8), memory=memory)
        assert plan.parameters["buckets"] == buckets
        assert int(str(ALIGN.estimate(plan, 0)["memory"])) <= memory * MIB
    with pytest.raises(MisuseError, match="whatever they are cut into"):
        buckets_for(10**9, 10**9, 1024 * MIB)
    estimate = ALIGN.estimate(large, 0)
    assert int(str(estimate["memory"])) < 4096 * MIB
    assert estimate["buckets"] == 2


@pytest.mark.parametrize("memory", [3000 * MIB, 4096 * MIB, 20_000 * MIB])
@pytest.mark.parametrize("sizes", [(1, 1), (10**7, 10**7), (4096, 1 << 24), (3 * 10**7, 10**6)])
def test_the_fewest_buckets_that_fit_are_taken(sizes: tuple[int, int], memory: int) -> None:
    found = buckets_for(*sizes, memory)
    turned = sizes[::-1]

    def need(buckets: int) -> int:
        if buckets == 1:
            return max(at_once(*sizes), at_once(*turned))
        return max(in_buckets(*sizes, buckets), in_buckets(*turned, buckets))

    assert need(found) <= memory
    assert found == 1 or need(found // 2) > memory
    assert found <= MOST_BUCKETS


def test_a_machine_with_less_memory_cuts_finer_and_says_so(homes: dict[str, Home]) -> None:
    terms = TERMS.replace("most_identifiers: 1000000", "most_identifiers: 134217728")
    plan, _ = planned(terms, buckets=2, rows=(2 * 10**7, 2 * 10**7), columns=["SEGMENT"])
    told: Told = []
    results = ran(plan, homes, TABLES, told=told, memory=2200 * MIB)
    assert results["bank"]["buckets"] == 4
    assert any("2 planned; a machine here or there has less memory" in note for _, _, note in told)
    assert_right(homes)
    with pytest.raises(UnavailableError, match="has 700 MiB of memory free"):
        ran(plan, homes, TABLES, memory=700 * MIB)


def test_a_list_that_does_not_fit_as_a_whole_is_stopped_before_it_is_read(homes: dict[str, Home]) -> None:
    terms = TERMS.replace("most_identifiers: 1000000", "most_identifiers: 134217728")
    for more in ({"buckets": 1}, {"most_repeats": 3, "buckets": 1}):
        plan, _ = planned(terms, rows=(10**7, 10**7), **more)
        with pytest.raises(UnavailableError, match=r"of memory at \w+, and 2,000 are free; .*`memory: 2000`"):
            ran(plan, homes, TABLES, memory=2000 * MIB)


def test_what_cannot_be_cut_is_not_told_to_cut(homes: dict[str, Home]) -> None:
    terms = TERMS.replace("most_identifiers: 1000000", "most_identifiers: 134217728")
    plan, _ = planned(terms, rows=(2000, 10**7), method="curves")
    with pytest.raises(UnavailableError, match=r"and 2,000 are free; free some$"):
        ran(plan, homes, TABLES, memory=2000 * MIB)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"buckets": 3}, "power of two"),
        ({"buckets": 8192}, "buckets"),
        ({"memory": 100}, "memory"),
        ({"buckets": 4, "method": "curves"}, "bucket by bucket"),
        ({"buckets": 4, "most_repeats": 2, "method": "vector-ole"}, "leave `method` out"),
        ({"memory": 2000, "prepare": True}, "bucket by bucket"),
        ({"resumes": JOBS[1]}, "none; leave it out"),
        ({"resumes": "../x", "buckets": 4}, "resumes"),
    ],
)
def test_a_request_that_cannot_be_used_says_why(more: dict[str, Any], words: str) -> None:
    with pytest.raises(MisuseError, match=words):
        planned(**more)


def test_an_agreement_may_bound_the_number_of_buckets() -> None:
    terms = TERMS.replace("most_repeats: {most: 1}}", "most_repeats: {most: 1}, buckets: {most: 4}}")
    for buckets, fine in ((4, True), (8, False)):
        plan, agreement = planned(terms, buckets=buckets)
        bound = agreement.computations["align"]["buckets"]
        if fine:
            bound.require("buckets", plan.parameters["buckets"])
        else:
            with pytest.raises(RefusedError, match="buckets"):
                bound.require("buckets", plan.parameters["buckets"])
