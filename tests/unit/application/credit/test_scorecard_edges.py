"""Scorecards at their edges: one column or two hundred, three rows, columns that say nothing or the same, and a
label's holder that comes first or last among the parties."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from centralised import centralised
from rehearsal import Rehearsal

from unseen.errors import DataError

QUICK = {"seed": "edges", "self_test": False, "reasons": 1}
TABLES = ("owner", "nobody")


def loans(rows: int, columns: int) -> pd.DataFrame:
    """Made-up loans: `x0` and `x1` tell of the outcome, the others little."""
    draw = np.random.default_rng(5)
    table = pd.DataFrame({f"x{j}": draw.normal(size=rows) for j in range(columns)})
    odds = table["x0"] + table[f"x{columns - 1}"] - 1.0
    table["bad"] = (draw.random(rows) < 1 / (1 + np.exp(-odds))).astype(int)
    table.insert(0, "id", [f"p{i}" for i in range(rows)])
    return table


def assert_pooled(tables: dict[str, pd.DataFrame], who: str, folder: Path, **more: Any) -> list[str]:
    """The card is that of the pooled pipeline; its columns."""
    results: Any = Rehearsal(tables, {**QUICK, "tables": who, **more}).run(folder)
    card, expected = results["lender"]["scorecard"], centralised(tables, "edges", hidden=who == "nobody")
    found = {column["column"]: column["coefficient"] for column in card}
    assert sorted(found) == sorted(expected.coefficients.index)
    for name, coefficient in found.items():
        assert coefficient == pytest.approx(expected.coefficients[name], abs=1e-3)
    assert results["lender"]["joint"]["auc"] == pytest.approx(expected.auc, abs=1e-3)
    return list(found)


@pytest.mark.parametrize("who", TABLES)
@pytest.mark.parametrize("partner", ["agency", "telecom"])
def test_constant_missing_binary_and_repeated_columns(who: str, partner: str, tmp_path: Path) -> None:
    table = loans(600, 2)
    columns = {
        "flag": (table["x1"] + np.random.default_rng(2).normal(size=600) > 0).astype(int),
        "again": table["x1"],
        "constant": 7.0,
        "nothing": np.nan,
        "nowhere": None,
    }
    theirs = table[["id", "x1"]].assign(**columns)
    found = assert_pooled({"lender": table[["id", "x0", "bad"]], partner: theirs}, who, tmp_path)
    assert set(found) == {"x0", "x1", "flag", "again"}


@pytest.mark.parametrize("who", TABLES)
def test_one_column_of_a_partner_and_none_of_the_holder(who: str, tmp_path: Path) -> None:
    table = loans(400, 1)
    assert assert_pooled({"lender": table[["id", "bad"]], "agency": table[["id", "x0"]]}, who, tmp_path) == ["x0"]


@pytest.mark.parametrize("who", TABLES)
def test_two_hundred_columns(who: str, tmp_path: Path) -> None:
    table = loans(1500, 200)
    names = [f"x{j}" for j in range(200)]
    tables = {"lender": table[["id", *names[:100], "bad"]], "telecom": table[["id", *names[100:]]]}
    assert {"x0", "x199"} <= set(assert_pooled(tables, who, tmp_path))


@pytest.mark.parametrize("who", TABLES)
def test_three_rows_are_too_few_to_hold_any_out(who: str, tmp_path: Path) -> None:
    table = loans(3, 2).assign(bad=[0, 1, 0])
    tables = {"lender": table[["id", "x0", "bad"]], "telecom": table[["id", "x1"]]}
    with pytest.raises(DataError, match="one class only among the"):
        Rehearsal(tables, {**QUICK, "tables": who}, smallest_overlap=1).run(tmp_path)


@pytest.mark.parametrize("who", TABLES)
def test_a_label_of_one_class_is_refused_before_anything_is_counted(who: str, tmp_path: Path) -> None:
    table = loans(100, 2).assign(bad=1)
    tables = {"lender": table[["id", "x0", "bad"]], "telecom": table[["id", "x1"]]}
    with pytest.raises(DataError, match="one class only among the training rows"):
        Rehearsal(tables, {**QUICK, "tables": who}).run(tmp_path)
