"""By which keys the parties of a scorecard meet: a rule, or several keys in order of preference."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest
from rehearsal import Rehearsal

from unseen.errors import DataError, MisuseError

IN_TURN = {
    "lender": {"keys": [["tax=unseen-document/1"], ["phone=unseen-phone/1:DE", "born=unseen-date/1:DMY"]]},
    "bureau": {"keys": [["tax=unseen-document/1"], ["phone=unseen-phone/1", "born=unseen-date/1"]]},
}
QUICK = {"self_test": False, "seed": "keys"}


@pytest.fixture(scope="module")
def written(german: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Both sides' identifiers as each writes them; a third of the lender's customers has no tax number there."""
    lender, bureau = german["lender"], german["bureau"]
    number = {name: 10_000_000 + 7919 * place for place, name in enumerate({*lender["id"], *bureau["id"]})}
    days = {name: pd.Timestamp("1960-01-01") + pd.Timedelta(days=n % 9000) for name, n in number.items()}
    ours = lender["id"].map(number)
    theirs = bureau["id"].map(number)
    return {
        "lender": lender.drop(columns="id").assign(
            tax=[f"t-{n}" if n % 3 else None for n in ours],
            phone=[f"0151 {n}" for n in ours],
            born=[days[name].strftime("%d.%m.%Y") for name in lender["id"]],
        ),
        "bureau": bureau.drop(columns="id").assign(
            tax=[f"T{n}" for n in theirs],
            phone=[f"+49151{n}" for n in theirs],
            born=[days[name].strftime("%Y-%m-%d") for name in bureau["id"]],
        ),
    }


def test_keys_in_order_of_preference_meet_all_common_customers(
    written: dict[str, pd.DataFrame], tmp_path: Path
) -> None:
    rehearsal = Rehearsal(written, QUICK, keys=IN_TURN)
    results: Any = rehearsal.run(tmp_path)
    assert results["lender"]["rows"]["aligned"] == results["bureau"]["rows"]["aligned"] == 900
    assert results["lender"]["joint"]["auc"] > 0.72
    keys = pq.read_table(tmp_path / "lender" / "scores.parquet")["key"].to_pylist()
    assert sum(key.startswith("T1") for key in keys) + sum(key.startswith("+49151") for key in keys) == 900
    told = rehearsal.plan().disclosures()["bureau"]
    assert any("bureau tax = lender tax, else bureau phone = lender phone" in sentence for sentence in told)


def test_one_key_by_its_rule_and_rows_without_one(written: dict[str, pd.DataFrame], tmp_path: Path) -> None:
    keys = {party: {"key": "tax", "rule": "unseen-document/1"} for party in written}
    with pytest.raises(DataError, match="of the keys are empty"):
        Rehearsal(written, QUICK, keys=keys).run(tmp_path)
    rehearsal = Rehearsal(written, {**QUICK, "most_unfit": 0.5}, keys=keys)
    assert rehearsal.plan().parameters["key_normalisation"] == "unseen-document/1"
    (tmp_path / "again").mkdir()
    results: Any = rehearsal.run(tmp_path / "again")
    assert 500 < results["lender"]["rows"]["aligned"] < 700


def test_keys_by_different_rules_are_refused(written: dict[str, pd.DataFrame]) -> None:
    keys = {**IN_TURN, "bureau": {"key": "tax"}}
    with pytest.raises(MisuseError, match="keys differ"):
        Rehearsal(written, QUICK, keys=keys).plan()
