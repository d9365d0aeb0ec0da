"""Scorecards whose coefficients keep the sense of their weights of evidence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from rehearsal import Rehearsal

from unseen.computation.learn import signs

ROWS = 1500


@pytest.fixture(scope="module")
def tangled() -> dict[str, pd.DataFrame]:
    """Two columns of the bureau that say nearly the same; beside the better one, the other's coefficient flips."""
    draw = np.random.default_rng(3)
    risk, income = draw.normal(size=ROWS), draw.normal(size=ROWS)
    echo = draw.normal(size=ROWS)
    bad = (draw.random(ROWS) < 1 / (1 + np.exp(1.2 - 1.2 * risk + income + 0.8 * echo))).astype(int)
    ids = [f"P{number}" for number in range(ROWS)]
    lender = pd.DataFrame({"id": ids, "income": income, "bad": bad})
    return {"lender": lender, "bureau": pd.DataFrame({"id": ids, "risk": risk, "again": risk + 0.6 * echo})}


def card(tables: dict[str, pd.DataFrame], folder: Path, **fields: Any) -> dict[str, dict[str, Any]]:
    rehearsal = Rehearsal(tables, {"self_test": False, "seed": "1", "least_information": 0.0, **fields})
    result: Any = rehearsal.run(folder)["lender"]
    return {column["column"]: column for column in result["scorecard"]}


def test_a_coefficient_that_would_flip_is_held_at_zero(tangled: dict[str, pd.DataFrame], tmp_path: Path) -> None:
    (tmp_path / "free").mkdir()
    (tmp_path / "held").mkdir()
    free = card(tangled, tmp_path / "free")
    held = card(tangled, tmp_path / "held", keep_signs=True)
    assert free["again"]["coefficient"] > 0
    assert held["again"]["coefficient"] == 0
    assert held["again"]["p_value"] == 1
    assert len({entry["points"] for entry in held["again"]["bins"]}) == 1
    assert held["risk"]["coefficient"] < 0
    assert held["income"]["coefficient"] < 0


def test_the_plan_says_what_the_constraint_tells(tangled: dict[str, pd.DataFrame]) -> None:
    sentence = signs.PROFILE.reveals[0].what
    told = Rehearsal(tangled, {"keep_signs": True}).plan().disclosures()
    assert sentence in told["lender"]
    assert sentence in told["bureau"]
    assert sentence not in Rehearsal(tangled, {}).plan().disclosures()["bureau"]
