"""Bins, weights of evidence and quality measures against hand-made tables and scikit-learn."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from unseen.computation.learn.binning import (
    edge_bins,
    level_bins,
    merged_labels,
    number_bins,
    pooled,
    width_bins,
)
from unseen.computation.learn.evaluate import bands, curves, gain, quality, stability
from unseen.computation.learn.evidence import evidence, weigh
from unseen.errors import DataError


@settings(deadline=None)
@given(st.lists(st.one_of(st.just(np.nan), st.floats(-1e6, 1e6)), min_size=20, max_size=200), st.integers(2, 10))
def test_every_value_has_a_bin_missing_ones_the_last_and_equal_ones_the_same(
    values: list[float], count: int
) -> None:
    column = np.array(values)
    bins = number_bins(column, count, smallest=3)
    index = bins.index(column)
    assert len(bins.labels) <= count + 1
    assert ((index >= 0) & (index < len(bins.labels))).all()
    assert (np.isnan(column) == (index == len(bins.labels) - 1)).all()
    present = ~np.isnan(column)
    order = np.argsort(column[present], kind="stable")
    assert (np.diff(index[present][order]) >= 0).all()
    for value in np.unique(column[present]):
        assert len(np.unique(index[column == value])) == 1


def test_bins_are_quantiles_and_none_is_too_small() -> None:
    column = np.arange(1000.0)
    bins = number_bins(column, 5, smallest=50)
    np.testing.assert_array_equal(np.bincount(bins.index(column), minlength=6), [200, 200, 200, 200, 200, 0])
    skewed = np.r_[np.zeros(900), np.arange(1.0, 101.0)]
    counts = np.bincount(number_bins(skewed, 10, smallest=50).index(skewed))
    assert counts.min() >= 50


def test_bins_of_equal_width_and_given_edges_hold_enough_rows() -> None:
    column = np.r_[np.linspace(0.0, 100.0, 401), np.nan]
    bins = width_bins(column, 5, smallest=10)
    np.testing.assert_allclose(bins.edges, pd.cut(column[:-1], 5, retbins=True)[1][1:-1], atol=2.0)
    skewed = np.r_[np.linspace(0.0, 10.0, 300), np.linspace(90.0, 100.0, 30), 55.0]
    counts = np.bincount(width_bins(skewed, 10, smallest=20).index(skewed))
    assert counts[:-1].min() >= 20 or counts.min() >= 20
    given = edge_bins(column, (1.0, 10.0, 99.5), smallest=10)
    assert given.edges == (10.0,)
    assert given.labels == ["< 10", "≥ 10", "missing"]
    assert width_bins(np.full(50, 3.0), 5, smallest=10).edges == ()


def test_infinite_values_are_refused() -> None:
    with pytest.raises(DataError, match="infinite"):
        number_bins(np.array([1.0, np.inf]), 2, 1)
    with pytest.raises(DataError, match="infinite"):
        number_bins(np.array([1.0, 2.0]), 2, 1).index(np.array([-np.inf]))


def test_rare_new_and_missing_levels_have_their_places() -> None:
    values = np.array(["a"] * 5 + ["b"] * 5 + ["rare"] + [None], dtype=object)
    bins = level_bins(values, smallest=3)
    assert bins.labels == ["a", "b", "other", "missing"]
    assert bins.index(np.array(["b", "rare", "new", None], dtype=object)).tolist() == [1, 2, 2, 3]


def test_weights_of_evidence_follow_the_formula() -> None:
    counts = np.array([[100, 10], [100, 40]])
    weights, information = evidence(counts)
    good, bad = np.array([90.5, 60.5]) / 150.5, np.array([10.5, 40.5]) / 50.5
    np.testing.assert_allclose(weights, np.log(good / bad))
    assert information == pytest.approx(((good - bad) * np.log(good / bad)).sum())
    assert np.isfinite(evidence(np.array([[10, 0], [10, 10]]))[0]).all()


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), min_size=2, max_size=12), st.booleans())
def test_merged_bins_hold_enough_or_are_one(cells: list[tuple[int, int]], ordered: bool) -> None:
    counts = np.array([[good + bad, bad] for good, bad in cells])
    weighed = weigh(counts, ordered, smallest_rows=20, smallest_cell=5)
    np.testing.assert_array_equal(weighed.counts.sum(axis=0), counts.sum(axis=0))
    if len(weighed.weights) > 1:
        assert weighed.counts[:, 0].min() >= 20
        assert weighed.counts[:, 1].min() >= 5
        assert (weighed.counts[:, 0] - weighed.counts[:, 1]).min() >= 5
    assert set(weighed.merged) == set(range(len(weighed.weights)))
    if ordered:
        assert (np.diff(weighed.merged[:-1]) >= 0).all()


def test_labels_of_merged_bins_read_as_one_span() -> None:
    bins = number_bins(np.arange(100.0), 4, 1)
    assert bins.labels == ["< 25", "25 – <50", "50 – <75", "≥ 75", "missing"]
    filled = [True] * 4 + [False]
    assert merged_labels(bins, [0, 1, 1, 2, 2], filled) == ["< 25", "25 – <75", "≥ 75"]
    assert merged_labels(bins, [0, 0, 1, 1, 1], [True] * 5) == ["< 50", "≥ 50, missing"]


@settings(deadline=None)
@given(st.integers(0, 10_000))
def test_quality_equals_scikit_learn_ties_included(seed: int) -> None:
    draw = np.random.default_rng(seed)
    bad = (draw.random(200) < 0.3).astype(float)
    bad[:2] = (0.0, 1.0)
    scores = np.round(draw.normal(size=200) - bad, 1)
    found = quality(scores, bad)
    assert found.auc == pytest.approx(roc_auc_score(bad, -scores))
    assert found.gini == pytest.approx(2 * found.auc - 1)
    shape = curves(scores, bad)
    assert (shape.bad[-1], shape.good[-1]) == (1.0, 1.0)
    assert found.ks == pytest.approx(np.abs(shape.bad - shape.good).max())


def test_stability_is_zero_for_the_same_scores_and_grows_with_a_shift() -> None:
    scores = np.random.default_rng(1).normal(size=5000)
    assert stability(scores, scores) == pytest.approx(0.0, abs=1e-12)
    assert stability(scores, scores + 1.0) > 0.25 > stability(scores, scores + 0.1)


def test_evaluation_needs_both_classes() -> None:
    with pytest.raises(DataError):
        quality(np.arange(3.0), np.zeros(3))


def test_a_bin_too_small_to_be_counted_joins_the_fullest() -> None:
    assert pooled(np.array([30, 3, 50, 0]), 20).tolist() == [0, 2, 2, 2]


def test_monotone_bins_rise_or_fall_only_and_the_missing_ones_stand_apart() -> None:
    counts = np.array([[100, 10], [100, 30], [100, 20], [100, 60], [100, 5]])
    weighed = weigh(counts, True, 20, 5, monotone=True)
    rates = weighed.counts[:-1, 1] / weighed.counts[:-1, 0]
    assert (np.diff(rates) > 0).all()
    assert weighed.merged == (0, 1, 1, 2, 3)


def test_the_gain_of_a_score_over_itself_is_nothing_and_of_a_better_one_is_seen() -> None:
    draw = np.random.default_rng(5)
    bad = (draw.random(2000) < 0.3).astype(float)
    worse, better = draw.normal(size=2000) - 0.3 * bad, draw.normal(size=2000) - 1.5 * bad
    same = gain(worse, worse, bad)
    assert (same.gain, same.p_value) == (0.0, 1.0)
    found = gain(worse, better, bad)
    assert found.gain == pytest.approx(quality(better, bad).auc - quality(worse, bad).auc)
    assert found.p_value < 1e-6


def test_bands_cover_all_rows_once_and_never_part_equal_scores() -> None:
    scores = np.repeat(np.arange(7.0), 30)
    bad = (np.arange(210) % 3 == 0).astype(float)
    found = bands(scores, bad, np.full(210, 1 / 3), 5)
    assert sum(band.rows for band in found) == 210
    assert sum(band.bad for band in found) == bad.sum()
    assert all(one.highest < other.lowest for one, other in pairwise(found))
