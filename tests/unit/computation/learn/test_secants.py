"""Quasi-Newton steps on shares against the textbook's BFGS matrices in NumPy."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unseen.computation.circle import Circle
from unseen.computation.in_process import run_parties
from unseen.computation.learn.secants import GRADIENT_FRACTION, Secants
from unseen.computation.share.array import from_owner, reveal
from unseen.computation.share.masked_matrix import masked_matrix

Gradient = Callable[[np.ndarray], np.ndarray]


def on_shares(first: np.ndarray, gradient: Gradient, parts: list[float], parties: int = 2) -> np.ndarray:
    """The points that steps from zero reach, the k-th step taken by parts[k]: (steps, width)."""
    width = len(first)

    def program(circle: Circle) -> np.ndarray:
        mine = first if circle.rank == 0 else None
        secants, w, length = Secants(masked_matrix(from_owner(circle, 0, mine, (width, width), 26))), None, 1.0
        points = []
        for part in parts:
            at = np.zeros((width, 1)) if w is None else reveal(w, "point")
            uphill = gradient(at) if circle.rank == 1 else None
            secants.step(from_owner(circle, 1, uphill, (width, 1), GRADIENT_FRACTION), length)
            taken = secants.take(part)
            w = taken if w is None else w + taken
            length = float(np.linalg.norm(reveal(taken, "step")))
            points.append(reveal(w, "point")[:, 0])
        secants.forget()
        return np.array(points)

    first_party, *others = run_parties(program, parties)
    for other in others:
        np.testing.assert_array_equal(other, first_party)
    return first_party


def in_numpy(first: np.ndarray, gradient: Gradient, parts: list[float]) -> np.ndarray:
    """Nocedal and Wright, equation 6.17."""
    inverse, w, points = first.copy(), np.zeros((len(first), 1)), []
    for part in parts:
        uphill = gradient(w)
        step = part * (inverse @ uphill)
        w = w + step
        change = uphill - gradient(w)
        r = 1.0 / float((step.T @ change)[0, 0])
        side = np.eye(len(first)) - r * step @ change.T
        inverse = side @ inverse @ side.T + r * step @ step.T
        points.append(w[:, 0])
    return np.array(points)


def logistic_gradient(seed: int, width: int) -> tuple[np.ndarray, Gradient]:
    """The first inverse Hessian and the gradient of a ridge-penalised logistic regression."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(400, width))
    y = (rng.random((400, 1)) < 1.0 / (1.0 + np.exp(-x @ rng.normal(size=(width, 1))))).astype(float)

    def gradient(w: np.ndarray) -> np.ndarray:
        return np.asarray(4.0 * x.T @ (y - 1.0 / (1.0 + np.exp(-x @ w))) / 400 - 0.01 * w)

    return np.linalg.inv(x.T @ x / 400 + 0.01 * np.eye(width)), gradient


@pytest.mark.parametrize("parties", [2, 3])
def test_steps_are_those_of_bfgs_and_end_at_the_optimum(parties: int) -> None:
    first, gradient = logistic_gradient(0, 5)
    found = on_shares(first, gradient, [1.0] * 7, parties)
    np.testing.assert_allclose(found, in_numpy(first, gradient, [1.0] * 7), atol=2e-4)
    assert np.abs(gradient(found[-1][:, None])).max() < 1e-5


@given(
    st.integers(0, 1000), st.integers(1, 6), st.lists(st.sampled_from([0.25, 0.5, 1.0]), min_size=4, max_size=5)
)
@settings(max_examples=5, deadline=None)
def test_steps_that_are_cut_short_teach_as_much(seed: int, width: int, parts: list[float]) -> None:
    first, gradient = logistic_gradient(seed, width)
    np.testing.assert_allclose(on_shares(first, gradient, parts), in_numpy(first, gradient, parts), atol=1e-3)


def test_a_step_along_which_nothing_changes_teaches_nothing() -> None:
    first = np.eye(3)
    found = on_shares(first, lambda w: np.array([[0.5], [0.25], [-0.125]]), [1.0, 1.0, 1.0])
    np.testing.assert_allclose(found, np.outer([1, 2, 3], [0.5, 0.25, -0.125]), atol=1e-2)


def test_a_steep_objective_has_room() -> None:
    """As where labels are rare: what B makes of a step's change, times the change, is beyond 2^14."""
    first, top, parts = np.eye(2) * 2.0**-6, np.array([[2.0], [-1.0]]), [0.05, 1.0, 1.0]

    def gradient(w: np.ndarray) -> np.ndarray:
        return np.asarray(np.array([[1024.0], [768.0]]) * (top - w))

    np.testing.assert_allclose(on_shares(first, gradient, parts), in_numpy(first, gradient, parts), atol=0.05)
