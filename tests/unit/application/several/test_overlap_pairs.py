"""overlap-pairs with the parties as threads: only agreed pairs, only to agreed recipients, words, refusals."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from rich.console import Console

from unseen.application.several import OVERLAP_PAIRS
from unseen.computation.circle import Circle
from unseen.computation.in_process import run_parties
from unseen.encoding import Json
from unseen.errors import MisuseError, RefusedError, UnavailableError
from unseen.interaction.agreement import Agreement, from_yaml
from unseen.interaction.application import Request, Run
from unseen.interaction.flow import check_flows
from unseen.interaction.plan import Plan

TERMS = """
agreement: Pairs of three
parties:
  bank: {role: controller}
  insurer: {role: controller}
  lender: {role: controller}
purpose: dpv:FraudPreventionAndDetection
valid: {from: 2020-01-01, until: 2099-12-31}
columns:
  bank: {people: {tax: [join]}}
  insurer: {people: {tax: [join]}}
  lender: {people: {tax: [join]}}
computations: [overlap-pairs]
recipients:
  bank-insurer-overlap: [bank, insurer]
  bank-lender-overlap: [bank, insurer, lender]
  insurer-lender-overlap: [insurer]
limits: {smallest_overlap: 12, round_to: 10, most_identifiers: 5000, runs: 1000}
"""
TABLES = {
    "bank": pa.table({"tax": [f"t{i}" for i in range(40)]}),
    "insurer": pa.table({"tax": [f" T{i} " for i in range(17, 60)]}),
    "lender": pa.table({"tax": [f"t{i}" for i in range(29, 90)]}),
}
"""23 common to bank and insurer, 11 to bank and lender, 31 to insurer and lender."""


def planned(terms: str = TERMS, **more: Any) -> tuple[Plan, Agreement]:
    parties = {name: {"dataset": "people", "key": "tax", "rows": 100} for name in TABLES}
    agreement = from_yaml(terms)
    asked = Request("a" * 32, OVERLAP_PAIRS.name, agreement.id, "bank", "0" * 64, {"parties": parties, **more})
    return OVERLAP_PAIRS.plan(asked, agreement), agreement


def ran(plan: Plan, folder: Path, tables: Mapping[str, pa.Table] = TABLES) -> dict[str, Mapping[str, Any]]:
    def program(circle: Circle) -> Mapping[str, Json]:
        def release(_: str) -> pa.Table:
            return tables[circle.me]

        return OVERLAP_PAIRS.run(Run(circle.me, plan, circle, release, lambda *_: None, folder))

    return dict(zip(plan.parties, run_parties(program, list(plan.parties)), strict=True))


def numbers(result: Mapping[str, Any]) -> dict[tuple[str, ...], int | None]:
    return {tuple(pair["of"]): pair["common"] for pair in result["pairs"]}


def shown(result: Mapping[str, Any]) -> str:
    text = io.StringIO()
    OVERLAP_PAIRS.present(Console(file=text, width=200), {}, result, Path(), [])
    return " ".join(text.getvalue().split())


def test_the_pairs_are_those_agreed_and_each_number_goes_where_it_may() -> None:
    plan, agreement = planned()
    check_flows(plan, agreement)
    assert plan.outputs == {
        "bank": ("bank-insurer-overlap", "bank-lender-overlap"),
        "insurer": ("bank-insurer-overlap", "bank-lender-overlap"),
        "lender": ("bank-lender-overlap",),
    }
    told = plan.disclosures()
    assert "how many customers bank and lender have in common" in " ".join(told["insurer"])
    assert "how many customers bank offers, and how many lender" not in " ".join(told["insurer"])
    assert "insurer" not in " ".join(told["lender"])
    assert plan.dealer is None


def test_each_learns_what_is_agreed_rounded_and_too_few_is_no_number(tmp_path: Path) -> None:
    results = ran(planned()[0], tmp_path)
    assert numbers(results["bank"]) == {("bank", "insurer"): 20, ("bank", "lender"): None}
    assert numbers(results["insurer"]) == numbers(results["bank"])
    assert numbers(results["lender"]) == {("bank", "lender"): None}
    assert "common to bank and insurer 20 (rounded to 10)" in shown(results["bank"])
    assert "common to bank and lender too few to be told" in shown(results["lender"])


def test_an_institution_of_no_pair_releases_nothing(tmp_path: Path) -> None:
    plan, _ = planned(pairs=[["insurer", "bank"]])
    assert {use.party for use in plan.uses} == {"bank", "insurer"}
    results = ran(plan, tmp_path, {**TABLES, "lender": None})
    assert numbers(results["bank"]) == {("bank", "insurer"): 20}
    assert results["lender"]["pairs"] == []
    assert "nothing here is told to lender" in shown(results["lender"])


def test_many_are_counted_on_a_sample_and_the_interval_is_told(tmp_path: Path) -> None:
    tables = {
        "bank": pa.table({"tax": [f"t{i}" for i in range(1500)]}),
        "insurer": pa.table({"tax": [f"t{i}" for i in range(1500)]}),
        "lender": None,
    }
    terms = TERMS.replace("round_to: 10", "round_to: 1")
    plan, _ = planned(terms, pairs=[["bank", "insurer"]], exact_up_to=1000, parties={
        name: {"dataset": "people", "key": "tax", "rows": 1500} for name in TABLES
    })  # fmt: skip
    result = ran(plan, tmp_path, tables)["insurer"]
    (pair,) = result["pairs"]
    assert pair["sampled_share"] == pytest.approx(1 / 3)
    assert pair["interval"][0] <= pair["common"] <= pair["interval"][1]
    assert "with 95% confidence" in shown(result)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (
            {"pairs": [["insurer", "lender"]]},
            "does not name lender among the recipients of insurer-lender-overlap",
        ),
        ({"pairs": [["bank", "bank"]]}, "two different parties"),
        ({"pairs": [["bank", "stranger"]]}, "two different parties"),
        ({"pairs": [["bank", "insurer"], ["insurer", "bank"]]}, "each pair once"),
        ({"pairs": []}, "pairs"),
        ({"exact_up_to": 1}, "exact_up_to"),
        (
            {
                "parties": {
                    name: {"dataset": "people", "keys": [["tax=unseen-key/1"], ["tax=unseen-key/1"]], "rows": 9}
                    for name in TABLES
                }
            },
            "a count is by one key",
        ),
    ],
)
def test_a_request_that_does_not_fit_says_why(more: dict[str, Any], words: str) -> None:
    with pytest.raises(MisuseError, match=words):
        planned(**more)


def test_an_agreement_that_lets_no_pair_know_is_named() -> None:
    terms = TERMS.replace("-overlap: [bank, insurer", "-overlap: [insurer")
    with pytest.raises(MisuseError, match=r"lets no pair know its number; name .* bank-insurer-overlap"):
        planned(terms)


def test_more_than_declared_stops_it_and_the_estimate_grows_with_the_pairs(tmp_path: Path) -> None:
    plan, _ = planned()
    with pytest.raises(RefusedError, match="declared-size"):
        ran(plan, tmp_path, {**TABLES, "bank": pa.table({"tax": [f"t{i}" for i in range(101)]})})
    one, _ = planned(pairs=[["bank", "insurer"]])
    assert 2 * OVERLAP_PAIRS.estimate(one, 0)["bytes"] == OVERLAP_PAIRS.estimate(plan, 0)["bytes"]


def test_what_would_not_fit_into_free_memory_is_stopped_before_it_is_read() -> None:
    plan, _ = planned()

    def program(circle: Circle) -> Mapping[str, Json]:
        def release(_: str) -> pa.Table:
            raise AssertionError("read before it was known to fit")

        return OVERLAP_PAIRS.run(Run(circle.me, plan, circle, release, lambda *_: None, Path(), memory=300 << 20))

    with pytest.raises(UnavailableError, match="and 300 are free; free some"):
        run_parties(program, list(plan.parties))
