"""align-all and known-at with the parties as threads: plans, numbers, files, refusals, words."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from rich.console import Console

from unseen.application.lazy import Lazy
from unseen.application.several import ALIGN_ALL, KNOWN_AT
from unseen.computation.circle import Circle
from unseen.computation.in_process import run_parties
from unseen.encoding import Json
from unseen.errors import DataError, MisuseError, RefusedError, UnavailableError
from unseen.interaction.agreement import Agreement, from_yaml
from unseen.interaction.application import Request, Run
from unseen.interaction.flow import check_flows
from unseen.interaction.plan import Plan

TERMS = """
agreement: Common customers of three
parties:
  bank: {role: controller}
  insurer: {role: controller}
  lender: {role: controller}
  dealer: {role: dealer}
purpose: dpv:FraudPreventionAndDetection
valid: {from: 2020-01-01, until: 2099-12-31}
columns:
  bank: {people: {tax: [join]}}
  insurer: {people: {tax: [join]}}
  lender: {people: {tax: [join]}}
computations: [align-all, known-at]
recipients: {bank-rows: [bank], insurer-rows: [insurer], known: [bank, insurer, lender]}
limits: {smallest_overlap: 5, round_to: 10, most_identifiers: 5000, runs: 1000}
"""
TABLES = {
    "bank": pa.table({"tax": [f"t{i}" for i in range(40)]}),
    "insurer": pa.table({"tax": [f" T{i} " for i in range(17, 60)]}),
    "lender": pa.table({"tax": [f"t{i}" for i in range(29, 90)]}),
}


def planned(application: Lazy, terms: str = TERMS, **more: Any) -> tuple[Plan, Agreement]:
    parties = {name: {"dataset": "people", "key": "tax", "rows": 100} for name in TABLES}
    agreement = from_yaml(terms)
    asked = Request("a" * 32, application.name, agreement.id, "bank", "0" * 64, {"parties": parties, **more})
    return application.plan(asked, agreement), agreement


def ran(
    application: Lazy, plan: Plan, folder: Path, tables: Mapping[str, pa.Table] = TABLES
) -> dict[str, Mapping[str, Json]]:
    def program(circle: Circle) -> Mapping[str, Json]:
        at = folder / circle.me
        at.mkdir(exist_ok=True)
        return application.run(Run(circle.me, plan, circle, lambda _: tables[circle.me], lambda *_: None, at))

    return dict(zip(plan.parties, run_parties(program, list(plan.parties)), strict=True))


def shown(application: Lazy, result: Mapping[str, Any], report: Path) -> str:
    text = io.StringIO()
    application.present(Console(file=text, width=200), {}, result, report, [])
    return " ".join(text.getvalue().split())


def test_the_customers_of_all_go_home_in_one_order_to_whom_the_agreement_names(tmp_path: Path) -> None:
    plan, agreement = planned(ALIGN_ALL)
    check_flows(plan, agreement)
    assert plan.outputs == {"bank": ("bank-rows",), "insurer": ("insurer-rows",)}
    assert "which of its own customers are common to all" in " ".join(plan.disclosures()["lender"])
    results = ran(ALIGN_ALL, plan, tmp_path)
    assert [result["common"] for result in results.values()] == [11] * 3
    bank, insurer = (pq.read_table(tmp_path / name / "common.parquet")["tax"].to_pylist() for name in plan.outputs)
    assert bank == [name.strip().lower() for name in insurer]
    assert set(bank) == {f"t{i}" for i in range(29, 40)}
    assert not (tmp_path / "lender" / "common.parquet").exists()
    assert "common to bank, insurer, lender 11" in shown(ALIGN_ALL, results["bank"], tmp_path)


def test_where_it_is_counted_first_nobody_finds_anyone_below_the_smallest_overlap(tmp_path: Path) -> None:
    plan, agreement = planned(ALIGN_ALL, count_first=True)
    check_flows(plan, agreement)
    assert (plan.dealer, plan.parameters["count_first"]) == ("dealer", True)
    assert "before it compares" not in " ".join(plan.disclosures()["bank"])
    assert "before it compares" in " ".join(planned(ALIGN_ALL)[0].disclosures()["bank"])
    assert plan.disclosures()["dealer"] == ["how many customers all institutions together enter into the sample"]
    assert [result["common"] for result in ran(ALIGN_ALL, plan, tmp_path).values()] == [11] * 3
    plan, _ = planned(ALIGN_ALL, TERMS.replace("smallest_overlap: 5", "smallest_overlap: 12"), count_first=True)
    with pytest.raises(RefusedError, match="smallest-overlap"):
        ran(ALIGN_ALL, plan, tmp_path)
    with pytest.raises(MisuseError, match="names no dealer; to count first needs one"):
        planned(ALIGN_ALL, TERMS.replace("  dealer: {role: dealer}\n", ""), count_first=True)
    with pytest.raises(MisuseError, match="count_first"):
        planned(KNOWN_AT, least=2, count_first=True)


@pytest.mark.parametrize(("least", "known"), [(1, 90), (2, 40), (3, 10)])
def test_the_number_known_at_so_many_is_rounded_as_agreed(least: int, known: int, tmp_path: Path) -> None:
    """In truth 90 at one or more, 43 at two, 11 at all."""
    plan, agreement = planned(KNOWN_AT, least=least)
    check_flows(plan, agreement)
    assert f"known at {least} or more of bank, insurer, lender" in " ".join(plan.disclosures()["bank"])
    results = ran(KNOWN_AT, plan, tmp_path)
    assert [result["known"] for result in results.values()] == [known] * 3
    assert f"known at {least} or more of bank, insurer, lender {known} (rounded to 10)" in shown(
        KNOWN_AT, results["bank"], tmp_path
    )


@pytest.mark.parametrize(("application", "more"), [(ALIGN_ALL, {}), (KNOWN_AT, {"least": 3})])
def test_too_few_too_many_and_bad_keys_stop_the_run(
    application: Lazy, more: Mapping[str, Any], tmp_path: Path
) -> None:
    plan, _ = planned(application, TERMS.replace("smallest_overlap: 5", "smallest_overlap: 12"), **more)
    with pytest.raises(RefusedError, match="smallest-overlap"):
        ran(application, plan, tmp_path)
    plan, _ = planned(application, **more)
    with pytest.raises(RefusedError, match="declared-size"):
        ran(application, plan, tmp_path, {**TABLES, "bank": pa.table({"tax": [f"t{i}" for i in range(101)]})})
    bad = {**TABLES, "bank": pa.table({"tax": ["", "", *(f"t{i}" for i in range(8))]})}
    with pytest.raises(DataError, match="'people', column 'tax'"):
        ran(application, plan, tmp_path, bad)


def people(tax: list[str | None], born: str, numbers: str) -> pa.Table:
    """Telephone numbers by one digit each; all are born on one day."""
    telephones = [f"+49 151 {digit * 6}" for digit in numbers]
    return pa.table({"tax": tax, "tel": telephones, "born": [born] * len(tax)})


KEYED = {
    "bank": people(["t1", None, None, "t4"], "1980-02-01", "1234"),
    "insurer": people(["T-1", "T-2", "T-9"], "1980-02-01", "123"),
    "lender": people(["t1", None, "t8"], "01.02.1980", "725"),
}
"""Common to all by tax number 1, by telephone number and day of birth 2 among the others."""
KEYED_TERMS = TERMS.replace("tax: [join]", "tax: [join], tel: [join], born: [join]").replace(
    "smallest_overlap: 5, round_to: 10", "smallest_overlap: 1"
)
IN_TURN = ["tax=unseen-document/1"], ["tel=unseen-phone/1", "born=unseen-date/1"]


def by_keys(*keys: list[str]) -> dict[str, Any]:
    """The lender alone writes days otherwise."""
    written = {name: [list(key) for key in keys] for name in TABLES}
    written["lender"] = [[part.replace("date/1", "date/1:DMY") for part in key] for key in keys]
    return {name: {"dataset": "people", "keys": of, "rows": 100} for name, of in written.items()}


@pytest.mark.parametrize("count_first", [False, True])
def test_keys_in_order_of_preference_find_whom_an_earlier_one_leaves_over(
    count_first: bool, tmp_path: Path
) -> None:
    asked = {"parties": by_keys(*IN_TURN), "count_first": count_first, "most_unfit": 0.0}
    plan, agreement = planned(ALIGN_ALL, KEYED_TERMS, **asked)
    check_flows(plan, agreement)
    assert plan.parameters["key_normalisation"] == [[part.split("=")[1] for part in key] for key in IN_TURN]
    told = " ".join(plan.disclosures()["lender"])
    assert "bank tax = insurer tax = lender tax, else bank tel = insurer tel = lender tel and bank born" in told
    assert ("before it compares" in told) != count_first
    results = ran(ALIGN_ALL, plan, tmp_path, KEYED)
    assert [(result["common"], result["by_key"]) for result in results.values()] == [(2, [1, 1])] * 3
    assert "common to bank, insurer, lender 2 (1 by key 1 and 1 by key 2)" in shown(
        ALIGN_ALL, results["bank"], tmp_path
    )
    bank = pq.read_table(tmp_path / "bank" / "common.parquet")
    assert bank["tax"].to_pylist() == ["t1", None]
    assert bank.column_names == ["tax", "tel", "born"]


@pytest.mark.parametrize(("application", "more"), [(ALIGN_ALL, {}), (KNOWN_AT, {"least": 3})])
def test_a_key_of_several_columns_meets_by_all_of_them(
    application: Lazy, more: dict[str, Any], tmp_path: Path
) -> None:
    plan, _ = planned(application, KEYED_TERMS, parties=by_keys(IN_TURN[1]), **more)
    results = ran(application, plan, tmp_path, KEYED)
    assert [result.get("common", result.get("known")) for result in results.values()] == [1] * 3


def test_a_count_by_several_keys_in_turn_and_keys_that_differ_are_refused() -> None:
    with pytest.raises(MisuseError, match="a count is by one key, of one column or several"):
        planned(KNOWN_AT, KEYED_TERMS, parties=by_keys(*IN_TURN), least=2)
    with pytest.raises(MisuseError, match="differ in their number"):
        planned(ALIGN_ALL, KEYED_TERMS, parties={**by_keys(*IN_TURN), "bank": by_keys(IN_TURN[0])["bank"]})
    with pytest.raises(MisuseError, match="written by different rules"):
        planned(
            ALIGN_ALL,
            parties={**by_keys(["tax=unseen-document/1"]), "bank": by_keys(["tax=unseen-key/1"])["bank"]},
        )


ODD = ["k", "e\u0301", "\ufb01n", "STRASSE", "\uff11\uff12", "x" * 65_536, "\u0430", "a\u200db", "y" * 65_537]
"""Short, long, too long, composed, folded, of full width; two that only look like others."""
LIKE = ["K ", "\u00e9", "FIN", "stra\u00dfe", "12", "X" * 65_536, "a", "ab", "y" * 65_537]


@pytest.mark.parametrize(("application", "more"), [(ALIGN_ALL, {}), (KNOWN_AT, {"least": 3})])
def test_odd_keys_meet_by_the_rule_and_by_nothing_else(
    application: Lazy, more: dict[str, Any], tmp_path: Path
) -> None:
    tables = {
        name: pa.table({"tax": keys}) for name, keys in (("bank", ODD), ("insurer", LIKE), ("lender", ODD[::-1]))
    }
    terms = TERMS.replace("round_to: 10", "round_to: 1")
    plan, _ = planned(application, terms, most_unfit=0.2, **more)
    results = ran(application, plan, tmp_path, tables)
    assert {result.get("common", result.get("known")) for result in results.values()} == {6}
    if application is ALIGN_ALL:
        ours, theirs = (pq.read_table(tmp_path / name / "common.parquet")["tax"] for name in ("bank", "insurer"))
        assert sorted(ours.to_pylist()) == sorted(ODD[:6])
        assert [ODD.index(key) for key in ours.to_pylist()] == [LIKE.index(key) for key in theirs.to_pylist()]


@pytest.mark.parametrize(("application", "more"), [(ALIGN_ALL, {}), (KNOWN_AT, {"least": 3})])
@pytest.mark.parametrize(
    ("column", "words"),
    [
        (pa.array([], pa.string()), "no rows"),
        (pa.array([None, " "]), "empty"),
        (pa.array([1.5]), "fractions"),
        (pa.array(["u"] * 1_000_000), "repeated"),
    ],
    ids=["no-rows", "empty", "fractions", "copies"],
)
def test_a_list_without_usable_keys_says_so(
    application: Lazy, more: dict[str, Any], column: pa.Array, words: str, tmp_path: Path
) -> None:
    plan, _ = planned(application, **more)
    with pytest.raises(DataError, match=f"data set 'people', column 'tax': .*{words}"):
        ran(application, plan, tmp_path, {**TABLES, "insurer": pa.table({"tax": column})})


@pytest.mark.parametrize(("application", "more"), [(ALIGN_ALL, {}), (KNOWN_AT, {"least": 3})])
def test_what_would_not_fit_into_free_memory_is_stopped_before_it_is_read(
    application: Lazy, more: dict[str, Any]
) -> None:
    plan, _ = planned(application, **more)

    def program(circle: Circle) -> Mapping[str, Json]:
        return application.run(Run(circle.me, plan, circle, _unread, lambda *_: None, Path(), memory=300 << 20))

    with pytest.raises(
        UnavailableError, match=r"takes about 35\d MiB of memory at \w+, and 300 are free; free some"
    ):
        run_parties(program, list(plan.parties))


def _unread(_: str) -> pa.Table:
    raise AssertionError("read before it was known to fit")


def test_a_request_that_does_not_fit_says_why() -> None:
    with pytest.raises(MisuseError, match="least"):
        planned(KNOWN_AT)
    with pytest.raises(MisuseError, match="ask for fewer"):
        planned(KNOWN_AT, least=4)
    with pytest.raises(MisuseError, match="does not name lender among the recipients"):
        planned(KNOWN_AT, TERMS.replace("known: [bank, insurer, lender]", "known: [bank, insurer]"), least=2)
    with pytest.raises(MisuseError, match="just the parties"):
        planned(ALIGN_ALL, parties={"bank": {"dataset": "people", "key": "tax", "rows": 1}})
    with pytest.raises(MisuseError, match="most_unfit"):
        planned(ALIGN_ALL, most_unfit=2)
