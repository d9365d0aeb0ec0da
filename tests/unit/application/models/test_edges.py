"""Models at their edges: few rows, one column or two hundred, columns that say nothing, the label anywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from joint import Joint
from sklearn.linear_model import LogisticRegression

from unseen.application import boosting, network, regression
from unseen.errors import DataError, UnseenError

FAMILIES = ("linear", "logistic", "poisson", "gamma")
MODELS = {
    "linear": sm.families.Gaussian(),
    "logistic": sm.families.Binomial(),
    "poisson": sm.families.Poisson(),
    "gamma": sm.families.Gamma(sm.families.links.Log()),
}
TREES: dict[str, Any] = {"trees": 2, "depth": 2, "bins": 8, "least_weight": 0.1}
NETWORK: dict[str, Any] = {"layers": [2], "epochs": 1, "batch": 40}
SCORED: dict[Any, dict[str, Any]] = {boosting.APPLICATION: TREES, network.APPLICATION: NETWORK}


def people(rows: int, columns: int, family: str, seed: int = 12) -> pd.DataFrame:
    draw = np.random.default_rng(seed)
    table = pd.DataFrame({f"x{j}": draw.normal(size=rows) for j in range(columns)})
    score = 0.5 * table["x0"]
    table["label"] = {
        "linear": score + draw.normal(size=rows),
        "logistic": (draw.random(rows) < 1 / (1 + np.exp(-2 * score))).astype(float),
        "poisson": draw.poisson(np.exp(score + 0.5)).astype(float),
        "gamma": draw.gamma(3.0, np.exp(score)),
    }[family]
    table.insert(0, "id", [f"p{i}" for i in range(rows)])
    return table


def joint(
    application: Any, table: pd.DataFrame, folder: Path, holder: str = "a", parties: tuple[str, ...] = ("a", "b")
) -> Joint:
    """Columns dealt out in turn, the label at `holder`."""
    names = [name for name in table.columns if name not in ("id", "label")]
    tables = {
        party: table[["id", *names[place :: len(parties)], *(["label"] if party == holder else [])]]
        for place, party in enumerate(parties)
    }
    return Joint(application, tables, folder)


def fit(family: str, house: Joint, **more: Any) -> dict[str, dict[str, Any]]:
    return house.run(family=family, label={"positive": [1]} if family == "logistic" else {}, **more)


def assert_statsmodels(table: pd.DataFrame, family: str, result: dict[str, Any]) -> None:
    """The coefficients are those of statsmodels on the pooled table."""
    names = [name for name in table.columns if name not in ("id", "label")]
    expected = sm.GLM(table["label"], sm.add_constant(table[names]), MODELS[family]).fit(tol=1e-12)
    found = {line["column"]: line["value"] for line in result["coefficients"]}
    np.testing.assert_allclose(
        [found[name] for name in ("(intercept)", *names)], expected.params[["const", *names]], atol=1e-3
    )


@pytest.mark.parametrize("family", FAMILIES)
def test_a_regression_with_selection_signs_and_weights_sends_nothing_undeclared(
    family: str, tmp_path: Path
) -> None:
    house = joint(regression.APPLICATION, people(200, 3, family).assign(w=1.0 + np.arange(200) % 2), tmp_path)
    names = {"a": ["x0", "x2"], "b": ["x1"]}
    parties = {p: {"dataset": "table", "key": "id", "features": columns} for p, columns in names.items()}
    parties["a"]["signs"] = {"x2": 1}
    weights = {"party": "b", "column": "w"}
    result = fit(family, house, parties=parties, weights=weights, selection={"direction": "backward"})
    assert "x0" in result["a"]["kept"]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("holder", ["a", "b"])
def test_one_column_of_one_party_and_the_label_at_either(family: str, holder: str, tmp_path: Path) -> None:
    table = people(80, 1, family)
    result = fit(family, joint(regression.APPLICATION, table, tmp_path, holder))
    assert_statsmodels(table, family, result[holder])


@pytest.mark.parametrize(
    ("column", "words"),
    [
        (np.zeros(60), "'x1' has the same value in every row"),
        (np.full(60, np.nan), "'x1' holds missing or infinite values"),
    ],
)
@pytest.mark.parametrize("family", FAMILIES)
def test_constant_and_missing_columns_are_named_by_a_regression(
    family: str, column: np.ndarray, words: str, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=words):
        fit(family, joint(regression.APPLICATION, people(60, 2, family).assign(x1=column), tmp_path))


@pytest.mark.parametrize("application", [boosting.APPLICATION, network.APPLICATION])
def test_columns_that_say_nothing_leave_a_model_of_the_others(application: Any, tmp_path: Path) -> None:
    """Constant, binary and repeated columns; trees take one that is missing throughout, too."""
    table = people(200, 1, "logistic").assign(
        x1=0.0, x2=lambda t: (t["x0"] > 0).astype(float), x3=lambda t: t["x0"]
    )
    table["label"] = (table["x0"] + np.random.default_rng(1).normal(size=200) / 4 > 0).astype(float)
    more: dict[str, Any] = {"layers": [3], "epochs": 5, "batch": 20, "learning_rate": 0.2}
    if application is boosting.APPLICATION:
        table, more = table.assign(x5=np.nan), TREES
    result = joint(application, table, tmp_path).run(label={"positive": [1]}, **more)
    assert result["a"]["evaluation"]["figures"]["auc"] > 0.6
    if application is boosting.APPLICATION:
        assert result["b"]["own_splits"]["x1"] == 0


@pytest.mark.parametrize("name", ["logistic", "boosting", "network"])
def test_a_label_of_one_class_is_refused(name: str, tmp_path: Path) -> None:
    table = people(60, 2, "logistic").assign(label=0.0)
    application = {"logistic": regression, "boosting": boosting, "network": network}[name].APPLICATION
    more: dict[str, Any] = {"family": "logistic"} if name == "logistic" else {}
    with pytest.raises(DataError, match="one class only"):
        joint(application, table, tmp_path).run(label={"positive": [1]}, **more)


def test_three_rows_make_a_line_and_a_tree_and_no_plane(tmp_path: Path) -> None:
    table = people(3, 1, "linear").assign(label=[1.0, 2.0, 2.5], x0=[0.0, 1.0, 2.0])
    result = fit("linear", joint(regression.APPLICATION, table, tmp_path / "line"))
    values = [line["value"] for line in result["a"]["coefficients"]]
    np.testing.assert_allclose(values, [13 / 12, 0.75], atol=1e-3)
    with pytest.raises(DataError, match="3 rows do not determine 3 coefficients"):
        fit("linear", joint(regression.APPLICATION, table.assign(x1=[1.0, 0.0, 0.0]), tmp_path / "plane"))
    trees = joint(boosting.APPLICATION, table, tmp_path / "tree").run(**TREES, held_out=0.34)
    assert trees["a"]["rows"] == {"aligned": 3, "training": 2}


def test_two_hundred_columns(tmp_path: Path) -> None:
    table = people(300, 200, "linear")
    result = fit("linear", joint(regression.APPLICATION, table, tmp_path / "regression"))
    names = [f"x{j}" for j in range(200)]
    expected = sm.OLS(table["label"], sm.add_constant(table[names])).fit()
    found = {line["column"]: line["value"] for line in result["a"]["coefficients"]}
    np.testing.assert_allclose([found[name] for name in names], expected.params[names], atol=1e-3)
    trees = joint(boosting.APPLICATION, table, tmp_path / "trees").run(**{**TREES, "bins": 4, "trees": 1})
    assert sum(trees["a"]["own_splits"].values()) + sum(trees["b"]["own_splits"].values()) == 3


@pytest.mark.parametrize("family", ["logistic", "poisson", "gamma"])
def test_three_rows_make_a_curve_too(family: str, tmp_path: Path) -> None:
    label = {"logistic": [0.0, 1.0, 1.0], "poisson": [1.0, 2.0, 4.0], "gamma": [1.0, 2.0, 2.5]}[family]
    table = people(3, 1, family).assign(label=label, x0=[0.3, -1.2, 2.0])
    if family != "logistic":
        assert_statsmodels(table, family, fit(family, joint(regression.APPLICATION, table, tmp_path))["a"])
        return
    # Three outcomes of which the middle one is the lowest column's: no line parts them, and none is steep.
    result = fit(family, joint(regression.APPLICATION, table, tmp_path), penalty=1.0)
    expected = LogisticRegression(tol=1e-10).fit(table[["x0"]], table["label"])
    values = [line["value"] for line in result["a"]["coefficients"]]
    # Three rows do not average the logistic series' error out.
    np.testing.assert_allclose(values, [expected.intercept_[0], expected.coef_[0, 0]], atol=5e-3)


@pytest.mark.parametrize("family", ["poisson", "gamma"])
def test_two_hundred_columns_of_counts_and_amounts(family: str, tmp_path: Path) -> None:
    table = people(900, 200, family)
    assert_statsmodels(table, family, fit(family, joint(regression.APPLICATION, table, tmp_path))["a"])


@pytest.mark.parametrize("application", list(SCORED), ids=lambda application: application.name)
@pytest.mark.parametrize(("columns", "holder"), [(1, "a"), (1, "b"), (200, "b")])
def test_scores_of_one_column_and_of_two_hundred(
    application: Any, columns: int, holder: str, tmp_path: Path
) -> None:
    house = joint(application, people(200, columns, "logistic"), tmp_path, holder)
    result = house.run(label={"positive": [1]}, **SCORED[application])
    assert [party for party in "ab" if "evaluation" in result[party]] == [holder]


def test_a_network_of_three_rows_has_none_to_hold_out(tmp_path: Path) -> None:
    table = people(3, 1, "logistic").assign(label=[0.0, 1.0, 1.0])
    with pytest.raises(DataError, match="good and bad outcomes among the held-out rows"):
        joint(network.APPLICATION, table, tmp_path).run(label={"positive": [1]}, **NETWORK)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_column_that_another_partys_repeats_is_refused_and_a_penalty_shares_the_weight(
    family: str, tmp_path: Path
) -> None:
    table = people(200, 1, family)
    twice = table.assign(x1=table["x0"])
    with pytest.raises(UnseenError, match=r"collinear|penalty"):
        fit(family, joint(regression.APPLICATION, twice, tmp_path / "bare"))
    result = fit(family, joint(regression.APPLICATION, twice, tmp_path / "both"), penalty=40.0)
    alone = fit(family, joint(regression.APPLICATION, table, tmp_path / "alone"), penalty=20.0)
    # Half the weight in each costs half of what the whole in one does.
    values = [line["value"] for line in result["a"]["coefficients"]]
    whole = [line["value"] for line in alone["a"]["coefficients"]]
    np.testing.assert_allclose(values, [whole[0], whole[1] / 2, whole[1] / 2], atol=1e-3)


@pytest.mark.parametrize(
    ("family", "holder"),
    [("linear", "b"), ("logistic", "c"), ("poisson", "a"), ("poisson", "b"), ("poisson", "c"), ("gamma", "a")],
)
def test_three_feature_parties_and_the_label_at_any(family: str, holder: str, tmp_path: Path) -> None:
    """One of the columns is binary."""
    table = people(120, 3, family).assign(x1=lambda t: (t["x1"] > 0).astype(float))
    result = fit(family, joint(regression.APPLICATION, table, tmp_path, holder, ("a", "b", "c")))
    assert_statsmodels(table, family, result[holder])


@pytest.mark.parametrize("application", list(SCORED), ids=lambda application: application.name)
@pytest.mark.parametrize("holder", ["a", "b", "c"])
def test_scores_of_three_feature_parties_and_the_label_at_any(
    application: Any, holder: str, tmp_path: Path
) -> None:
    house = joint(application, people(120, 3, "logistic"), tmp_path, holder, ("a", "b", "c"))
    scored = house.run(label={"positive": [1]}, hidden=True, **SCORED[application])
    assert [party for party in "abc" if "evaluation" in scored[party]] == [holder]
