"""Forward, backward and stepwise selection of columns on shares; told is which column enters or leaves, no more.

On scaled columns with Hessian H at the best model of the columns A, V the inverse of H on A, coefficients c and
gradient g,

    leaving column j of A costs     c_j² / V_jj                       Wald's statistic
    entering column j gains         g_j² / (H_jj - H_jA V H_Aj)       Rao's score statistic

in twice the objective, up to one public factor: for linear regression exactly, elsewhere to second order, as in
the usual statistical packages. The smallest, or largest, of these quotients is found by a tournament that compares
crosswise products, so that nothing is divided, and is held against a threshold (`Problem.threshold`).

Source: Hosmer, Lemeshow, Sturdivant, Applied Logistic Regression (2013), section 4.3; Rao (1948), Wald (1943).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np

from unseen.computation.learn.normal import diagonal
from unseen.computation.learn.problem import Active, Criterion, Problem
from unseen.computation.profile import Carries, Disclosure, Message, Profile, Role
from unseen.computation.share import arithmetic
from unseen.computation.share.array import Shared, concatenate, reveal
from unseen.computation.share.boolean import to_numbers, where
from unseen.computation.share.compare import negative
from unseen.errors import MisuseError

REFITS: Final = (
    Message("reveal/step-#", Carries.DISCLOSED, most_messages=10_000, most_bytes=240_000),
    Message("reveal/range", Carries.DISCLOSED, most_messages=10_000, most_bytes=240_000),
    Message("reveal/unsolved", Carries.DISCLOSED, most_messages=1000, most_bytes=24_000),
)
"""Many fits take many steps; what each tells is in the regression's own profile."""
PROFILE: Final = Profile(
    id="learn/selection",
    title="Selection of columns",
    source="Wald's and Rao's statistics (Hosmer, Lemeshow, Sturdivant 2013)",
    reveals=(Disclosure(Role.EACH, "which column enters or leaves the model at each step of the selection"),),
    messages=(Message("reveal/selected-#", Carries.DISCLOSED, most_messages=1000, most_bytes=24_000), *REFITS),
)

TOP_FRACTION: Final = 28
BOTTOM_FRACTION: Final = 18
"""Fractional bits of the quotients' numerators and denominators: crosswise products stay below 2^16."""
REST_FRACTION: Final = 22
LEAST_REST: Final = 1e-3
"""A column of which the model's columns explain all but so much of its variance does not enter."""


class Direction(StrEnum):
    FORWARD = "forward"
    BACKWARD = "backward"
    STEPWISE = "stepwise"


@dataclass(frozen=True)
class Selection:
    """`enter` and `leave` are p-values; by AIC they are not used. Stepwise starts without columns, and after
    each that enters lets those leave that have become superfluous."""

    direction: Direction = Direction.STEPWISE
    criterion: Criterion = Criterion.P_VALUE
    enter: float = 0.05
    leave: float = 0.05

    def __post_init__(self) -> None:
        if not 0 < self.enter <= self.leave < 1:
            raise MisuseError("p-values are between 0 and 1, and to enter is not easier than to stay")


@dataclass(frozen=True, eq=False)
class _Quotients:
    """(k,) numerators over positive denominators, not divided."""

    top: Shared
    bottom: Shared


def select(problem: Problem, selection: Selection, tell: Callable[[str], None] = lambda note: None) -> Active:
    """The columns chosen, the problem fitted on them. Everyone learns what PROFILE says."""
    step = _Steps(problem, selection, tell)
    if selection.direction is Direction.BACKWARD:
        active = step.fitted(problem.everything)
        while (left := step.leave(active)) is not None:
            active = left
        return active
    active = step.fitted(problem.everything[:1])
    seen = {active}
    while (grown := step.enter(active)) is not None:
        active = grown
        while selection.direction is Direction.STEPWISE and (left := step.leave(active)) is not None:
            active = left
        if active in seen:
            break
        seen.add(active)
    return active


class _Steps:
    def __init__(self, problem: Problem, selection: Selection, tell: Callable[[str], None]) -> None:
        self.problem, self.selection, self.tell, self.count = problem, selection, tell, 0
        self.coefficients: Shared  # of the latest fit

    def leave(self, active: Active) -> Active | None:
        """Without the column that costs least, fitted anew; None where each is worth its place."""
        if len(active) == 1:
            return None
        problem = self.problem
        hessian = problem.hessian()
        spread = diagonal(problem.inverse(active, hessian))[1:]
        costs = _quotients(self.coefficients[list(active[1:]), 0], spread)
        level = problem.threshold(self.selection.criterion, self.selection.leave, active, entering=False)
        place = self._decided(costs, level, smallest=True)
        if place is None:
            return None
        self.tell(f"column {active[1 + place]} leaves")
        return self.fitted(tuple(column for column in active if column != active[1 + place]))

    def enter(self, active: Active) -> Active | None:
        """With the column that gains most, fitted anew; None where none gains enough."""
        problem = self.problem
        candidates = [column for column in problem.everything if column not in active]
        if not candidates:
            return None
        hessian, gradient = problem.hessian(), problem.gradient()
        across = Shared(hessian.circle, hessian.words[np.ix_(list(active), candidates)], hessian.fraction)
        across = arithmetic.rescale(across, REST_FRACTION)
        inverted = arithmetic.rescale(problem.inverse(active, hessian), REST_FRACTION)
        rest = diagonal(hessian)[candidates] - (inverted @ across * across).sum(axis=0)
        scores = gradient[candidates, 0]
        tiny = rest < LEAST_REST
        none, one = scores.times_integer(0), rest.times_integer(0) + 1.0
        gains = _quotients(where(tiny, none, scores), where(tiny, one, rest))
        level = problem.threshold(self.selection.criterion, self.selection.enter, active, entering=True)
        place = self._decided(gains, level, smallest=False)
        if place is None:
            return None
        self.tell(f"column {candidates[place]} enters")
        return self.fitted(tuple(sorted((*active, candidates[place]))))

    def fitted(self, active: Active) -> Active:
        self.coefficients = self.problem.optimum(active)
        return active

    def _decided(self, quotients: _Quotients, level: Shared, smallest: bool) -> int | None:
        """The place of the smallest (largest) quotient if it is below (above) the level; told to all."""
        best, place = _winner(quotients, smallest)
        limit = arithmetic.product(level.reshape(1), arithmetic.rescale(best.bottom, BOTTOM_FRACTION))
        gap = best.top.scaled_up(limit.fraction - best.top.fraction) - limit
        chosen = to_numbers(negative(gap if smallest else -gap))
        told = int(reveal(arithmetic.product(place + 1.0, chosen), f"selected-{self.count}")[0])
        self.count += 1
        return told - 1 if told else None


def _quotients(values: Shared, denominators: Shared) -> _Quotients:
    top = arithmetic.rescale(arithmetic.square(values), TOP_FRACTION)
    return _Quotients(top, arithmetic.rescale(denominators, BOTTOM_FRACTION))


def _winner(quotients: _Quotients, smallest: bool) -> tuple[_Quotients, Shared]:
    """The smallest or largest quotient and its place, each (1,): a knock-out tournament of crosswise products."""
    circle, width = quotients.top.circle, quotients.top.size
    order = np.arange(width, dtype=np.uint64)
    places = Shared(circle, order if circle.rank == 0 else np.zeros_like(order), 0)
    rows = [quotients.top, quotients.bottom, places]
    while width > 1:
        games = width // 2
        left, right = ([row[side : 2 * games : 2] for row in rows] for side in (0, 1))
        crossed = arithmetic.product(
            concatenate([left[0], right[0]]),
            concatenate([right[1], left[1]]),
        )
        gap = crossed[:games] - crossed[games:]
        left_wins = negative(gap if smallest else -gap)
        rows = [
            concatenate([where(left_wins, a, b), row[2 * games :]])
            for a, b, row in zip(left, right, rows, strict=True)
        ]
        width = rows[0].size
    return _Quotients(rows[0], rows[1]), rows[2]
