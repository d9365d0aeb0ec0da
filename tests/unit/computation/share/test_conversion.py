"""Shared numbers as bits and back, against Python's own integers, over the whole ring."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unseen.computation.circle import Circle
from unseen.computation.in_process import run_parties
from unseen.computation.share.array import Shared, from_owner, reveal
from unseen.computation.share.boolean import bits_from_owner, reveal_bits
from unseen.computation.share.conversion import from_bits, to_bits
from unseen.errors import MisuseError

SLOW = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
EDGES = [-(2**63), -(2**63) + 1, -1, 0, 1, 15, 16, 2**16 - 1, 2**48 - 1, 2**63 - 1, 0x0123456789ABCDEF]
RING = st.one_of(st.sampled_from(EDGES), st.integers(-(2**63), 2**63 - 1))


def true_sharing(circle: Circle, words: np.ndarray) -> Shared:
    """Uniform words at all, which add up to these: rank 0 knows them."""
    zero = circle.zero_share(words.shape)
    return Shared(circle, zero + words if circle.rank == 0 else zero, 0)


@SLOW
@given(st.lists(RING, min_size=1, max_size=70), st.sampled_from([2, 3, 5]))
def test_digits_are_those_of_two_s_complement_over_the_whole_ring(values: list[int], parties: int) -> None:
    words = np.array(values, dtype=np.int64).view(np.uint64)
    for shown in run_parties(lambda circle: reveal_bits(to_bits(true_sharing(circle, words)), "bits"), parties):
        expected = [[(value >> place) & 1 for place in range(64)] for value in values]
        np.testing.assert_array_equal(shown, np.array(expected, dtype=bool))


@SLOW
@given(st.lists(RING, min_size=1, max_size=40), st.sampled_from([2, 3, 5]), st.integers(1, 64))
def test_digits_put_together_are_the_number(values: list[int], parties: int, digits: int) -> None:
    kept = [value % 2**digits for value in values]
    truth = np.array([[(value >> place) & 1 for place in range(digits)] for value in kept], dtype=bool)

    def program(circle: Circle) -> np.ndarray:
        shared = bits_from_owner(circle, 1, truth if circle.rank == 1 else None, truth.shape)
        number = from_bits(shared)
        (opened,) = circle.open_words("test", number.words + circle.zero_share(number.shape))
        return opened

    for opened in run_parties(program, parties):
        assert [int(word) for word in opened] == kept


@pytest.mark.parametrize("shape", [(), (1,), (3, 5), (130,)])
def test_there_and_back_keeps_values_and_shapes(shape: tuple[int, ...]) -> None:
    values = np.random.default_rng(3).normal(size=shape) * 1e6

    def program(circle: Circle) -> np.ndarray:
        shared = from_owner(circle, 0, values if circle.rank == 0 else None, shape)
        digits = to_bits(shared)
        assert digits.shape == (*shape, 64)
        return reveal(from_bits(digits, shared.fraction), "same")

    for shown in run_parties(program, 2):
        np.testing.assert_allclose(shown, values, atol=2.0**-24)


@pytest.mark.parametrize("shape", [(), (3, 0), (2, 65)])
def test_what_are_no_digits_is_misuse(shape: tuple[int, ...]) -> None:
    def program(circle: Circle) -> None:
        truth = bits_from_owner(circle, 0, np.zeros(shape, dtype=bool) if circle.rank == 0 else None, shape)
        from_bits(truth)

    with pytest.raises(MisuseError, match="binary digits"):
        run_parties(program, 2)
