"""Joins through the application, the parties as threads: against pandas, with plans, words and refusals."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from unseen.application.alignment import ALIGN, OVERLAP
from unseen.application.alignment.presentation import lines
from unseen.application.lazy import Lazy
from unseen.computation.circle import Circle
from unseen.computation.in_process import run_parties
from unseen.encoding import Json
from unseen.errors import DataError, MisuseError, RefusedError
from unseen.interaction.agreement import from_yaml
from unseen.interaction.application import Request, Run
from unseen.interaction.checks import parameter
from unseen.interaction.flow import check_flows
from unseen.interaction.plan import Plan
from unseen.interaction.template import read

TERMS = read("alignment").replace("smallest_overlap: 1000", "smallest_overlap: 5")
BANK = pd.DataFrame(
    {
        "tax": [f"t {i:03}" if i % 5 else None for i in range(60)] + ["T001", "t-002", "unknown"],
        "phone": [f"0170 {1000000 + i}" for i in range(60)] + ["0170 9999999"] * 2 + [None],
        "born": ["1.2.1980"] * 63,
        "SEGMENT": [f"s{i}" for i in range(63)],
    }
)
INSURER = pd.DataFrame(
    {
        "number": [f"T{i:03}" if i % 4 else "" for i in range(30, 90)] + ["T-031"],
        "telephone": [f"+49 (0)170 {1000000 + i}" for i in range(30, 90)] + ["n/a"],
        "birthday": ["1980-02-01"] * 61,
        "PRODUCT": range(61),
    }
)
TABLES = {name: pa.Table.from_pandas(frame) for name, frame in (("bank", BANK), ("insurer", INSURER))}
KEYS = {
    "bank": [["tax=unseen-document/1"], ["phone=unseen-phone/1:DE", "born=unseen-date/1:DMY"]],
    "insurer": [["number=unseen-document/1"], ["telephone=unseen-phone/1", "birthday=unseen-date/1"]],
}


def body(choices: int = 2, **more: Any) -> dict[str, Any]:
    parties = {
        "bank": {"dataset": "clients", "keys": KEYS["bank"][:choices], "rows": 63, "columns": ["SEGMENT"]},
        "insurer": {"dataset": "policies", "keys": KEYS["insurer"][:choices], "rows": 61, "columns": ["PRODUCT"]},
    }
    if more.get("kind") == "difference":
        del parties["insurer"]["columns"]
    return {"parties": parties, "most_unfit": 0.05, **more}


def planned(request: Mapping[str, Any], application: Lazy = ALIGN) -> Plan:
    agreement = from_yaml(TERMS)
    plan = application.plan(
        Request("a" * 32, application.name, agreement.id, "bank", "0" * 64, request), agreement
    )
    check_flows(plan, agreement)
    return plan


def ran(request: Mapping[str, Any], folder: Path, application: Lazy = ALIGN) -> dict[str, Mapping[str, Json]]:
    plan = planned(request, application)

    def program(circle: Circle) -> Mapping[str, Json]:
        at = folder / circle.me
        at.mkdir()
        return application.run(Run(circle.me, plan, circle, lambda _: TABLES[circle.me], lambda *_: None, at))

    return dict(zip(plan.parties, run_parties(program, list(plan.parties)), strict=True))


def by_pandas() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Both tables with the keys written by hand; the pairs by tax number, else by phone and birth."""
    bank = BANK.assign(tax=BANK["tax"].str.replace("[ -]", "", regex=True).str.upper(), row=range(63))
    bank.loc[bank["tax"] == "UNKNOWN", "tax"] = None
    bank["phone"] = bank["phone"].str.replace("0170 ", "+49170")
    other = INSURER.assign(number=INSURER["number"].str.replace("-", "").replace("", None))
    other["telephone"] = other["telephone"].str.replace("+49 (0)170 ", "+49170").replace("n/a", None)
    first = bank.dropna(subset="tax").merge(other.dropna(subset="number"), left_on="tax", right_on="number")
    left = bank[~bank["SEGMENT"].isin(first["SEGMENT"])].dropna(subset="phone")
    right = other[~other["PRODUCT"].isin(first["PRODUCT"])].dropna(subset="telephone")
    second = left.merge(right, left_on="phone", right_on="telephone")
    pairs = pd.concat([first, second])[["SEGMENT", "PRODUCT"]]
    return pairs, bank[~bank["SEGMENT"].isin(pairs["SEGMENT"])]


def test_an_inner_join_with_repeats_and_a_second_key_is_that_of_pandas(tmp_path: Path) -> None:
    results = ran(body(), tmp_path)
    ours, theirs = (pq.read_table(tmp_path / name / "common.parquet").to_pandas() for name in ("bank", "insurer"))
    assert list(ours) == ["tax", "phone", "born", "SEGMENT"]
    found = sorted(zip(ours["SEGMENT"], theirs["PRODUCT"], strict=True))
    assert found == sorted(by_pandas()[0].itertuples(index=False, name=None))
    result = results["bank"]
    assert result["rows"] == results["insurer"]["rows"] == len(found)
    told = dict(lines(result))
    assert told["rows of the inner join"] == str(len(found))
    assert {"by tax", "by phone and born"} <= set(told)
    assert "column tax: 1.59% of the keys are malformed" in list(result["warnings"])  # type: ignore[call-overload]


def test_a_left_join_keeps_every_row_of_the_left_and_has_places_for_them_at_the_right(tmp_path: Path) -> None:
    results = ran(body(kind="left", left="bank"), tmp_path)
    ours, theirs = (pq.read_table(tmp_path / name / "left.parquet").to_pandas() for name in ("bank", "insurer"))
    pairs, alone = by_pandas()
    assert set(ours["SEGMENT"]) == set(BANK["SEGMENT"])
    assert len(ours) == len(theirs) == len(pairs) + len(alone)
    unmatched = theirs["PRODUCT"].isna()
    assert sorted(ours["SEGMENT"][unmatched]) == sorted(alone["SEGMENT"])
    assert dict(lines(results["insurer"]))["rows of the left join"] == (
        f"{len(ours)}, of them {len(alone)} of bank without a partner"
    )


def test_a_difference_gives_the_left_its_rows_and_the_right_none(tmp_path: Path) -> None:
    results = ran(body(kind="difference", left="bank"), tmp_path)
    ours = pq.read_table(tmp_path / "bank" / "difference.parquet").to_pandas()
    assert sorted(ours["SEGMENT"]) == sorted(by_pandas()[1]["SEGMENT"])
    assert not list((tmp_path / "insurer").iterdir())
    assert dict(lines(results["bank"]))["rows without a partner"] == str(len(ours))
    assert dict(lines(results["insurer"]))["rows without a partner"] == "told to bank alone"


def test_the_plan_names_keys_rules_and_what_each_party_learns() -> None:
    plan = planned(body(kind="left", left="insurer", most_repeats=3))
    assert plan.parameters["key_normalisation"] == [["unseen-document/1"], ["unseen-phone/1", "unseen-date/1"]]
    assert parameter(plan.parameters, "keys.bank") == [
        "tax=unseen-document/1",
        "phone=unseen-phone/1:DE",
        "born=unseen-date/1:DMY",
    ]
    assert (plan.parameters["kind"], plan.parameters["most_repeats"]) == ("left", 3)
    joined = {(use.party, use.column) for use in plan.uses if use.use == "join"}
    assert {("bank", "phone"), ("insurer", "birthday"), ("bank", "tax")} <= joined
    told = " ".join(plan.disclosures()["bank"])
    assert (
        "bank tax = insurer number, else bank phone = insurer telephone and bank born = insurer birthday" in told
    )
    assert "at most 3 times" in told
    assert "how many rows insurer has" in told
    assert plan.dealer is None
    one, two = (ALIGN.estimate(planned(body(choices)), 100)["bytes"] for choices in (1, 2))
    assert two == 2 * int(str(one))


def test_a_single_key_column_joins_too(tmp_path: Path) -> None:
    request = body(1, most_repeats=2)
    for party, column in (("bank", "SEGMENT"), ("insurer", "PRODUCT")):
        request["parties"][party] = {"dataset": "x", "key": column, "rows": 63}
    plan = planned(request)
    assert plan.parameters["key_normalisation"] == "unseen-key/1"
    with pytest.raises(RefusedError, match="smallest-overlap"):
        ran(request, tmp_path)


@pytest.mark.parametrize("application", [ALIGN, OVERLAP], ids=["align", "overlap"])
def test_one_key_column_may_have_a_rule_without_a_join(application: Lazy, tmp_path: Path) -> None:
    parties = {
        "bank": {"dataset": "clients", "key": "phone", "rule": "unseen-phone/1:DE", "rows": 63},
        "insurer": {"dataset": "policies", "key": "telephone", "rule": "unseen-phone/1", "rows": 61},
    }
    results = ran({"parties": parties, "most_unfit": 0.05}, tmp_path, application)
    assert results["bank"]["common"] == 30
    assert results["insurer"]["keys"]["malformed"] == 1 / 61  # type: ignore[call-overload, index]
    plan = planned({"parties": parties}, application)
    assert plan.parameters["key_normalisation"] == "unseen-phone/1"
    del parties["insurer"]["rule"]
    with pytest.raises(MisuseError, match="different rules"):
        planned({"parties": parties}, application)


@pytest.mark.parametrize(
    ("party", "change", "more", "words"),
    [
        ("bank", {"keys": [["tax=unseen-phone/1"], *KEYS["bank"][1:]]}, {}, "different rules"),
        ("bank", {"keys": KEYS["bank"][:1]}, {}, "differ in their number"),
        ("bank", {"keys": [["tax"], *KEYS["bank"][1:]]}, {}, "COLUMN=RULE"),
        ("bank", {"keys": [[]]}, {}, "either a key column, or keys"),
        ("bank", {"key": "tax"}, {}, "either a key column, or keys"),
        ("bank", {"columns": ["phone"]}, {}, "goes home anyway"),
        ("bank", {"keys": KEYS["bank"] * 3}, {}, "keys"),
        ("bank", {}, {"kind": "left"}, "`left` names one of the parties"),
        ("bank", {}, {"kind": "left", "left": "other"}, "`left` names one of the parties"),
        ("bank", {}, {"left": "bank"}, "`left` names one of the parties"),
        ("bank", {}, {"kind": "outer"}, "kind"),
        ("bank", {}, {"method": "curves"}, "leave `method` out"),
        ("bank", {}, {"most_repeats": 0}, "most_repeats"),
        ("insurer", {"columns": ["PRODUCT"]}, {"kind": "difference", "left": "bank"}, "only bank gets rows"),
    ],
)
def test_a_join_that_cannot_be_made_says_why(party: str, change: Any, more: Any, words: str) -> None:
    request = body(**more)
    request["parties"][party] |= change
    with pytest.raises(MisuseError, match=words):
        planned(request)


def test_rows_without_any_key_are_tolerated_to_a_share_and_a_repeated_key_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"'clients': 20.63% of the rows have no key.*most_unfit"):
        ran(body(1), tmp_path)
    (tmp_path / "again").mkdir()
    with pytest.raises(DataError, match="key 1 occurs 2 times, over the agreed 1"):
        ran(body(most_repeats=1), tmp_path / "again")
