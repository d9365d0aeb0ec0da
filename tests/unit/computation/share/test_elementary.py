"""Quotients, roots, logarithms, softmax and moments of shared values against NumPy, up to the edges of ranges."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from unseen.computation.circle import Circle
from unseen.computation.in_process import run_parties
from unseen.computation.share.array import Shared, from_owner, reveal
from unseen.computation.share.elementary import (
    divide,
    inverse_square_root,
    logarithm,
    reciprocal,
    square_root,
)
from unseen.computation.share.moments import dot, mean, variance
from unseen.computation.share.normalise import normalise, span
from unseen.computation.share.softmax import softmax
from unseen.errors import MisuseError

SLOW = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
PARTIES = st.sampled_from([2, 3, 5])
PLACES = st.lists(st.floats(0, 1), min_size=1, max_size=70)
RELATIVE = 5e-6
BITS = 24
STEP = 2.0**-BITS


def compute(
    work: Callable[..., Shared], *inputs: np.ndarray, parties: int = 2, fraction: int = BITS
) -> np.ndarray:
    """What `work` gives for inputs of different parties; the same at all."""

    def program(circle: Circle) -> np.ndarray:
        owners = range(len(inputs))
        entered = [
            from_owner(circle, owner, values if circle.rank == owner else None, values.shape, fraction)
            for owner, values in zip(owners, inputs, strict=True)
        ]
        return reveal(work(*entered), "result")

    results = run_parties(program, parties)
    for result in results[1:]:
        np.testing.assert_array_equal(result, results[0])
    return results[0]


def spread(least: float, most: float, places: list[float]) -> np.ndarray:
    """Numbers between two ends, on a logarithmic scale, ends included, as the encoding rounds them."""
    exact = least * (most / least) ** np.array([0.0, 1.0, *places])
    return np.clip(np.rint(exact / STEP) * STEP, np.ceil(least / STEP) * STEP, np.floor(most / STEP) * STEP)


RANGES = {"least": st.floats(-12, 3), "width": st.floats(0.1, 24)}


@SLOW
@given(places=PLACES, parties=PARTIES, **RANGES)
@example(places=[0.5], parties=5, least=-8.0, width=16.0)
@example(places=[0.5], parties=2, least=-12.0, width=24.0)
@example(places=[0.5], parties=3, least=0.0, width=20.0)
@example(places=[0.5], parties=2, least=-12.0, width=26.0)
@example(places=[0.5], parties=2, least=-22.0, width=24.0)
@example(places=[0.5], parties=2, least=13.0, width=24.0)
@example(places=[0.5], parties=3, least=-1.0, width=0.9)
def test_reciprocals_and_roots_are_right(places: list[float], parties: int, least: float, width: float) -> None:
    low, high = 2.0**least, 2.0 ** (least + width)
    x = spread(low, high, places)

    def work(shared: Shared) -> Shared:
        found = [
            reciprocal(shared, low, high).words,
            square_root(shared, low, high).words,
            inverse_square_root(shared, low, high).words,
        ]
        return Shared(shared.circle, np.stack(found), BITS)

    expected = np.stack([1 / x, np.sqrt(x), 1 / np.sqrt(x)])
    np.testing.assert_allclose(compute(work, x, parties=parties), expected, rtol=RELATIVE, atol=2 * STEP)


@SLOW
@given(places=PLACES, parties=PARTIES, **RANGES)
@example(places=[0.5], parties=5, least=-8.0, width=16.0)
@example(places=[0.5], parties=3, least=-1.0, width=0.9)
@example(places=[0.5], parties=2, least=-12.0, width=26.0)
@example(places=[0.5], parties=2, least=-22.0, width=24.0)
def test_logarithms_are_right(places: list[float], parties: int, least: float, width: float) -> None:
    low, high = 2.0**least, 2.0 ** (least + width)
    x = spread(low, high, places)
    found = compute(lambda shared: logarithm(shared, low, high), x, parties=parties)
    np.testing.assert_allclose(found, np.log(x), rtol=0, atol=5e-6 + STEP)


@SLOW
@given(
    places=st.lists(st.tuples(st.floats(0, 1), st.floats(-1, 1), st.booleans()), min_size=1, max_size=70),
    signed=st.booleans(),
    parties=PARTIES,
    least=st.floats(-10, 2),
    width=st.floats(0.1, 16),
)
@example(places=[(0.0, 1.0, True), (1.0, -1.0, False)], signed=True, parties=5, least=-8.0, width=16.0)
@example(places=[(0.5, 1.0, True)], signed=False, parties=2, least=-20.0, width=4.0)
@example(places=[(0.5, 1.0, True)], signed=False, parties=2, least=4.0, width=16.0)
def test_quotients_are_right(
    places: list[tuple[float, float, bool]], signed: bool, parties: int, least: float, width: float
) -> None:
    low, high = 2.0**least, 2.0 ** (least + width)
    below = spread(low, high, [place for place, _, _ in places])
    share = np.array([1.0, -1.0, *(sign for _, sign, _ in places)])
    most = min(2.0**17.9, 2.0 ** (25.9 - 2 * np.ceil(np.log2(high) / 2)))
    above = np.rint(share * below * most / STEP) * STEP
    if signed:
        below = below * np.array([1.0, -1.0, *(1.0 - 2.0 * negative for _, _, negative in places)])
    found = compute(lambda a, b: divide(a, b, low, high, signed=signed), above, below, parties=parties)
    np.testing.assert_allclose(found, above / below, rtol=RELATIVE, atol=3 * STEP)


@pytest.mark.parametrize("parties", [2, 3, 5])
@pytest.mark.parametrize("fine", [False, True])
def test_normalised_numbers_lie_between_a_quarter_and_one(parties: int, fine: bool) -> None:
    x = np.append(2.0 ** np.arange(-8, 9), 2.0 ** np.arange(-7, 9) - STEP)
    reach = span(2.0**-8, 2.0**8, fine)

    def program(circle: Circle) -> tuple[np.ndarray, np.ndarray]:
        shared = from_owner(circle, 0, x if circle.rank == 0 else None, x.shape)
        found = normalise(shared, reach)
        z, k = circle.open_words("open", found.z, found.count())
        return z * 2.0 ** (2 - reach.lane), k

    z, k = run_parties(program, parties)[0]
    assert z.min() >= 0.25 * (1 - 2.0**-11)
    assert z.max() <= 1 + 2.0**-11
    np.testing.assert_allclose(z * 2.0**reach.exponent / 4.0**k, x, rtol=2.0**-11)


@SLOW
@given(
    st.lists(st.lists(st.floats(-40, 40), min_size=5, max_size=5), min_size=1, max_size=8),
    st.sampled_from([0, 1, -1]),
    PARTIES,
    st.sampled_from([1.0, 2.0**31]),
)
@example([[-40.0, 40.0, -40.0, 40.0, 0.0]], 1, 5, 2.0**31)
def test_softmax_is_that_of_numpy(rows: list[list[float]], axis: int, parties: int, unit: float) -> None:
    x = np.rint(np.array(rows) * unit / STEP) * STEP
    powers = np.exp(np.maximum(x - x.max(axis=axis, keepdims=True), -16.0))
    found = compute(lambda shared: softmax(shared, axis), x, parties=parties)
    np.testing.assert_allclose(found, powers / powers.sum(axis=axis, keepdims=True), rtol=2.5e-4, atol=3 * STEP)


@pytest.mark.parametrize("axis", [None, 0, 1])
@pytest.mark.parametrize("parties", [2, 3, 5])
def test_means_variances_and_dot_products_read_as_in_numpy(axis: int | None, parties: int) -> None:
    x = np.random.default_rng(5).normal(2.0, 1.0, (30, 7))
    y = x[:, 0] - 3.0
    np.testing.assert_allclose(compute(lambda a: mean(a, axis), x, parties=parties), x.mean(axis), atol=3 * STEP)
    np.testing.assert_allclose(compute(lambda a: variance(a, axis), x, parties=parties), x.var(axis), atol=1e-5)
    sample = compute(lambda a: variance(a, axis, 1), x, parties=parties)
    np.testing.assert_allclose(sample, x.var(axis, ddof=1), atol=1e-5)
    np.testing.assert_allclose(compute(dot, x[:, 0].copy(), y, parties=parties), x[:, 0] @ y, atol=1e-4)


@pytest.mark.parametrize(
    ("work", "words"),
    [
        (lambda x: reciprocal(x, 0.0, 1.0), "above zero"),
        (lambda x: reciprocal(x, 2.0, 1.0), "not below"),
        (lambda x: square_root(x, 2.0**-20, 2.0**20), "too wide"),
        (lambda x: divide(x, x[:2], 1.0, 2.0), "do not divide"),
        (lambda x: divide(x, x, 2.0**20, 2.0**30), "no room"),
        (lambda x: mean(x, 3), "nothing to take a mean of"),
        (lambda x: variance(x, freedom=3), "degrees of freedom"),
        (lambda x: dot(x, x[:2]), "no dot product"),
    ],
)
def test_misuse_is_told(work: Callable[[Shared], Shared], words: str) -> None:
    with pytest.raises(MisuseError, match=words):
        compute(work, np.ones(3))
