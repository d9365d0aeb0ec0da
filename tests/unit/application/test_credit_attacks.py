"""What a partner tries with a scorecard's own messages: labels from bins or gradients, and made-up identifiers."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).parent / "credit"))

from rehearsal import Rehearsal

from unseen.computation.blocks import BLOCKS
from unseen.computation.profile import Carries
from unseen.errors import RefusedError

ROWS = 400
VICTIM = 7


@pytest.fixture(scope="module")
def tables() -> dict[str, pd.DataFrame]:
    """Customers whose outcome follows one column of each side."""
    draw = np.random.default_rng(3)
    ours, theirs = draw.normal(size=ROWS), draw.normal(size=ROWS)
    bad = (draw.random(ROWS) < 1 / (1 + np.exp(1 - ours - theirs))).astype(int)
    names = [f"p{number:03d}" for number in range(ROWS)]
    return {
        "lender": pd.DataFrame({"id": names, "amount": ours, "bad": bad}),
        "bureau": pd.DataFrame({"id": names, "inquiries": theirs}),
    }


def with_label(tables: dict[str, pd.DataFrame], label: int) -> dict[str, pd.DataFrame]:
    lender = tables["lender"].copy()
    lender.loc[VICTIM, "bad"] = label
    return {**tables, "lender": lender}


@pytest.mark.parametrize("label", [0, 1])
def test_a_bin_made_for_one_person_is_merged_and_shows_no_label(
    tables: dict[str, pd.DataFrame], tmp_path: Path, label: int
) -> None:
    spying = tables["bureau"].assign(spy=(tables["bureau"].index == VICTIM).astype(float), level="usual")
    spying.loc[VICTIM, "level"] = "the victim"
    results = Rehearsal(with_label({**tables, "bureau": spying}, label), {"held_out": 0.1}).run(tmp_path)
    told: Any = results["bureau"]["own_columns"]
    assert {entry["column"] for entry in told} == {"inquiries"}


def test_no_gradient_is_opened_and_nothing_disclosed_to_the_partner_is_long_enough_for_the_labels(
    tables: dict[str, pd.DataFrame], tmp_path: Path
) -> None:
    rehearsal = Rehearsal(tables, {"held_out": 0.1})
    rehearsal.run(tmp_path)
    sent: Any = rehearsal.sent["lender"]
    opened = {kind for kind in sent if kind.startswith("reveal/")}
    assert opened <= {"reveal/unsolved", "reveal/step-#", "reveal/range", "reveal/own-weights"}
    table = [*(rehearsal.plan().messages() or ()), *BLOCKS]
    disclosed = {line.kind for line in table if line.carries is Carries.DISCLOSED} - {"align/order"}
    told = {kind: count["bytes"] for kind, count in sent.items() if kind in disclosed}
    assert told
    assert max(told.values()) < ROWS, told


def test_made_up_identifiers_find_nothing_below_the_smallest_overlap(
    tables: dict[str, pd.DataFrame], tmp_path: Path
) -> None:
    made_up = tables["lender"].copy()
    made_up["id"] = [f"probe{number}" for number in range(ROWS - 9)] + list(tables["lender"]["id"][:9])
    rehearsal = Rehearsal({**tables, "lender": made_up}, {}, smallest_overlap=10)
    with pytest.raises(RefusedError) as caught:
        rehearsal.run(tmp_path)
    assert "9" not in caught.value.reason.replace("10", "")
    assert not any(tmp_path.glob("*/*"))


def test_a_scorecards_request_may_declare_its_rows_and_is_held_to_them(
    tables: dict[str, pd.DataFrame], tmp_path: Path
) -> None:
    parties = {
        "lender": {"dataset": "table", "key": "id", "rows": ROWS - 1, "features": {"amount": "the amount"}},
        "bureau": {"dataset": "table", "key": "id", "rows": ROWS, "features": {"inquiries": "inquiries"}},
    }
    rehearsal = Rehearsal(tables, {"parties": parties})
    assert rehearsal.plan().parameters["declared"] == {"lender": ROWS - 1, "bureau": ROWS}
    with pytest.raises(RefusedError, match=r"declared-size.*lender holds more"):
        rehearsal.run(tmp_path)
