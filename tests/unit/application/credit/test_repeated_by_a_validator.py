"""A validator who runs the recorded request again, with its public seed, gets the same model and figures."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parent))

from rehearsal import Rehearsal
from test_three_parties import pooled, ran  # noqa: F401  # a fixture

from unseen.application import boosting, regression

TREES = {"trees": 4, "depth": 2, "bins": 16, "row_share": 0.8, "least_weight": 8, "held_out": 0.3}
"""No nodes of few rows, in which two columns may cut alike: such ties fall either way."""
TIMES = ("seconds", "bytes", "rounds", "steps", "length")


def figures(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every leaf of a result but what clocks say."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if not any(word in name for word in TIMES):
                yield from figures(inner, f"{path}/{name}")
    elif isinstance(value, list | tuple):
        for place, inner in enumerate(value):
            yield from figures(inner, f"{path}/{place}")
    else:
        yield path, value


def assert_same(one: Any, other: Any, within: float) -> None:
    first, second = dict(figures(one)), dict(figures(other))
    assert first.keys() == second.keys()
    assert first
    for path, value in first.items():
        if isinstance(value, float):
            assert second[path] == pytest.approx(value, abs=within, rel=within), path
        else:
            assert second[path] == value, path


def test_a_scorecard_comes_out_the_same_twice(german: dict[str, pd.DataFrame], tmp_path: Path) -> None:
    rehearsal = Rehearsal(german, {"bins": 5, "smallest_bin": 0.05, "self_test": False})
    results = []
    for name in ("once", "again"):
        (tmp_path / name).mkdir()
        results.append(rehearsal.run(tmp_path / name))
    assert_same(*results, within=2e-3)


def test_a_regression_and_trees_come_out_the_same_twice(pooled: pd.DataFrame, tmp_path: Path) -> None:  # noqa: F811
    for application, body, within in (
        (regression.APPLICATION, {"family": "logistic"}, 1e-3),
        (boosting.APPLICATION, TREES, 1e-3),
    ):
        results, tables = [], []
        for name in ("once", "again"):
            folder = tmp_path / f"{application.name}-{name}"
            folder.mkdir()
            results.append(ran(application, body, pooled, folder)[0])
            scores = folder / "bureau" / "scores.parquet"
            tables += [pq.read_table(scores).to_pandas().set_index("key").sort_index()] if scores.exists() else []
        assert_same(*results, within=within)
        if tables:
            pd.testing.assert_frame_equal(*tables, atol=1e-3)
