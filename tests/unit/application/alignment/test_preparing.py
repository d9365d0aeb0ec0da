"""An alignment that one job prepares and another runs: plans, disclosures, one use, and what no longer fits."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from rich.console import Console

from unseen.application.alignment import ALIGN
from unseen.application.alignment.presentation import present
from unseen.computation.circle import Circle
from unseen.computation.in_process import run_parties
from unseen.encoding import Json
from unseen.errors import DataError, MisuseError, RefusedError
from unseen.interaction.agreement import Agreement, from_yaml
from unseen.interaction.application import Request, Run
from unseen.interaction.flow import check_flows
from unseen.interaction.law.verdict import judge
from unseen.interaction.plan import Plan
from unseen.interaction.template import read

TERMS = read("alignment").replace("smallest_overlap: 1000", "smallest_overlap: 5")
TABLES = {
    "bank": pa.table({"tax_number": [f"t{i}" for i in range(40)], "SEGMENT": [f"s{i}" for i in range(40)]}),
    "insurer": pa.table({"tax_number": [f" T{i}" for i in range(17, 600)], "PRODUCT": range(17, 600)}),
}
JOB = "b" * 32


def planned(terms: str = TERMS, rows: int = 50, **more: Any) -> tuple[Plan, Agreement]:
    parties: dict[str, Any] = {
        "bank": {"dataset": "clients", "key": "tax_number", "rows": rows},
        "insurer": {"dataset": "policies", "key": "tax_number", "rows": 700},
    }
    if "columns" in more:
        parties["bank"]["columns"] = more.pop("columns")
    agreement = from_yaml(terms)
    asked = Request("a" * 32, ALIGN.name, agreement.id, "bank", "0" * 64, {"parties": parties, **more})
    return ALIGN.plan(asked, agreement), agreement


def ran(plan: Plan, folder: Path, tables: Mapping[str, pa.Table] = TABLES) -> dict[str, Mapping[str, Json]]:
    """Results of one job lie in a folder for each party; a later job finds there what an earlier one left."""

    def program(circle: Circle) -> Mapping[str, Json]:
        at = folder / circle.me
        at.mkdir(exist_ok=True)

        def earlier(job: str, name: str) -> bytes:
            if job != JOB or not (at / name).exists():
                raise MisuseError(f"there is no {name} here")
            return (at / name).read_bytes()

        def erase(job: str, name: str) -> None:
            (at / name).unlink()

        def release(_: str) -> pa.Table:
            return tables[circle.me]

        return ALIGN.run(Run(circle.me, plan, circle, release, lambda *_: None, at, earlier, erase))

    return dict(zip(plan.parties, run_parties(program, list(plan.parties)), strict=True))


def rows_at(folder: Path, party: str) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = pq.read_table(folder / party / "common.parquet").to_pydict()
    return found


def test_the_plan_of_a_preparation_reads_one_list_and_gives_nobody_rows() -> None:
    plan, agreement = planned(prepare=True)
    check_flows(plan, agreement)
    judge(plan, agreement).require_permitted()
    assert [(use.party, use.column) for use in plan.uses] == [("insurer", "tax_number")]
    assert plan.outputs == {}
    sizes = "how many customers insurer offers, and how many bank may offer at most"
    assert plan.disclosures() == {"bank": [sizes], "insurer": [sizes]}
    assert plan.parameters["way"] == "preparation"


def test_the_plan_of_the_run_says_that_the_smaller_side_finds_them_first() -> None:
    plan, agreement = planned(prepared=JOB)
    check_flows(plan, agreement)
    judge(plan, agreement).require_permitted()
    assert plan.parameters["way"] == "prepared"
    told = plan.disclosures()
    assert "before it compares their number with 5" in " ".join(told["bank"])
    assert "its process" not in " ".join(told["insurer"])
    assert "which of its own" in " ".join(told["insurer"])
    one, _ = planned(prepared=JOB, recipients=["bank"])
    assert one.disclosures()["insurer"] == ["whether at least 5 customers are common"]


def test_one_job_prepares_and_one_later_job_aligns(tmp_path: Path) -> None:
    results = ran(planned(prepare=True)[0], tmp_path)
    assert (results["bank"]["listed"], results["bank"]["capacity"]) == (583, 50)
    assert not (tmp_path / "bank" / "common.parquet").exists()
    results = ran(planned(prepared=JOB, columns=["SEGMENT"])[0], tmp_path)
    assert [result["common"] for result in results.values()] == [23, 23]
    bank, insurer = rows_at(tmp_path, "bank"), rows_at(tmp_path, "insurer")
    assert bank["tax_number"] == [name.strip().lower() for name in insurer["tax_number"]]
    assert [name[1:] for name in bank["tax_number"]] == [segment[1:] for segment in bank["SEGMENT"]]
    assert set(bank["tax_number"]) == {f"t{i}" for i in range(17, 40)}
    assert not list(tmp_path.rglob("prepared.state"))
    with pytest.raises(MisuseError, match=r"has had its one run; prepare again"):
        ran(planned(prepared=JOB)[0], tmp_path)


def test_the_smaller_side_alone_may_learn_who_is_common(tmp_path: Path) -> None:
    ran(planned(prepare=True)[0], tmp_path)
    results = ran(planned(prepared=JOB, recipients=["bank"])[0], tmp_path)
    assert results["bank"]["common"] == 23
    assert "common" not in results["insurer"]
    assert not (tmp_path / "insurer" / "common.parquet").exists()
    with pytest.raises(MisuseError, match="bank finds the common customers, and it is no recipient"):
        planned(prepared=JOB, recipients=["insurer"])


def test_too_few_in_common_spends_the_preparation(tmp_path: Path) -> None:
    ran(planned(prepare=True)[0], tmp_path)
    plan, _ = planned(TERMS.replace("smallest_overlap: 5", "smallest_overlap: 24"), prepared=JOB)
    with pytest.raises(RefusedError, match="smallest-overlap"):
        ran(plan, tmp_path)
    assert not list(tmp_path.rglob("prepared.state"))


def test_a_list_that_has_changed_must_be_prepared_again_and_nothing_is_spent(tmp_path: Path) -> None:
    """One customer less, as when somebody objects in between."""
    ran(planned(prepare=True)[0], tmp_path)
    fewer = {**TABLES, "insurer": TABLES["insurer"].slice(1)}
    with pytest.raises(DataError, match="'policies' offers other customers"):
        ran(planned(prepared=JOB)[0], tmp_path, fewer)
    assert len(list(tmp_path.rglob("prepared.state"))) == 2
    with pytest.raises(MisuseError, match="prepared 583 customers for up to 50"):
        ran(planned(prepared=JOB, rows=60)[0], tmp_path)
    assert ran(planned(prepared=JOB)[0], tmp_path)["bank"]["common"] == 23


def test_a_preparation_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(MisuseError, match=f"job {'c' * 32} left no preparation here"):
        ran(planned(prepared="c" * 32)[0], tmp_path)


def test_more_than_declared_stops_both_jobs(tmp_path: Path) -> None:
    more = {**TABLES, "insurer": pa.table({"tax_number": [f"t{i}" for i in range(701)]})}
    with pytest.raises(RefusedError, match="declared-size"):
        ran(planned(prepare=True)[0], tmp_path, more)
    ran(planned(prepare=True)[0], tmp_path)
    many = {**TABLES, "bank": pa.table({"tax_number": [f"t{i}" for i in range(51)]})}
    with pytest.raises(RefusedError, match="declared-size"):
        ran(planned(prepared=JOB)[0], tmp_path, many)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"prepare": True, "prepared": JOB}, "gives nobody rows"),
        ({"prepare": True, "recipients": ["bank"]}, "gives nobody rows"),
        ({"prepare": True, "columns": ["SEGMENT"]}, "gives nobody rows"),
        ({"prepare": True, "method": "curves"}, "by its own method"),
        ({"prepared": JOB, "most_repeats": 3}, "by its own method"),
        ({"prepared": "../x"}, "prepared"),
        ({"prepare": True, "rows": 700}, "a large list for a small one"),
        ({"prepared": JOB, "rows": 700}, "a large list for a small one"),
    ],
)
def test_a_request_that_cannot_be_used_says_why(more: dict[str, Any], words: str) -> None:
    with pytest.raises(MisuseError, match=words):
        planned(**more)


def test_an_agreement_may_forbid_what_is_prepared() -> None:
    terms = TERMS.replace("most_repeats: {most: 1}}", "most_repeats: {most: 1}, way: {among: [at-once]}}")
    for more in ({"prepare": True}, {"prepared": JOB}, {}):
        plan, agreement = planned(terms, **more)
        bound = agreement.computations["align"]["way"]
        if more:
            with pytest.raises(RefusedError, match="way"):
                bound.require("way", plan.parameters["way"])
        else:
            bound.require("way", plan.parameters["way"])


def test_what_is_told_to_a_person_and_what_it_will_cost(tmp_path: Path) -> None:
    plan, _ = planned(prepare=True)
    text = io.StringIO()
    record = {"job": JOB, "plan": {"disclosures": {}}}
    present(Console(file=text, width=200), record, ran(plan, tmp_path)["bank"], tmp_path / "report.html")
    assert "583 of insurer, for up to 50 of bank" in text.getvalue()
    assert f"prepared: {JOB}" in text.getvalue()
    assert ALIGN.estimate(plan, 0)["bytes"] > ALIGN.estimate(planned(prepared=JOB)[0], 0)["bytes"]
