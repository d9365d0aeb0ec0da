"""Tests and intervals of coefficients against scipy.stats."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy import stats

from unseen.computation.learn.inference import coefficient, quantile, two_sided


@given(st.floats(-40, 40), st.floats(1, 5000))
@example(8e-07, 389.0)
def test_students_p_values_equal_scipy(statistic: float, freedom: float) -> None:
    assert two_sided(statistic, freedom) == pytest.approx(2 * stats.t.sf(abs(statistic), freedom), rel=1e-8)


@given(st.floats(-30, 30))
def test_normal_p_values_equal_scipy(statistic: float) -> None:
    assert two_sided(statistic) == pytest.approx(2 * stats.norm.sf(abs(statistic)), rel=1e-9)


@pytest.mark.parametrize("freedom", [1.0, 4.0, 37.0, 4000.0, math.inf])
@pytest.mark.parametrize("tail", [0.4, 0.05, 0.025, 0.0005])
def test_quantiles_equal_scipy(tail: float, freedom: float) -> None:
    theirs = stats.norm.isf(tail) if math.isinf(freedom) else stats.t.isf(tail, freedom)
    assert quantile(tail, freedom) == pytest.approx(theirs, rel=1e-8)


def test_a_coefficients_line_holds_its_test_and_interval() -> None:
    line = coefficient("age", 0.5, 0.2, 30)
    low, high = stats.t.interval(0.95, 30, 0.5, 0.2)
    np.testing.assert_allclose([line.statistic, line.low, line.high], [2.5, low, high], rtol=1e-9)


def test_a_column_out_of_the_model_has_no_test() -> None:
    assert coefficient("age", 0.0, 0.0).p is None
