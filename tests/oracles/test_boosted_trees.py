"""Boosted trees on real loans and cards, columns split among parties, against XGBoost on the pooled table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xgboost
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split

from unseen.computation.circle import Circle
from unseen.computation.in_process import run_parties
from unseen.computation.learn.binning import number_bins
from unseen.computation.learn.boosting import Columns, fit_boosting, reveal_scores
from unseen.computation.learn.boosting_settings import Objective, Settings

SHARED = Path(__file__).parents[2].parent / "shared" / "data"
TREES, DEPTH, RATE = 12, 4, 0.3


def cards(folder: Path) -> tuple[np.ndarray, np.ndarray, list[int]]:
    """Card default: payments at the guest, demographics and months late at the host; the guest holds the label."""
    guest = pd.read_csv(folder / "uci_default_credit" / "default_credit_hetero_guest.csv.gz").sort_values("id")
    host = pd.read_csv(folder / "uci_default_credit" / "default_credit_hetero_host.csv.gz").sort_values("id")
    assert (guest["id"].to_numpy() == host["id"].to_numpy()).all()
    left, right = guest.drop(columns=["id", "y"]), host.drop(columns=["id"])
    values = np.column_stack([left, right]).astype(np.float64)
    return values, guest["y"].to_numpy(dtype=np.float64), [0, left.shape[1], values.shape[1]]


def test_card_defaults_are_ranked_as_by_xgboost_at_equal_bins() -> None:
    values, label, cuts = cards(SHARED)
    train, test = train_test_split(np.arange(len(label)), test_size=0.3, random_state=42, stratify=label)
    order = np.r_[train, test]
    bins = [number_bins(values[train, j], 32, 1) for j in range(values.shape[1])]
    places = np.column_stack([b.index(values[order, j]) for j, b in enumerate(bins)])
    widths = [len(b.labels) for b in bins]

    def program(circle: Circle) -> np.ndarray | None:
        sides = []
        for rank in range(2):
            start, end = cuts[rank], cuts[rank + 1]
            mine = places[: len(train), start:end] if rank == circle.rank else None
            sides.append(Columns(rank, tuple(widths[start:end]), (True,) * (end - start), mine))
        settings = Settings(trees=TREES, depth=DEPTH, learning_rate=RATE)
        known = label[train] if circle.rank == 0 else None
        model = fit_boosting(circle, sides, known, 0, len(train), settings)
        own = places[len(train) :, cuts[circle.rank] : cuts[circle.rank + 1]]
        return reveal_scores(model.scores(own, len(test)), circle.parties[0], Objective.LOGISTIC)

    ours = run_parties(program, 2, patience=60.0)[0]
    asked = {
        "objective": "binary:logistic",
        "max_depth": DEPTH,
        "eta": RATE,
        "base_score": 0.5,
        "tree_method": "hist",
        "max_bin": 64,
    }
    pooled = xgboost.train(asked, xgboost.DMatrix(places[: len(train)], label=label[train]), TREES)
    theirs = pooled.predict(xgboost.DMatrix(places[len(train) :]))
    expected = roc_auc_score(label[test], theirs)
    assert ours is not None
    assert roc_auc_score(label[test], ours) == pytest.approx(expected, abs=0.003)
    assert roc_auc_score(label[test], ours) == pytest.approx(0.778, abs=0.01)  # SOURCE.md's, of 150 trees
