"""The scorecard's self-test: attacks on a real model, and what each party is told of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from rehearsal import Rehearsal


@pytest.fixture(scope="module")
def results(german: dict[str, pd.DataFrame], tmp_path_factory: pytest.TempPathFactory) -> Any:
    return Rehearsal(german, {}).run(tmp_path_factory.mktemp("selftest"))


def test_the_holder_is_told_of_membership_and_of_what_the_partner_could_tell_of_outcomes(results: Any) -> None:
    tested = results["lender"]["self_test"]
    assert set(tested) == {"membership", "labels_by_partner"}
    assert 0.4 < tested["membership"]["auc"] < 0.65
    assert 0.5 < tested["labels_by_partner"]["bureau"]["auc"] < results["lender"]["joint"]["auc"] + 0.05


def test_the_partner_is_told_how_often_its_bins_can_be_guessed(results: Any) -> None:
    guesses = results["bureau"]["self_test"]["features_by_holder"]
    own = {column["column"] for column in results["bureau"]["own_columns"]}
    assert {guess["column"] for guess in guesses} == own
    assert all(guess["attack"] >= guess["blind"] - 0.02 for guess in guesses)


def test_it_can_be_left_out(german: dict[str, pd.DataFrame], tmp_path: Path) -> None:
    rehearsal = Rehearsal(german, {"self_test": False})
    assert all("self_test" not in result for result in rehearsal.run(tmp_path).values())
    assert all("reveal/auc" not in sent for sent in rehearsal.sent.values())
