"""Trees and networks in a later population: has it moved, does the model still hold, and is a score ever shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from joint import Joint
from sklearn.metrics import mean_absolute_error, roc_auc_score

from unseen.application import boosting, network
from unseen.computation.learn.measures import shift
from unseen.errors import MisuseError

ROWS = 320
MODELS: dict[str, tuple[Any, dict[str, Any]]] = {
    "trees": (boosting.APPLICATION, {"trees": 3, "depth": 2, "bins": 8, "label": {"positive": [1]}}),
    "numbers": (boosting.APPLICATION, {"trees": 3, "depth": 2, "bins": 8}),
    "network": (
        network.APPLICATION,
        {"layers": [3], "epochs": 4, "batch": 30, "learning_rate": 0.2, "label": {"positive": [1]}},
    ),
}


def house(model: str, folder: Path) -> Joint:
    draw = np.random.default_rng(13)
    table = pd.DataFrame({"id": [f"p{i}" for i in range(ROWS)]})
    table["income"], table["inquiries"] = draw.normal(size=ROWS).round(4), draw.normal(size=ROWS).round(4)
    score = 2 * table["inquiries"] - table["income"]
    chances = 1 / (1 + np.exp(-score))
    table["label"] = 5000.0 + 40 * score if model == "numbers" else (draw.random(ROWS) < chances).astype(int)
    tables = {"lender": table[["id", "income", "label"]], "bureau": table[["id", "inquiries"]]}
    return Joint(MODELS[model][0], tables, folder)


def bands(fitted: pd.Series, later: pd.Series) -> float:
    """The stability index by the definition, over tenths of the scores of the fit."""
    count = len(fitted) // (len(fitted) // 10)
    edges = np.sort(fitted)[len(fitted) * np.arange(1, count) // count]
    return shift(*(np.histogram(part, np.r_[-np.inf, edges, np.inf])[0] for part in (fitted, later)))


@pytest.mark.parametrize(
    ("model", "fit_hidden"), [("trees", False), ("trees", True), ("numbers", True), ("network", False)]
)
def test_a_later_population_is_held_against_the_rows_of_the_fit(
    model: str, fit_hidden: bool, tmp_path: Path
) -> None:
    joint, settings = house(model, tmp_path), MODELS[model][1]
    joint.run(**settings, held_out=0.25, hidden=fit_hidden)
    before = joint.run(**settings, model="1", monitor="population")
    scored = joint.file("lender", "scores.parquet")
    joint.run(**settings, held_out=0.25, model="1")
    trained = joint.file("lender", "scores.parquet")
    fitted = trained.loc[~trained["held_out"], "score"]
    assert before["lender"]["evaluation"]["stability"] == pytest.approx(bands(fitted, scored["score"]), abs=0.02)
    assert before["lender"]["evaluation"]["stability"] < 0.1

    bureau = joint.tables["bureau"].assign(inquiries=lambda table: table["inquiries"] + 1.0)
    joint.tables = {**joint.tables, "bureau": bureau}
    shown = joint.run(**settings, model="1", monitor="outcomes")
    moved = joint.file("lender", "scores.parquet")
    hidden = joint.run(**settings, model="1", monitor="outcomes", hidden=True)
    assert not (tmp_path / "5" / "lender" / "scores.parquet").exists()
    truth = moved.merge(joint.tables["lender"], left_on="key", right_on="id")["label"]
    for result, how in ((shown, "revealed"), (hidden, "hidden")):
        found = result["lender"]["evaluation"]
        assert (found["rows"], found["scores"]) == (ROWS, how)
        assert found["stability"] == pytest.approx(bands(fitted, moved["score"]), abs=0.02)
        assert found["stability"] > 0.25
        if model == "numbers":
            assert found["figures"]["mae"] == pytest.approx(mean_absolute_error(truth, moved["score"]), rel=2e-3)
        else:
            assert found["figures"]["auc"] == pytest.approx(roc_auc_score(truth, moved["score"]), abs=2e-3)
        assert result["bureau"]["own_stability"]["inquiries"] > 0.5
        assert result["lender"]["own_stability"]["income"] < 0.05
        assert "evaluation" not in result["bureau"]


@pytest.mark.parametrize("model", list(MODELS))
def test_a_population_is_monitored_before_any_label_is_there(model: str, tmp_path: Path) -> None:
    joint, settings = house(model, tmp_path), MODELS[model][1]
    joint.run(**settings, held_out=0.25)
    joint.tables = {**joint.tables, "lender": joint.tables["lender"].assign(label=None)}
    result = joint.run(**settings, model="1", monitor="population", hidden=True)["lender"]
    assert set(result["evaluation"]) == {"rows", "scores", "stability"}
    plan = joint.plan({**settings, "model": "1", "monitor": "population", "hidden": True})
    assert not any(use.column == "label" for use in plan.uses)
    told = " ".join(plan.disclosures()["lender"])
    assert "score between the quantiles" in told
    assert "the score of every" not in told


def test_numbers_of_a_later_population_are_predicted_about_the_mean_of_the_fit(tmp_path: Path) -> None:
    joint, settings = house("numbers", tmp_path), MODELS["numbers"][1]
    joint.run(**settings)
    first = joint.file("lender", "scores.parquet").set_index("key")["score"]
    lender = joint.tables["lender"]
    joint.tables = {**joint.tables, "lender": lender.assign(label=lender["label"] + 900)}
    joint.run(**settings, model="1")
    again = joint.file("lender", "scores.parquet").set_index("key")["score"]
    np.testing.assert_allclose(again[first.index], first, atol=1e-3)


@pytest.mark.parametrize("model", list(MODELS))
def test_a_fit_is_not_monitored(model: str, tmp_path: Path) -> None:
    joint, settings = house(model, tmp_path), MODELS[model][1]
    with pytest.raises(MisuseError, match="for the model of an earlier job"):
        joint.run(**settings, monitor="population")
