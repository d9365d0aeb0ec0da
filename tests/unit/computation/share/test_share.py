"""Arithmetic on shares against NumPy, for two, three and five parties, up to the edges of the range."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from unseen.computation.circle import Circle
from unseen.computation.in_process import run_parties
from unseen.computation.share import arithmetic, fixed, functions
from unseen.computation.share.array import Shared, from_owner, reveal, reveal_to
from unseen.computation.share.linear import inverse
from unseen.computation.share.private import private_matrix
from unseen.errors import MisuseError, RangeError

PARTIES = [2, 3, 5]
SLOW = settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def together(program: Callable[[Circle], np.ndarray], parties: int = 2) -> np.ndarray:
    """Run at all parties; every party must get the same answer."""
    results = run_parties(program, parties)
    for result in results[1:]:
        np.testing.assert_array_equal(result, results[0])
    return results[0]


def enter(circle: Circle, owner: int, values: np.ndarray, fraction: int = fixed.FRACTION) -> Shared:
    return from_owner(circle, owner, values if circle.rank == owner else None, values.shape, fraction)


def draw(*shape: int, scale: float = 10.0, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape) * scale


@settings(deadline=None)  # the kernel is compiled at its first call
@given(npst.arrays(np.float64, st.integers(1, 20), elements=st.floats(-(2.0**37), 2.0**37)))
def test_encoding_and_decoding_keep_a_number_to_half_a_step(values: np.ndarray) -> None:
    assert np.abs(fixed.decode(fixed.encode(values)) - values).max() <= 2.0**-25


@pytest.mark.parametrize("value", [2.0**38, -(2.0**38), np.nan, np.inf, -np.inf])
def test_a_number_out_of_range_is_refused_before_anything_is_sent(value: float) -> None:
    with pytest.raises(RangeError):
        fixed.encode(np.array([0.0, value]))


@pytest.mark.parametrize("parties", PARTIES)
def test_sums_products_and_public_numbers_read_as_in_numpy(parties: int) -> None:
    x, y, z = draw(6), draw(6, seed=1), draw(6, seed=2)

    def program(circle: Circle) -> np.ndarray:
        a, b = enter(circle, 0, x), enter(circle, circle.size - 1, y)
        return reveal((a + b) * a - 2.5 * b + z - (1.0 - a), "result")

    np.testing.assert_allclose(together(program, parties), (x + y) * x - 2.5 * y + z - (1.0 - x), atol=1e-5)


@pytest.mark.parametrize("parties", PARTIES)
def test_matrix_products_of_every_kind(parties: int) -> None:
    m, n, w = draw(7, 4), draw(4, 3, seed=1), draw(7, seed=2)

    def program(circle: Circle) -> np.ndarray:
        last = circle.size - 1
        left, right, weights = enter(circle, 0, m), enter(circle, last, n), enter(circle, 0, w)
        matrix = private_matrix(circle, last, m if circle.rank == last else None, m.shape, 16)
        parts = [
            left @ right,
            arithmetic.rescale(matrix @ right, fixed.FRACTION),
            arithmetic.rescale(matrix.transposed_times(left), fixed.FRACTION),
            arithmetic.rescale(matrix.scale_rows(weights), fixed.FRACTION),
            *(arithmetic.rescale(part, 20) for part in matrix.scaled_gram(arithmetic.rescale(weights, 12))),
            *(
                arithmetic.rescale(part, 20)
                for part in matrix.first_rows(5).scaled_gram(arithmetic.rescale(weights[:5], 12))
            ),
        ]
        return np.concatenate([reveal(part, "part").reshape(-1) for part in parts])

    weighted = m * w[:, None]
    grams = (weighted, m.T @ weighted, weighted[:5], m[:5].T @ weighted[:5])
    expected = np.concatenate([part.reshape(-1) for part in (m @ n, m @ n, m.T @ m, weighted, *grams)])
    np.testing.assert_allclose(together(program, parties), expected, rtol=1e-4, atol=0.1)


@pytest.mark.parametrize("parties", PARTIES)
def test_a_public_matrix_multiplies_from_either_side(parties: int) -> None:
    m, n = draw(7, 4), draw(4, 3, seed=1)

    def program(circle: Circle) -> np.ndarray:
        left, right = enter(circle, 0, m), enter(circle, circle.size - 1, n)
        for wrong in (lambda: left @ m, lambda: n @ left, lambda: left @ n[0]):
            with pytest.raises(MisuseError, match="do not multiply"):
                wrong()
        return np.stack([reveal(left @ n, "one"), reveal(m @ right, "other")])

    np.testing.assert_allclose(together(program, parties), np.stack([m @ n, m @ n]), atol=1e-5)


@pytest.mark.parametrize("parties", PARTIES)
def test_the_gram_of_two_private_matrices_needs_no_further_message(parties: int) -> None:
    x, y = draw(30, 4, scale=1.0), draw(30, 3, scale=1.0, seed=1)

    def program(circle: Circle) -> np.ndarray:
        left = private_matrix(circle, 0, x if circle.rank == 0 else None, x.shape, 16)
        right = private_matrix(circle, 1, y if circle.rank == 1 else None, y.shape, 16)
        before = sum(channel.counters.messages_sent for channel in circle.others())
        product = left.gram(right)
        assert sum(channel.counters.messages_sent for channel in circle.others()) == before
        return reveal(product, "gram")

    np.testing.assert_allclose(together(program, parties), x.T @ y, atol=1e-3)


@pytest.mark.parametrize("parties", PARTIES)
def test_the_gram_of_some_rows_of_one_masked_matrix_and_another_is_of_these_rows(parties: int) -> None:
    x, y = draw(50, 4, scale=1.0), draw(30, 3, scale=1.0, seed=1)

    def program(circle: Circle) -> np.ndarray:
        left = private_matrix(circle, 0, x if circle.rank == 0 else None, x.shape, 16)
        right = private_matrix(circle, 1, y if circle.rank == 1 else None, y.shape, 16)
        with pytest.raises(MisuseError, match="both factors must have 50 rows"):
            left.gram(right)
        found = left.rows(10, 35).gram(right.rows(5, 30)), right.first_rows(20).gram(left.first_rows(20))
        return np.stack([reveal(found[0], "one"), reveal(found[1], "other").T])

    expected = np.stack([x[10:35].T @ y[5:30], x[:20].T @ y[:20]])
    np.testing.assert_allclose(together(program, parties), expected, atol=1e-3)


EDGES = [-(2**62), -(2**62) + 1, -1, 0, 1, 2**62 - 1, 2**40 + 12345, -(2**40) - 999]


WHOLE_RANGE = st.one_of(st.sampled_from(EDGES), st.integers(-(2**62), 2**62 - 1))


@SLOW
@given(st.lists(WHOLE_RANGE, min_size=1, max_size=40), st.integers(1, 61), st.sampled_from([2, 3, 5]))
def test_truncation_is_exact_to_the_last_bit_over_the_whole_range(
    values: list[int], bits: int, parties: int
) -> None:
    words = np.array(values, dtype=np.int64).view(np.uint64)

    def program(circle: Circle) -> np.ndarray:
        split = circle.private.words(words.shape) if circle.rank else None
        mine = words if circle.rank == 0 else np.zeros_like(words)
        # A true sharing: every other party holds random words that rank 0 takes off.
        if circle.rank == 0:
            for channel in circle.others():
                mine = mine - channel.receive("split", np.uint64, words.shape)
        else:
            assert split is not None
            circle.channel(0).send("split", split)
            mine = split
        (result,) = circle.open_words("result", arithmetic.rescale(Shared(circle, mine, bits), 0).words)
        return result.view(np.int64)

    result = together(program, parties)
    floor = np.array([value >> bits for value in values], dtype=np.int64)
    assert set((result - floor).tolist()) <= {0, 1}


@pytest.mark.parametrize("level", range(4))
@pytest.mark.parametrize("kind", ["ROUGH", "FINE"])
def test_the_logistic_function_keeps_its_error_within_reach(level: int, kind: str) -> None:
    series = getattr(functions, kind)[level]
    x = np.linspace(-series.reach, series.reach, 2001)
    result = together(lambda circle: reveal(functions.logistic(enter(circle, 0, x), series, fraction=34), "p"))
    bound = 7.5e-4 if kind == "ROUGH" else 1.5e-4
    assert np.abs(result - 1.0 / (1.0 + np.exp(-x))).max() < bound


def test_the_inverse_of_a_well_conditioned_matrix_and_of_a_nearly_singular_one() -> None:
    base = draw(40, 6, scale=1.0)
    good = np.corrcoef(base.T)
    result = together(lambda circle: reveal(inverse(enter(circle, 0, good), 6.0), "inverse"))
    np.testing.assert_allclose(result, np.linalg.inv(good), atol=1e-4)
    singular = np.ones((3, 3))
    damped = together(lambda circle: reveal(inverse(enter(circle, 0, singular), 3.0, steps=10), "inverse"))
    assert np.abs(singular @ damped @ singular - singular).max() < 1e-3
    assert np.abs(damped).max() < 2.0**10


def test_a_shared_value_cannot_be_read_by_accident() -> None:
    def program(circle: Circle) -> None:
        value = enter(circle, 0, np.array([1.0, 2.0]))
        for misuse in (bool, float, int, list):
            with pytest.raises(MisuseError):
                misuse(value)
        assert "1.0" not in repr(value)

    run_parties(program, 2)


@pytest.mark.parametrize("parties", PARTIES)
def test_revealing_to_one_tells_nobody_else(parties: int) -> None:
    x = draw(5)

    def program(circle: Circle) -> np.ndarray | None:
        return reveal_to(enter(circle, 0, x), circle.parties[1], "x")

    results = run_parties(program, parties)
    assert [result is None for result in results] == [rank != 1 for rank in range(parties)]
    np.testing.assert_allclose(results[1], x, atol=1e-6)


def test_what_a_party_sends_looks_uniform_whatever_its_input() -> None:
    """Bits of all messages of a product, for an all-zero and an all-large input: half of them ones."""
    for value in (0.0, 2.0**20):
        values = np.full(20_000, value)
        seen: list[np.ndarray] = []

        def program(circle: Circle, values: np.ndarray = values, seen: list[np.ndarray] = seen) -> None:
            channel = circle.others()[0]
            honest = channel.send
            if circle.rank == 0:
                channel.send = lambda tag, array: (seen.append(np.array(array)), honest(tag, array))[1]  # type: ignore[method-assign,func-returns-value]
            arithmetic.product(enter(circle, 0, values), enter(circle, 1, values))

        run_parties(program, 2)
        bits = np.unpackbits(np.concatenate(seen).view(np.uint8))
        assert abs(bits.mean() - 0.5) < 6 * 0.5 / np.sqrt(len(bits))
