"""Secret bits by numbers that are masked once, against NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unseen.computation.circle import Circle
from unseen.computation.in_process import run_parties
from unseen.computation.share.array import from_owner, reveal
from unseen.computation.share.boolean import bits_from_owner
from unseen.computation.share.choice import chosen_sums, masked_rows
from unseen.errors import MisuseError

FEW = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@FEW
@given(
    rows=st.integers(1, 300),
    groups=st.integers(1, 5),
    columns=st.integers(1, 3),
    parties=st.sampled_from([2, 3, 5]),
    seed=st.integers(0, 2**32),
)
def test_rows_are_kept_or_zeroed_by_their_bits(
    rows: int, groups: int, columns: int, parties: int, seed: int
) -> None:
    drawn = np.random.default_rng(seed)
    values, truth = drawn.uniform(-9, 9, (columns, rows)), drawn.integers(0, 2, (groups, rows)).astype(bool)

    def program(circle: Circle) -> np.ndarray:
        shared = from_owner(circle, 0, values if circle.rank == 0 else None, values.shape, 30)
        bits = bits_from_owner(circle, 1, truth if circle.rank == 1 else None, truth.shape)
        masked = masked_rows(shared)
        first, again = masked.times(bits), masked.times(~bits)
        masked.forget()
        return np.stack([reveal(first, "kept"), reveal(again, "others")])

    for kept, others in run_parties(program, parties):
        np.testing.assert_allclose(kept, truth[:, None, :] * values, atol=2.0**-29)
        np.testing.assert_allclose(others, ~truth[:, None, :] * values, atol=2.0**-29)


@FEW
@given(
    rows=st.integers(1, 300),
    choices=st.integers(1, 20),
    parties=st.sampled_from([2, 3, 5]),
    lane=st.sampled_from([32, 64]),
    seed=st.integers(0, 2**32),
)
def test_chosen_values_add_up(rows: int, choices: int, parties: int, lane: int, seed: int) -> None:
    drawn = np.random.default_rng(seed)
    values, truth = drawn.uniform(-50, 50, choices), drawn.integers(0, 2, (choices, rows)).astype(bool)

    def program(circle: Circle) -> np.ndarray:
        shared = from_owner(circle, 1, values if circle.rank == 1 else None, values.shape, 20)
        bits = bits_from_owner(circle, 0, truth if circle.rank == 0 else None, truth.shape)
        (words,) = circle.open_words("sums", chosen_sums(bits, shared, lane).words)
        small = words.astype(np.uint32).view(np.int32) if lane == 32 else words.view(np.int64)
        return small.astype(np.float64) * 2.0**-20

    for found in run_parties(program, parties):
        np.testing.assert_allclose(found, values @ truth, atol=choices * 2.0**-20)


def test_bits_of_another_shape_are_misuse() -> None:
    def program(circle: Circle) -> None:
        shared = from_owner(circle, 0, np.ones((1, 4)) if circle.rank == 0 else None, (1, 4), 20)
        masked_rows(shared).times(
            bits_from_owner(circle, 0, np.ones((1, 3)) if circle.rank == 0 else None, (1, 3))
        )

    with pytest.raises(MisuseError, match="shape"):
        run_parties(program)
