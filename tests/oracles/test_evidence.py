"""Weights of evidence and information values against optbinning's, recorded, on real loans.

optbinning adds nothing to the counts, ours half a row: on counts a million times as large the two must agree.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from unseen.computation.learn.binning import edge_bins
from unseen.computation.learn.evidence import evidence

LOANS = Path(__file__).parents[2].parent / "shared" / "data" / "german_credit" / "germancredit.csv.gz"
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
