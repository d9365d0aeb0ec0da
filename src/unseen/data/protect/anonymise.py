"""Generalisation of a table to k-anonymity, l-diversity and t-closeness, losing as little as can be.

All rows of a column go to one level of its hierarchy (full-domain generalisation), and rows of classes that are
still not safe enough are left out, up to a share. Of all combinations of levels the one with the least loss is
found for sure: loss is a sum over columns, so combinations are tried from the least loss up, and the first that
holds is the answer. Levels at which a column alone already fails are never tried (the subset property of
LeFevre et al. 2005; it is exact for k and l, and for t where no rows are left out).

Loss: non-uniform entropy (Gionis & Tassa 2007): the share of the columns' information that is gone, 0 to 1.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from unseen.data.protect.classes import Classes, Codes, Sensitive, codes, sensitive, together
from unseen.data.protect.hierarchy import Hierarchy
from unseen.data.protect.risk import Risk, risk
from unseen.encoding import Json
from unseen.errors import DataError, MisuseError, RefusedError

MOST_COMBINATIONS: Final = 200_000


@dataclass(frozen=True)
class Goal:
    """What every class must be: at least `k` rows, `l` values of each sensitive column, at most `t` away.

    `entropy` asks for entropy l-diversity instead of distinct values. At most the share `left_out` of rows may
    be left out.
    """

    k: int = 5
    l: float = 1  # noqa: E741  # the literature's letter
    t: float = 1.0
    left_out: float = 0.05
    entropy: bool = False

    def __post_init__(self) -> None:
        if self.k < 1 or self.l < 1 or not 0 <= self.t <= 1 or not 0 <= self.left_out < 1:
            raise MisuseError("k and l are at least 1, t and the share left out between 0 and 1")


@dataclass(frozen=True)
class Anonymised:
    """The generalised table, the level of each column, what was left out and lost, and risks before and after."""

    table: pa.Table
    levels: Mapping[str, int]
    left_out: int
    loss: float
    losses: Mapping[str, float]
    before: Risk
    after: Risk

    def as_json(self) -> dict[str, Json]:
        return {
            "levels": dict(self.levels),
            "left_out": self.left_out,
            "loss": self.loss,
            "losses": dict(self.losses),
            "before": self.before.as_json(),
            "after": self.after.as_json(),
        }


@dataclass(frozen=True)
class _Ladder:
    """A quasi-identifier at all its levels, in code, with the loss of each level."""

    name: str
    values: list[pa.Array]
    steps: list[tuple[Codes, int]]
    losses: list[float]


@dataclass(frozen=True)
class _Problem:
    """The distinct rows of ladders and sensitive columns, how often each occurs, and the goal."""

    ladders: list[_Ladder]
    sensitive: list[Sensitive]
    weights: Codes
    goal: Goal
    first: Codes = field(repr=False)

    def unsafe(self, levels: Sequence[int | None]) -> NDArray[np.bool_]:
        """Which rows are in classes that do not hold, with the named levels (None: the column is left out).

        Leaving rows out changes the whole that `t` compares with; so the check is repeated until nothing falls.
        """
        steps = [
            ladder.steps[level] for ladder, level in zip(self.ladders, levels, strict=True) if level is not None
        ]
        of, count = together([(step[0][self.first], step[1]) for step in steps], len(self.weights))
        bad = np.zeros(len(self.weights), np.bool_)
        while True:
            kept = np.where(bad, 0, self.weights)
            fails = _failing(Classes(of, count, kept), self.sensitive, self.goal)
            now = bad | fails[of]
            if (now == bad).all():
                return bad
            bad = now

    def holds(self, levels: Sequence[int | None]) -> bool:
        gone = int(self.weights[self.unsafe(levels)].sum())
        return gone <= self.goal.left_out * int(self.weights.sum())


def anonymise(
    table: pa.Table, hierarchies: Mapping[str, Hierarchy], sensitive_columns: Sequence[str], goal: Goal
) -> Anonymised:
    """Generalise the columns of `hierarchies`; other columns stay as they are.

    Raises RefusedError under rule `anonymity` if even the coarsest levels do not hold, DataError for an empty
    table, MisuseError for columns that are not there.
    """
    missing = sorted((set(hierarchies) | set(sensitive_columns)) - set(table.column_names))
    if missing or not hierarchies:
        raise MisuseError(f"name quasi-identifiers that the table has; {', '.join(missing) or 'none'} given")
    if table.num_rows == 0:
        raise DataError("the table has no rows")
    problem, places = _posed(table, hierarchies, sensitive_columns, goal)
    levels = _search(problem)
    unsafe = problem.unsafe(levels)[places]
    made = table
    for ladder, level in zip(problem.ladders, levels, strict=True):
        if level:
            at = made.schema.get_field_index(ladder.name)
            made = made.set_column(at, ladder.name, ladder.values[level])
    losses = {ladder.name: ladder.losses[level] for ladder, level in zip(problem.ladders, levels, strict=True)}
    every = np.ones(table.num_rows, np.int64)
    fine = together([ladder.steps[0] for ladder in problem.ladders], table.num_rows)
    coarse = together(
        [ladder.steps[level] for ladder, level in zip(problem.ladders, levels, strict=True)], table.num_rows
    )
    return Anonymised(
        table=made.filter(pa.array(~unsafe)),
        levels={ladder.name: level for ladder, level in zip(problem.ladders, levels, strict=True)},
        left_out=int(unsafe.sum()),
        loss=float(np.mean(list(losses.values()))),
        losses=losses,
        before=risk(Classes(*fine, every)),
        after=risk(Classes(*coarse, every * ~unsafe)),
    )


def _posed(
    table: pa.Table, hierarchies: Mapping[str, Hierarchy], sensitive_columns: Sequence[str], goal: Goal
) -> tuple[_Problem, Codes]:
    """The problem on distinct rows, and the distinct row of each row."""
    ladders = [_ladder(name, table[name].combine_chunks(), steps) for name, steps in hierarchies.items()]
    private = [sensitive(table[name]) for name in sensitive_columns]
    everything = [ladder.steps[0] for ladder in ladders] + [(column.codes, column.kinds) for column in private]
    places, count = together(everything, table.num_rows)
    _, first = np.unique(places, return_index=True)
    weights = np.bincount(places, minlength=count).astype(np.int64)
    small = [replace(column, codes=column.codes[first]) for column in private]
    return _Problem(ladders, small, weights, goal, first), places


def _ladder(name: str, values: pa.Array, hierarchy: Hierarchy) -> _Ladder:
    levels = [hierarchy.at(values, level) for level in range(hierarchy.levels)]
    steps = [codes(level) for level in levels]
    counts = [np.bincount(step, minlength=kinds)[step].astype(np.float64) for step, kinds in steps]
    most = float(np.log2(len(values) / counts[0]).sum())
    losses = [float(np.log2(count / counts[0]).sum()) / most if most else 0.0 for count in counts]
    return _Ladder(name, levels, steps, losses)


def _search(problem: _Problem) -> tuple[int, ...]:
    """The levels with the least loss that hold."""
    alone: list[int] = []
    for place, ladder in enumerate(problem.ladders):
        only: list[int | None] = [None] * len(problem.ladders)
        for level in range(len(ladder.steps)):
            only[place] = level
            if problem.holds(only):
                break
        alone.append(level)
    choices = [range(least, len(ladder.steps)) for least, ladder in zip(alone, problem.ladders, strict=True)]
    if np.prod([len(choice) for choice in choices]) > MOST_COMBINATIONS:
        raise MisuseError("too many combinations of levels; give fewer columns, or fewer levels each")

    def lost(levels: tuple[int, ...]) -> float:
        return sum(ladder.losses[level] for ladder, level in zip(problem.ladders, levels, strict=True))

    for levels in sorted(itertools.product(*choices), key=lost):
        if problem.holds(levels):
            return levels
    raise RefusedError(
        "anonymity",
        "even the coarsest levels do not reach the goal",
        "ask for a smaller k or l or a larger t, or leave the sensitive column out",
    )


def _failing(classes: Classes, private: Sequence[Sensitive], goal: Goal) -> NDArray[np.bool_]:
    """Which classes do not reach the goal. Empty ones do."""
    sizes = classes.sizes
    there = sizes > 0
    fails = there & (sizes < goal.k)
    rows = classes.weights > 0
    if not rows.any():
        return fails
    left = Classes(classes.of[rows], classes.count, classes.weights[rows])
    for column in private:
        part = replace(column, codes=column.codes[rows])
        if goal.l > 1:
            fails |= there & ((left.entropy_l(part) if goal.entropy else left.distinct_l(part)) < goal.l)
        if goal.t < 1:
            fails |= there & (left.closeness(part) > goal.t)
    return np.asarray(fails, np.bool_)
