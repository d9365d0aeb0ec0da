"""Parity runs of scorecards: how far the joint one lies from the pooled one, on data that may be opened."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from rehearsal import Rehearsal

from unseen.application.credit import opened
from unseen.application.credit.report import Context, render
from unseen.computation.blocks import BLOCKS
from unseen.computation.channel import Channel
from unseen.computation.circle import Circle
from unseen.computation.in_process import run_parties
from unseen.encoding import canonical
from unseen.errors import MisuseError, ProtocolError
from unseen.interaction.flow import check_flows

AGREED = {
    "scores": ["lender"],
    "coefficients": ["lender"],
    "scorecard": ["lender"],
    "reasons": ["lender"],
    "own-coefficients": ["bureau"],
    "opened-columns": ["lender"],
}


@pytest.fixture(scope="module")
def patchy(german: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """With values and levels missing."""
    bureau = german["bureau"].copy()
    number = next(n for n in bureau.columns if n != "id" and pd.api.types.is_numeric_dtype(bureau[n]))
    text = next(n for n in bureau.columns if n != "id" and not pd.api.types.is_numeric_dtype(bureau[n]))
    bureau.loc[bureau.index[::6], number] = np.nan
    bureau.loc[bureau.index[::7], text] = None
    return {**german, "bureau": bureau}


@pytest.mark.parametrize("tables", ["owner", "nobody"])
def test_the_joint_card_is_the_pooled_one(patchy: dict[str, pd.DataFrame], tmp_path: Path, tables: str) -> None:
    fields = {"parity": True, "tables": tables, "self_test": False, "reasons": 0, "seed": "parity"}
    rehearsal = Rehearsal(patchy, fields, recipients=AGREED)
    results: Any = rehearsal.run(tmp_path)
    found = results["lender"]["parity"]
    assert "parity" not in results["bureau"]
    assert (found["rows"], found["columns_apart"]) == (900, 0)
    assert found["weights_of_evidence"] < 1e-4
    assert 0 < found["coefficients"] < 1e-3
    assert found["points"] <= 1
    assert found["log_odds"] < 3e-3
    assert found["auc"] < 1e-3
    told = rehearsal.plan().disclosures()
    page = render(results["lender"], Context("A", "today", "0", "1", told, 0, 0.0, (), ledgers_verified=True))
    assert "Parity with pooled data" in page
    assert any("every value of bureau's columns" in sentence for sentence in told["lender"])
    table = [*(rehearsal.plan().messages() or ()), *BLOCKS]
    for sent in rehearsal.sent.values():
        assert [kind for kind in sent if not any(line.covers(kind) for line in table)] == []


def test_data_may_be_opened_only_where_the_agreement_says_so(patchy: dict[str, pd.DataFrame]) -> None:
    rehearsal = Rehearsal(patchy, {"parity": True}, recipients=AGREED)
    uses = {use.use.value for use in rehearsal.plan().uses if use.party == "bureau"}
    assert "retrieve" in uses
    assert "opened-columns" in rehearsal.plan().outputs["lender"]
    check_flows(rehearsal.plan(), rehearsal.agreement())
    with pytest.raises(MisuseError, match="keep_signs"):
        Rehearsal(patchy, {"parity": True, "keep_signs": True}).plan()


@pytest.mark.parametrize(
    ("levels", "places"), [([["a", "b"]], [[0], [2]]), ([["a", 1]], [[0], [1]]), ([["a"], ["b"]], [[0], [0]])]
)
def test_columns_that_cannot_be_name_their_sender(levels: list[Any], places: list[list[int]]) -> None:
    def lying(channel: Channel) -> None:
        channel.send("parity/kinds", np.zeros(1, dtype=np.uint8))
        channel.send("parity/columns", np.empty((2, 0)))
        channel.send_bytes("parity/levels", canonical(levels))
        channel.send("parity/places", np.array(places, dtype=np.int32))

    def program(circle: Circle) -> None:
        (channel,) = circle.others()
        if circle.rank == 0:
            lying(channel)
        else:
            opened.hear(channel, ["level"], 2)

    with pytest.raises(ProtocolError, match="levels"):
        run_parties(program, 2)
