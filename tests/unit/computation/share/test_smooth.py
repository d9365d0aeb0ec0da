"""Functions given by a Fourier series against NumPy, at the edges of their ranges and inside."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unseen.computation.circle import Circle
from unseen.computation.in_process import run_parties
from unseen.computation.share.array import from_owner, reveal
from unseen.computation.share.smooth import Smooth, fitted, smooth_function
from unseen.errors import MisuseError

FUNCTIONS = [
    Smooth(np.tanh, -4.0, 4.0, 5e-4, 14, 4),
    Smooth(np.log1p, 0.0, 3.0, 1e-3, 8, 3),
    Smooth(np.square, -2.0, 1.0, 2e-3, 6, 3),
    Smooth(np.reciprocal, 1.0, 2.0, 5e-4, 4, 1, relative=True),
]


def compute(values: np.ndarray, smooth: Smooth, fraction: int, fine: bool, parties: int = 2) -> np.ndarray:
    def program(circle: Circle) -> np.ndarray:
        x = from_owner(circle, 1, values if circle.rank == 1 else None, values.shape)
        return reveal(smooth_function(x, smooth, fraction, fine), "f(x)")

    results = run_parties(program, parties)
    for result in results[1:]:
        np.testing.assert_array_equal(result, results[0])
    return results[0]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(FUNCTIONS),
    st.lists(st.floats(0, 1), min_size=1, max_size=70),
    st.booleans(),
    st.sampled_from([2, 3, 5]),
)
def test_right_to_the_error_asked_for(smooth: Smooth, places: list[float], fine: bool, parties: int) -> None:
    x = smooth.low + np.array([0.0, 1.0, *places]) * (smooth.high - smooth.low)
    found = compute(x, smooth, 24, fine, parties)
    truth = smooth.function(x)
    bound = smooth.error * (np.abs(truth) if smooth.relative else 1.0)
    assert (np.abs(found - truth) < bound + 1e-6).all()


def test_in_the_large_ring_a_millionth_is_within_reach() -> None:
    smooth = Smooth(np.sqrt, 0.25, 1.0, 2e-6, 8, 1)
    x = np.linspace(0.25, 1.0, 5001)
    assert np.abs(compute(x, smooth, 30, True) - np.sqrt(x)).max() < 2e-6


def test_the_error_of_every_value_stays_below_that_of_the_fit() -> None:
    smooth = FUNCTIONS[0]
    x = np.linspace(smooth.low, smooth.high, 20_001)
    assert np.abs(compute(x, smooth, 24, False) - np.tanh(x)).max() < fitted(smooth).error


@pytest.mark.parametrize(
    ("smooth", "fraction", "words"),
    [
        (Smooth(np.tanh, -4.0, 4.0, 1e-9, 4, 4), 20, "harmonics"),
        (Smooth(np.tanh, -4.0, 4.0, 1e-2, 14, 2), 20, "period"),
        (Smooth(np.log, 0.0, 1.0, 1e-2, 8, 1), 20, "finite"),
        (Smooth(np.tanh, -4.0, 4.0, 1e-2, 14, 4), 40, "fractional bits"),
    ],
)
def test_what_cannot_be_promised_is_refused(smooth: Smooth, fraction: int, words: str) -> None:
    with pytest.raises(MisuseError, match=words):
        compute(np.zeros(1), smooth, fraction, False)
