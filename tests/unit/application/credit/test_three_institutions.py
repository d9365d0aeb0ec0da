"""Scorecards of a lender and two partners, who learn nothing of each other's columns."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from centralised import centralised
from rehearsal import Rehearsal

from unseen.computation.blocks import BLOCKS
from unseen.computation.profile import Message
from unseen.interaction.flow import check_flows


@pytest.fixture(scope="module")
def three(german: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """The bureau's columns cut in two: a telecom operator has the last five, and knows people of its own."""
    bureau = german["bureau"]
    names = [name for name in bureau.columns if name != "id"]
    telecom = bureau[["id", *names[-5:]]].sample(850, random_state=4)
    return {"lender": german["lender"], "bureau": bureau[["id", *names[:-5]]], "telecom": telecom}


@pytest.mark.parametrize("tables", ["owner", "nobody"])
def test_the_model_is_that_of_pooled_data_and_each_partner_takes_home_its_own(
    three: dict[str, pd.DataFrame], tmp_path: Path, tables: str
) -> None:
    agreed = {"scorecard": ["lender"], "own-points": ["bureau", "telecom"]}
    rehearsal = Rehearsal(three, {"seed": "three", "tables": tables}, recipients=agreed)
    results: Any = rehearsal.run(tmp_path)
    expected = centralised(three, "three", hidden=tables == "nobody")
    card = results["lender"]["scorecard"]
    assert [column["column"] for column in card] == list(expected.coefficients.index)
    assert {column["party"] for column in card} == {"lender", "bureau", "telecom"}
    np.testing.assert_allclose([c["coefficient"] for c in card], expected.coefficients, atol=1e-3)
    assert results["lender"]["joint"]["auc"] == pytest.approx(expected.auc, abs=1e-3)
    for party in ("bureau", "telecom"):
        own = {c["column"]: [b["points"] for b in c["bins"]] for c in results[party]["own_columns"]}
        assert own == {c["column"]: [b["points"] for b in c["bins"]] for c in card if c["party"] == party}
        assert {guess["column"] for guess in results[party]["self_test"]["features_by_holder"]} == set(own)
        assert 0.4 < results["lender"]["self_test"]["labels_by_partner"][party]["auc"] < 0.85
    scores = pq.read_table(tmp_path / "lender" / "scores.parquet").to_pandas()
    exact = 600 + 20 / np.log(2) * (scores["log_odds"] - np.log(30))
    assert np.abs(scores["points"] - exact).max() <= len(card) / 2 + 0.1
    assert scores["reasons"].map(len).max() == 6  # two of each side
    declared_and_checked(rehearsal)


def declared_and_checked(rehearsal: Rehearsal) -> None:
    """Every message is in the plan's tables; partners send each other no word of what they hold."""
    table = [*(rehearsal.plan().messages() or ()), *BLOCKS]
    for sent in (kinds for told in rehearsal.told.values() for kinds in told.values()):
        assert [
            kind
            for kind, count in sent.items()
            if not any(line.covers(kind) and within(line, count) for line in table)
        ] == []
    between = rehearsal.told["bureau"]["telecom"]
    assert not {"credit/labels", "credit/reasons", "credit/points", "credit/weights"} & set(between)
    check_flows(rehearsal.plan(), rehearsal.agreement())
    learned: Mapping[str, list[str]] = rehearsal.plan().disclosures()
    assert any("bureau and telecom" in sentence for sentence in learned["lender"])
    assert any("points" in sentence for sentence in learned["telecom"])


def within(line: Message, count: Any) -> bool:
    few = line.most_messages is None or count["messages"] <= line.most_messages
    return few and (line.most_bytes is None or count["bytes"] <= line.most_bytes)


def test_a_third_party_may_bring_the_protected_group_alone(three: dict[str, pd.DataFrame], tmp_path: Path) -> None:
    column = "personal_status_and_sex"
    holder = next(party for party, table in three.items() if column in table)
    registry = three[holder][["id", column]]
    tables = {**three, holder: three[holder].drop(columns=column), "registry": registry}
    tables.pop("telecom")
    fields = {"fairness": {"party": "registry", "column": column}, "self_test": False}
    results: Any = Rehearsal(tables, fields).run(tmp_path)
    judged = results["lender"]["fairness"]
    assert sum(group["persons"] for group in judged["groups"]) == results["lender"]["rows"]["aligned"]
    assert results["registry"]["own_columns"] == []
    assert "fairness" not in results["bureau"]
