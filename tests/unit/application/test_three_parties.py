"""Models of three institutions' columns, from requests to results, the parties as threads."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import statsmodels.api as sm
import xgboost
from sklearn.metrics import roc_auc_score

from unseen.application import boosting, regression
from unseen.computation.circle import Circle
from unseen.computation.in_process import run_parties
from unseen.encoding import Json
from unseen.interaction.agreement import Agreement, from_yaml
from unseen.interaction.application import Application, Request, Run
from unseen.interaction.flow import check_flows
from unseen.interaction.plan import Plan

ROWS = 600
FEATURES = {"bank": ["income", "term"], "bureau": ["inquiries", "balance"], "insurer": ["claims"]}
TERMS = """
agreement: Three parties
parties:
  bank: {role: controller}
  bureau: {role: controller}
  insurer: {role: controller}
  dealer: {role: dealer}
purpose: dpv:CreditChecking
valid: {from: 2020-01-01, until: 2099-12-31}
columns:
  bank: {table: {person: [join], income: [feature], term: [feature]}}
  bureau: {table: {person: [join], inquiries: [feature], balance: [feature], bad: [label]}}
  insurer: {table: {person: [join], claims: [feature]}}
computations: [regression, boosting]
recipients:
  coefficients: [bureau]
  scores: [bureau]
  own-model: [bank, bureau, insurer]
  own-splits: [bank, bureau, insurer]
limits: {smallest_overlap: 50, smallest_group: 5}
"""


@pytest.fixture(scope="module")
def pooled() -> pd.DataFrame:
    draw = np.random.default_rng(8)
    table = pd.DataFrame({name: draw.normal(size=ROWS).round(3) for names in FEATURES.values() for name in names})
    odds = 0.8 * table["inquiries"] - 0.6 * table["income"] + 0.5 * table["claims"] * (table["term"] > 0) - 0.7
    table["bad"] = (draw.random(ROWS) < 1 / (1 + np.exp(-2 * odds))).astype(int)
    table.insert(0, "person", [f"p{i}" for i in range(ROWS)])
    return table


def ran(
    application: Application, body: Mapping[str, Any], pooled: pd.DataFrame, folder: Path
) -> tuple[dict[str, Mapping[str, Json]], Plan, Agreement]:
    """Results by party; each party knows some people more, in an order of its own."""
    terms = from_yaml(TERMS)
    parties = {name: {"dataset": "table", "key": "person", "features": FEATURES[name]} for name in FEATURES}
    request = {"parties": parties, "label": {"party": "bureau", "column": "bad", "positive": ["1"]}, **body}
    plan = application.plan(Request("1" * 32, application.name, terms.id, "bureau", "seed", request), terms)
    check_flows(plan, terms)
    tables = {}
    for seed, (name, columns) in enumerate(FEATURES.items()):
        own = pooled[["person", *columns, *(["bad"] if name == "bureau" else [])]]
        strangers = own.sample(20, random_state=seed).assign(person=[f"{name}-{i}" for i in range(20)])
        tables[name] = pa.Table.from_pandas(
            pd.concat([own, strangers]).sample(frac=1, random_state=seed), preserve_index=False
        )

    def program(circle: Circle) -> Mapping[str, Json]:
        own = folder / circle.me
        own.mkdir()
        return application.run(Run(circle.me, plan, circle, lambda _: tables[circle.me], lambda *_: None, own))

    return dict(zip(plan.parties, run_parties(program, list(plan.parties)), strict=True)), plan, terms


def test_a_regression_on_three_parties_columns_is_that_of_statsmodels(
    pooled: pd.DataFrame, tmp_path: Path
) -> None:
    results, plan, _ = ran(regression.APPLICATION, {"family": "logistic"}, pooled, tmp_path)
    assert {result["rows"] for result in results.values()} == {ROWS}
    assert "coefficients" not in results["bank"]
    names = [name for columns in FEATURES.values() for name in columns]
    expected = sm.Logit(pooled["bad"], sm.add_constant(pooled[names])).fit(disp=0)
    lines: Any = results["bureau"]["coefficients"]
    found = {line["column"]: (line["value"], line["error"]) for line in lines}
    for name, value, error in zip(["(intercept)", *names], expected.params, expected.bse, strict=True):
        assert found[name] == (pytest.approx(value, abs=1e-3), pytest.approx(error, rel=0.01))
    told = " ".join(plan.disclosures()["insurer"])
    assert "how many are common to all" in told


def test_trees_on_three_parties_columns_rank_as_xgboosts_do(pooled: pd.DataFrame, tmp_path: Path) -> None:
    body = {"trees": 8, "depth": 3, "bins": 16, "held_out": 0.3}
    results, _, _ = ran(boosting.APPLICATION, body, pooled, tmp_path)
    table = pq.read_table(io.BytesIO((tmp_path / "bureau" / "scores.parquet").read_bytes())).to_pandas()
    assert "auc" in str(results["bureau"])
    assert "auc" not in str(results["insurer"])
    joined = table[table["held_out"]].merge(pooled, left_on="key", right_on="person")
    assert len(joined) == 0.3 * ROWS
    names = [name for columns in FEATURES.values() for name in columns]
    rest = pooled[~pooled["person"].isin(joined["person"])]
    oracle = xgboost.XGBClassifier(n_estimators=8, max_depth=3, max_bin=16, tree_method="hist", base_score=0.5)
    oracle.fit(rest[names], rest["bad"])
    theirs = roc_auc_score(joined["bad"], oracle.predict_proba(joined[names])[:, 1])
    assert roc_auc_score(joined["bad"], joined["score"]) == pytest.approx(theirs, abs=0.02)
