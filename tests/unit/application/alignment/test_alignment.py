"""Align and overlap with the parties as threads: plans, numbers, warnings, words, the picture."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from html.parser import HTMLParser
from math import pi
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from unseen.application.alignment import ALIGN, OVERLAP
from unseen.application.alignment.picture import circles, distance, lens
from unseen.application.alignment.presentation import lines, present
from unseen.application.lazy import Lazy
from unseen.computation.circle import Circle
from unseen.computation.in_process import run_parties
from unseen.encoding import Json
from unseen.errors import DataError, MisuseError, ProtocolError, RefusedError, UnavailableError
from unseen.interaction.agreement import Agreement, from_yaml
from unseen.interaction.application import Request, Run
from unseen.interaction.flow import check_flows
from unseen.interaction.law.verdict import judge
from unseen.interaction.plan import Plan
from unseen.interaction.template import read

TERMS = read("alignment").replace("smallest_overlap: 1000", "smallest_overlap: 5")
TABLES = {
    "bank": pa.table({"tax_number": [f"t{i}" for i in range(40)], "SEGMENT": [f"s{i}" for i in range(40)]}),
    "insurer": pa.table({"tax_number": [f"T{i} " for i in range(17, 60)], "PRODUCT": range(17, 60)}),
}


def body(**more: Any) -> dict[str, Any]:
    parties = {
        "bank": {"dataset": "clients", "key": "tax_number", "rows": 100},
        "insurer": {"dataset": "policies", "key": "tax_number", "rows": 100},
    }
    return {"parties": parties, **more}


def planned(application: Lazy, request: Mapping[str, Any], terms: str = TERMS) -> tuple[Plan, Agreement]:
    agreement = from_yaml(terms)
    asked = Request("a" * 32, application.name, agreement.id, "bank", "0" * 64, request)
    return application.plan(asked, agreement), agreement


def ran(
    application: Lazy, plan: Plan, folder: Path, tables: Mapping[str, pa.Table] = TABLES
) -> dict[str, Mapping[str, Json]]:
    def program(circle: Circle) -> Mapping[str, Json]:
        (folder / circle.me).mkdir(exist_ok=True)
        at = folder / circle.me
        return application.run(Run(circle.me, plan, circle, lambda _: tables[circle.me], lambda *_: None, at))

    return dict(zip(plan.parties, run_parties(program, list(plan.parties)), strict=True))


@pytest.mark.parametrize("application", [ALIGN, OVERLAP], ids=["align", "overlap"])
def test_the_template_is_an_agreement_for_both_and_the_plan_says_what_each_party_learns(
    application: Lazy,
) -> None:
    plan, agreement = planned(application, body())
    check_flows(plan, agreement)
    judge(plan, agreement).require_permitted()
    assert all(party in agreement.recipients[o] for party, outputs in plan.outputs.items() for o in outputs)
    assert plan.parameters["declared"] == {"bank": 100, "insurer": 100}
    told = " ".join(plan.disclosures()["bank"])
    assert "how many customers each side offers" in told
    assert ("which of its own customers" in told) == (application is ALIGN)
    assert plan.dealer is None


def test_columns_go_home_to_their_own_party_alone() -> None:
    request = body()
    request["parties"]["bank"]["columns"] = ["SEGMENT"]
    plan, agreement = planned(ALIGN, request)
    check_flows(plan, agreement)
    assert plan.outputs == {"bank": ("bank-rows",), "insurer": ("insurer-rows",)}
    (flow,) = (flow for flow in plan.flows if flow.output == "bank-rows")
    assert {source.column for source in flow.sources} == {"tax_number", "SEGMENT"}
    wide, _ = planned(ALIGN, request, TERMS.replace("bank-rows: [bank]", "bank-rows: [bank, insurer]"))
    assert wide.outputs == plan.outputs


@pytest.mark.parametrize(
    ("application", "change", "words"),
    [
        (ALIGN, {"rows": 0}, "rows"),
        (ALIGN, {"rows": None}, "rows"),
        (OVERLAP, {"columns": ["SEGMENT"]}, "columns"),
        (ALIGN, {"columns": ["tax_number"]}, "the key goes home anyway"),
        (ALIGN, {"columns": ["SEGMENT", "SEGMENT"]}, "twice"),
    ],
)
def test_a_request_that_cannot_be_used_says_why(application: Lazy, change: Any, words: str) -> None:
    request = body()
    request["parties"]["bank"] |= change
    with pytest.raises(MisuseError, match=words):
        planned(application, request)


def test_an_agreement_without_recipients_is_named() -> None:
    with pytest.raises(MisuseError, match="lets no party receive overlap"):
        planned(OVERLAP, body(), TERMS.replace("overlap: [bank, insurer]", "overlap: []"))
    request = body()
    request["parties"]["bank"]["columns"] = ["SEGMENT"]
    with pytest.raises(MisuseError, match="bank gets no bank-rows here and can take no columns home"):
        planned(ALIGN, request, TERMS.replace("bank-rows: [bank]", "bank-rows: []"))


@pytest.mark.parametrize(("recipient", "other"), [("bank", "insurer"), ("insurer", "bank")])
@pytest.mark.parametrize("method", ["curves", "vector-ole"])
def test_where_one_party_alone_receives_the_other_learns_nothing_of_who_is_common(
    recipient: str, other: str, method: str, tmp_path: Path
) -> None:
    silent = TERMS.replace(f"{other}-rows: [{other}]", f"{other}-rows: []")
    for request, terms in ((body(method=method, recipients=[recipient]), TERMS), (body(method=method), silent)):
        plan, agreement = planned(ALIGN, request, terms)
        check_flows(plan, agreement)
        assert plan.outputs == {recipient: (f"{recipient}-rows",)}
        assert "which of its own" in " ".join(plan.disclosures()[recipient])
        assert plan.disclosures()[other] == [
            "how many customers each side offers",
            "whether at least 5 customers are common, and how large a sample was counted to see",
        ]
        results = ran(ALIGN, plan, tmp_path)
        assert results[recipient]["common"] == 23
        assert (tmp_path / recipient / "common.parquet").exists()
        assert "common" not in results[other]
        assert not (tmp_path / other / "common.parquet").exists()
        assert ("common", "told to its recipients alone") in lines(results[other])


def test_recipients_that_cannot_be_had_are_named() -> None:
    with pytest.raises(MisuseError, match="lets nobody receive insurer-rows"):
        planned(ALIGN, body(recipients=["insurer"]), TERMS.replace("insurer-rows: [insurer]", "insurer-rows: []"))
    nobody = TERMS.replace("insurer-rows: [insurer]", "insurer-rows: []").replace(
        "bank-rows: [bank]", "bank-rows: []"
    )
    with pytest.raises(MisuseError, match="lets no party receive its rows"):
        planned(ALIGN, body(), nobody)
    for request, words in (
        (body(recipients=["stranger"]), "names parties of this request"),
        (body(recipients=[]), "recipients"),
        (body(recipients=["bank"], most_repeats=3), "a join tells both sides"),
    ):
        with pytest.raises(MisuseError, match=words):
            planned(ALIGN, request)
    request = body(recipients=["insurer"])
    request["parties"]["bank"]["columns"] = ["SEGMENT"]
    with pytest.raises(MisuseError, match="bank gets no bank-rows here and can take no columns home"):
        planned(ALIGN, request)


def test_what_a_method_was_taken_for_is_said_and_it_can_be_overridden(tmp_path: Path) -> None:
    for method, why in ((None, "no more than"), ("vector-ole", "the request asks for it")):
        result = ran(ALIGN, planned(ALIGN, body(method=method))[0], tmp_path)["bank"]
        assert result["common"] == 23
        assert (result["method"], why in str(result["why"])) == (method or "curves", True)


def test_a_few_bad_keys_are_left_out_with_a_warning_and_many_stop_it(tmp_path: Path) -> None:
    numbers = [None, "", *TABLES["bank"]["tax_number"].to_pylist(), "t1", " T1"]
    tables = {**TABLES, "bank": pa.table({"tax_number": pa.array(numbers)})}
    results = ran(OVERLAP, planned(OVERLAP, body(most_unfit=0.05))[0], tmp_path, tables)
    assert results["bank"]["common"] == 20  # 23, rounded
    assert results["bank"]["warnings"] == [
        "4.55% of the keys are empty",
        "4.55% of the keys are repeated",
        "4 of 44 rows are left out; of repeated keys the first stays",
    ]
    assert results["insurer"]["warnings"] == []
    for application in (ALIGN, OVERLAP):
        with pytest.raises(DataError, match=r"'clients', column 'tax_number': 4.55% of the keys are empty.*mend"):
            ran(application, planned(application, body(most_unfit=0.04))[0], tmp_path, tables)


@pytest.mark.parametrize("application", [ALIGN, OVERLAP], ids=["align", "overlap"])
def test_a_node_that_offers_more_than_declared_stops_itself_or_is_named(application: Lazy, tmp_path: Path) -> None:
    """The second: a bank whose own software does not count, as if it had been granted more."""
    request = body()
    request["parties"]["bank"]["rows"] = 39
    honest, _ = planned(application, request)
    with pytest.raises(RefusedError, match=r"declared-size.*bank holds more identifiers than the 39"):
        ran(application, honest, tmp_path)
    lying, _ = planned(application, body())

    def program(circle: Circle) -> Mapping[str, Json]:
        plan = lying if circle.me == "bank" else honest
        at = tmp_path / circle.me
        return application.run(Run(circle.me, plan, circle, lambda _: TABLES[circle.me], lambda *_: None, at))

    with pytest.raises(ProtocolError, match="bank: offers more identifiers than the 39"):
        run_parties(program, list(honest.parties))


def shown(result: Mapping[str, Any], report: Path) -> str:
    text = io.StringIO()
    record = {"title": "<Trial>", "plan_hash": "f" * 64, "plan": {"disclosures": {"bank": ["<sizes>"]}}}
    present(Console(file=text, width=200), record, result, report)
    return " ".join(text.getvalue().split())


def test_an_estimate_is_called_one_and_stands_with_its_interval(tmp_path: Path) -> None:
    many = {
        "bank": pa.table({"tax_number": [f"t{i}" for i in range(3000)]}),
        "insurer": pa.table({"tax_number": [f"t{i}" for i in range(1000, 4000)]}),
    }
    request = body(exact_up_to=1500)
    for side in request["parties"].values():
        side["rows"] = 3000
    result = ran(OVERLAP, planned(OVERLAP, request)[0], tmp_path, many)["bank"]
    said = shown(result, tmp_path / "report.html")
    assert "common (an estimate) about" in said
    assert "with 95% confidence" in said
    assert "counted on a sample" in said


def test_the_page_escapes_what_comes_from_outside_and_needs_nothing_else(tmp_path: Path) -> None:
    result = {**ran(ALIGN, planned(ALIGN, body())[0], tmp_path)["bank"], "partner": "<script>"}
    report = tmp_path / "report.html"
    said = shown(result, report)
    assert "common 23" in said
    assert str(report.resolve()) in said
    page = report.read_text()
    assert "<script" not in page
    assert "&lt;sizes&gt;" in page
    tags: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: Any) -> None:
            tags.append(tag)
            assert not {"src", "href"} & {name for name, _ in attrs}

    Reader().feed(page)
    assert tags.count("circle") == 2


def test_who_is_no_recipient_of_the_number_reads_the_sizes_alone(tmp_path: Path) -> None:
    terms = TERMS.replace("overlap: [bank, insurer]", "overlap: [bank]")
    results = ran(OVERLAP, planned(OVERLAP, body(), terms)[0], tmp_path)
    assert results["bank"]["common"] == 20
    assert "20" not in json.dumps({k: v for k, v in results["insurer"].items() if k != "seconds"})
    assert dict(lines(results["insurer"]))["common"] == "told to its recipients alone"
    shown(results["insurer"], tmp_path / "none.html")
    assert not (tmp_path / "none.html").exists()


@given(st.floats(1, 200), st.floats(1, 200), st.floats(0, 1))
def test_the_circles_overlap_in_proportion(r: float, s: float, share: float) -> None:
    area = share * pi * min(r, s) ** 2
    assert lens(r, s, distance(r, s, area)) == pytest.approx(area, abs=1e-3 * pi * min(r, s) ** 2)
    assert lens(r, s, r + s) == 0
    assert lens(r, s, 0) == pytest.approx(pi * min(r, s) ** 2)


def test_a_picture_of_a_tiny_side_is_still_one() -> None:
    assert 'r="3.0"' in circles(("bank", 10_000_000), ("insurer", 1), 1)


def test_a_count_that_would_not_fit_into_free_memory_is_stopped_before_it_is_read() -> None:
    plan, _ = planned(OVERLAP, body())
    estimate = OVERLAP.estimate(plan, 0)["memory"]

    def program(circle: Circle) -> Mapping[str, Json]:
        def release(_: str) -> pa.Table:
            raise AssertionError("read before it was known to fit")

        free = int(str(estimate)) - 1
        return OVERLAP.run(Run(circle.me, plan, circle, release, lambda *_: None, Path(), memory=free))

    with pytest.raises(UnavailableError, match="free some, or let fewer be counted"):
        run_parties(program, list(plan.parties))
