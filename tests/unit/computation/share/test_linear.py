"""Inverses and solutions of small systems on shares, against numpy.linalg."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unseen.computation.circle import Circle
from unseen.computation.in_process import run_parties
from unseen.computation.share.array import Shared, from_owner, reveal
from unseen.computation.share.linear import inverse, solve
from unseen.errors import MisuseError


def enter(circle: Circle, values: np.ndarray, owner: int = 0) -> Shared:
    return from_owner(circle, owner, values if circle.rank == owner else None, values.shape, 26)


def with_eigenvalues(values: np.ndarray, seed: int) -> np.ndarray:
    """A symmetric matrix with these eigenvalues and random axes."""
    axes, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(len(values), len(values))))
    return (axes * values) @ axes.T


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    eigenvalues=st.lists(st.floats(0.01, 1.0), min_size=1, max_size=8),
    sides=st.integers(0, 3),
    parties=st.sampled_from([2, 3, 5]),
    seed=st.integers(0, 2**32),
)
def test_systems_are_solved_as_by_numpy(eigenvalues: list[float], sides: int, parties: int, seed: int) -> None:
    matrix = with_eigenvalues(np.array(eigenvalues), seed)
    shape = (len(eigenvalues), sides) if sides else (len(eigenvalues),)
    right = np.random.default_rng(seed).uniform(-1, 1, shape)

    def program(circle: Circle) -> tuple[np.ndarray, np.ndarray]:
        shared = enter(circle, matrix, circle.size - 1)
        solved = reveal(solve(shared, enter(circle, right), steps=18), "x")
        return solved, reveal(inverse(shared, steps=18), "inverse")

    solution, size, norm = np.linalg.solve(matrix, right), len(eigenvalues), 1 / min(eigenvalues)
    off = size * 2.0**-24 * norm * (1 + np.abs(solution).max(initial=0))
    for solved, inverted in run_parties(program, parties):
        np.testing.assert_allclose(solved, solution, atol=off)
        np.testing.assert_allclose(inverted, np.linalg.inv(matrix), atol=size * 2.0**-26 * max(1.0, norm) ** 2)


def test_a_covariance_in_other_units_is_solved_by_its_norm() -> None:
    columns = np.random.default_rng(4).normal(size=(200, 5))
    matrix, right = columns.T @ columns / 10, columns.T @ columns.sum(1) / 10
    norm = float(np.trace(matrix))
    for solved in run_parties(lambda c: reveal(solve(enter(c, matrix), enter(c, right), norm), "x")):
        np.testing.assert_allclose(solved, np.ones(5), atol=1e-4)


def test_a_right_side_of_another_length_is_misuse() -> None:
    def program(circle: Circle) -> None:
        with pytest.raises(MisuseError, match="right side"):
            solve(enter(circle, np.eye(2)), enter(circle, np.ones(3)))

    run_parties(program)
