"""Which columns a regression takes: all, those that a selection finds, those that keep their sign."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from unseen.computation.learn.problem import Active, Problem
from unseen.computation.learn.selection import Selection, select
from unseen.computation.learn.signs import bounded


@dataclass(frozen=True)
class Choice:
    """`signs`, one for each column in the order of the parties, as in `signs.bounded`; none for no constraint.
    `selection` comes first, without the signs, which then hold among the columns selected."""

    signs: Sequence[int] = ()
    selection: Selection | None = None


def fit_chosen(problem: Problem, choice: Choice) -> Active:
    """Fit; returns the columns of the model, the others have coefficient zero."""
    active = problem.everything if choice.selection is None else select(problem, choice.selection)
    if any(choice.signs):
        return bounded(problem, active, choice.signs)
    if choice.selection is None:
        problem.optimum(active)
    return active
