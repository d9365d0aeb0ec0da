"""Regressions fitted with sample weights are measured by them, scores shown or hidden, against scikit-learn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from joint import Joint
from sklearn.metrics import log_loss, mean_absolute_error, roc_auc_score

from unseen.application.evaluation.page import page
from unseen.application.regression import APPLICATION
from unseen.errors import DataError

ROWS = 400


def house(family: str, folder: Path, weighing: str = "lender") -> Joint:
    draw = np.random.default_rng(31)
    table = pd.DataFrame({"id": [f"p{i}" for i in range(ROWS)]})
    table["income"], table["inquiries"] = draw.normal(size=ROWS).round(4), draw.normal(size=ROWS).round(4)
    table["weight"] = draw.gamma(1.0, 2.0, ROWS).round(3)
    score = table["inquiries"] - table["income"]
    noise = draw.normal(size=ROWS) * table["weight"]
    table["label"] = score + noise if family == "linear" else (score + noise > 0.3).astype(int)
    own = {"lender": ["id", "income", "label"], "bureau": ["id", "inquiries"]}
    own[weighing].append("weight")
    return Joint(APPLICATION, {party: table[names] for party, names in own.items()}, folder)


def request(family: str, weighing: str = "lender") -> dict[str, Any]:
    parties = {
        "lender": {"dataset": "table", "key": "id", "features": ["income"]},
        "bureau": {"dataset": "table", "key": "id", "features": ["inquiries"]},
    }
    label = {"positive": [1]} if family == "logistic" else {}
    return {
        "family": family,
        "label": label,
        "parties": parties,
        "weights": {"party": weighing, "column": "weight"},
        "held_out": 0.4,
    }


@pytest.mark.parametrize("family", ["logistic", "linear"])
def test_measures_are_weighted_where_the_labels_party_knows_the_weights(family: str, tmp_path: Path) -> None:
    joint = house(family, tmp_path)
    shown = joint.run(**request(family), predictions=True)["lender"]
    told = joint.file("lender", "predictions.parquet").merge(joint.tables["lender"], left_on="key", right_on="id")
    fresh = told[told["held_out"]]
    hidden = joint.run(**request(family))["lender"]
    for result in (shown, hidden):
        found = result["evaluation"]
        assert found["weighted"] is True
        figures = found["figures"]
        if family == "linear":
            error = mean_absolute_error(fresh["label"], fresh["predicted"], sample_weight=fresh["weight"])
            assert figures["mae"] == pytest.approx(error, rel=2e-3)
        else:
            area = roc_auc_score(fresh["label"], fresh["predicted"], sample_weight=fresh["weight"])
            assert figures["auc"] == pytest.approx(area, abs=2e-3)
            assert abs(figures["auc"] - roc_auc_score(fresh["label"], fresh["predicted"])) > 5e-3
            loss = log_loss(fresh["label"], fresh["predicted"], sample_weight=fresh["weight"])
            assert figures["log_loss"] == pytest.approx(loss, abs=2e-3)
        assert sum(band["weight"] for band in found["bands"]) == pytest.approx(fresh["weight"].sum(), rel=1e-4)
    record = {"title": "t", "plan_hash": "p", "agreement": "a", "plan": {"disclosures": {}}}
    assert "by the rows&#x27; weights" in page(record, hidden)
    sentences = joint.plan(request(family)).disclosures()
    assert any("by the rows' weights" in words for words in sentences["lender"])
    assert not any("by the rows' weights" in words for words in sentences["bureau"])


def test_weights_of_a_partner_fit_the_model_and_measure_nothing(tmp_path: Path) -> None:
    joint = house("logistic", tmp_path, "bureau")
    found = joint.run(**request("logistic", "bureau"), predictions=True)["lender"]["evaluation"]
    assert "weighted" not in found
    told = joint.file("lender", "predictions.parquet").merge(joint.tables["lender"], left_on="key", right_on="id")
    fresh = told[told["held_out"]]
    assert found["figures"]["auc"] == pytest.approx(roc_auc_score(fresh["label"], fresh["predicted"]))


def test_a_weight_that_cannot_be_is_refused_in_rows_that_only_measure_too(tmp_path: Path) -> None:
    joint = house("logistic", tmp_path)
    lender = joint.tables["lender"]
    joint.tables = {**joint.tables, "lender": lender.assign(weight=lender["weight"].where(lender.index != 7))}
    with pytest.raises(DataError, match="sample weights are negative or missing"):
        joint.run(**request("logistic"))
