"""Three institutions and a dealer, real nodes all: the customers of all three, how many two or more know, and a
scorecard of all three's columns that nobody sees a table of."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from neighbourhood import SECONDS, Institution, Neighbourhood

from unseen.data.catalogue import Catalogue, Use
from unseen.errors import RefusedError

AGREEMENT = """
agreement: Common customers of three
parties:
  lender: {role: controller}
  bureau: {role: controller}
  insurer: {role: controller}
  dealer: {role: dealer}
purpose: dpv:FraudPreventionAndDetection
valid: {from: 2020-01-01, until: 2099-12-31}
columns:
  lender: {people_lender: {tax: [join], card: [join], tel: [join], born: [join]}}
  bureau: {people_bureau: {tax: [join], card: [join], tel: [join], born: [join]}}
  insurer: {people_insurer: {tax: [join], card: [join], tel: [join], born: [join]}}
computations: [align-all, known-at, overlap-pairs]
recipients:
  lender-rows: [lender]
  insurer-rows: [insurer]
  known: [lender, bureau, insurer]
  bureau-lender-overlap: [lender, bureau]
  insurer-lender-overlap: [lender, insurer, bureau]
limits: {smallest_overlap: 20, most_identifiers: 5000, runs: 1000}
"""
SCORECARD = """
agreement: A scorecard of three
parties:
  lender: {role: controller}
  bureau: {role: controller}
  insurer: {role: controller}
  dealer: {role: dealer}
purpose: dpv:CreditChecking
valid: {from: 2020-01-01, until: 2099-12-31}
columns:
  lender: {loans_lender: {tax: [join], income: [feature], bad: [label]}}
  bureau: {loans_bureau: {tax: [join], inquiries: [feature], use: [feature]}}
  insurer: {loans_insurer: {tax: [join], claims: [feature], region: [feature]}}
computations: {credit: {tables: {among: [nobody]}}}
recipients:
  scores: [lender]
  coefficients: [lender]
  reasons: [lender]
  scorecard: [lender]
  own-coefficients: [bureau, insurer]
  own-points: [insurer]
limits: {smallest_overlap: 200, smallest_group: 20, runs: 1000}
"""
FEATURES = {"lender": ("income",), "bureau": ("inquiries", "use"), "insurer": ("claims", "region")}
PEOPLE = {"lender": range(300), "bureau": range(100, 350), "insurer": range(200, 2200)}
"""200 … 299 are known to all three, 100 … 349 to two or more."""


class Street(Neighbourhood):
    """A lender, a bureau, an insurer and a dealer that know each other."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lender, self.bureau, insurer, self.dealer = (
            Institution.make(folder, name) for name in ("lender", "bureau", "insurer", "dealer")
        )
        self.all = (self.lender, self.bureau, insurer, self.dealer)
        for institution in self.all:
            self._introduce(institution)
        for institution in self.all[:3]:
            self._offer(institution)
        self.agreement = ""

    def _offer(self, institution: Institution) -> None:
        file = self.folder / f"people_{institution.name}.parquet"
        numbers = PEOPLE[institution.name]
        cardless = range(280, 290) if institution.name == "bureau" else range(0)
        people = {
            "tax": [f"t{number}" for number in numbers],
            "card": [None if number in cardless else f"c{number}" for number in numbers],
            "tel": [f"+49 151 {7_000_000 + number}" for number in numbers],
            "born": ["1980-02-01"] * len(numbers),
        }
        pq.write_table(pa.table(people), file)
        with institution.home.store() as store:
            Catalogue(store.engine).add(
                file.stem, str(file), "tax", {name: [Use.JOIN] for name in ("card", "tel", "born")}
            )


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    houses = Street(tmp_path_factory.mktemp("street"))
    try:
        houses.start()
        houses.agreement = houses.agree(AGREEMENT, ("bureau", "insurer", "dealer"))
        yield houses
    finally:
        houses.stop()


def body(**more: Any) -> dict[str, Any]:
    return {
        "parties": {
            name: {"dataset": f"people_{name}", "key": "tax", "rows": len(people)}
            for name, people in PEOPLE.items()
        },
        **more,
    }


@pytest.mark.parametrize("count_first", [False, True])
def test_three_nodes_find_the_customers_of_all_and_each_takes_home_what_is_agreed(
    street: Street, count_first: bool
) -> None:
    with street.lender.client() as client:
        job = client.submit("align-all", street.agreement, body(count_first=count_first))
        record = client.wait(job, SECONDS)
        assert (record["state"], record["incidents"]) == ("done", [])
        assert client.result(job)["result"]["common"] == 100
    opened = {}
    for institution in street.all[:3]:
        kept = institution.home.results(job)
        if "common.parquet" in kept.names():
            table = pq.read_table(io.BytesIO(kept.read("common.parquet")))
            opened[institution.name] = table["tax"].to_pylist()
    assert sorted(opened) == ["insurer", "lender"]
    assert opened["lender"] == opened["insurer"]
    assert set(opened["lender"]) == {f"t{number}" for number in range(200, 300)}
    assert not street.findings()


def test_three_nodes_meet_by_a_card_or_else_by_telephone_and_day_of_birth(street: Street) -> None:
    """The bureau has no card of ten whom all know."""
    in_turn = [["card=unseen-key/1"], ["tel=unseen-phone/1", "born=unseen-date/1"]]
    asked = {"parties": {name: {**side, "keys": in_turn} for name, side in body()["parties"].items()}}
    for side in asked["parties"].values():
        del side["key"]
    with street.lender.client() as client:
        job = client.submit("align-all", street.agreement, asked)
        record = client.wait(job, SECONDS)
        assert (record["state"], record["incidents"]) == ("done", [])
        result = client.result(job)["result"]
    assert (result["common"], result["by_key"]) == (100, [90, 10])
    assert not street.findings()


def test_three_nodes_count_who_is_known_at_two_and_no_message_is_undeclared(street: Street) -> None:
    with street.lender.client() as client:
        job = client.submit("known-at", street.agreement, body(least=2))
        record = client.wait(job, SECONDS)
        assert (record["state"], record["incidents"]) == ("done", [])
        result = client.result(job)["result"]
    assert (result["known"], result["least"]) == (250, 2)
    assert not street.findings()


def test_two_pairs_count_as_agreed_and_the_third_does_not(street: Street) -> None:
    with street.lender.client() as client:
        job = client.submit("overlap-pairs", street.agreement, body())
        record = client.wait(job, SECONDS)
        assert (record["state"], record["incidents"]) == ("done", [])
    told = {}
    for institution in street.all[:3]:
        result = json.loads(institution.home.results(job).read("result.json"))
        told[institution.name] = {tuple(pair["of"]): pair["common"] for pair in result["pairs"]}
    both = {("bureau", "lender"): 200, ("insurer", "lender"): 100}
    assert told == {"lender": both, "bureau": both, "insurer": {("insurer", "lender"): 100}}


@pytest.fixture(scope="module")
def loans(street: Street, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Loans known to all three, on offer in each one's own columns and order; the agreement on a scorecard."""
    draw, folder, rows = np.random.default_rng(6), tmp_path_factory.mktemp("loans"), 700
    columns: dict[str, Any] = {
        name: draw.normal(size=rows).round(3) for name in ("income", "inquiries", "use", "claims")
    }
    columns["region"] = draw.choice(["north", "south", "west"], rows)
    odds = columns["inquiries"] + columns["claims"] + (columns["region"] == "west") - columns["income"] - 1
    columns["bad"] = (draw.random(rows) < 1 / (1 + np.exp(-odds))).astype(int)
    for institution in street.all[:3]:
        names = [*FEATURES[institution.name], *(["bad"] if institution.name == "lender" else [])]
        order = draw.permutation(rows)
        table = {"tax": [f"t{number}" for number in order], **{name: columns[name][order] for name in names}}
        file = folder / f"loans_{institution.name}.parquet"
        pq.write_table(pa.table(table), file)
        uses = {name: [Use.LABEL if name == "bad" else Use.FEATURE] for name in names}
        with institution.home.store() as store:
            Catalogue(store.engine).add(file.stem, str(file), "tax", uses)
    return street.agree(SCORECARD, ("bureau", "insurer", "dealer"))


def test_three_nodes_build_a_scorecard_that_nobody_sees_a_table_of(street: Street, loans: str) -> None:
    parties = {
        name: {
            "dataset": f"loans_{name}",
            "key": "tax",
            "features": {feature: f"the {feature}" for feature in features},
        }
        for name, features in FEATURES.items()
    }
    asked = {"label": {"party": "lender", "column": "bad", "bad": [1]}, "parties": parties}
    with street.lender.client() as client:
        with pytest.raises(RefusedError, match="tables"):
            client.wait(client.submit("credit", loans, asked), SECONDS)
        job = client.submit("credit", loans, {**asked, "tables": "nobody"})
        record = client.wait(job, 2 * SECONDS)
        assert (record["state"], record["incidents"]) == ("done", [])
        card = client.result(job)["result"]
    assert {column["party"] for column in card["scorecard"]} == set(FEATURES)
    assert card["joint"]["auc"] > card["alone"]["auc"] + 0.05
    results = {
        institution.name: json.loads(institution.home.results(job).read("result.json"))
        for institution in street.all[:3]
    }
    told = {name: "points" in str(results[name]["own_columns"]) for name in ("bureau", "insurer")}
    assert told == {"bureau": False, "insurer": True}
    assert "scores.parquet" not in street.bureau.home.results(job).names()
    assert not street.findings()
