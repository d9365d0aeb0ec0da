"""A join bucket by bucket: as at once, with plans that say so, broken off and gone on with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from bucket_homes import Told, ran, rows_at

from unseen.application.alignment import ALIGN, bucketed_join
from unseen.application.alignment.presentation import lines
from unseen.computation.intersect import join_buckets
from unseen.errors import AbortedError, DataError, RefusedError
from unseen.interaction.agreement import from_yaml
from unseen.interaction.application import Request
from unseen.interaction.flow import check_flows
from unseen.interaction.home import Home
from unseen.interaction.law.verdict import judge
from unseen.interaction.plan import Plan
from unseen.interaction.template import read

TERMS = read("alignment").replace("smallest_overlap: 1000", "smallest_overlap: 5")
JOBS = ["1" * 32, "2" * 32]
PERSONS = range(300)
TABLES = {
    "bank": pa.table(
        {
            "tax": [f"t {i % 250:03}" if i % 5 else None for i in PERSONS],
            "phone": [f"0170 {1000000 + i}" if i % 11 else "unknown" for i in PERSONS],
            "SEGMENT": [f"s{i}" for i in PERSONS],
        }
    ),
    "insurer": pa.table(
        {
            "number": [f"T{i:03}" if i % 4 else "" for i in range(100, 400)],
            "telephone": [f"+49 170 {1000000 + i}" for i in range(100, 400)],
            "PRODUCT": list(range(100, 400)),
        }
    ),
}
KEYS = {
    "bank": [["tax=unseen-document/1"], ["phone=unseen-phone/1:DE"]],
    "insurer": [["number=unseen-document/1"], ["telephone=unseen-phone/1"]],
}


@pytest.fixture
def homes(tmp_path: Path) -> dict[str, Home]:
    return {name: Home.create(tmp_path / name, name, "127.0.0.1:1") for name in TABLES}


def planned(*, job: str = JOBS[0], terms: str = TERMS, **more: Any) -> Plan:
    parties: dict[str, Any] = {
        "bank": {"dataset": "clients", "keys": KEYS["bank"], "rows": 300, "columns": ["SEGMENT"]},
        "insurer": {"dataset": "policies", "keys": KEYS["insurer"], "rows": 300, "columns": ["PRODUCT"]},
    }
    if more.get("kind") == "difference":
        del parties["insurer"]["columns"]
    agreement = from_yaml(terms)
    body = {"parties": parties, "most_unfit": 0.1, **more}
    plan = ALIGN.plan(Request(job, ALIGN.name, agreement.id, "bank", "0" * 64, body), agreement)
    check_flows(plan, agreement)
    judge(plan, agreement).require_permitted()
    return plan


def pairs(homes: Mapping[str, Home], job: str) -> Counter[tuple[str | None, int | None]]:
    """The joint rows as both parties hold them, row by row."""
    bank, insurer = (rows_at(homes[party], job) for party in TABLES)
    assert bank.num_rows == insurer.num_rows
    return Counter(zip(bank["SEGMENT"].to_pylist(), insurer["PRODUCT"].to_pylist(), strict=True))


def by_hand(kind: str) -> Counter[tuple[str | None, int | None]]:
    """The same by loops over both tables: by tax number, else by telephone."""
    bank, insurer = (TABLES[party].to_pylist() for party in TABLES)
    found: list[tuple[str | None, int | None]] = []
    for ours, theirs, unit in (("tax", "number", 3), ("phone", "telephone", 7)):
        by_key: dict[str, list[int]] = {}
        for row in insurer:
            if row[theirs]:
                by_key.setdefault(row[theirs][-unit:], []).append(row["PRODUCT"])
        new = [
            (row["SEGMENT"], product)
            for row in bank
            if row[ours] and row[ours] != "unknown"
            for product in by_key.get(row[ours][-unit:], [])
        ]
        found += new
        bank = [row for row in bank if row["SEGMENT"] not in {pair[0] for pair in new}]
        insurer = [row for row in insurer if row["PRODUCT"] not in {pair[1] for pair in new}]
    return Counter(found + ([(row["SEGMENT"], None) for row in bank] if kind == "left" else []))


@pytest.mark.parametrize("kind", ["inner", "left"])
@pytest.mark.parametrize("left", ["bank", "insurer"])
def test_each_takes_home_its_rows_of_the_joint_table_in_one_order(
    homes: dict[str, Home], kind: str, left: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (join_buckets, bucketed_join):
        monkeypatch.setattr(module, "PIECE_ROWS", 7)
    plan = planned(buckets=4, kind=kind, **({"left": left} if kind == "left" else {}))
    told: Told = []
    results = ran(plan, homes, TABLES, told)
    found = pairs(homes, JOBS[0])
    if left == "bank" or kind == "inner":
        assert found == by_hand(kind)
    else:
        alone = {row["PRODUCT"] for row in TABLES["insurer"].to_pylist()} - {pair[1] for pair in by_hand("inner")}
        assert found == by_hand("inner") + Counter((None, product) for product in alone)
    result: Any = results["bank"]
    assert result["rows"] == results["insurer"]["rows"] == found.total()
    assert (result["buckets"], result["gone_on_from"]) == (4, 0)
    assert set(rows_at(homes["bank"], JOBS[0]).column_names) == {"tax", "phone", "SEGMENT"}
    assert "column phone: 9.33% of the keys are malformed" in result["warnings"]
    assert dict(lines(result))["buckets"] == "4, one after the other"
    notes = [note for _, _, note in told]
    assert any(note.startswith("bucket 4 of 4 by key 2, ") and note.endswith(" left") for note in notes)
    for home in homes.values():
        assert not list(home.path.rglob("*.spool")), "nothing of the table or the checkpoint stays"


def test_a_difference_gives_the_left_its_rows_and_the_right_none(homes: dict[str, Home]) -> None:
    ran(planned(buckets=4, kind="difference", left="bank"), homes, TABLES)
    matched = {pair[0] for pair in by_hand("inner")}
    alone = sorted(set(TABLES["bank"]["SEGMENT"].to_pylist()) - matched)
    assert sorted(rows_at(homes["bank"], JOBS[0])["SEGMENT"].to_pylist()) == alone
    assert homes["insurer"].results(JOBS[0]).names() == []


@pytest.mark.parametrize(("note", "done"), [("bucket 3 of 4 by key 1", 2), ("bucket 2 of 4 by key 2", 5)])
def test_a_join_that_broke_off_goes_on_with_the_first_bucket_that_is_not_done_at_both(
    homes: dict[str, Home], note: str, done: int
) -> None:
    request = {"buckets": 4, "kind": "left", "left": "bank"}
    with pytest.raises(AbortedError, match="gone"):
        ran(
            planned(**request),
            homes,
            TABLES,
            dies=lambda party, told: party == "insurer" and told.startswith(note),
        )
    told: Told = []
    turned = {name: pa.concat_tables([table.slice(90), table.slice(0, 90)]) for name, table in TABLES.items()}
    results = ran(planned(job=JOBS[1], resumes=JOBS[0], **request), homes, turned, told)
    assert results["bank"]["gone_on_from"] == done
    assert f"in 4 buckets, going on with {note.replace(' of 4', '').replace(' by key 1', '')}" in [
        n for _, _, n in told
    ]
    assert pairs(homes, JOBS[1]) == by_hand("left")


def test_the_plan_says_that_it_goes_in_buckets_and_what_each_learns() -> None:
    terms = TERMS.replace("most_identifiers: 1000000", "most_identifiers: 134217728")
    large: dict[str, Any] = {
        "bank": {"dataset": "clients", "keys": KEYS["bank"], "rows": 3 * 10**7},
        "insurer": {"dataset": "policies", "keys": KEYS["insurer"], "rows": 3 * 10**7},
    }
    plan = planned(terms=terms, parties=large, kind="left", left="bank")
    assert int(str(plan.parameters["buckets"])) > 1
    assert plan.steps[0].profile.id == "intersect/buckets-join-left"
    told = " ".join(plan.disclosures()["insurer"])
    for words in ("into how many buckets", "how many rows of bank have no partner", "at most 1,000 times"):
        assert words in told
    at_once = planned(terms=terms, parties=large, kind="left", left="bank", buckets=1)
    assert at_once.steps[0].profile.id == "intersect/join-left"
    assert (
        int(str(ALIGN.estimate(plan, 0)["memory"])) <= 4096 << 20 < int(str(ALIGN.estimate(at_once, 0)["memory"]))
    )


def test_unfit_rows_repeats_and_too_few_in_common_end_it(homes: dict[str, Home]) -> None:
    many = {**TABLES, "bank": TABLES["bank"].set_column(1, "phone", pa.array(["unknown"] * 300))}
    with pytest.raises(DataError, match=r"'clients': 20\.00% of the rows have no key"):
        ran(planned(buckets=4), homes, many)
    with pytest.raises(DataError, match="key 1 occurs 2 times, over the agreed 1"):
        ran(planned(buckets=4, most_repeats=1), homes, TABLES)
    with pytest.raises(RefusedError, match="smallest-overlap"):
        ran(planned(buckets=4, terms=TERMS.replace("smallest_overlap: 5", "smallest_overlap: 200")), homes, TABLES)
