"""The network as an application: trained, measured, kept in parts, taken up later; the parties as threads."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from joint import Joint
from sklearn.metrics import log_loss, roc_auc_score

from unseen.application.network import APPLICATION
from unseen.application.network.request import read_request
from unseen.errors import DataError, MisuseError

ROWS = 400
SETTINGS: dict[str, Any] = {"layers": [6], "epochs": 12, "batch": 40, "learning_rate": 0.1, "held_out": 0.3}
LABEL = {"label": {"positive": [1]}}


def house(folder: Path) -> Joint:
    """An outcome that no linear score finds: large and small incomes are alike."""
    draw = np.random.default_rng(7)
    table = pd.DataFrame({"id": [f"p{i}" for i in range(ROWS)]})
    table["income"], table["inquiries"] = draw.normal(size=ROWS) * 900 + 3000, draw.normal(size=ROWS)
    score = 4 * np.abs((table["income"] - 3000) / 900) + table["inquiries"] - 3.2
    table["label"] = (draw.random(ROWS) < 1 / (1 + np.exp(-score))).astype(int)
    return Joint(
        APPLICATION, {"lender": table[["id", "income", "label"]], "bureau": table[["id", "inquiries"]]}, folder
    )


def test_a_network_is_trained_measured_kept_in_parts_and_taken_up(tmp_path: Path) -> None:
    joint = house(tmp_path)
    shown = joint.run(**SETTINGS, **LABEL)
    scores = joint.file("lender", "scores.parquet").merge(joint.tables["lender"], left_on="key", right_on="id")
    fresh = scores[scores["held_out"]]
    figures = shown["lender"]["evaluation"]["figures"]
    assert figures["auc"] == pytest.approx(roc_auc_score(fresh["label"], fresh["score"]))
    assert figures["log_loss"] == pytest.approx(log_loss(fresh["label"], 1 / (1 + np.exp(-fresh["score"]))))
    assert figures["auc"] > 0.75 > abs(roc_auc_score(fresh["label"], fresh["income"]) - 0.5) + 0.5
    assert shown["lender"]["layers"] == [2, 6, 1]
    assert "evaluation" not in shown["bureau"]

    joint.run(**SETTINGS, **LABEL)
    repeated = joint.file("lender", "scores.parquet").merge(scores, on="key")
    np.testing.assert_allclose(repeated["score_x"], repeated["score_y"], atol=0.01)

    again = joint.run(**SETTINGS, **LABEL, model="1", hidden=True)
    assert not (tmp_path / "3" / "lender" / "scores.parquet").exists()
    hidden = again["lender"]["evaluation"]["figures"]
    assert hidden["auc"] == pytest.approx(figures["auc"], abs=1e-3)
    assert hidden["log_loss"] == pytest.approx(figures["log_loss"], abs=1e-3)
    told = joint.plan({**SETTINGS, **LABEL, "hidden": True}).disclosures()
    assert not any("the score of every" in sentence for sentence in told["lender"])

    own = tmp_path / "1" / "lender" / "network-model.json"
    kept = own.read_bytes()
    shutil.copy(tmp_path / "1" / "bureau" / "network-model.json", own)
    with pytest.raises(MisuseError, match="bureau's part"):
        joint.run(**SETTINGS, **LABEL, model="1")
    own.write_text(json.dumps({**json.loads(kept), "scales": None}))
    with pytest.raises(MisuseError, match="digest does not fit"):
        joint.run(**SETTINGS, **LABEL, model="1")


def test_what_a_network_cannot_learn_from_is_refused_with_the_reason(tmp_path: Path) -> None:
    joint = house(tmp_path)
    lender = joint.tables["lender"]
    with pytest.raises(DataError, match="one class only"):
        joint.run(**SETTINGS, label={"positive": [7]})
    joint.tables = {**joint.tables, "lender": lender.assign(income=lender["income"].where(lender.index > 2))}
    with pytest.raises(DataError, match="'income' holds missing"):
        joint.run(**SETTINGS, **LABEL)
    joint.tables = {**joint.tables, "lender": lender.assign(income="much")}
    with pytest.raises(DataError, match="takes numbers"):
        joint.run(**SETTINGS, **LABEL)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"layers": []}, "layers"),
        ({"layers": [0]}, "layers"),
        ({"momentum": 1}, "momentum"),
        ({"label": {"party": "a", "column": "y", "positive": []}}, "positive"),
        ({"label": {"party": "b", "column": "y", "positive": [1]}}, "label's party"),
        ({"parties": {"a": {"dataset": "t", "key": "k", "features": ["k"]}}}, "cannot be a feature"),
        ({"parties": {"a": {"dataset": "t", "key": "k"}}}, "no party brings a feature"),
        ({"units": 3}, "units"),
    ],
)
def test_a_request_that_cannot_be_used_is_refused_with_the_reason(more: dict[str, Any], words: str) -> None:
    body = {
        "label": {"party": "a", "column": "y", "positive": [1]},
        "parties": {"a": {"dataset": "t", "key": "k", "features": ["x"]}},
    }
    with pytest.raises(MisuseError, match=words):
        read_request({**body, **more})
