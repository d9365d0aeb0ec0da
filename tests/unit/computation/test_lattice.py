"""Masks by ring learning with errors: exact products, errors as declared, sums that a table of bins undoes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unseen.computation.lattice import DEGREE, ERROR, fresh_secrets, mask_rows, masks, public_elements
from unseen.computation.prg import Expander, fresh_seed


def negacyclic(element: np.ndarray) -> np.ndarray:
    """The matrix of multiplication by an element modulo X^degree + 1, coefficient by coefficient."""
    lag = np.subtract.outer(np.arange(DEGREE), np.arange(DEGREE))
    cells = element[lag % DEGREE]
    return np.where(lag < 0, np.uint64(0) - cells, cells)


def test_a_mask_is_the_product_in_the_ring_and_a_small_error() -> None:
    private = Expander.fresh()
    elements = public_elements(fresh_seed(), 2 * DEGREE + 100)
    secret = fresh_secrets(1, private)
    (mask,) = masks(elements, secret, private)
    exact = np.concatenate([negacyclic(block) @ secret[0].astype(np.uint64) for block in elements.words])
    error = (mask - exact[: elements.rows]).view(np.int64)
    assert np.abs(error).max() <= 32766
    assert error.std() == pytest.approx(ERROR, rel=0.1)
    assert abs(error.mean()) < 6 * ERROR / np.sqrt(elements.rows)


def test_secrets_are_ternary_and_even() -> None:
    secrets = fresh_secrets(64, Expander.fresh())
    values, counts = np.unique(secrets, return_counts=True)
    assert values.tolist() == [-1, 0, 1]
    expected = secrets.size / 3
    assert ((counts - expected) ** 2 / expected).sum() < 28  # chi squared, two degrees of freedom: 1e-6


def test_masks_look_uniform_however_often_the_elements_are_used() -> None:
    elements = public_elements(fresh_seed(), 4 * DEGREE)
    found = masks(elements, fresh_secrets(8, Expander.fresh()), Expander.fresh())
    counts = np.bincount((found.reshape(-1) >> np.uint64(56)).astype(np.int64), minlength=256)
    expected = found.size / 256
    assert ((counts - expected) ** 2 / expected).sum() < 400  # 255 degrees of freedom: 1e-8


@settings(max_examples=8, deadline=None)
@given(st.integers(1, 5000), st.lists(st.integers(1, 40), min_size=1, max_size=3), st.integers(0, 2**32))
def test_what_masks_add_up_to_in_a_bin_is_linear_in_the_secret(rows: int, widths: list[int], seed: int) -> None:
    places = np.stack([np.random.default_rng([seed, w]).integers(0, w, rows) for w in widths], axis=1)
    starts = np.cumsum([0, *widths[:-1]])
    private = Expander.fresh()
    elements = public_elements(fresh_seed(), rows)
    secret = fresh_secrets(1, private)
    (mask,) = masks(elements, secret, private)
    table = mask_rows(elements, places.astype(np.uint8), starts, sum(widths))
    known = table @ secret[0].astype(np.uint64)
    for column, (start, width) in enumerate(zip(starts, widths, strict=True)):
        for b in range(width):
            chosen = places[:, column] == b
            gap = np.subtract(mask[chosen].sum(keepdims=True, dtype=np.uint64), known[start + b]).view(np.int64)
            assert abs(int(gap[0])) <= 8 * ERROR * np.sqrt(max(chosen.sum(), 1))
