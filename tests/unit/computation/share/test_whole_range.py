"""Products, sums, comparisons and selections over the whole admissible range, against NumPy and exact integers."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unseen.computation.circle import Circle
from unseen.computation.in_process import run_parties
from unseen.computation.share import arithmetic, moments
from unseen.computation.share.array import Shared, concatenate, from_owner, reveal
from unseen.computation.share.boolean import reveal_bits, where
from unseen.computation.share.private import private_matrix

FEW = settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
PARTIES = st.sampled_from([2, 3, 5])
FRACTION = 20
LIMIT = 62 - FRACTION
SEEDS = st.integers(0, 2**32)


def entered(circle: Circle, owner: int, values: np.ndarray, fraction: int = FRACTION) -> Shared:
    return from_owner(circle, owner, values if circle.rank == owner else None, values.shape, fraction)


def drawn(seed: int, bits: float, *shape: int) -> np.ndarray:
    """Numbers of every size below 2^bits in multiples of the last place, and both ends of the range."""
    random = np.random.default_rng(seed)
    ends = np.array([-1.0, 1.0]) * np.nextafter(2.0**bits, 0.0)
    values = random.choice([-1.0, 1.0], shape) * 2.0 ** random.uniform(-FRACTION, bits, shape)
    kept = np.where(random.random(shape) < 0.2, random.choice(ends, shape), values)
    return np.trunc(kept * 2.0**FRACTION) / 2.0**FRACTION


def exact(values: np.ndarray) -> np.ndarray:
    """The numbers as integers of any length, in multiples of the last place."""
    return np.array([int(value * 2.0**FRACTION) for value in values.ravel()], dtype=object).reshape(values.shape)


def rounded(integers: Any) -> np.ndarray:
    return np.asarray(integers).astype(np.float64) / 2.0**FRACTION


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
    np.testing.assert_allclose(variance, y.var(axis), rtol=2.0**-18, atol=2.0**-17)
    np.testing.assert_allclose(dot, z @ y.reshape(-1), rtol=2.0**-50, atol=2.0**-18)
