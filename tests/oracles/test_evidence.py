"""Weights of evidence and information values against optbinning's, recorded, on real loans, and against the plain
table on real contacts and cards.

optbinning adds nothing to the counts, ours half a row: on counts a million times as large the two must agree.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from unseen.computation.circle import Circle
from unseen.computation.in_process import run_parties
from unseen.computation.learn.binning import edge_bins, number_bins
from unseen.computation.learn.evidence import evidence
from unseen.computation.learn.hidden_evidence import hidden_evidence
from unseen.computation.learn.woe import outcome_counts
from unseen.computation.share.array import reveal

DATA = Path(__file__).parents[2].parent / "shared" / "data"
LOANS = DATA / "german_credit" / "germancredit.csv.gz"
RECORDED = json.loads((Path(__file__).parents[1] / "vectors" / "optbinning_german_credit.json").read_text())
MANY = 1_000_000


@pytest.mark.parametrize("column", list(RECORDED["columns"]))
def test_bins_at_given_edges_have_optbinnings_weights_and_information(column: str) -> None:
    loans, expected = pd.read_csv(LOANS), RECORDED["columns"][column]
    values, bad = loans[column].to_numpy(float), (loans["creditability"] == "bad").to_numpy(float)
    bins = edge_bins(values, expected["edges"], smallest=1)
    assert bins.edges == tuple(expected["edges"])
    index = bins.index(values)
    width = len(expected["weight_of_evidence"])
    counts = np.column_stack([np.bincount(index, minlength=width), np.bincount(index, bad, minlength=width)])
    weights, information = evidence(counts.astype(np.int64) * MANY)
    np.testing.assert_allclose(weights, expected["weight_of_evidence"], atol=1e-6)
    assert information == pytest.approx(expected["information_value"], abs=1e-6)
    smoothed, _ = evidence(counts.astype(np.int64))
    assert np.abs(smoothed - weights).max() < 1.0 / counts[:, 1].min()  # half a row moves no bin by more


def bank_columns() -> tuple[np.ndarray, np.ndarray]:
    """Numbers that the bank's partner could hold, the call's length left out: it is known after the outcome."""
    table = pd.read_csv(DATA / "bank_marketing" / "bank.csv.gz")
    numbers = table[["age", "balance", "campaign", "pdays", "previous"]].to_numpy(float)
    return numbers, (table["deposit"] == "yes").to_numpy(dtype=float)


def card_columns() -> tuple[np.ndarray, np.ndarray]:
    """The host's columns of the data's own split; the guest has the label."""
    guest, host = (
        pd.read_csv(DATA / "uci_default_credit" / f"default_credit_hetero_{side}.csv.gz").sort_values("id")
        for side in ("guest", "host")
    )
    return host.drop(columns=["id"]).to_numpy(float), guest["y"].to_numpy(dtype=float)


def by_pandas(places: np.ndarray, bad: np.ndarray) -> tuple[np.ndarray, float]:
    """A column's weights and information by the formula of docs/learning.md, half a row added to each count."""
    table = pd.crosstab(places, bad)
    share = (table + 0.5) / (table.sum() + 0.5)
    weights = np.log(share[0.0] / share[1.0])
    return weights.to_numpy(), float(((share[0.0] - share[1.0]) * weights).sum())


@pytest.mark.parametrize("read", [bank_columns, card_columns])
def test_real_columns_are_weighed_as_the_plain_table_says_by_counts_and_on_shares(
    read: Callable[[], tuple[np.ndarray, np.ndarray]],
) -> None:
    columns, bad = read()
    rows = len(bad)
    cut = [number_bins(values, 8, rows // 50).index(values) for values in columns.T]
    places = np.column_stack([np.unique(found, return_inverse=True)[1] for found in cut])
    widths = [int(found.max()) + 1 for found in places.T]
    expected = [by_pandas(found, bad) for found in places.T]

    def program(circle: Circle) -> tuple[np.ndarray, np.ndarray, object]:
        own, label = (places, None) if circle.rank == 1 else (None, bad)
        hidden = hidden_evidence(circle, 1, own, widths, label, 0, rows, 0.0)
        counts = outcome_counts(circle, 1, own, widths, label, 0, rows)
        return reveal(hidden.weights, "weights"), reveal(hidden.information, "information"), counts

    weights, information, counts = run_parties(program, 2, patience=60.0)[0]
    plain = np.concatenate([found for found, _ in expected])
    np.testing.assert_allclose(weights, plain, atol=1e-4)
    np.testing.assert_allclose(information, [value for _, value in expected], atol=1e-4)
    counted = [evidence(count) for count in counts]
    np.testing.assert_allclose(np.concatenate([found for found, _ in counted]), plain, atol=1e-4)
    np.testing.assert_allclose([value for _, value in counted], [value for _, value in expected], atol=1e-4)
