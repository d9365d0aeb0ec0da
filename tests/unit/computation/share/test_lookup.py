"""Lookups and sums in binary digits, and products of bits that one party each knows, against NumPy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unseen.computation.circle import Circle
from unseen.computation.in_process import run_parties
from unseen.computation.share.adders import digit_sums
from unseen.computation.share.boolean import reveal_bits
from unseen.computation.share.known_bits import all_know
from unseen.computation.share.lookup import looked_up
from unseen.errors import MisuseError

FEW = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
PARTIES = st.sampled_from([2, 3, 5])
SEED = st.integers(0, 2**32)


def words(drawn: np.random.Generator, shape: tuple[int, ...], lane: int = 64) -> np.ndarray:
    kind = np.dtype(f"u{lane // 8}")
    return drawn.integers(0, 1 << lane, shape, dtype=kind)


def bits_of(planes: np.ndarray) -> np.ndarray:
    """(…, n) words to (…, 64·n) zeros and ones."""
    return np.unpackbits(np.ascontiguousarray(planes).view(np.uint8), axis=-1, bitorder="little")


def numbers_in(planes: np.ndarray) -> np.ndarray:
    """Digits (numbers, lane, n) to whole numbers (numbers, 64·n) of any size."""
    digits = bits_of(planes).astype(object)
    return sum(digits[:, j] << j for j in range(planes.shape[1]))


def xor(parts: Sequence[Any]) -> np.ndarray:
    return np.bitwise_xor.reduce(list(parts))


@FEW
@given(count=st.integers(1, 5), parties=st.sampled_from([2, 3, 5]), knowers=st.data(), seed=SEED)
def test_a_product_of_known_bits_is_and(count: int, parties: int, knowers: st.DataObject, seed: int) -> None:
    drawn = np.random.default_rng(seed)
    known = sorted(knowers.draw(st.sets(st.integers(0, parties - 1), min_size=1)))
    own = [words(drawn, (count,)) for _ in range(parties)]

    def program(circle: Circle) -> np.ndarray:
        return reveal_bits(all_know(circle, known, own[circle.rank], (64 * count,)), "product")

    expected = np.bitwise_and.reduce([own[rank] for rank in known])
    for found in run_parties(program, parties):
        np.testing.assert_array_equal(found, bits_of(expected))


@FEW
@given(
    tables=st.integers(1, 3),
    choices=st.integers(1, 9),
    lane=st.sampled_from([32, 64]),
    parties=PARTIES,
    seed=SEED,
)
def test_words_are_looked_up_digit_by_digit(tables: int, choices: int, lane: int, parties: int, seed: int) -> None:
    drawn = np.random.default_rng(seed)
    bits = [words(drawn, (tables, choices, 2)) for _ in range(parties)]
    values = [words(drawn, (tables, choices), lane) for _ in range(parties)]
    found = xor(run_parties(lambda circle: looked_up(circle, bits[circle.rank], values[circle.rank]), parties))
    chosen, whole = bits_of(xor(bits)), xor(values)
    expected = np.zeros((tables, 128), dtype=np.uint64)
    for k in range(choices):
        expected ^= chosen[:, k] * whole[:, k, None].astype(np.uint64)
    np.testing.assert_array_equal(numbers_in(found), expected.astype(object))


@FEW
@given(
    numbers=st.integers(1, 12), lane=st.sampled_from([32, 64]), parties=PARTIES, count=st.integers(1, 3), seed=SEED
)
def test_numbers_in_digits_add_up_in_the_ring(
    numbers: int, lane: int, parties: int, count: int, seed: int
) -> None:
    drawn = np.random.default_rng(seed)
    planes = [words(drawn, (numbers, lane, count)) for _ in range(parties)]
    found = sum(run_parties(lambda circle: digit_sums(circle, planes[circle.rank]), parties))
    assert isinstance(found, np.ndarray)
    assert found.dtype == np.dtype(f"u{lane // 8}")
    expected = numbers_in(xor(planes)).sum(axis=0) % (1 << lane)
    np.testing.assert_array_equal(found.astype(object), expected)


def test_bits_that_do_not_fit_their_table_are_misuse() -> None:
    bits, values = np.zeros((1, 3, 1), dtype=np.uint64), np.zeros((1, 4), dtype=np.uint32)
    with pytest.raises(MisuseError, match="shape"):
        run_parties(lambda circle: looked_up(circle, bits, values))
