"""Arithmetic in GF(2^64) and GF(2^128) against shift-and-reduce on Python's integers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unseen.computation.kernels import carryless, gf128

WORD = st.integers(0, 2**64 - 1)
PAIR = st.tuples(WORD, WORD)
MODULUS = (1 << 64) | gf128.REDUCTION


def product(a: int, b: int) -> int:
    return sum_of(a << bit for bit in range(b.bit_length()) if b >> bit & 1)


def sum_of(parts) -> int:  # type: ignore[no-untyped-def]
    total = 0
    for part in parts:
        total ^= part
    return total


def reduced(a: int) -> int:
    for bit in range(a.bit_length() - 1, 63, -1):
        if a >> bit & 1:
            a ^= MODULUS << (bit - 64)
    return a


def times64(a: int, b: int) -> int:
    return reduced(product(a, b))


def times128(a: tuple[int, int], b: tuple[int, int]) -> tuple[int, int]:
    """Textbook: (a0 + a1 w)(b0 + b1 w) with w² = w + constant."""
    squared = times64(a[1], b[1])
    return times64(a[0], b[0]) ^ times64(squared, gf128.QUADRATIC), times64(a[0], b[1]) ^ times64(
        a[1], b[0]
    ) ^ squared


def pairs(*values: tuple[int, int]) -> np.ndarray:
    return np.array(values, dtype=np.uint64)


@settings(deadline=None)
@given(WORD, WORD)
def test_both_ways_of_multiplying_without_carries_agree_with_integers(a: int, b: int) -> None:
    low, high = carryless.carryless_portable(np.uint64(a), np.uint64(b))
    assert int(low) | int(high) << 64 == product(a, b)
    if carryless.NATIVE:
        assert gf128.times64(np.uint64(a), np.uint64(b)) == times64(a, b)


@settings(deadline=None)
@given(PAIR, PAIR)
def test_products_are_those_of_the_textbook(a: tuple[int, int], b: tuple[int, int]) -> None:
    out = np.zeros((1, 2), dtype=np.uint64)
    gf128.multiply(pairs(a), pairs(b), out)
    assert tuple(map(int, out[0])) == times128(a, b)


@settings(deadline=None)
@given(WORD.filter(bool))
def test_an_element_times_its_inverse_is_one(a: int) -> None:
    assert times64(int(gf128.inverse64(np.uint64(a))), a) == 1


@settings(deadline=None, max_examples=30)
@given(PAIR, st.lists(PAIR, min_size=0, max_size=20))
def test_a_polynomial_is_the_sum_of_its_powers(
    point: tuple[int, int], coefficients: list[tuple[int, int]]
) -> None:
    total = (0, 0)
    for coefficient in coefficients:
        scaled = times128(total, point)
        total = (scaled[0] ^ coefficient[0], scaled[1] ^ coefficient[1])
    out = np.zeros(2, dtype=np.uint64)
    gf128.polynomial(pairs(point)[0], np.array(coefficients, dtype=np.uint64).reshape(-1, 2), out)
    assert tuple(map(int, out)) == total


def test_the_quadratic_has_no_root_so_that_it_makes_a_field() -> None:
    """w² + w + c has a root in GF(2^64) just if the absolute trace of c is 0 (Lidl & Niederreiter, 3.79)."""
    trace, power = 0, gf128.QUADRATIC
    for _ in range(64):
        trace ^= power
        power = times64(power, power)
    assert trace == 1


@pytest.mark.parametrize("divisor_degree", [32])
def test_the_modulus_is_irreducible(divisor_degree: int) -> None:
    """Rabin: z^(2^64) = z, and z^(2^32) - z has no factor in common with the modulus."""
    powers = [2]
    for _ in range(64):
        powers.append(times64(powers[-1], powers[-1]))
    assert powers[64] == 2
    a, b = MODULUS, powers[divisor_degree] ^ 2
    while b:
        while a.bit_length() >= b.bit_length():
            a ^= b << (a.bit_length() - b.bit_length())
        a, b = b, a
    assert a == 1
