"""Regressions measured on rows that they were not fitted to, against scikit-learn and statsmodels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from joint import Joint
from sklearn.metrics import d2_tweedie_score, log_loss, mean_absolute_error, roc_auc_score

from unseen.application.regression import APPLICATION
from unseen.computation.learn.measures import shift
from unseen.errors import MisuseError

ROWS = 500
NAMES = ("income", "inquiries", "balance")
FAMILIES = {
    "linear": sm.families.Gaussian(),
    "logistic": sm.families.Binomial(),
    "poisson": sm.families.Poisson(),
    "gamma": sm.families.Gamma(sm.families.links.Log()),
}


def pooled(family: str) -> pd.DataFrame:
    draw = np.random.default_rng(4)
    table = pd.DataFrame({name: draw.normal(size=ROWS).round(4) for name in NAMES})
    score = 0.6 * table["inquiries"] - 0.5 * table["income"] + 0.3 * table["balance"]
    table["label"] = {
        "linear": 40.0 * score + 100.0 + draw.normal(size=ROWS) * 30,
        "logistic": (draw.random(ROWS) < 1 / (1 + np.exp(0.5 - 2 * score))).astype(float),
        "poisson": draw.poisson(np.exp(score + 1.0)).astype(float),
        "gamma": draw.gamma(3.0, np.exp(score + 5.0) / 3.0),
    }[family]
    table.insert(0, "id", [f"p{i}" for i in range(ROWS)])
    return table


def joint(family: str, folder: Path) -> tuple[Joint, pd.DataFrame]:
    table = pooled(family)
    tables = {
        "lender": table[["id", "income", "label"]],
        "bureau": table[["id", "inquiries", "balance"]].sample(frac=1, random_state=1),
    }
    return Joint(APPLICATION, tables, folder), table


def request(family: str) -> dict[str, Any]:
    return {"family": family, "label": {"positive": [1]} if family == "logistic" else {}}


@pytest.mark.parametrize("family", list(FAMILIES))
def test_measures_are_those_of_scikit_learn_whether_scores_are_shown_or_hidden(
    family: str, tmp_path: Path
) -> None:
    house, table = joint(family, tmp_path)
    shown = house.run(**request(family), held_out=0.3, predictions=True)
    told = house.file("lender", "predictions.parquet").merge(table, left_on="key", right_on="id")
    assert told["held_out"].sum() == 0.3 * ROWS
    fresh, fitted = told[told["held_out"]], told[~told["held_out"]]
    model = sm.GLM(fitted["label"], sm.add_constant(fitted[list(NAMES)]), FAMILIES[family]).fit(tol=1e-12)
    values = [line["value"] for line in shown["lender"]["coefficients"]]
    lines = [line["column"] for line in shown["lender"]["coefficients"]]
    np.testing.assert_allclose(
        values, [model.params[{"(intercept)": "const"}.get(n, n)] for n in lines], rtol=2e-3
    )
    means = model.predict(sm.add_constant(fresh[list(NAMES)]))
    np.testing.assert_allclose(fresh["predicted"], means, rtol=2e-3, atol=2e-3)

    hidden = house.run(**request(family), held_out=0.3)
    assert not (house.folder / "2" / "lender" / "predictions.parquet").exists()
    for result in (shown, hidden):
        found = result["lender"]["evaluation"]
        assert "evaluation" not in result["bureau"]
        assert found["rows"] == len(fresh)
        figures = found["figures"]
        if family == "logistic":
            assert figures["auc"] == pytest.approx(roc_auc_score(fresh["label"], means), abs=1e-3)
            assert figures["log_loss"] == pytest.approx(log_loss(fresh["label"], means), abs=1e-3)
        else:
            power = {"linear": 0, "poisson": 1, "gamma": 2}[family]
            assert figures["mae"] == pytest.approx(mean_absolute_error(fresh["label"], means), rel=2e-3)
            explained = d2_tweedie_score(fresh["label"], means, power=power)
            assert figures["explained"] == pytest.approx(explained, abs=2e-3)
        assert sum(band["came"] for band in found["bands"]) == pytest.approx(fresh["label"].sum(), rel=1e-4)
        assert sum(band["expected"] for band in found["bands"]) == pytest.approx(means.sum(), rel=2e-3)
        edges = np.sort(fitted["predictor"])[len(fitted) * np.arange(1, 10) // 10]
        counts = [np.histogram(part["predictor"], np.r_[-np.inf, edges, np.inf])[0] for part in (fitted, fresh)]
        assert found["stability"] == pytest.approx(shift(*counts), abs=0.02)
    assert (shown["lender"]["evaluation"]["scores"], hidden["lender"]["evaluation"]["scores"]) == (
        "revealed",
        "hidden",
    )
    assert set(shown["bureau"]["own_stability"]) == {"inquiries", "balance"}
    assert set(shown["lender"]["own_stability"]) == {"income"}


def test_an_earlier_model_is_monitored_on_later_rows_without_showing_a_score(tmp_path: Path) -> None:
    house, _ = joint("logistic", tmp_path)
    house.run(**request("logistic"), held_out=0.2)
    moved = {**house.tables, "bureau": house.tables["bureau"].assign(inquiries=lambda t: t["inquiries"] + 1.0)}
    house.tables = moved
    result = house.run(**request("logistic"), model="1", monitor="outcomes")
    found = result["lender"]["evaluation"]
    assert found["rows"] == ROWS
    assert found["figures"]["auc"] > 0.7
    assert found["stability"] > 0.25
    assert result["bureau"]["own_stability"]["inquiries"] > 0.5
    assert result["bureau"]["own_stability"]["balance"] < 0.05
    before = house.run(**request("logistic"), model="1", monitor="population")
    assert "figures" not in before["lender"]["evaluation"]
    assert before["lender"]["evaluation"]["stability"] == pytest.approx(found["stability"], abs=1e-9)
    told = " ".join(
        house.plan({**request("logistic"), "model": "1", "monitor": "population"}).disclosures()["lender"]
    )
    assert "score between the quantiles" in told
    assert "linear predictor of every" not in told


def test_a_model_that_kept_nothing_of_its_rows_cannot_be_monitored(tmp_path: Path) -> None:
    house, _ = joint("linear", tmp_path)
    house.run(**request("linear"))
    with pytest.raises(MisuseError, match="fit it again with `held_out`"):
        house.run(**request("linear"), model="1", monitor="population")
