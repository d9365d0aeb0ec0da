"""Parity runs of boosted trees: the pooled reference against XGBoost, the joint trees against the reference."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xgboost
from joint import Joint

from unseen.application.boosting import APPLICATION
from unseen.application.boosting.pooled import fit_pooled
from unseen.application.boosting.request import read_request
from unseen.computation.learn.boosting_settings import Objective, Settings
from unseen.errors import MisuseError

ROWS = 500


@pytest.mark.parametrize("objective", list(Objective))
def test_pooled_trees_score_as_xgboosts_do(objective: Objective) -> None:
    draw = np.random.default_rng(9)
    places = draw.integers(0, 12, (ROWS, 4))
    places[:, :2] = np.where(draw.random((ROWS, 2)) < 0.1, 12, places[:, :2])
    values = np.where(places == 12, np.nan, places)
    score = np.nan_to_num(values[:, 0], nan=9.0) / 3 - values[:, 2] / 4 * (values[:, 3] > 5)
    logistic = objective is Objective.LOGISTIC
    label = (
        (draw.random(ROWS) < 1 / (1 + np.exp(1 - score))).astype(float)
        if logistic
        else score + draw.normal(size=ROWS)
    )
    settings = Settings(trees=6, depth=3, penalty=1.5, least_weight=2.0, objective=objective, base=0.0)
    found = fit_pooled(places, [13] * 4, label, settings)
    asked: dict[str, Any] = {
        "objective": "binary:logistic" if logistic else "reg:squarederror",
        "max_depth": 3,
        "eta": 0.3,
        "lambda": 1.5,
        "min_child_weight": 2.0,
        "base_score": 0.5 if logistic else 0.0,
        "tree_method": "exact",
    }
    data = xgboost.DMatrix(values, label=label)
    theirs = xgboost.train(asked, data, 6).predict(data, output_margin=True)
    np.testing.assert_allclose(found.scores, theirs, atol=2e-4)


def test_a_parity_run_says_how_far_the_joint_trees_are_from_the_pooled_ones(tmp_path: Path) -> None:
    draw = np.random.default_rng(10)
    table = pd.DataFrame({"id": [f"p{i}" for i in range(ROWS)]})
    for name in ("income", "inquiries", "balance"):
        table[name] = draw.normal(size=ROWS)
    table.loc[draw.random(ROWS) < 0.1, "balance"] = np.nan
    score = table["inquiries"] * 1.5 - table["income"] + table["balance"].fillna(1.0)
    table["label"] = (draw.random(ROWS) < 1 / (1 + np.exp(-score))).astype(int)
    tables = {"lender": table[["id", "income", "label"]], "bureau": table[["id", "inquiries", "balance"]]}
    uses = {name: ["feature", "retrieve"] for name in ("inquiries", "balance")}
    joint = Joint(APPLICATION, tables, tmp_path, uses)
    features = {"lender": ["income"], "bureau": ["inquiries", "balance"]}
    parties = {name: {"dataset": "table", "key": "id", "features": columns} for name, columns in features.items()}
    body: dict[str, Any] = {
        "trees": 4,
        "depth": 3,
        "bins": 12,
        "least_weight": 4.0,
        "row_share": 0.8,
        "parity": True,
    }
    result = joint.run(label={"positive": [1]}, parties=parties, **body)
    found = result["lender"]["parity"]
    assert "parity" not in result["bureau"]
    assert found["rows"] == ROWS
    assert found["splits"] > 0.9
    assert found["mean_score"] < 2e-3
    assert found["auc"] < 5e-3
    plan = joint.plan({"label": {"positive": [1]}, "parties": parties, **body})
    assert any("the bin of every value of the others' columns" in words for words in plan.disclosures()["lender"])
    assert not any("the bin of every value" in words for words in plan.disclosures()["bureau"])


@pytest.mark.parametrize("more", [{"model": "0" * 32}, {"hidden": True}])
def test_a_parity_run_needs_a_fit_whose_scores_are_shown(more: dict[str, Any]) -> None:
    parties = {"a": {"dataset": "t", "key": "k", "features": ["x"]}}
    with pytest.raises(MisuseError, match="a parity run compares a fit"):
        read_request({"label": {"party": "a", "column": "y"}, "parties": parties, "parity": True, **more})
