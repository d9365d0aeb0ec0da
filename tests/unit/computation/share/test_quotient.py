"""Quotients of shared numbers against NumPy, over the whole admissible range."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unseen.computation.circle import Circle
from unseen.computation.in_process import run_parties
from unseen.computation.share.array import from_owner, reveal
from unseen.computation.share.quotient import MOST, quotient
from unseen.errors import MisuseError

UNIT = 2.0**-31


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    powers=st.integers(1, 26),
    places=st.lists(st.tuples(st.floats(0, 1), st.floats(-1, 1)), min_size=1, max_size=40),
    parties=st.sampled_from([2, 3, 5]),
)
def test_quotients_are_right_to_a_millionth(powers: int, places: list[tuple[float, float]], parties: int) -> None:
    least = 2.0**-powers
    spread = np.array([0.0, 1.0, *(place for place, _ in places)])
    below = np.minimum(np.rint(least**spread / UNIT) * UNIT, 1 - UNIT)
    share = np.array([1.0, -1.0, *(sign for _, sign in places)])
    above = np.rint(np.clip(share * below * (MOST - 1), -1, 1) / UNIT) * UNIT

    def program(circle: Circle) -> np.ndarray:
        top = from_owner(circle, 0, above if circle.rank == 0 else None, above.shape, 31)
        bottom = from_owner(circle, 1, below if circle.rank == 1 else None, below.shape, 31)
        return reveal(quotient(top, bottom, least, 20), "quotient")

    for found in run_parties(program, parties):
        np.testing.assert_allclose(found, above / below, rtol=2.0**-20, atol=2.0**-20 + 2.0**-22)


def test_numbers_of_other_precision_are_misuse() -> None:
    def program(circle: Circle) -> None:
        one = from_owner(circle, 0, np.ones(1) if circle.rank == 0 else None, (1,), 24)
        quotient(one, one, 0.5, 20)

    with pytest.raises(MisuseError, match="31 fractional bits"):
        run_parties(program)
