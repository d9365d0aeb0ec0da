"""Fairness of models by a group that a partner keeps, and attacks on models before anybody uses them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from joint import Joint
from sklearn.metrics import roc_auc_score

from unseen.application import boosting, network, regression
from unseen.application.regression.request import read_request
from unseen.errors import DataError, MisuseError

ROWS = 300
FEATURES = {"lender": ["income"], "bureau": ["inquiries"]}
MODELS: dict[str, tuple[Any, dict[str, Any], str]] = {
    "regression": (regression.APPLICATION, {"family": "logistic", "predictions": True}, "predictions.parquet"),
    "boosting": (boosting.APPLICATION, {"trees": 2, "depth": 2, "bins": 6}, "scores.parquet"),
    "network": (
        network.APPLICATION,
        {"layers": [3], "epochs": 6, "batch": 30, "learning_rate": 0.2},
        "scores.parquet",
    ),
}


def house(application: Any, folder: Path) -> Joint:
    draw = np.random.default_rng(11)
    table = pd.DataFrame({"id": [f"p{i}" for i in range(ROWS)]})
    table["income"], table["inquiries"] = draw.normal(size=ROWS), draw.normal(size=ROWS)
    table["region"] = np.where(draw.random(ROWS) < 0.3, "north", "south")
    table.loc[:2, "region"] = "isle"
    score = table["inquiries"] * 1.5 - table["income"] + (table["region"] == "north")
    table["label"] = (draw.random(ROWS) < 1 / (1 + np.exp(0.5 - score))).astype(int)
    tables = {"lender": table[["id", "income", "label"]], "bureau": table[["id", "inquiries", "region"]]}
    return Joint(application, tables, folder, {"region": ["group"]})


@pytest.mark.parametrize("name", list(MODELS))
def test_groups_of_a_partner_are_counted_and_the_model_is_attacked(name: str, tmp_path: Path) -> None:
    application, settings, file = MODELS[name]
    joint = house(application, tmp_path)
    asked = {"party": "bureau", "column": "region", "most_bad": 0.5}
    result = joint.run(**settings, label={"positive": [1]}, held_out=0.4, fairness=asked)
    found = result["lender"]["fairness"]
    assert "fairness" not in result["bureau"]
    scores = joint.file("lender", file).merge(joint.tables["bureau"], left_on="key", right_on="id")
    odds = scores["predictor" if name == "regression" else "score"]
    scores["approved"] = odds <= 0.0
    scores["region"] = scores["region"].replace("isle", "south")
    expected = scores.groupby("region")["approved"].agg(["size", "sum"])
    told = {group["name"].split()[0]: (group["persons"], group["approved"]) for group in found["groups"]}
    assert told["north"] == tuple(expected.loc["north"])
    assert sum(persons for persons, _ in told.values()) == ROWS
    rates = (expected["sum"] / expected["size"]).to_numpy()
    assert found["disparate_impact"] == pytest.approx(rates.min() / rates.max(), abs=0.02)

    losses = np.logaddexp(0, odds) - odds * scores.merge(joint.tables["lender"], on="id")["label"]
    area = roc_auc_score(~scores["held_out"], -losses)
    assert result["lender"]["self_test"]["membership"]["auc"] == pytest.approx(area, abs=1e-9)
    plan = joint.plan({**settings, "label": {"positive": [1]}, "held_out": 0.4, "fairness": asked})
    assert any("for each protected group" in words for words in plan.disclosures()["lender"])
    assert not any("for each protected group" in words for words in plan.disclosures()["bureau"])


@pytest.mark.parametrize("family", ["logistic", "linear"])
def test_a_partner_with_coefficients_is_tested_for_what_it_could_tell_of_labels(
    family: str, tmp_path: Path
) -> None:
    joint = house(regression.APPLICATION, tmp_path)
    joint.tables = {**joint.tables, "bureau": joint.tables["bureau"].drop(columns="region")}
    if family == "linear":
        draw, lender = np.random.default_rng(3), joint.tables["lender"]
        numbers = draw.normal(size=ROWS) - lender["income"] + joint.tables["bureau"]["inquiries"]
        joint.tables = {**joint.tables, "lender": lender.assign(label=numbers)}
    label = {"positive": [1]} if family == "logistic" else {}
    result = joint.run(family=family, label=label, held_out=0.2, recipients=["bureau", "lender"])
    whole = joint.tables["lender"].merge(joint.tables["bureau"], on="id")
    truth = whole["label"] if family == "logistic" else whole["label"] > whole["label"].median()
    expected = roc_auc_score(truth, whole["inquiries"])
    assert result["lender"]["self_test"]["labels_by_bureau"] == pytest.approx(expected, abs=0.05)
    assert "self_test" not in result["bureau"]


def test_a_column_of_one_group_is_no_protected_group(tmp_path: Path) -> None:
    joint = house(boosting.APPLICATION, tmp_path)
    joint.tables = {**joint.tables, "bureau": joint.tables["bureau"].assign(region="south")}
    with pytest.raises(DataError, match=r"1 groups of 5 persons or more"):
        joint.run(
            **MODELS["boosting"][1], label={"positive": [1]}, fairness={"party": "bureau", "column": "region"}
        )


@pytest.mark.parametrize("column", ["id", "inquiries"])
def test_key_or_feature_is_no_protected_group(column: str) -> None:
    parties = {name: {"dataset": "table", "key": "id", "features": columns} for name, columns in FEATURES.items()}
    label = {"party": "lender", "column": "label", "positive": [1]}
    asked = {"party": "bureau", "column": column}
    with pytest.raises(MisuseError, match="a column of its own"):
        read_request({"family": "logistic", "parties": parties, "label": label, "fairness": asked})
