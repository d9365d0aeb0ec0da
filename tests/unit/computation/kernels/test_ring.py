"""Matrix products over Z_2^64 against NumPy's wrapping arithmetic."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from unseen.computation.kernels import ring


def words(rows: int, columns: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 2**64, (rows, columns), dtype=np.uint64)


@given(st.integers(1, 70), st.integers(1, 9), st.integers(1, 9), st.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_products_wrap_as_numpy_does(inner: int, rows: int, columns: int, seed: int) -> None:
    left, right = words(rows, inner, seed), words(inner, columns, seed + 1)
    expected = left @ right
    np.testing.assert_array_equal(ring.product(left, right), expected)
    np.testing.assert_array_equal(ring.transposed_product(np.ascontiguousarray(left.T), right), expected)


@given(st.integers(1, 70), st.integers(1, 9), st.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_symmetric_sums_of_products_take_half_the_work_and_give_all(inner: int, side: int, seed: int) -> None:
    x, c, weights = words(inner, side, seed), words(inner, side, seed + 1), words(inner, 1, seed + 2)
    expected = x.T @ (weights * x) + x.T @ c + c.T @ x
    np.testing.assert_array_equal(ring.symmetric_product((x, weights * x), (x, c), (c, x)), expected)
