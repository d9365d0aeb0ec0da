"""Coefficients that must not flip: the best model with some coefficients held at or above zero, or at or below.

In a scorecard on weights of evidence every coefficient has one sense; where collinear columns flip one, the column
is better left out. A column stays out just if the best model without it would gain by the forbidden sign alone:
the Karush–Kuhn–Tucker conditions, so that the result is the constrained optimum, not a heuristic.

Source: block principal pivoting, Júdice and Pires, Computers & Operations Research 21 (1994): all columns that
offend change sides at once; if that does not reduce their number three times running, the last one alone does,
which ends after finitely many steps where the objective is strictly convex.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from unseen.computation.learn.problem import Active, Problem
from unseen.computation.profile import Carries, Disclosure, Message, Profile, Role
from unseen.computation.share.array import Shared
from unseen.computation.share.boolean import reveal_bits
from unseen.computation.share.compare import negative
from unseen.errors import DataError, MisuseError

PROFILE: Final = Profile(
    id="learn/signs",
    title="Coefficients of a prescribed sign",
    source="block principal pivoting (Júdice and Pires 1994)",
    reveals=(
        Disclosure(
            Role.EACH,
            "for each refit, which coefficients would have the forbidden sign, or no longer would",
        ),
    ),
    messages=(
        Message("reveal/signs-#", Carries.DISCLOSED, most_messages=100),
        Message("reveal/step-#", Carries.DISCLOSED, most_messages=2400, most_bytes=57_600),
        Message("reveal/range", Carries.DISCLOSED, most_messages=2400, most_bytes=57_600),
        Message("reveal/unsolved", Carries.DISCLOSED, most_messages=100, most_bytes=2400),
    ),
)

MOST_REFITS: Final = 60
CHANCES: Final = 3
SLACK: Final = 2e-4
"""So much gradient of the allowed sign is rounding: the column stays out; its coefficient would be near zero."""


def bounded(problem: Problem, active: Active, signs: Sequence[int]) -> Active:
    """Fit with signs; returns the columns that are not held at zero. Everyone learns what PROFILE says.

    `signs` has 1, -1 or 0 (free) for each column without the intercept. Raises DataError if it does not end.
    """
    wanted = np.array([0, *signs])
    if len(wanted) != len(problem.everything) or not np.isin(wanted, (-1, 0, 1)).all():
        raise MisuseError("signs are 1, -1 or 0, one for each column")
    bound = [place for place in active if wanted[place]]
    inside, fewest, chances = set(active), len(bound) + 1, CHANCES
    for refit in range(MOST_REFITS):
        taken = tuple(sorted(inside))
        coefficients = problem.optimum(taken)
        if not bound:
            return taken
        offending = _offending(problem, coefficients, bound, inside, wanted, refit)
        if not offending:
            return taken
        if len(offending) < fewest:
            fewest, chances = len(offending), CHANCES
        elif chances:
            chances -= 1
        else:
            offending = offending[-1:]
        inside ^= set(offending)
    raise DataError("no model with these signs was found; leave out columns that are nearly sums of others")


def _offending(
    problem: Problem, coefficients: Shared, bound: list[int], inside: set[int], wanted: np.ndarray, refit: int
) -> list[int]:
    """Columns inside whose coefficient has the forbidden sign, and outside that would gain by the allowed one."""
    outside = any(place not in inside for place in bound)
    gradient = problem.gradient() if outside else coefficients
    held = np.array([place not in inside for place in bound])
    words = np.where(held, gradient.words[bound, 0], coefficients.words[bound, 0])
    # Inside, sign·coefficient < 0 offends; outside, sign·gradient > slack: slack - sign·gradient < 0.
    turned = Shared(coefficients.circle, words, coefficients.fraction).times_integer(
        np.where(held, -wanted[bound], wanted[bound])
    )
    bits = reveal_bits(negative(turned + np.where(held, SLACK, 0.0)), f"signs-{refit}")
    return [place for place, bad in zip(bound, bits.astype(bool).tolist(), strict=True) if bad]
