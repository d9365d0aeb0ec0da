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
    return {name: _with_keys(table, name == "lender") for name, table in german.items()}


def _with_keys(table: pd.DataFrame, lender: bool) -> pd.DataFrame:
    place = table["id"].str[3:].astype(int) + 1000 * table["id"].str.startswith("XX")
    number = 10_000_000 + 7919 * place
    days = pd.Timestamp("1960-01-01") + pd.to_timedelta(number % 9000, unit="D")
    if lender:
        tax, phone, born = [f"t-{n}" if n % 3 else None for n in number], "0151 ", "%d.%m.%Y"
    else:
        tax, phone, born = [f"T{n}" for n in number], "+49151", "%Y-%m-%d"
    keys = {"tax": tax, "phone": [f"{phone}{n}" for n in number], "born": days.dt.strftime(born)}
    return table.drop(columns="id").assign(**keys)


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


def test_three_institutions_meet_by_composite_keys_and_by_keys_in_turn(
    german: dict[str, pd.DataFrame], tmp_path: Path
) -> None:
    bureau = german["bureau"]
    names = [name for name in bureau.columns if name != "id"]
    cut = {
        "lender": german["lender"],
        "bureau": bureau[["id", *names[:-5]]],
        "telecom": bureau[["id", *names[-5:]]].sample(850, random_state=4),
    }
    common = len(set.intersection(*(set(table["id"]) for table in cut.values())))
    tables = {name: _with_keys(table, name == "lender") for name, table in cut.items()}
    in_turn = {**IN_TURN, "telecom": IN_TURN["bureau"]}
    for keys in (in_turn, {name: {"keys": side["keys"][1:]} for name, side in in_turn.items()}):
        folder = tmp_path / str(len(keys["lender"]["keys"]))
        folder.mkdir()
        results: Any = Rehearsal(tables, {**QUICK, "reasons": 0}, keys=keys).run(folder)
        assert {result["rows"]["aligned"] for result in results.values()} == {common}


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
