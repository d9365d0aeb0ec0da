"""Scorecards whose tables nobody sees: counts and weights of the partner's bins stay shared."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from centralised import Centralised, centralised
from rehearsal import Rehearsal
from rich.console import Console

from unseen.application.credit.report import Context, render
from unseen.application.credit.summary import show
from unseen.cli.specimen import HEADER_BYTES
from unseen.computation.blocks import BLOCKS
from unseen.computation.lattice import DEGREE
from unseen.computation.share.private import PRIVATE_MATRIX
from unseen.errors import MisuseError, RefusedError
from unseen.interaction.checks import parameter
from unseen.interaction.flow import check_flows

FIELDS = {"seed": "oracle", "tables": "nobody"}


@pytest.fixture(scope="module")
def expected(german: dict[str, pd.DataFrame]) -> Centralised:
    return centralised(german, "oracle", hidden=True)


@pytest.fixture(scope="module")
def ran(german: dict[str, pd.DataFrame], tmp_path_factory: pytest.TempPathFactory) -> tuple[Rehearsal, Any, Path]:
    """Nothing agreed but scores, coefficients and reasons."""
    rehearsal, folder = Rehearsal(german, FIELDS), tmp_path_factory.mktemp("hidden")
    return rehearsal, rehearsal.run(folder), folder


@pytest.fixture(scope="module")
def opened(
    german: dict[str, pd.DataFrame], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Rehearsal, Any, Path]:
    """The points of the bins are agreed to go to both."""
    agreed = {"scorecard": ["lender"], "own-points": ["bureau"]}
    rehearsal, folder = Rehearsal(german, FIELDS, recipients=agreed), tmp_path_factory.mktemp("opened")
    return rehearsal, rehearsal.run(folder), folder


def test_coefficients_and_scores_are_those_of_the_pooled_pipeline(
    ran: tuple[Rehearsal, Any, Path], expected: Centralised
) -> None:
    _, results, folder = ran
    ours = {column["column"]: column["coefficient"] for column in results["lender"]["scorecard"]}
    assert list(ours) == list(expected.coefficients.index)
    np.testing.assert_allclose(list(ours.values()), expected.coefficients, atol=1e-3)
    assert results["lender"]["intercept"]["coefficient"] == pytest.approx(expected.intercept, abs=1e-3)
    assert results["lender"]["joint"]["auc"] == pytest.approx(expected.auc, abs=1e-3)
    scores = pq.read_table(folder / "lender" / "scores.parquet").to_pandas().set_index("key")
    np.testing.assert_allclose(scores["log_odds"], expected.odds[scores.index], atol=3e-3)


def test_nobody_is_told_what_a_bin_is_worth(
    ran: tuple[Rehearsal, Any, Path], german: dict[str, pd.DataFrame]
) -> None:
    rehearsal, results, _ = ran
    theirs = [column for column in results["lender"]["scorecard"] if column["party"] == "bureau"]
    assert theirs
    assert all(column["bins"] == [] and column["information_value"] is None for column in theirs)
    assert all(set(entry) == {"label"} for c in results["bureau"]["own_columns"] for entry in c["bins"])
    assert "coefficient" not in str(results["bureau"])
    table = [*(rehearsal.plan().messages() or ()), *BLOCKS]
    for sent in rehearsal.sent.values():
        assert [kind for kind in sent if not any(line.covers(kind) for line in table)] == []
    told = {kind for kind in rehearsal.sent["lender"] if kind.startswith(("reveal/", "credit/"))}
    assert told <= {"reveal/informative", "reveal/unsolved", "reveal/step-#", "reveal/range", "credit/useful"}
    learned = rehearsal.plan().disclosures()
    assert not any("weight of evidence" in sentence or "points" in sentence for sentence in learned["bureau"])
    assert not any("how many bad ones" in sentence for sentence in learned["lender"])
    check_flows(rehearsal.plan(), rehearsal.agreement())


def test_the_partners_bins_are_masked_once_for_training_scores_and_points(
    ran: tuple[Rehearsal, Any, Path],
) -> None:
    """As many bytes as the profile says of one private matrix of all rows; the other is that of counting, which
    has a lattice's rows and all bins."""
    rehearsal, results, _ = ran
    bins = sum(len(column["bins"]) for column in results["bureau"]["own_columns"])
    rows = results["bureau"]["rows"]["aligned"]
    assert PRIVATE_MATRIX.bytes_sent is not None
    sent: Any = rehearsal.sent["bureau"]["private-matrix"]
    counting = sent["bytes"] - PRIVATE_MATRIX.bytes_sent(rows, bins, 2) - 2 * HEADER_BYTES
    assert sent["messages"] == 2
    assert counting % (8 * DEGREE) == 0
    assert bins <= counting // (8 * DEGREE) < 2 * bins


def test_points_that_are_agreed_to_be_told_are_those_of_the_pooled_card_and_add_up(
    opened: tuple[Rehearsal, Any, Path], expected: Centralised
) -> None:
    rehearsal, results, folder = opened
    card, factor = results["lender"]["scorecard"], 20 / np.log(2)
    share = (600 - factor * np.log(30) - factor * expected.intercept) / len(card)
    for column in card:
        weights = expected.weights[column["column"]]
        exact = share - factor * expected.coefficients[column["column"]] * weights
        found = np.array([entry["points"] for entry in column["bins"]])
        assert len(found) == len(exact)
        assert np.abs(found - exact).max() <= 0.55
        assert column["information_value"] == pytest.approx(expected.information[column["column"]], abs=1e-4)
    own = {column["column"]: [b["points"] for b in column["bins"]] for column in results["bureau"]["own_columns"]}
    assert own == {c["column"]: [b["points"] for b in c["bins"]] for c in card if c["party"] == "bureau"}
    scores = pq.read_table(folder / "lender" / "scores.parquet").to_pandas()
    exact_total = 600 + factor * (scores["log_odds"] - np.log(30))
    assert np.abs(scores["points"] - exact_total).max() <= len(card) / 2 + 0.1
    assert {"labels_by_partner", "membership"} <= set(results["lender"]["self_test"])
    assert results["bureau"]["self_test"]["features_by_holder"]
    told = rehearsal.plan().disclosures()
    assert any("information value" in sentence for sentence in told["lender"])
    assert any("points of the bins of its own columns" in sentence for sentence in told["bureau"])


def test_reasons_are_the_same_whether_or_not_anyone_sees_the_points(
    ran: tuple[Rehearsal, Any, Path], opened: tuple[Rehearsal, Any, Path]
) -> None:
    first, second = (
        pq.read_table(folder / "lender" / "scores.parquet").to_pandas().set_index("key").sort_index()
        for _, _, folder in (ran, opened)
    )
    assert (first["points"] - second["points"]).abs().max() <= 1  # a bin's points may round the other way
    alike = [set(a) == set(b) for a, b in zip(first["reasons"], second["reasons"], strict=True)]
    assert np.mean(alike) > 0.97
    descriptions = {column["description"] for column in opened[1]["lender"]["scorecard"]}
    assert {reason for reasons in first["reasons"] for reason in reasons} <= descriptions
    card = {column["description"]: column for column in opened[1]["lender"]["scorecard"]}
    best = sum(max(b["points"] for b in card[name]["bins"]) for name in card)
    reasonless = second[second["reasons"].map(len) == 0]
    assert (reasonless["points"] == best).all()


def test_the_report_says_that_nobody_saw_tables(ran: tuple[Rehearsal, Any, Path], tmp_path: Path) -> None:
    told = ran[0].plan().disclosures()
    context = Context("A card", "today", "00", "11", told, 0, 0.0, (), ledgers_verified=True)
    page = render(ran[1]["lender"], context)
    assert "it stayed on shares" in page
    assert "unseen</td>" in page
    console = Console(record=True, width=200)
    show(console, ran[1]["lender"], context)
    assert "unseen" in console.export_text()


def test_what_needs_the_tables_is_refused(german: dict[str, pd.DataFrame]) -> None:
    with pytest.raises(MisuseError, match="monotone"):
        Rehearsal(german, {**FIELDS, "monotone": True}).plan()


def test_an_agreement_may_demand_that_nobody_sees_tables(german: dict[str, pd.DataFrame]) -> None:
    bound = {"tables": {"among": ["nobody"]}}
    terms = Rehearsal(german, {}, bounds=bound).agreement().computations["credit"]["tables"]
    terms.require("tables", parameter(Rehearsal(german, FIELDS).plan().parameters, "tables"))
    with pytest.raises(RefusedError, match="tables"):
        terms.require("tables", parameter(Rehearsal(german, {}).plan().parameters, "tables"))
