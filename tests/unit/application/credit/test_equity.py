"""Fairness of a scorecard's decisions by a column that its owner keeps, on real loans."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from rehearsal import Rehearsal

from unseen.computation.profile import Carries
from unseen.errors import DataError, MisuseError

COLUMN = "personal_status_and_sex"
MOST_BAD = 0.3


def owner_of(german: dict[str, pd.DataFrame]) -> str:
    return next(party for party, table in german.items() if COLUMN in table.columns)


@pytest.fixture(scope="module")
def judged(german: dict[str, pd.DataFrame], tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("equity")
    asked = {"fairness": {"party": owner_of(german), "column": COLUMN, "most_bad": MOST_BAD}}
    rehearsal = Rehearsal(german, asked)
    return rehearsal, rehearsal.run(folder), folder


def test_counts_by_group_are_those_of_the_pooled_tables(german: dict[str, pd.DataFrame], judged: Any) -> None:
    _, results, folder = judged
    found = results["lender"]["fairness"]
    scores = pq.read_table(folder / "lender" / "scores.parquet").to_pandas()
    key = next(name for name in scores.columns if scores[name].astype(str).str.startswith("de-").all())
    pooled = scores.assign(id=scores[key].str.upper()).merge(german[owner_of(german)][["id", COLUMN]], on="id")
    pooled = pooled.merge(german["lender"][["id", "bad"]], on="id", suffixes=("_scored", ""))
    assert sum(group["persons"] for group in found["groups"]) == len(pooled)
    for group in found["groups"]:
        assert group["persons"] >= 20
        members = pooled[pooled[COLUMN] == group["name"]]
        if len(members) == group["persons"]:  # the largest also holds those that are too rare
            assert group["good"] == (members["bad"] == 0).sum()
    assert 0 < found["disparate_impact"] <= 1
    assert np.isclose(
        found["disparate_impact"],
        min(g["approval_rate"] for g in found["groups"]) / max(g["approval_rate"] for g in found["groups"]),
        atol=1e-5,
    )


def test_the_partner_learns_nothing_of_it_and_the_plan_says_what_the_holder_does(judged: Any) -> None:
    rehearsal, results, _ = judged
    assert "fairness" not in results["bureau"]
    plan = rehearsal.plan()
    assert "fairness" in plan.outputs["lender"]
    assert any("protected group" in sentence for sentence in plan.disclosures()["lender"])
    declared = {line.kind for line in plan.messages() or () if line.carries is Carries.DISCLOSED}
    assert {"reveal/fairness", "fairness/groups"} <= declared


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"party": "nobody", "column": COLUMN}, "among the parties"),
        ({"party": "lender", "column": "bad"}, "not key, label or feature"),
    ],
)
def test_a_request_that_does_not_fit_is_refused(
    german: dict[str, pd.DataFrame], asked: dict[str, str], words: str
) -> None:
    with pytest.raises(MisuseError, match=words):
        Rehearsal(german, {"fairness": asked}).plan()


def test_a_column_with_one_group_is_refused(german: dict[str, pd.DataFrame], tmp_path: Path) -> None:
    same = {**german, "bureau": german["bureau"].assign(kind="all alike")}
    with pytest.raises(DataError, match="1 groups of 20 persons"):
        Rehearsal(same, {"fairness": {"party": "bureau", "column": "kind"}}).run(tmp_path)
