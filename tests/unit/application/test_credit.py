"""The scorecard: against the same pipeline on pooled data, and its refusals."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from blake3 import blake3
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

sys.path.insert(0, str(Path(__file__).parent))

from rehearsal import Rehearsal

from unseen.computation.blocks import BLOCKS
from unseen.computation.learn.binning import level_bins, number_bins, weigh
from unseen.errors import DataError, MisuseError, RefusedError

GERMAN = Path(__file__).parents[3].parent / "shared" / "data" / "german_credit" / "germancredit.csv.gz"
LENDER = 8


@pytest.fixture(scope="module")
def german() -> dict[str, pd.DataFrame]:
    """1,000 loans cut by columns between lender and bureau; the bureau lacks some people and knows others."""
    loans = pd.read_csv(GERMAN)
    loans.insert(0, "id", [f"DE-{number:04d}" for number in range(len(loans))])
    columns = [name for name in loans.columns if name not in ("id", "creditability")]
    lender = loans[["id", *columns[:LENDER]]].assign(bad=(loans["creditability"] == "bad").astype(int))
    known = loans.sample(900, random_state=1)[["id", *columns[LENDER:]]]
    others = loans.sample(100, random_state=2)[["id", *columns[LENDER:]]]
    others["id"] = [f"XX-{number:04d}" for number in range(100)]
    return {"lender": lender, "bureau": pd.concat([known, others]).sample(frac=1, random_state=3)}


def pooled(tables: dict[str, pd.DataFrame], seed: str, penalty: float) -> tuple[pd.Series, float]:
    """The same pipeline in the clear: bins, weights of evidence, scikit-learn's regression and AUC."""
    joined = tables["lender"].merge(tables["bureau"], on="id")
    lots = [blake3(seed.encode() + b"/held-out/" + name.lower().encode()).digest() for name in joined["id"]]
    training = len(joined) - round(0.3 * len(joined))
    joined = joined.assign(lot=lots).sort_values("lot").reset_index(drop=True)
    bad = joined["bad"].to_numpy(float)
    smallest, coded = int(np.ceil(0.05 * training)), {}
    for party in ("bureau", "lender"):
        for name in sorted(set(tables[party].columns) - {"id", "bad"}):
            column = joined[name]
            if pd.api.types.is_numeric_dtype(column):
                bins = number_bins(column.to_numpy(float)[:training], 5, smallest)
                index = bins.index(column.to_numpy(float))
            else:
                bins = level_bins(column.to_numpy(object)[:training], smallest)
                index = bins.index(column.to_numpy(object))
            width = len(bins.labels)
            rows = np.bincount(index[:training], minlength=width)
            worse = np.bincount(index[:training], weights=bad[:training], minlength=width)
            weighed = weigh(np.column_stack([rows, worse]).astype(int), bins.ordered, 20, 5)
            if weighed.useful and weighed.information >= 0.005:
                coded[name] = weighed.weights[np.asarray(weighed.merged)[index]]
    design = pd.DataFrame(coded)
    model = LogisticRegression(C=1 / penalty, tol=1e-10, max_iter=5000).fit(design[:training], bad[:training])
    scores = model.decision_function(design[training:])
    return pd.Series(model.coef_[0], design.columns), float(roc_auc_score(bad[training:], scores))


def test_the_joint_model_equals_the_pipeline_on_pooled_data(
    german: dict[str, pd.DataFrame], tmp_path: Path
) -> None:
    results = Rehearsal(german, {"seed": "oracle"}).run(tmp_path)
    coefficients, auc = pooled(german, "oracle", 1.0)
    ours = {column["column"]: column["coefficient"] for column in results["lender"]["scorecard"]}  # type: ignore[union-attr,index,call-overload]
    assert list(ours) == list(coefficients.index)
    np.testing.assert_allclose(list(ours.values()), coefficients, atol=1e-3)
    joint = results["lender"]["joint"]
    assert joint["auc"] == pytest.approx(auc, abs=0.002)  # type: ignore[index,call-overload]
    assert joint["gini"] == pytest.approx(2 * joint["auc"] - 1)  # type: ignore[index,call-overload,operator]


def test_a_score_is_the_sum_of_its_columns_points_and_both_sides_name_reasons(
    german: dict[str, pd.DataFrame], tmp_path: Path
) -> None:
    results = Rehearsal(german, {"seed": "oracle"}).run(tmp_path)
    scores = pq.read_table(tmp_path / "lender" / "scores.parquet").to_pandas()
    assert len(scores) == results["lender"]["rows"]["aligned"] == 900  # type: ignore[index,call-overload]
    scale = 20 / np.log(2)
    exact = 600 + scale * (scores["log_odds"] - np.log(30))
    columns = len(results["lender"]["scorecard"])  # type: ignore[arg-type]
    assert np.abs(scores["points"] - exact).max() <= columns / 2 + 0.1
    descriptions = {f"the {name}" for table in german.values() for name in table.columns}
    assert {reason for reasons in scores["reasons"] for reason in reasons} <= descriptions
    assert scores["reasons"].map(len).max() == 4
    assert (tmp_path / "lender" / "scores.parquet").stat().st_mode & 0o077 == 0
    assert list((tmp_path / "bureau").iterdir()) == []


def test_the_bureau_takes_home_its_own_points_and_nothing_of_the_lender(
    german: dict[str, pd.DataFrame], tmp_path: Path
) -> None:
    rehearsal = Rehearsal(german, {"seed": "oracle"})
    bureau = rehearsal.run(tmp_path)["bureau"]
    table = [*(rehearsal.plan().messages() or ()), *BLOCKS]
    for sent in rehearsal.sent.values():
        assert [kind for kind in sent if not any(line.covers(kind) for line in table)] == []
    assert set(bureau) == {"rows", "own_points", "steps"}
    assert {entry["column"] for entry in bureau["own_points"]} <= set(german["bureau"].columns)  # type: ignore[union-attr,index,call-overload]


def spoiled(tables: dict[str, pd.DataFrame], party: str, column: str, value: object) -> dict[str, pd.DataFrame]:
    table = tables[party].copy()
    table[column] = value
    return {**tables, party: table}


def test_a_label_with_one_class_is_refused(german: dict[str, pd.DataFrame], tmp_path: Path) -> None:
    with pytest.raises(DataError, match="one class only"):
        Rehearsal(spoiled(german, "lender", "bad", 0), {}).run(tmp_path)


def test_repeated_and_empty_identifiers_are_refused_with_their_shares(
    german: dict[str, pd.DataFrame], tmp_path: Path
) -> None:
    names = german["bureau"]["id"].to_list()
    names[1], names[2] = names[0], ""
    with pytest.raises(DataError, match=r"0\.10% of the keys are empty and 0\.10% of the keys are repeated"):
        Rehearsal(spoiled(german, "bureau", "id", names), {}).run(tmp_path)


def test_an_infinite_value_is_refused_by_column(german: dict[str, pd.DataFrame], tmp_path: Path) -> None:
    column = next(n for n in german["bureau"].columns if pd.api.types.is_numeric_dtype(german["bureau"][n]))
    values = german["bureau"][column].astype(float).to_list()
    values[5] = float("inf")
    with pytest.raises(DataError, match=f"{column}.*infinite"):
        Rehearsal(spoiled(german, "bureau", column, values), {}).run(tmp_path)


def test_missing_values_get_a_bin_of_their_own_and_a_constant_column_is_left_out(
    german: dict[str, pd.DataFrame], tmp_path: Path
) -> None:
    tables = spoiled(
        german, "lender", "age_in_years", [None if n % 4 == 0 else float(n % 50) for n in range(1000)]
    )
    tables = spoiled(tables, "bureau", "constant", 7.0)
    card = Rehearsal(tables, {"seed": "oracle", "least_information": 0.0}).run(tmp_path)["lender"]["scorecard"]
    bins = {column["column"]: [b["label"] for b in column["bins"]] for column in card}  # type: ignore[union-attr,index,call-overload]
    assert "constant" not in bins
    assert any("missing" in label for label in bins["age_in_years"])


def test_too_small_an_overlap_ends_before_any_column_is_used(
    german: dict[str, pd.DataFrame], tmp_path: Path
) -> None:
    with pytest.raises(RefusedError, match="too few common customers"):
        Rehearsal(german, {}, smallest_overlap=901).run(tmp_path)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"held_out": 1.5}, "held_out"),
        ({"bins": 1}, "bins"),
        ({"label": {"party": "stranger", "column": "bad", "bad": [1]}}, "label's party"),
        ({"colour": "blue"}, "colour"),
    ],
)
def test_a_request_that_makes_no_sense_names_its_field(
    german: dict[str, pd.DataFrame], fields: dict[str, object], words: str
) -> None:
    with pytest.raises(MisuseError, match=words):
        Rehearsal(german, fields).plan()


def test_the_plan_is_the_same_bytes_every_time_and_says_what_each_party_learns(
    german: dict[str, pd.DataFrame],
) -> None:
    first, second = Rehearsal(german, {}).plan(), Rehearsal(german, {}).plan()
    assert first.canonical() == second.canonical()
    assert Rehearsal(german, {"penalty": 2.0}).plan().hash != first.hash
    learned = first.disclosures()
    assert any("score of every common customer" in sentence for sentence in learned["lender"])
    assert not any("score" in sentence and "customer" in sentence for sentence in learned["bureau"])
    assert all("number" in sentence for sentence in learned["dealer"])
