"""The scorecard: against the same pipeline on pooled data, and its refusals."""

from __future__ import annotations

import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from centralised import centralised
from rehearsal import Rehearsal
from sklearn.metrics import brier_score_loss, log_loss

from unseen.application.credit.columns import outcomes
from unseen.application.credit.request import Label
from unseen.computation.blocks import BLOCKS
from unseen.errors import DataError, MisuseError, RefusedError


def test_the_joint_model_equals_the_pipeline_on_pooled_data(
    german: dict[str, pd.DataFrame], tmp_path: Path
) -> None:
    results = Rehearsal(german, {"seed": "oracle"}).run(tmp_path)
    expected = centralised(german, "oracle")
    ours = {column["column"]: column["coefficient"] for column in results["lender"]["scorecard"]}  # type: ignore[union-attr,index,call-overload]
    assert list(ours) == list(expected.coefficients.index)
    np.testing.assert_allclose(list(ours.values()), expected.coefficients, atol=1e-3)
    joint = results["lender"]["joint"]
    assert joint["auc"] == pytest.approx(expected.auc, abs=0.001)  # type: ignore[index,call-overload]
    assert joint["gini"] == pytest.approx(2 * joint["auc"] - 1)  # type: ignore[index,call-overload,operator]
    held_out_figures_are_scikit_learns(results, german, tmp_path)


def held_out_figures_are_scikit_learns(results: Any, german: dict[str, pd.DataFrame], folder: Path) -> None:
    """Log-loss, Brier, calibration, lift and gains, and how far the columns' bins moved."""
    scores = pq.read_table(folder / "lender" / "scores.parquet").to_pandas()
    known = german["lender"].set_index(german["lender"]["id"].str.lower())["bad"]
    held = scores[scores["held_out"]].assign(bad=lambda rows: rows["key"].map(known))
    chance = 1 / (1 + np.exp(held["log_odds"]))
    joint, found = results["lender"]["joint"], pd.DataFrame(results["lender"]["bands"])
    assert joint["log_loss"] == pytest.approx(log_loss(held["bad"], chance), abs=1e-6)
    assert joint["brier"] == pytest.approx(brier_score_loss(held["bad"], chance), abs=1e-6)
    assert found["rows"].sum() == len(held)
    assert found["expected"].sum() == pytest.approx(chance.sum(), abs=1e-3)
    worst = held[held["points"] <= found["highest"][1]]
    assert found["gain"][1] == pytest.approx(worst["bad"].sum() / held["bad"].sum())
    assert found["lift"][0] == pytest.approx(found["bad"][0] / found["rows"][0] / held["bad"].mean(), abs=1e-6)
    for party in ("lender", "bureau"):
        own = {column["column"] for column in results["lender"]["scorecard"] if column["party"] == party}
        moved = results[party]["column_stability"]
        assert set(moved) == own
        assert all(0 <= value < 0.25 for value in moved.values())


def test_numbers_are_cut_at_given_edges_or_into_equal_widths(
    german: dict[str, pd.DataFrame], tmp_path: Path
) -> None:
    parties = dict(Rehearsal(german, {}).plan().parameters["request"]["parties"])  # type: ignore[index,call-overload,arg-type]
    lender = {**parties["lender"], "edges": {"duration_in_month": [12, 24, 36]}}
    fields = {
        "parties": {**parties, "lender": lender},
        "binning": "equal-width",
        "smallest_cell": 1,
        "least_information": 0.0,
        "self_test": False,
    }
    results: Any = Rehearsal(german, fields).run(tmp_path)
    bins = {c["column"]: [b["label"] for b in c["bins"]] for c in results["lender"]["scorecard"]}
    assert bins["duration_in_month"] == ["< 12", "12 – <24", "24 – <36", "≥ 36"]
    age = [label for label in bins["age_in_years"] if "<" in label]
    assert age[0] in ("< 30", "< 31")
    for wrong, words in (({"duration_in_month": [3, 2]}, "do not rise"), ({"colour": [1]}, "no feature")):
        with pytest.raises(MisuseError, match=words):
            Rehearsal(german, {"parties": {**parties, "lender": {**lender, "edges": wrong}}}).plan()


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
    assert set(bureau) == {"rows", "own_columns", "column_stability", "self_test", "steps"}
    assert {entry["column"] for entry in bureau["own_columns"]} <= set(german["bureau"].columns)  # type: ignore[union-attr,index,call-overload]


def spoiled(tables: dict[str, pd.DataFrame], party: str, column: str, value: object) -> dict[str, pd.DataFrame]:
    table = tables[party].copy()
    table[column] = value
    return {**tables, party: table}


def test_a_label_with_one_class_is_refused(german: dict[str, pd.DataFrame], tmp_path: Path) -> None:
    with pytest.raises(DataError, match="one class only among the training rows"):
        Rehearsal(spoiled(german, "lender", "bad", 0), {}).run(tmp_path)


def test_a_bad_value_is_known_however_its_column_is_typed() -> None:
    label = Label(party="lender", column="bad", bad=(1,))
    for values in ([1, 0, 1, 0], [1.0, 0.0, 1.0, 0.0], [Decimal("1.00"), Decimal(0)] * 2, ["1", "0"] * 2):
        assert outcomes(pa.table({"bad": values}), label, 2).tolist() == [1.0, 0.0, 1.0, 0.0]


def test_held_out_rows_of_one_class_are_refused() -> None:
    with pytest.raises(DataError, match="one class only among the held-out rows"):
        outcomes(pa.table({"bad": [1, 0, 0, 0]}), Label(party="lender", column="bad", bad=(1,)), 2)


def test_columns_of_no_use_are_left_out_with_the_reason(german: dict[str, pd.DataFrame], tmp_path: Path) -> None:
    tables = spoiled(german, "bureau", "constant", 7.0)
    found = Rehearsal(tables, {"seed": "oracle", "least_information": 0.02}).run(tmp_path)["lender"]["left_out"]
    why = {entry["column"]: entry["why"] for entry in found}  # type: ignore[union-attr,index,call-overload]
    assert why["constant"] == "all rows in one bin"
    assert "too little information" in why.values()


def test_where_no_column_tells_good_from_bad_the_run_says_what_to_change(
    german: dict[str, pd.DataFrame], tmp_path: Path
) -> None:
    with pytest.raises(DataError, match="least_information"):
        Rehearsal(german, {"least_information": 9.0}).run(tmp_path)


@pytest.mark.parametrize("useful", ["lender", "bureau"])
def test_a_model_may_stand_on_one_sides_columns(
    german: dict[str, pd.DataFrame], tmp_path: Path, useful: str
) -> None:
    tables = {
        p: t if p == useful else t.assign(**{n: 1 for n in t.columns if n not in ("id", "bad")})
        for p, t in german.items()
    }
    card = Rehearsal(tables, {"seed": "oracle"}).run(tmp_path)["lender"]["scorecard"]
    assert {column["party"] for column in card} == {useful}  # type: ignore[union-attr,index,call-overload]


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
