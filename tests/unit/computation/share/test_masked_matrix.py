"""A shared matrix that is masked once, and a column of ones among private matrices, against NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from unseen.computation.circle import Circle
from unseen.computation.in_process import run_parties
from unseen.computation.share.array import from_owner, reveal
from unseen.computation.share.masked_matrix import masked_matrix
from unseen.computation.share.ones import Ones
from unseen.computation.share.private import private_matrix
from unseen.errors import MisuseError


def drawn(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape) * 10.0


@pytest.mark.parametrize("parties", [2, 3, 5])
def test_one_masked_matrix_multiplies_many_factors(parties: int) -> None:
    matrix, factors = drawn(5, 4), [drawn(4, 1, seed=1), drawn(4, 3, seed=2), drawn(4, 1, seed=3)]

    def program(circle: Circle) -> list[np.ndarray]:
        mine = matrix if circle.rank == 0 else None
        masked = masked_matrix(from_owner(circle, 0, mine, matrix.shape, 20))
        last = circle.size - 1
        found = []
        for factor in factors:
            right = from_owner(circle, last, factor if circle.rank == last else None, factor.shape, 20)
            found.append(reveal(masked @ right, "product"))
        with pytest.raises(MisuseError, match="shape"):
            masked @ from_owner(circle, 0, np.ones((3, 1)) if circle.rank == 0 else None, (3, 1), 20)
        masked.forget()
        return found

    for found in run_parties(program, parties):
        for got, factor in zip(found, factors, strict=True):
            np.testing.assert_allclose(got, matrix @ factor, atol=1e-3)


@pytest.mark.parametrize("parties", [2, 3, 5])
def test_a_column_of_ones_multiplies_as_a_matrix_of_ones_without_a_message(parties: int) -> None:
    columns, scalar, vector = drawn(6, 3), drawn(1, 2, seed=1), drawn(6, 1, seed=2)
    ones = np.ones((6, 1))

    def program(circle: Circle) -> list[np.ndarray]:
        entered = Ones(circle, 6, 16)
        held = private_matrix(circle, 1, columns if circle.rank == 1 else None, columns.shape, 16)
        right = from_owner(circle, 0, scalar if circle.rank == 0 else None, scalar.shape, 20)
        long = from_owner(circle, 1, vector if circle.rank == 1 else None, vector.shape, 20)
        before = [channel.counters.messages_sent for channel in circle.others()]
        parts = [
            entered @ right,
            entered.transposed_times(long),
            entered.gram(held),
            entered.gram(entered),
            entered.first_rows(4) @ right,
        ]
        assert before == [channel.counters.messages_sent for channel in circle.others()]
        entered.forget()
        return [reveal(part, "part") for part in parts]

    expected = [ones @ scalar, ones.T @ vector, ones.T @ columns, ones.T @ ones, ones[:4] @ scalar]
    for found in run_parties(program, parties):
        for got, wanted in zip(found, expected, strict=True):
            np.testing.assert_allclose(got, wanted, atol=1e-3)
