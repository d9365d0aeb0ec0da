"""Boosted trees between real nodes: trained, kept in parts, and taken up by a later job."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from neighbourhood import SECONDS, Institution, Neighbourhood

from unseen.data.catalogue import Catalogue, Use
from unseen.encoding import Json
from unseen.errors import MisuseError

ROWS = 500
FEATURES = {"lender": ("income", "purpose"), "bureau": ("inquiries", "balance")}
AGREEMENT = """
agreement: Trees
parties:
  lender: {role: controller}
  bureau: {role: controller}
  dealer: {role: dealer}
purpose: dpv:CreditChecking
valid: {from: 2020-01-01, until: 2099-12-31}
columns:
  lender: {book: {person: [join], income: [feature], purpose: [feature], outcome: [label]}}
  bureau: {register: {person: [join], inquiries: [feature], balance: [feature]}}
computations: [boosting]
recipients: {scores: [lender], own-splits: [lender, bureau], evaluation: [lender]}
limits: {smallest_overlap: 50, smallest_group: 5}
"""


def offer(institution: Institution, dataset: str, file: Path, uses: dict[str, list[Use]]) -> None:
    with institution.home.store() as store:
        Catalogue(store.engine).add(dataset, str(file), "person", uses)


@pytest.fixture(scope="module")
def agreed(session_houses: Neighbourhood, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Two tables on offer, and an agreement for boosting them; its identifier."""
    folder = tmp_path_factory.mktemp("trees")
    draw = np.random.default_rng(0)
    income, inquiries = draw.normal(size=ROWS), draw.integers(0, 6, ROWS)
    purpose, balance = draw.choice(["car", "home", ""], ROWS), draw.normal(size=ROWS)
    odds = inquiries * 0.9 - income - (purpose == "car") * 2 - 2
    outcome = np.where(draw.random(ROWS) < 1 / (1 + np.exp(-odds)), "bad", "good")
    book = [f"p{i},{income[i]:.4f},{purpose[i]},{outcome[i]}" for i in range(ROWS)]
    (folder / "book.csv").write_text("\n".join(["person,income,purpose,outcome", *book]) + "\n")
    register = [f"p{i},{inquiries[i % ROWS]},{balance[i % ROWS]:.4f}" for i in draw.permutation(ROWS + 100)[:ROWS]]
    (folder / "register.csv").write_text("\n".join(["person,inquiries,balance", *register]) + "\n")
    uses = {"income": [Use.FEATURE], "purpose": [Use.FEATURE], "outcome": [Use.LABEL]}
    offer(session_houses.lender, "book", folder / "book.csv", uses)
    offer(
        session_houses.bureau, "register", folder / "register.csv", {c: [Use.FEATURE] for c in FEATURES["bureau"]}
    )
    return session_houses.agree(AGREEMENT)


def run(houses: Neighbourhood, agreement: str, **more: Json) -> str:
    """Submit, wait until it is done; the job's name."""
    body: dict[str, Json] = {
        "label": {"party": "lender", "column": "outcome", "positive": ["bad"]},
        "parties": {
            "lender": {"dataset": "book", "key": "person", "features": list(FEATURES["lender"])},
            "bureau": {
                "dataset": "register",
                "key": "person",
                "features": list(FEATURES["bureau"]),
                "directions": {"inquiries": 1},
            },
        },
        "trees": 4,
        "depth": 3,
        "bins": 8,
        "seed": "the same rows are held out",
        **more,
    }
    with houses.lender.client() as client:
        job = client.submit("boosting", agreement, body)
        record = client.wait(job, 2 * SECONDS)
    assert record["state"] == "done"
    assert not record["incidents"]
    return job


def scores(houses: Neighbourhood, job: str) -> dict[str, float]:
    table = pq.read_table(io.BytesIO(houses.lender.home.results(job).read("scores.parquet"))).to_pydict()
    return dict(zip(table["key"], table["score"], strict=True))


@pytest.fixture(scope="module")
def trained(session_houses: Neighbourhood, agreed: str) -> str:
    """The job that trained a model."""
    return run(session_houses, agreed)


def test_trees_are_trained_kept_in_parts_and_taken_up_by_a_later_job(
    houses: Neighbourhood, agreed: str, trained: str
) -> None:
    job = trained
    with houses.lender.client() as client:
        result = client.result(job)["result"]
    assert result["joint"]["auc"] > 0.65
    assert set(result["own_splits"]) == set(FEATURES["lender"])
    other = json.loads(houses.bureau.home.results(job).read("result.json"))
    assert set(other["own_splits"]) == set(FEATURES["bureau"])
    assert "joint" not in other
    first = scores(houses, job)
    assert len(first) == result["rows"]["aligned"]

    again = run(houses, agreed, model=job)
    repeated = scores(houses, again)
    assert repeated.keys() == first.keys()
    assert max(abs(repeated[key] - first[key]) for key in first) < 1e-4

    watched = run(houses, agreed, model=job, monitor="outcomes", hidden=True)
    with houses.lender.client() as client:
        found = client.result(watched)["result"]["evaluation"]
    assert (found["rows"], found["scores"]) == (len(first), "hidden")
    assert found["stability"] < 0.25
    assert "scores.parquet" not in houses.lender.home.results(watched).names()


def test_a_model_that_is_not_here_ends_the_job_with_the_reason(houses: Neighbourhood, agreed: str) -> None:
    with pytest.raises(MisuseError, match=r"boosting-model\.json"):
        run(houses, agreed, model="0" * 32)


def test_a_partners_part_is_not_taken_for_ones_own(houses: Neighbourhood, agreed: str, trained: str) -> None:
    kept = houses.lender.home.results(trained)
    own = kept.read("boosting-model.json")
    kept.write("boosting-model.json", houses.bureau.home.results(trained).read("boosting-model.json"))
    try:
        with pytest.raises(MisuseError, match="bureau's part"):
            run(houses, agreed, model=trained)
    finally:
        kept.write("boosting-model.json", own)
