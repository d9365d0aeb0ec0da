"""The exponential function of shared values against NumPy, over the promised range and at its edges."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from unseen.computation.circle import Circle
from unseen.computation.in_process import run_parties
from unseen.computation.kernels import exponentials
from unseen.computation.share.array import from_owner, reveal
from unseen.computation.share.exponential import ERROR, HIGH, LOW, exponential, sections_for
from unseen.errors import MisuseError

SLOW = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def compute(values: np.ndarray, low: float, high: float, fraction: int, parties: int = 2) -> np.ndarray:
    def program(circle: Circle) -> np.ndarray:
        x = from_owner(circle, 1, values if circle.rank == 1 else None, values.shape)
        return reveal(exponential(x, low, high, fraction), "e^x")

    results = run_parties(program, parties)
    for result in results[1:]:
        np.testing.assert_array_equal(result, results[0])
    return results[0]


@SLOW
@given(
    st.floats(-20, 14),
    st.floats(0.01, 24),
    st.lists(st.floats(0, 1), min_size=1, max_size=70),
    st.sampled_from([2, 3, 5]),
)
@example(LOW, HIGH - LOW, [0.5], 5)
@example(LOW, -LOW, [0.5], 2)
@example(0.0, 0.01, [0.5], 2)
@example(7.0625, 7.9375, [0.5], 2)
def test_right_to_a_thousandth_of_the_result(low: float, span: float, places: list[float], parties: int) -> None:
    high = min(low + span, 15.0 if low > -9 else 8.0)
    x = np.rint((low + np.array([0.0, 1.0, *places]) * (high - low)) * 2.0**20) / 2.0**20
    x = np.clip(x, low, high)
    error = sections_for(low, high).error
    found = compute(x, low, high, 36, parties)
    np.testing.assert_allclose(found, np.exp(x), rtol=error + 1e-6, atol=2.0**-35)
    assert error < ERROR


def test_every_value_of_the_usual_range() -> None:
    x = np.linspace(LOW, HIGH, 20_001).reshape(3, -1)
    np.testing.assert_allclose(compute(x, LOW, HIGH, 38), np.exp(x), rtol=ERROR)


def test_a_table_is_that_of_numpy() -> None:
    masks = np.random.default_rng(1).integers(0, 2**32, (3, 64), dtype=np.uint32)
    found = exponentials.table(masks, 8, 32.0, 20)
    place = masks * 2.0**-32 * 32
    section = (place // 4).astype(int)
    expected = np.where(np.arange(8)[:, None] == section[:, None], np.exp(-(place % 4))[:, None], 0.0)
    np.testing.assert_array_equal(found, np.rint(expected * 2.0**20).astype(np.uint64))


@pytest.mark.parametrize(
    ("low", "high", "fraction", "words"),
    [
        (-16, 20, 24, "narrower"),
        (2, 1, 24, "lower end first"),
        (-80, 0, 24, "±40"),
        (-16, 8, 60, "fractional bits"),
    ],
)
def test_what_cannot_be_promised_is_refused(low: float, high: float, fraction: int, words: str) -> None:
    with pytest.raises(MisuseError, match=words):
        compute(np.zeros(1), low, high, fraction)
