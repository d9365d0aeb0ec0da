"""Shared bits, comparisons and choices against NumPy, over the whole range and for two, three and five parties."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unseen.computation.circle import Circle
from unseen.computation.correlation.formula import FORMULAS, Gate
from unseen.computation.in_process import run_parties
from unseen.computation.share import boolean, compare
from unseen.computation.share.array import Shared, from_owner, reveal
from unseen.computation.share.boolean import Bits, bits_from_owner, reveal_bits
from unseen.errors import MisuseError

PARTIES = [2, 3, 5]
FEW = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
EDGES = [-(2**63), -(2**63) + 1, -(2**62), -1, 0, 1, 15, 16, 2**32, 2**62 - 1, 2**63 - 1]
WHOLE = st.lists(st.one_of(st.sampled_from(EDGES), st.integers(-(2**63), 2**63 - 1)), min_size=1, max_size=150)


def together(program: Callable[[Circle], Any], parties: int = 2) -> np.ndarray:
    results = run_parties(program, parties)
    for result in results[1:]:
        np.testing.assert_array_equal(result, results[0])
    return np.asarray(results[0])


def truly_shared(circle: Circle, values: np.ndarray) -> Shared:
    """Ring elements of which every party holds a uniform part."""
    words = values.astype(np.int64).view(np.uint64)
    if circle.rank:
        mine = circle.private.words(words.shape)
        circle.channel(0).send("split", mine)
        return Shared(circle, mine, 0)
    for channel in circle.others():
        words = words - channel.receive("split", np.uint64, words.shape)
    return Shared(circle, words, 0)


@FEW
@given(WHOLE, st.sampled_from(PARTIES))
def test_the_sign_is_exact_over_the_whole_ring(values: list[int], parties: int) -> None:
    x = np.array(values, dtype=np.int64)
    result = together(lambda c: reveal_bits(compare.negative(truly_shared(c, x)), "sign"), parties)
    np.testing.assert_array_equal(result, x < 0)


@FEW
@given(WHOLE, st.sampled_from(PARTIES))
def test_equality_is_exact_over_the_whole_ring(values: list[int], parties: int) -> None:
    x = np.array([*values, 0, 1, 1 << 60], dtype=np.int64)
    result = together(lambda c: reveal_bits(compare.zero(truly_shared(c, x)), "zero"), parties)
    np.testing.assert_array_equal(result, x == 0)


@pytest.mark.parametrize("parties", PARTIES)
def test_comparisons_read_as_in_numpy(parties: int) -> None:
    rng = np.random.default_rng(1)
    x, y = rng.integers(-3, 4, 130).astype(float), rng.integers(-3, 4, 130).astype(float)

    def program(circle: Circle) -> np.ndarray:
        a = from_owner(circle, 0, x if circle.rank == 0 else None, x.shape)
        b = from_owner(circle, 1, y if circle.rank == 1 else None, y.shape, 20)
        truths = [a < b, a <= b, a > b, a >= b, a < 1.0, a >= 0.5, compare.equal(a, b)]
        return np.stack([reveal_bits(truth, "truth") for truth in truths])

    wanted = [x < y, x <= y, x > y, x >= y, x < 1.0, x >= 0.5, x == y]
    np.testing.assert_array_equal(together(program, parties), np.stack(wanted))


@pytest.mark.parametrize("parties", PARTIES)
@pytest.mark.parametrize("shape", [(1,), (64,), (7, 19)])
def test_bits_behave_as_truth_values(shape: tuple[int, ...], parties: int) -> None:
    rng = np.random.default_rng(2)
    x, y = rng.random(shape) < 0.5, rng.random(shape) < 0.5

    def program(circle: Circle) -> np.ndarray:
        a = bits_from_owner(circle, 0, x if circle.rank == 0 else None, shape)
        b = bits_from_owner(circle, 1, y if circle.rank == 1 else None, shape)
        return np.stack([reveal_bits(bits, "bits") for bits in (a & b, a | b, a ^ b, ~a, a ^ y)])

    np.testing.assert_array_equal(together(program, parties), np.stack([x & y, x | y, x ^ y, ~x, x ^ y]))


@pytest.mark.parametrize("gate", list(Gate))
def test_a_formula_is_an_xor_of_products(gate: Gate) -> None:
    formula = FORMULAS[gate]
    values = np.random.default_rng(3).integers(0, 1 << 63, (10, formula.inputs)).astype(np.uint64)

    def program(circle: Circle) -> np.ndarray:
        mine = values if circle.rank == 0 else np.zeros_like(values)
        mask = np.arange(values.size, dtype=np.uint64).reshape(values.shape)
        return _opened(circle, boolean.evaluate(circle, gate, mine ^ mask if circle.rank < 2 else mine))

    wanted = np.zeros((10, len(formula.outputs)), dtype=np.uint64)
    for i, output in enumerate(formula.outputs):
        for product in output:
            wanted[:, i] ^= np.bitwise_and.reduce(values[:, list(product)], axis=1)
    np.testing.assert_array_equal(together(program, 3), wanted)


def _opened(circle: Circle, words: np.ndarray) -> np.ndarray:
    for channel in circle.others():
        channel.send("opened", words)
    return circle.collect_bits("opened", words)[0]


@pytest.mark.parametrize("parties", PARTIES)
def test_numbers_from_bits_and_choices_by_bits(parties: int) -> None:
    rng = np.random.default_rng(4)
    truth, x, y = rng.random((5, 30)) < 0.5, rng.normal(size=(5, 30)), rng.normal(size=(5, 30))

    def program(circle: Circle) -> np.ndarray:
        bits = bits_from_owner(circle, 1, truth if circle.rank == 1 else None, truth.shape)
        a = from_owner(circle, 0, x if circle.rank == 0 else None, x.shape)
        b = from_owner(circle, 1, y if circle.rank == 1 else None, y.shape, 30)
        return np.stack([reveal(boolean.to_numbers(bits, 10), "n"), reveal(boolean.where(bits, a, b), "w")])

    result = together(program, parties)
    np.testing.assert_array_equal(result[0], truth)
    np.testing.assert_allclose(result[1], np.where(truth, x, y), atol=2.0**-24)


def test_indexing_and_reshaping_shared_bits_is_local() -> None:
    truth = np.random.default_rng(5).random((4, 33)) < 0.5

    def program(circle: Circle) -> np.ndarray:
        bits = bits_from_owner(circle, 0, truth if circle.rank == 0 else None, truth.shape)
        return reveal_bits(bits.reshape(33, 4)[3:5, ::2], "part")

    np.testing.assert_array_equal(together(program), truth.reshape(33, 4)[3:5, ::2])


def test_a_shared_bit_cannot_be_read_by_accident() -> None:
    def program(circle: Circle) -> None:
        bits = Bits(circle, np.zeros(1, dtype=np.uint64), (3,))
        for misuse in (bool, int, list):
            with pytest.raises(MisuseError):
                misuse(bits)
        with pytest.raises(MisuseError, match="do not pair"):
            _ = bits & Bits(circle, np.zeros(1, dtype=np.uint64), (4,))

    run_parties(program, 2)
