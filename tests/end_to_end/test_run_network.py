"""A network between real nodes: trained, measured without showing a score, and taken up by a later job."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from neighbourhood import SECONDS, Institution, Neighbourhood

from unseen.data.catalogue import Catalogue, Use
from unseen.encoding import Json

ROWS = 400
AGREEMENT = """
agreement: Networks
parties:
  lender: {role: controller}
  bureau: {role: controller}
  dealer: {role: dealer}
purpose: dpv:CreditChecking
valid: {from: 2020-01-01, until: 2099-12-31}
columns:
  lender: {people: {phone: [join], income: [feature], bad: [label]}}
  bureau: {callers: {mobile: [join], inquiries: [feature]}}
computations: [network]
recipients: {scores: [lender], evaluation: [lender], own-model: [lender, bureau]}
limits: {smallest_overlap: 50, smallest_group: 20}
"""


def offer(institution: Institution, dataset: str, file: Path, key: str, uses: dict[str, list[Use]]) -> None:
    with institution.home.store() as store:
        Catalogue(store.engine).add(dataset, str(file), key, uses)


def agree(houses: Neighbourhood, folder: Path) -> str:
    draw = np.random.default_rng(8)
    income, inquiries = draw.normal(size=ROWS), draw.normal(size=ROWS)
    bad = draw.random(ROWS) < 1 / (1 + np.exp(-3 * np.abs(income) - inquiries + 2.5))
    people = [f"0151 20{i:06d},{income[i]:.4f},{int(bad[i])}" for i in range(ROWS)]
    callers = [f"+4915120{i:06d},{inquiries[i]:.4f}" for i in draw.permutation(ROWS)]
    (folder / "people.csv").write_text("\n".join(["phone,income,bad", *people]) + "\n")
    (folder / "callers.csv").write_text("\n".join(["mobile,inquiries", *callers]) + "\n")
    offer(houses.lender, "people", folder / "people.csv", "phone", {"income": [Use.FEATURE], "bad": [Use.LABEL]})
    offer(houses.bureau, "callers", folder / "callers.csv", "mobile", {"inquiries": [Use.FEATURE]})
    return houses.agree(AGREEMENT)


def run(houses: Neighbourhood, agreement: str, **more: Json) -> tuple[str, dict[str, Any], dict[str, Any]]:
    body: dict[str, Json] = {
        "label": {"party": "lender", "column": "bad", "positive": [1]},
        "parties": {
            "lender": {"dataset": "people", "key": "phone", "rule": "unseen-phone/1:DE", "features": ["income"]},
            "bureau": {"dataset": "callers", "key": "mobile", "rule": "unseen-phone/1", "features": ["inquiries"]},
        },
        "layers": [6],
        "epochs": 8,
        "batch": 40,
        "learning_rate": 0.1,
        "seed": "the same rows are held out",
        **more,
    }
    with houses.lender.client() as client:
        job = client.submit("network", agreement, body)
        record = client.wait(job, 2 * SECONDS)
        assert record["state"] == "done"
        ours = client.result(job)["result"]
    assert not record["incidents"]
    return job, ours, json.loads(houses.bureau.home.results(job).read("result.json"))


def test_a_network_is_trained_unseen_and_scores_in_a_later_job(houses: Neighbourhood, tmp_path: Path) -> None:
    agreement = agree(houses, tmp_path)
    job, ours, theirs = run(houses, agreement, hidden=True)
    assert ours["rows"] == theirs["rows"] == {"aligned": ROWS, "training": 280}
    assert ours["evaluation"]["scores"] == "hidden"
    assert ours["evaluation"]["figures"]["auc"] > 0.7
    assert "evaluation" not in theirs
    assert "scores.parquet" not in houses.lender.home.results(job).names()

    later, scored, _ = run(houses, agreement, model=job)
    hidden, shown = ours["evaluation"]["figures"], scored["evaluation"]["figures"]
    assert abs(hidden["auc"] - shown["auc"]) < 2e-3
    assert abs(hidden["log_loss"] - shown["log_loss"]) < 1e-3
    table = pq.read_table(io.BytesIO(houses.lender.home.results(later).read("scores.parquet")))
    assert table.num_rows == ROWS
    assert 0 <= ours["self_test"]["labels_by_bureau"]["auc"] <= 1

    _, watched, _ = run(houses, agreement, model=job, monitor="population", hidden=True)
    assert watched["evaluation"].keys() == {"rows", "scores", "stability"}
    assert watched["evaluation"]["rows"] == ROWS
    assert watched["evaluation"]["stability"] < 0.25
