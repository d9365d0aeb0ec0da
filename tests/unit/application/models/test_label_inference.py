"""Labels, membership and features inferred from trees, networks and regressions, against scikit-learn."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from joint import Joint
from sklearn.linear_model import LinearRegression
from sklearn.metrics import roc_auc_score

from unseen.application import boosting, network, regression
from unseen.application.evaluation import selftest
from unseen.application.evaluation.page import page

ROWS = 300
TREES: dict[str, Any] = {"trees": 4, "depth": 2, "bins": 8}
UNITS: dict[str, Any] = {"layers": [3], "epochs": 4, "batch": 30, "learning_rate": 0.2}
OUTCOME: dict[str, Any] = {"label": {"positive": [1]}}


def house(application: Any, folder: Path, classifies: bool = True) -> Joint:
    """What is bad lies at both ends of the bureau's column `age`; its others say nothing."""
    draw = np.random.default_rng(12)
    table = pd.DataFrame({"id": [f"p{i}" for i in range(ROWS)]})
    for name in ("income", "age", "height", "weight"):
        table[name] = draw.normal(size=ROWS).round(4)
    score = 3 * np.abs(table["age"]) - table["income"] - 2.5
    table["label"] = (draw.random(ROWS) < 1 / (1 + np.exp(-score))).astype(int) if classifies else score
    tables = {"lender": table[["id", "income", "label"]], "bureau": table[["id", "age", "height", "weight"]]}
    return Joint(application, tables, folder)


def votes_by_splits(joint: Joint, keys: pd.Series, known: int, label: np.ndarray) -> np.ndarray:
    """Votes for the persons after the known ones, from the bureau's own part of the model and its columns."""
    part = json.loads((joint.folder / "1" / "bureau" / "boosting-model.json").read_text())
    own = joint.tables["bureau"].set_index("id").loc[keys]
    votes = np.zeros(len(keys) - known)
    for tree in part["trees"]:
        for node, column, threshold, _ in tree["splits"]:
            name = ("age", "height", "weight")[column]
            left = (own[name] < part["bins"][name]["edges"][threshold]).to_numpy().astype(float)
            weight = {0: 1.0, 1: 0.5, 2: 0.5}[node]
            sides = left - left.mean()
            votes += weight * sides[known:] * (sides[:known] @ (label[:known] - label[:known].mean()))
    return votes


@pytest.mark.parametrize("classifies", [True, False])
def test_a_partner_with_splits_is_tested_for_what_it_could_tell_of_labels(
    classifies: bool, tmp_path: Path
) -> None:
    joint = house(boosting.APPLICATION, tmp_path, classifies)
    asked = {**TREES, "held_out": 0.3, **(OUTCOME if classifies else {})}
    result = joint.run(**asked)
    found = result["lender"]["self_test"]["labels_by_bureau"]
    scores = joint.file("lender", "scores.parquet")
    fitted = scores[~scores["held_out"]].merge(joint.tables["lender"], left_on="key", right_on="id")
    assert (found["known"], found["rows"]) == (70, 140)
    label = fitted["label"].to_numpy(dtype=float)
    truth = label if classifies else (label > np.median(label)).astype(float)
    votes = votes_by_splits(joint, fitted["key"], 70, truth)
    assert found["auc"] == pytest.approx(roc_auc_score(truth[70:], votes.round(9)), abs=0.01)
    assert 0.5 < found["without"] < 1
    assert found["auc"] > 0.6
    assert set(result["bureau"]["self_test"]) == {"features_by_lender"}
    assert "were 70 known there" in page(
        {"title": "t", "plan_hash": "p", "agreement": "a", "plan": {"disclosures": {}}}, result["lender"]
    )


@pytest.mark.parametrize("hidden", [False, True])
@pytest.mark.parametrize("model", ["trees", "network"])
def test_what_the_attacks_tell_stands_in_the_plan_and_they_can_be_left_out(
    model: str, hidden: bool, tmp_path: Path
) -> None:
    joint = house(boosting.APPLICATION if model == "trees" else network.APPLICATION, tmp_path)
    asked = {**(TREES if model == "trees" else UNITS), **OUTCOME, "hidden": hidden}
    told = joint.plan(asked).disclosures()
    assert sum("own columns, with what the model showed and without" in words for words in told["lender"]) == 1
    assert sum("losses tell persons that the model was fitted to" in words for words in told["lender"]) == hidden
    assert not any("with what the model showed" in words or "losses" in words for words in told["bureau"])
    assert sum("variance of each own column" in words for words in told["bureau"]) == (not hidden)
    assert not any("variance of each own column" in words for words in told["lender"])
    without = joint.plan({**asked, "self_test": False}).disclosures()
    assert set(without["lender"]) < set(told["lender"])
    assert not any("what the model showed" in words or "losses tell" in words for words in without["lender"])
    later = joint.plan({**asked, "model": "1"}).disclosures()
    assert not any("what the model showed" in words for words in later["lender"])


@pytest.mark.parametrize("model", ["trees", "numbers", "network", "logistic", "poisson"])
def test_membership_is_tested_on_shares_where_nobody_sees_a_score(model: str, tmp_path: Path) -> None:
    outcome = model in ("trees", "network", "logistic")
    application = {"trees": boosting, "numbers": boosting, "network": network}.get(model, regression).APPLICATION
    joint = house(application, tmp_path, outcome)
    lender = joint.tables["lender"]
    if model == "poisson":
        joint.tables = {
            **joint.tables,
            "lender": lender.assign(label=np.rint(np.exp(lender["label"].clip(-2, 2)))),
        }
    settings = {"trees": TREES, "numbers": TREES, "network": UNITS}.get(model, {"family": model})
    asked = {**settings, "held_out": 0.4, **(OUTCOME if outcome else {})}
    shown, hidden = ({"predictions": True}, {}) if "family" in settings else ({}, {"hidden": True})
    seen, unseen = (joint.run(**asked, **more)["lender"]["self_test"]["membership"] for more in (shown, hidden))
    assert unseen["rows"] == seen["rows"] == ROWS
    # Two fits whose last bits differ. Rows of a tree's leaf have one score, and tie: there they decide nothing.
    assert unseen["auc"] == pytest.approx(seen["auc"], abs=1e-4 if model == "trees" else 0.01)
    assert unseen["advantage"] == pytest.approx(seen["advantage"], abs=1e-3 if model == "trees" else 0.03)


def test_a_network_shows_nothing_so_that_columns_alone_attack_it(tmp_path: Path) -> None:
    joint = house(network.APPLICATION, tmp_path)
    result = joint.run(**UNITS, **OUTCOME, held_out=0.3, hidden=True)
    found = result["lender"]["self_test"]["labels_by_bureau"]
    assert found["auc"] == found["without"] > 0.55
    assert "self_test" not in result["bureau"]
    assert "self_test" not in joint.run(**UNITS, **OUTCOME, held_out=0.3, self_test=False)["lender"]


@pytest.mark.parametrize("model", ["trees", "network", "logistic"])
def test_partners_are_told_how_far_scores_give_their_columns_away(model: str, tmp_path: Path) -> None:
    application = {"trees": boosting, "network": network, "logistic": regression}[model].APPLICATION
    joint = house(application, tmp_path)
    settings = {"trees": TREES, "network": UNITS}.get(model, {"family": model, "predictions": True})
    result = joint.run(**settings, **OUTCOME, held_out=0.3)
    found = {one["column"]: one for one in result["bureau"]["self_test"]["features_by_lender"]}
    assert "features_by_lender" not in result["lender"]["self_test"]
    scores = joint.file("lender", "predictions.parquet" if model == "logistic" else "scores.parquet")
    whole = scores.merge(joint.tables["lender"], left_on="key", right_on="id").merge(
        joint.tables["bureau"], on="id"
    )
    if model == "trees":
        for party, names in {"lender": ["income"], "bureau": ["age", "height", "weight"]}.items():
            bins = json.loads((joint.folder / "1" / party / "boosting-model.json").read_text())["bins"]
            for name in names:
                whole[name] = np.searchsorted(bins[name]["edges"], whole[name], side="right")
    score = "predictor" if model == "logistic" else "score"
    for name in ("age", "height", "weight"):
        r2 = [
            LinearRegression().fit(whole[own], whole[name]).score(whole[own], whole[name])
            for own in (["income"], ["income", score])
        ]
        assert (found[name]["blind"], found[name]["attack"]) == pytest.approx(tuple(r2), abs=1e-3)
    page_of = page(
        {"title": "t", "plan_hash": "p", "agreement": "a", "plan": {"disclosures": {}}}, result["bureau"]
    )
    assert "variance that lender could tell" in page_of


def test_the_only_missing_column_of_a_linear_model_is_solved_for_and_its_owner_is_told(tmp_path: Path) -> None:
    joint = house(regression.APPLICATION, tmp_path, classifies=False)
    joint.tables = {**joint.tables, "bureau": joint.tables["bureau"][["id", "age"]]}
    result = joint.run(family="linear", predictions=True, held_out=0.3)
    (found,) = result["bureau"]["self_test"]["features_by_lender"]
    assert found["attack"] > 0.999
    assert found["blind"] < 0.1
    assert "self_test" not in joint.run(family="linear", held_out=0.3)["bureau"]


def test_many_rows_are_attacked_by_a_part_of_either_kind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selftest, "MOST_ROWS", 60)
    monkeypatch.setattr(selftest, "MOST_KNOWN", 40)
    joint = house(boosting.APPLICATION, tmp_path)
    joint.run(**TREES, **OUTCOME, held_out=0.3)
    told = joint.file("lender", "scores.parquet").merge(joint.tables["lender"], left_on="key", right_on="id")
    tested = joint.run(**TREES, **OUTCOME, held_out=0.3, hidden=True)["lender"]["self_test"]
    losses = np.logaddexp(0, told["score"]) - told["score"] * told["label"]
    picked = np.r_[losses[~told["held_out"]][:60], losses[told["held_out"]][:60]]
    member = tested["membership"]
    assert member["rows"] == 120
    # Trees give many the same loss, and rounding decides between equals.
    assert member["auc"] == pytest.approx(roc_auc_score(np.arange(120) < 60, -picked.round(3)), abs=0.02)
    assert (tested["labels_by_bureau"]["known"], tested["labels_by_bureau"]["rows"]) == (40, 60)
