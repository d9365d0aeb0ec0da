"""Classes measured against pycanon's figures; generalisation that reaches its goal with the least loss."""

from __future__ import annotations

import itertools
import json
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unseen.data.protect.anonymise import Anonymised, Goal, anonymise
from unseen.data.protect.classes import Classes, classes, sensitive
from unseen.data.protect.hierarchy import Calendar, Hierarchy, Prefixes, Taxonomy, Widths, fitting
from unseen.data.protect.risk import risk
from unseen.errors import DataError, MisuseError, RefusedError

VECTORS = json.loads((Path(__file__).parents[3] / "vectors" / "pycanon_german_credit.json").read_text("utf-8"))
TABLE = pa.table(VECTORS["columns"])


@pytest.mark.parametrize(
    "case", VECTORS["cases"], ids=lambda c: "-".join([*c["quasi_identifiers"], c["sensitive"]])
)
def test_k_l_and_t_are_those_that_pycanon_measures(case: dict) -> None:  # type: ignore[type-arg]
    found = classes(TABLE, case["quasi_identifiers"])
    private = sensitive(TABLE[case["sensitive"]])
    assert found.k() == case["k"]
    assert found.distinct_l(private).min() == case["l"]
    assert int(found.entropy_l(private).min() + 1e-9) == case["entropy_l"]
    assert found.closeness(private).max() == pytest.approx(case["t"], abs=1e-12)


HIERARCHIES: dict[str, Hierarchy] = {
    "age": Widths(20, 40),
    "housing": Prefixes(3, 1),
    "liable": Widths(2),
}


def measured(result: Anonymised, sensitive_column: str) -> tuple[int, int, float]:
    found = classes(result.table, list(HIERARCHIES))
    private = sensitive(result.table[sensitive_column])
    return found.k(), int(found.distinct_l(private).min()), float(found.closeness(private).max())


@pytest.mark.parametrize(
    "goal",
    [Goal(5, left_out=0), Goal(10, l=3), Goal(3, t=0.3, left_out=0.1), Goal(4, l=2, entropy=True)],
    ids=str,
)
def test_the_result_holds_the_goal_and_nothing_with_less_loss_does(goal: Goal) -> None:
    result = anonymise(TABLE, HIERARCHIES, ["savings"], goal)
    k, l, t = measured(result, "savings")  # noqa: E741
    assert k >= goal.k
    assert l >= goal.l
    assert t <= goal.t
    assert result.left_out == TABLE.num_rows - result.table.num_rows <= goal.left_out * TABLE.num_rows
    assert result.after.prosecutor_highest == pytest.approx(1 / k)
    assert result.after.rows == result.table.num_rows
    assert result.before.prosecutor_highest >= result.after.prosecutor_highest
    columns = list(HIERARCHIES)
    for levels in itertools.product(*[range(HIERARCHIES[name].levels) for name in columns]):
        if sum(_loss(name, level) for name, level in zip(columns, levels, strict=True)) < 3 * result.loss - 1e-9:
            assert not _holds(dict(zip(columns, levels, strict=True)), goal)


@cache
def _loss(name: str, level: int) -> float:
    """Non-uniform entropy, written out."""
    raw = TABLE[name].to_pylist()
    coarse = HIERARCHIES[name].at(TABLE[name].combine_chunks(), level).to_pylist()
    gone = sum(np.log2(coarse.count(c) / raw.count(r)) for r, c in zip(raw, coarse, strict=True))
    return float(gone / sum(np.log2(len(raw) / raw.count(r)) for r in raw))


def _holds(levels: dict[str, int], goal: Goal) -> bool:
    """By leaving out, one class at a time for as long as any fails, as a person would."""
    columns = {name: HIERARCHIES[name].at(TABLE[name].combine_chunks(), level) for name, level in levels.items()}
    left = pa.table({**columns, "savings": TABLE["savings"]})
    while left.num_rows:
        found = classes(left, list(levels))
        private = sensitive(left["savings"])
        l_of = found.entropy_l(private) if goal.entropy else found.distinct_l(private)
        bad = (found.sizes < goal.k) | (l_of < goal.l) | (found.closeness(private) > goal.t)
        if not bad.any():
            break
        left = left.filter(pa.array(~bad[found.of]))
    return TABLE.num_rows - left.num_rows <= goal.left_out * TABLE.num_rows


def test_a_goal_out_of_reach_is_refused_with_the_mend() -> None:
    with pytest.raises(RefusedError, match="smaller k"):
        anonymise(TABLE, HIERARCHIES, ["savings"], Goal(5, l=50))
    with pytest.raises(MisuseError, match="nothing"):
        anonymise(TABLE, {"nothing": Widths(1)}, [], Goal(5))
    with pytest.raises(DataError, match="no rows"):
        anonymise(TABLE.slice(0, 0), HIERARCHIES, [], Goal(5))


def test_risks_against_figures_by_hand() -> None:
    sample = Classes(np.array([0, 0, 1, 2, 2, 2]), 3, np.ones(6, np.int64))
    found = risk(sample)
    assert (found.rows, found.classes, found.smallest) == (6, 3, 1)
    assert found.prosecutor_highest == 1
    assert found.prosecutor_average == found.marketer == 0.5
    assert found.at_risk == 1
    everyone = Classes(np.repeat([0, 1, 2], [20, 10, 3]), 3, np.ones(33, np.int64))
    around = risk(sample, everyone)
    assert around.journalist_highest == pytest.approx(1 / 3)
    assert around.journalist_average == pytest.approx(max(3 / 33, (2 / 20 + 1 / 10 + 3 / 3) / 6))
    assert around.marketer == pytest.approx((2 / 20 + 1 / 10 + 3 / 3) / 6)


NUMBERS = pa.array([3, 17, 17, 58, None, 99])
DATES = pa.array(["2020-02-29", "2020-02-01", "1999-12-31", None]).cast(pa.date32())
COLUMNS: list[tuple[Hierarchy, pa.Array]] = [
    (Widths(5, 10, 50), NUMBERS),
    (Prefixes(3, 1), pa.array(["10115", "10117", "20095", "é", None])),
    (Calendar(), DATES),
    (Taxonomy({"nurse": ["health", "public"], "doctor": ["health", "public"], "clerk": ["bank", "private"]}),
     pa.array(["nurse", "doctor", "clerk", None])),
]  # fmt: skip


@pytest.mark.parametrize(("hierarchy", "column"), COLUMNS, ids=lambda x: type(x).__name__)
def test_groups_only_merge_from_level_to_level(hierarchy: Hierarchy, column: pa.Array) -> None:
    steps = [hierarchy.at(column, level).to_pylist() for level in range(hierarchy.levels)]
    for finer, coarser in itertools.pairwise(steps):
        assert len(set(zip(finer, coarser, strict=True))) == len(set(finer))
    assert steps[0] == column.cast(pa.string()).to_pylist()
    assert set(steps[-1]) == {"*"}


def test_levels_in_words() -> None:
    assert Widths(10).at(NUMBERS, 1).to_pylist() == [
        "[0, 10)",
        "[10, 20)",
        "[10, 20)",
        "[50, 60)",
        None,
        "[90, 100)",
    ]
    assert Prefixes(3).at(pa.array(["10115"]), 1).to_pylist() == ["101**"]
    assert [Calendar().at(DATES, level)[0].as_py() for level in (1, 2, 3)] == ["2020-02", "2020", "2020s"]
    with pytest.raises(MisuseError, match="whole intervals"):
        Widths(5, 12)
    with pytest.raises(MisuseError, match="two coarser"):
        Taxonomy({"a": ["x", "p"], "b": ["x", "q"]})
    with pytest.raises(DataError, match="1 values"):
        Taxonomy({"a": ["x"]}).at(pa.array(["a", "b"]), 1)


@settings(deadline=None, max_examples=30)
@given(
    st.lists(st.tuples(st.integers(0, 90), st.sampled_from("abcd"), st.integers(0, 3)), min_size=8, max_size=60)
)
def test_any_table_comes_out_as_safe_as_asked(rows: list[tuple[int, str, int]]) -> None:
    ages, words, values = zip(*rows, strict=True)
    table = pa.table({"age": ages, "word": [w * 3 for w in words], "value": values})
    hierarchies = {name: fitting(table[name].combine_chunks()) for name in ("age", "word")}
    result = anonymise(table, hierarchies, ["value"], Goal(3, left_out=0.2))
    assert classes(result.table, ["age", "word"]).k() >= 3
    assert result.table.num_rows + result.left_out == len(rows)
