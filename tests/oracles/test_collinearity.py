"""Correlations and variance inflation factors across parties against NumPy and statsmodels."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from statsmodels.stats.outliers_influence import variance_inflation_factor

from unseen.computation.circle import Circle
from unseen.computation.in_process import run_parties
from unseen.computation.learn.collinearity import collinearity
from unseen.computation.learn.columns import Block
from unseen.computation.share.array import reveal
from unseen.errors import DataError

DATA = Path(__file__).parents[2].parent / "shared" / "data"


def measured(columns: np.ndarray, widths: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    rows, cuts = len(columns), np.cumsum([0, *widths])

    def program(circle: Circle) -> tuple[np.ndarray, np.ndarray]:
        blocks = [
            Block(o, tuple(f"x{j}" for j in range(a, b)), rows, columns[:, a:b] if circle.rank == o else None)
            for o, (a, b) in enumerate(pairwise(cuts))
            if b > a
        ]
        found = collinearity(circle, blocks)
        return reveal(found.correlation, "correlation"), reveal(found.inflation, "inflation")

    return run_parties(program, max(2, len(widths)))[0]


def factors(columns: np.ndarray) -> list[float]:
    full = sm.add_constant(columns)
    return [variance_inflation_factor(full, j) for j in range(1, full.shape[1])]


@pytest.mark.parametrize(("name", "key"), [("motor", "idx"), ("student", "id")])
def test_real_columns_of_two_parties_equal_statsmodels(name: str, key: str) -> None:
    sides = [pd.read_csv(DATA / "fate_small" / f"{name}_hetero_{side}.csv.gz") for side in ("guest", "host")]
    widths = [sides[0].shape[1] - 2, sides[1].shape[1] - 1]
    columns = sides[0].merge(sides[1], on=key, suffixes=("_guest", "")).iloc[:, 2:].to_numpy(float)
    correlation, inflation = measured(columns, widths)
    np.testing.assert_allclose(correlation, np.corrcoef(columns.T), atol=1e-4)
    np.testing.assert_allclose(inflation, factors(columns), rtol=1e-2)


def test_moderate_factors_are_right_to_a_thousandth() -> None:
    rng = np.random.default_rng(0)
    columns = rng.normal(size=(2000, 6)) + rng.normal(size=(2000, 1)) * 3
    _, inflation = measured(columns, [2, 1, 3])
    np.testing.assert_allclose(inflation, factors(columns), rtol=1e-3)


def test_a_column_that_others_repeat_has_a_huge_factor_and_leaves_the_rest_alone() -> None:
    columns = np.random.default_rng(0).normal(size=(500, 4))
    columns = np.column_stack([columns, columns[:, 0] + columns[:, 1]])
    _, inflation = measured(columns, [3, 2])
    assert (inflation[[0, 1, 4]] > 1000).all()
    np.testing.assert_allclose(inflation[[2, 3]], factors(columns[:, :4])[2:], rtol=1e-2)


def test_a_single_column_has_the_factor_one() -> None:
    _, inflation = measured(np.arange(30.0).reshape(-1, 1), [1, 0])
    np.testing.assert_allclose(inflation, [1.0])


def test_a_constant_column_is_named() -> None:
    with pytest.raises(DataError, match="'x1' has the same value"):
        measured(np.column_stack([np.arange(20.0), np.ones(20)]), [1, 1])
