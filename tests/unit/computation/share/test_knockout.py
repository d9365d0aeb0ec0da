"""What belongs to the largest of many values, against NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unseen.computation.circle import Circle
from unseen.computation.in_process import run_parties
from unseen.computation.share.array import from_owner
from unseen.computation.share.knockout import of_largest
from unseen.errors import MisuseError


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    count=st.integers(1, 60),
    lines=st.integers(1, 3),
    carried=st.integers(1, 3),
    different=st.integers(1, 100),
    parties=st.sampled_from([2, 3, 5]),
    seed=st.integers(0, 2**32),
)
def test_what_the_largest_value_carries_comes_out(
    count: int, lines: int, carried: int, different: int, parties: int, seed: int
) -> None:
    drawn = np.random.default_rng(seed)
    values = drawn.integers(-different, different, (count, lines)).astype(np.float64) * 2.0**20
    words = drawn.integers(0, 1 << 64, (carried, count, lines), dtype=np.uint64)

    def program(circle: Circle) -> np.ndarray:
        shared = from_owner(circle, 0, values if circle.rank == 0 else None, values.shape, 20)
        (opened,) = circle.open_words(
            "winners", of_largest(shared, words if circle.rank == 1 else np.zeros_like(words))
        )
        return opened

    for found in run_parties(program, parties):
        for line in range(lines):
            best = np.flatnonzero(values[:, line] == values[:, line].max())
            assert found[:, line].tolist() in words[:, best, line].T.tolist()


def test_words_that_belong_to_no_value_are_misuse() -> None:
    def program(circle: Circle) -> None:
        of_largest(
            from_owner(circle, 0, np.ones((3, 1)) if circle.rank == 0 else None, (3, 1), 20),
            np.zeros((1, 2, 1), np.uint64),
        )

    with pytest.raises(MisuseError, match="carried"):
        run_parties(program)
