"""Boosted trees measured on rows that trained nothing, scores shown or hidden, against scikit-learn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from joint import Joint
from sklearn.metrics import log_loss, mean_absolute_error, r2_score, roc_auc_score

from unseen.application.boosting import APPLICATION

ROWS = 400
SETTINGS: dict[str, Any] = {"trees": 3, "depth": 2, "bins": 8, "held_out": 0.4}


def house(classifies: bool, folder: Path) -> Joint:
    draw = np.random.default_rng(5)
    table = pd.DataFrame({"id": [f"p{i}" for i in range(ROWS)]})
    table["income"], table["inquiries"] = draw.normal(size=ROWS), draw.integers(0, 6, ROWS)
    score = table["inquiries"] - table["income"] * 1.5 - 2.5
    chances = 1 / (1 + np.exp(-score))
    table["label"] = draw.random(ROWS) < chances if classifies else 500.0 + 40.0 * score + draw.normal(size=ROWS)
    tables = {"lender": table[["id", "income", "label"]], "bureau": table[["id", "inquiries"]]}
    return Joint(APPLICATION, tables, folder)


@pytest.mark.parametrize("classifies", [True, False])
def test_measures_are_the_same_whether_scores_are_shown_or_hidden(classifies: bool, tmp_path: Path) -> None:
    joint = house(classifies, tmp_path)
    label = {"label": {"positive": ["true"]}} if classifies else {}
    shown = joint.run(**SETTINGS, **label)
    scores = joint.file("lender", "scores.parquet").merge(joint.tables["lender"], left_on="key", right_on="id")
    fresh = scores[scores["held_out"]]
    hidden = joint.run(**SETTINGS, **label, hidden=True)
    assert not (tmp_path / "2" / "lender" / "scores.parquet").exists()
    for result in (shown, hidden):
        found, figures = result["lender"]["evaluation"], result["lender"]["evaluation"]["figures"]
        assert found["rows"] == len(fresh) == 0.4 * ROWS
        assert "evaluation" not in result["bureau"]
        if classifies:
            assert figures["auc"] == pytest.approx(roc_auc_score(fresh["label"], fresh["score"]), abs=1e-6)
            chances = 1 / (1 + np.exp(-fresh["score"]))
            assert figures["log_loss"] == pytest.approx(log_loss(fresh["label"], chances), abs=1e-4)
        else:
            assert figures["mae"] == pytest.approx(mean_absolute_error(fresh["label"], fresh["score"]), rel=1e-3)
            assert figures["explained"] == pytest.approx(r2_score(fresh["label"], fresh["score"]), abs=1e-3)
        assert sum(band["came"] for band in found["bands"]) == pytest.approx(fresh["label"].sum(), rel=1e-4)
        assert found["stability"] < 0.5
        assert set(result["bureau"]["own_stability"]) == {"inquiries"}
    told = " ".join(joint.plan({**SETTINGS, **label, "hidden": True}).disclosures()["lender"])
    assert "the score of every common row" not in told


def test_columns_that_have_moved_show_at_their_owner_when_an_earlier_model_scores(tmp_path: Path) -> None:
    joint = house(True, tmp_path)
    label = {"label": {"positive": ["true"]}}
    joint.run(**SETTINGS, **label)
    joint.tables = {**joint.tables, "bureau": joint.tables["bureau"].assign(inquiries=5)}
    result = joint.run(**SETTINGS, **label, model="1")
    assert result["bureau"]["own_stability"]["inquiries"] > 1.0
    assert result["lender"]["own_stability"]["income"] < 0.05
