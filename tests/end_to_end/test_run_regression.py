"""Regressions between real nodes: fitted, told to their recipients, kept in parts, taken up by a later job."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import statsmodels.api as sm
from neighbourhood import SECONDS, Institution, Neighbourhood

from unseen.data.catalogue import Catalogue, Use
from unseen.encoding import Json
from unseen.errors import MisuseError

ROWS = 800
LENDER, BUREAU = ("income", "term"), ("inquiries", "balance", "noise")
AGREEMENT = """
agreement: Regressions
parties:
  lender: {role: controller}
  bureau: {role: controller}
  dealer: {role: dealer}
purpose: dpv:CreditChecking
valid: {from: 2020-01-01, until: 2099-12-31}
columns:
  lender:
    ledger: {person: [join], income: [feature], term: [feature], months: [feature], claims: [label], bad: [label]}
  bureau:
    index:
      person: [join]
      inquiries: [feature, retrieve]
      balance: [feature, retrieve]
      noise: [feature, retrieve]
      weight: [feature, retrieve]
computations: [regression]
recipients:
  {coefficients: [lender, bureau], own-model: [lender, bureau], predictions: [lender], opened-columns: [lender]}
limits: {smallest_overlap: 50, smallest_group: 5}
"""


class Pooled:
    """All columns in one place, as no party ever has them."""

    def __init__(self) -> None:
        draw = np.random.default_rng(1)
        self.columns = {name: np.round(draw.normal(size=ROWS), 4) for name in (*LENDER, *BUREAU)}
        self.months = draw.integers(1, 25, ROWS)
        self.weight = draw.integers(1, 4, ROWS)
        score = 0.5 * self.columns["inquiries"] - 0.4 * self.columns["income"] + 0.3 * self.columns["balance"]
        self.claims = draw.poisson(np.exp(score - 2.0) * self.months)
        self.bad = (draw.random(ROWS) < 1 / (1 + np.exp(1.0 - 2 * score))).astype(int)

    def design(self, *names: str) -> np.ndarray:
        return sm.add_constant(np.column_stack([self.columns[name] for name in names]))


def offer(institution: Institution, dataset: str, file: Path, uses: dict[str, list[Use]]) -> None:
    with institution.home.store() as store:
        Catalogue(store.engine).add(dataset, str(file), "person", uses)


def write(file: Path, order: np.ndarray, columns: dict[str, np.ndarray]) -> Path:
    lines = [",".join(["person", *columns])]
    lines += [",".join([f"p{i}", *(str(values[i % ROWS]) for values in columns.values())]) for i in order]
    file.write_text("\n".join(lines) + "\n")
    return file


@pytest.fixture(scope="module")
def pooled() -> Pooled:
    return Pooled()


@pytest.fixture(scope="module")
def agreed(session_houses: Neighbourhood, pooled: Pooled, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Two tables on offer, and an agreement for regressions on them; its identifier."""
    folder = tmp_path_factory.mktemp("regressions")
    held = {name: pooled.columns[name] for name in LENDER}
    held |= {"months": pooled.months, "claims": pooled.claims, "bad": pooled.bad}
    known = {name: pooled.columns[name] for name in BUREAU} | {"weight": pooled.weight}
    shuffled = np.random.default_rng(2).permutation(ROWS)
    uses = {name: [Use.FEATURE] for name in (*LENDER, "months")} | {"claims": [Use.LABEL], "bad": [Use.LABEL]}
    offer(session_houses.lender, "ledger", write(folder / "ledger.csv", np.arange(ROWS), held), uses)
    feature = {name: [Use.FEATURE, Use.RETRIEVE] for name in (*BUREAU, "weight")}
    offer(session_houses.bureau, "index", write(folder / "index.csv", shuffled, known), feature)
    return session_houses.agree(AGREEMENT)


def run(houses: Neighbourhood, agreement: str, **more: Json) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """Submit, wait until it is done; the job's name, and the results at the lender and at the bureau."""
    body: dict[str, Json] = {
        "parties": {
            "lender": {"dataset": "ledger", "key": "person", "features": list(LENDER)},
            "bureau": {"dataset": "index", "key": "person", "features": list(BUREAU)},
        },
        **more,
    }
    with houses.lender.client() as client:
        job = client.submit("regression", agreement, body)
        record = client.wait(job, 2 * SECONDS)
        assert record["state"] == "done"
        ours = client.result(job)["result"]
    assert not record["incidents"]
    return job, ours, json.loads(houses.bureau.home.results(job).read("result.json"))


def column(result: dict[str, Any], name: str) -> list[float]:
    """A column of the table of coefficients, intercept first, then in the order of statsmodels."""
    lines = {line["column"]: line[name] for line in result["coefficients"]}
    return [lines[key] for key in ("(intercept)", *LENDER, *BUREAU)]


def test_claims_by_exposure_and_weights_are_told_to_both_as_statsmodels_has_them(
    houses: Neighbourhood, agreed: str, pooled: Pooled
) -> None:
    job, ours, theirs = run(
        houses,
        agreed,
        family="poisson",
        label={"party": "lender", "column": "claims"},
        exposure={"party": "lender", "column": "months"},
        weights={"party": "bureau", "column": "weight"},
        recipients=["lender", "bureau"],
        collinearity=True,
    )
    assert ours["coefficients"] == theirs["coefficients"]
    expected = sm.GLM(
        pooled.claims,
        pooled.design(*LENDER, *BUREAU),
        sm.families.Poisson(),
        exposure=pooled.months,
        freq_weights=pooled.weight,
    ).fit()
    np.testing.assert_allclose(column(ours, "value"), expected.params, atol=1e-3)
    np.testing.assert_allclose(column(ours, "error"), expected.bse, rtol=5e-3)
    np.testing.assert_allclose(column(ours, "p"), expected.pvalues, atol=1e-2)
    np.testing.assert_allclose([column(ours, "low"), column(ours, "high")], expected.conf_int().T, atol=2e-3)
    assert max(column(ours, "inflation")[1:]) < 1.1
    assert np.array(ours["correlation"]).shape == (5, 5)
    text = houses.bureau.home.results(job).read("coefficients.csv").decode()
    assert next(line["column"] for line in csv.DictReader(io.StringIO(text))) == "(intercept)"


@pytest.mark.parametrize(
    ("family", "label", "more"),
    [
        ("logistic", {"party": "lender", "column": "bad", "positive": [1]}, {}),
        (
            "poisson",
            {"party": "lender", "column": "claims"},
            {
                "exposure": {"party": "lender", "column": "months"},
                "weights": {"party": "bureau", "column": "weight"},
                "selection": {"direction": "backward"},
            },
        ),
    ],
)
def test_a_parity_run_says_how_far_the_joint_model_is_from_the_pooled_one(
    houses: Neighbourhood, agreed: str, family: str, label: dict[str, Json], more: dict[str, Json]
) -> None:
    _, ours, theirs = run(houses, agreed, family=family, label=label, parity=True, **more)
    assert "parity" not in theirs
    assert ours["parity"]["rows"] == ROWS
    assert 0 < ours["parity"]["coefficients"] < 1e-3
    assert ours["parity"]["standard_errors"] < 0.01
    assert ours["parity"]["predictors"] < 5e-3
    assert ("auc" in ours["parity"]) == (family == "logistic")


@pytest.fixture(scope="module")
def selected(session_houses: Neighbourhood, agreed: str) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """A logistic model of selected columns, one of which would have the forbidden sign."""
    parties = {
        "lender": {"dataset": "ledger", "key": "person", "features": list(LENDER)},
        "bureau": {"dataset": "index", "key": "person", "features": list(BUREAU), "signs": {"balance": -1}},
    }
    return run(session_houses, agreed, parties=parties, **LOGISTIC, selection={"direction": "backward"})


LOGISTIC: dict[str, Json] = {
    "family": "logistic",
    "label": {"party": "lender", "column": "bad", "positive": [1]},
    "predictions": True,
}


def predictions(houses: Neighbourhood, job: str) -> dict[str, float]:
    table = pq.read_table(io.BytesIO(houses.lender.home.results(job).read("predictions.parquet"))).to_pydict()
    return dict(zip(table["key"], table["predicted"], strict=True))


def test_a_selected_model_predicts_now_and_in_a_later_job(
    houses: Neighbourhood, agreed: str, selected: tuple[str, dict[str, Any], dict[str, Any]], pooled: Pooled
) -> None:
    job, ours, theirs = selected
    assert ours["kept"] == theirs["kept"] == ["inquiries", "income"]
    assert "coefficients" not in theirs
    expected = sm.Logit(pooled.bad, pooled.design("inquiries", "income")).fit(disp=0)
    lines = {line["column"]: line for line in ours["coefficients"]}
    found = [lines[name]["value"] for name in ("(intercept)", "inquiries", "income")]
    np.testing.assert_allclose(found, expected.params, atol=1e-3)
    assert lines["balance"]["value"] == 0
    assert lines["balance"]["p"] is None
    first = predictions(houses, job)
    chances = expected.predict(pooled.design("inquiries", "income"))
    np.testing.assert_allclose([first[f"p{i}"] for i in range(ROWS)], chances, atol=2e-3)

    later, result, _ = run(houses, agreed, **LOGISTIC, model=job)
    assert "coefficients" not in result
    assert max(abs(predictions(houses, later)[key] - first[key]) for key in first) < 1e-5


def test_a_partners_part_is_not_taken_for_ones_own(
    houses: Neighbourhood, agreed: str, selected: tuple[str, dict[str, Any], dict[str, Any]]
) -> None:
    job, kept = selected[0], houses.lender.home.results(selected[0])
    own = kept.read("regression-model.json")
    kept.write("regression-model.json", houses.bureau.home.results(job).read("regression-model.json"))
    try:
        with pytest.raises(MisuseError, match="bureau's part"):
            run(houses, agreed, **LOGISTIC, model=job)
    finally:
        kept.write("regression-model.json", own)
