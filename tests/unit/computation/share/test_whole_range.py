"""Products, sums, comparisons and selections over the whole admissible range, against NumPy and exact integers."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ranges import FRACTION, LIMIT, drawn, exact, rounded, split

from unseen.computation.circle import Circle
from unseen.computation.in_process import run_parties
from unseen.computation.share import arithmetic, functions, moments
from unseen.computation.share.array import Shared, concatenate, from_owner, reveal
from unseen.computation.share.boolean import reveal_bits, where
from unseen.computation.share.masked_matrix import masked_matrix
from unseen.computation.share.private import private_matrix

FEW = settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
PARTIES = st.sampled_from([2, 3, 5])
SEEDS = st.integers(0, 2**32)


def entered(circle: Circle, owner: int, values: np.ndarray, fraction: int = FRACTION) -> Shared:
    return from_owner(circle, owner, values if circle.rank == owner else None, values.shape, fraction)


def shown(program: Any, parties: int) -> list[np.ndarray]:
    """What the parties are told; all are told the same."""
    first, *rest = run_parties(program, parties)
    for other in rest:
        for mine, theirs in zip(first, other, strict=True):
            np.testing.assert_array_equal(mine, theirs)
    return first


@FEW
@given(seed=SEEDS, parties=PARTIES, size=st.integers(1, 80))
def test_products_and_squares_of_any_two_numbers_that_fit(seed: int, parties: int, size: int) -> None:
    """|x·y| < 2^(62 - both fractions): one factor large, the other as small as that asks."""
    large = float(np.random.default_rng(seed).uniform(0, LIMIT - FRACTION))
    x, y = drawn(seed, large, size), drawn(seed + 1, LIMIT - FRACTION - large, size)
    z = drawn(seed + 2, (LIMIT - FRACTION) / 2, size)

    def program(circle: Circle) -> list[np.ndarray]:
        left, right = entered(circle, 0, x), entered(circle, circle.size - 1, y)
        whole = entered(circle, 0, z)
        return [reveal(left * right, "product"), reveal(arithmetic.square(whole), "square")]

    product, square = shown(program, parties)
    np.testing.assert_allclose(product, x * y, rtol=2.0**-52, atol=2.0**-FRACTION)
    np.testing.assert_allclose(square, z * z, rtol=2.0**-52, atol=2.0**-FRACTION)


@FEW
@given(seed=SEEDS, parties=PARTIES, rows=st.integers(1, 9), inner=st.integers(1, 9), columns=st.integers(1, 9))
def test_matrix_products_of_shared_known_and_public_factors(
    seed: int, parties: int, rows: int, inner: int, columns: int
) -> None:
    """Shared by shared, public from either side, known to a party by shared, and by what another party knows."""
    bits = (LIMIT - FRACTION - np.log2(max(rows, inner, columns))) / 2 - 2  # a public factor has 24 digits
    m, n, k = drawn(seed, bits, rows, inner), drawn(seed + 1, bits, inner, columns), drawn(seed + 2, bits, rows, 2)

    def program(circle: Circle) -> list[np.ndarray]:
        last = circle.size - 1
        left, right, tall = entered(circle, 0, m), entered(circle, last, n), entered(circle, 0, k)
        mine = private_matrix(circle, last, m if circle.rank == last else None, m.shape, FRACTION)
        others = private_matrix(circle, 0, k if circle.rank == 0 else None, k.shape, FRACTION)
        parts = [
            left @ right,
            left @ n,
            m @ right,
            arithmetic.rescale(mine @ right, FRACTION),
            arithmetic.rescale(mine.transposed_times(tall), FRACTION),
            arithmetic.rescale(mine.gram(others), mine.gram(others).fraction - FRACTION),
        ]
        return [reveal(part, "part") for part in parts]

    truths = [m @ n, m @ n, m @ n, m @ n, m.T @ k, m.T @ k]
    for found, truth in zip(shown(program, parties), truths, strict=True):
        np.testing.assert_allclose(found, truth, rtol=2.0**-40, atol=inner * 2.0 ** (1 + bits - 24))


@FEW
@given(seed=SEEDS, parties=PARTIES, size=st.integers(1, 100))
def test_order_and_equality_of_any_two_numbers_are_exact(seed: int, parties: int, size: int) -> None:
    x, y = drawn(seed, LIMIT, size), drawn(seed + 1, LIMIT, size)
    y = np.where(np.random.default_rng(seed).random(size) < 0.3, x, y)

    def program(circle: Circle) -> list[np.ndarray]:
        left, right = entered(circle, 0, x), entered(circle, circle.size - 1, y)
        bits = [left < right, left <= right, left > 0.0, left < y, left >= y]
        chosen = where(bits[0], left, right)
        return [*(reveal_bits(bit, "bits") for bit in bits), reveal(chosen, "chosen")]

    *found, chosen = shown(program, parties)
    for bits, truth in zip(found, [x < y, x <= y, x > 0, x < y, x >= y], strict=True):
        np.testing.assert_array_equal(bits, truth)
    np.testing.assert_array_equal(chosen, np.minimum(x, y))


@FEW
@given(
    seed=SEEDS, parties=PARTIES, rows=st.integers(1, 12), columns=st.integers(1, 9), axis=st.sampled_from([0, 1])
)
def test_sums_and_parts_of_tables_are_those_of_numpy(
    seed: int, parties: int, rows: int, columns: int, axis: int
) -> None:
    random = np.random.default_rng(seed)
    x = drawn(seed, LIMIT - np.log2(4 * rows * columns), rows, columns)
    picked, start = random.integers(0, rows, 5), int(random.integers(0, rows))

    def work(table: Any, joined: Any, total: Any) -> list[Any]:
        both = joined([table, table[:, :1]], axis=1)
        return [
            table.sum(axis=axis),
            total(table),
            table.cumsum(axis=axis),
            both,
            both.T[..., start],
            table[picked],
            table[start:, ::-1],
            table.reshape(-1)[:3],
            table + table - table[start],
        ]

    def program(circle: Circle) -> list[np.ndarray]:
        return [reveal(part, "part") for part in work(entered(circle, 0, x), concatenate, lambda t: t.sum())]

    truths = work(exact(x), np.concatenate, np.sum)
    for place, (found, truth) in enumerate(zip(shown(program, parties), truths, strict=True)):
        np.testing.assert_allclose(found, rounded(truth), rtol=2.0**-52, err_msg=str(place))


@FEW
@given(seed=SEEDS, parties=PARTIES, rows=st.integers(2, 30), axis=st.sampled_from([None, 0, 1]))
def test_moments_over_their_range_are_those_of_numpy(seed: int, parties: int, rows: int, axis: int | None) -> None:
    x = drawn(seed, LIMIT - np.log2(3 * rows), rows, 3)
    y, z = drawn(seed + 1, 6.0, rows, 3), drawn(seed + 2, 8.0, rows * 3)  # the sum of squares is below 2^22

    def program(circle: Circle) -> list[np.ndarray]:
        table, modest, line = entered(circle, 0, x), entered(circle, 1, y), entered(circle, 0, z)
        dot = moments.dot(line, modest.reshape(-1))
        parts = [moments.mean(table, axis), moments.variance(modest, axis), dot]
        return [reveal(part, "part") for part in parts]

    mean, variance, dot = shown(program, parties)
    number = x.size if axis is None else x.shape[axis]
    np.testing.assert_allclose(mean, rounded(exact(x).sum(axis)) / number, rtol=2.0**-23, atol=3 * 2.0**-FRACTION)
    np.testing.assert_allclose(variance, y.var(axis), rtol=2.0**-20, atol=5 * 2.0**-FRACTION)
    np.testing.assert_allclose(dot, z @ y.reshape(-1), rtol=2.0**-50, atol=2.0**-FRACTION)


@FEW
@given(seed=SEEDS, parties=PARTIES, rows=st.integers(1, 9), columns=st.integers(1, 5))
def test_rows_of_a_known_matrix_are_scaled_and_a_masked_one_multiplies(
    seed: int, parties: int, rows: int, columns: int
) -> None:
    """All fractions of a product together leave 2^(62 - 3·16) for XᵀWX, 2^(62 - 2·16) for the others."""
    fraction = 16
    gram_bits = (62 - 3 * fraction - np.log2(rows)) / 3
    x, w = (
        drawn(seed, gram_bits, rows, columns, fraction=fraction),
        drawn(seed + 1, gram_bits, rows, fraction=fraction),
    )
    large = (62 - 2 * fraction - np.log2(max(rows, columns))) / 2
    m, v = (
        drawn(seed + 2, large, rows, columns, fraction=fraction),
        drawn(seed + 3, large, rows, fraction=fraction),
    )

    def program(circle: Circle) -> list[np.ndarray]:
        last = circle.size - 1
        known, scaled = (
            private_matrix(circle, last, part if circle.rank == last else None, part.shape, fraction)
            for part in (x, m)
        )
        weights, others = entered(circle, 0, w, fraction), entered(circle, 0, v, fraction)
        masked = masked_matrix(entered(circle, 0, m.T.copy(), fraction))
        parts = [
            *known.scaled_gram(weights),
            scaled.scale_rows(others),
            masked @ others.reshape(-1, 1),
            masked_matrix(entered(circle, 0, m, fraction)).gram(masked_matrix(others.reshape(-1, 1))),
        ]
        return [reveal(part, "part") for part in parts]

    product = (m.T @ v)[:, None]
    truths = [x * w[:, None], x.T @ (x * w[:, None]), m * v[:, None], product, product]
    for found, truth in zip(shown(program, parties), truths, strict=True):
        np.testing.assert_allclose(found, truth, rtol=2.0**-48, atol=rows * 2.0 ** (62 - 2 * fraction - 52))


@FEW
@given(
    seed=SEEDS,
    parties=PARTIES,
    size=st.integers(1, 50),
    factor=st.floats(-60, 30).map(lambda power: 2.0**power),
    fraction=st.integers(0, 30),
)
def test_scaling_by_a_public_factor_of_any_magnitude(
    seed: int, parties: int, size: int, factor: float, fraction: int
) -> None:
    bits = min(float(LIMIT), 37 - fraction - np.log2(factor) - 0.01)
    x = drawn(seed, bits, size) if bits > -FRACTION else np.zeros(size)

    def program(circle: Circle) -> list[np.ndarray]:
        return [reveal(arithmetic.scaled(entered(circle, 0, x), factor, fraction), "scaled")]

    (found,) = shown(program, parties)
    np.testing.assert_allclose(found, x * factor, rtol=2.0**-24, atol=3 * 2.0**-fraction)


LEVELS = [(series, 7e-4) for series in functions.ROUGH] + [(series, 1.2e-4) for series in functions.FINE]


@FEW
@given(
    level=st.sampled_from(LEVELS),
    places=st.lists(st.floats(-1, 1), min_size=1, max_size=70),
    parties=PARTIES,
    factor=st.floats(0.01, 4.0),
    fraction=st.sampled_from([28, 34]),
)
def test_the_logistic_function_over_its_reach_is_right_to_its_bound(
    level: tuple[functions.Series, float], places: list[float], parties: int, factor: float, fraction: int
) -> None:
    """In the small ring roundings are about 5e-5 a value, and none is six times as large."""
    series, error = level
    x = np.trunc(np.array([-1.0, 1.0, 0.0, *places]) * series.reach * 2.0**FRACTION) / 2.0**FRACTION

    def program(circle: Circle) -> list[np.ndarray]:
        return [reveal(functions.logistic(entered(circle, 0, x), series, factor, fraction), "logistic")]

    (found,) = shown(program, parties)
    bound = factor * error + max(1.0, factor) * (6 * 5e-5 if fraction == 28 else 6 * 5e-5 / 2**3)
    assert np.abs(found - factor / (1 + np.exp(-x))).max() < bound


SMALL_EDGES = [-(2**30), -(2**30) + 1, -1, 0, 1, 2**30 - 1]


@FEW
@given(
    values=st.lists(
        st.one_of(st.sampled_from(SMALL_EDGES), st.integers(-(2**30), 2**30 - 1)), min_size=1, max_size=70
    ),
    parties=PARTIES,
    dropped=st.integers(0, 30),
    lane=st.sampled_from([32, 64]),
)
def test_words_of_the_small_ring_are_lifted_exactly(
    values: list[int], parties: int, dropped: int, lane: int
) -> None:
    words = np.array(values, dtype=np.int32).view(np.uint32)
    dropped = max(dropped, lane == 32)  # of whole words there is nothing to do in the small ring

    def program(circle: Circle) -> np.ndarray:
        (found,) = functions.lift_together(circle, [(split(circle, words), dropped)], lane=lane)
        (opened,) = circle.open_words("opened", found)
        return opened.view(f"i{lane // 8}")

    down = [value >> dropped for value in values]
    for opened in run_parties(program, parties):
        assert all(int(found) - below in {0, bool(dropped)} for found, below in zip(opened, down, strict=True))
