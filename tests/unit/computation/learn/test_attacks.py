"""Attacks that succeed where they must, and fail where nothing is to be had."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from sklearn.metrics import log_loss as plain_log_loss

from unseen.computation.learn.attacks import guessed, log_loss, membership
from unseen.errors import DataError


def test_losses_are_those_of_scikit_learn() -> None:
    draw = np.random.default_rng(1)
    odds, bad = draw.normal(size=50) * 3, draw.integers(0, 2, 50).astype(float)
    assert log_loss(odds, bad).mean() == pytest.approx(plain_log_loss(bad, 1 / (1 + np.exp(odds))))


def test_membership_is_certain_for_a_model_that_remembers_and_a_toss_for_one_that_does_not() -> None:
    draw = np.random.default_rng(2)
    remembered = membership(draw.random(500) * 0.1, 1 + draw.random(500))
    assert (remembered.auc, remembered.advantage) == (1.0, 1.0)
    fair = membership(draw.random(20_000), draw.random(20_000))
    assert abs(fair.auc - 0.5) < 0.02
    assert fair.advantage < 0.03
    with pytest.raises(DataError):
        membership(np.empty(0), np.ones(3))


def test_one_column_alone_is_read_off_its_points() -> None:
    places = np.array([[0], [1], [2], [1]])
    points = [np.array([5, -3, 12])]
    assert guessed(points, places, points[0][places[:, 0]])[0].attack == 1.0


def test_columns_of_equal_points_say_nothing_beyond_how_frequent_bins_are() -> None:
    draw = np.random.default_rng(3)
    places = draw.integers(0, 3, size=(400, 2))
    points = [np.array([4, 4, 4])] * 2
    for guess in guessed(points, places, np.full(400, 8)):
        assert guess.attack == pytest.approx(guess.blind)


def test_the_attack_is_the_best_guess_by_counting_all_combinations() -> None:
    """Oracle: the posterior by brute force over all combinations of bins."""
    draw = np.random.default_rng(4)
    points = [draw.integers(-9, 20, size=width) for width in (3, 4, 2)]
    places = np.column_stack(
        [draw.choice(len(own), size=300, p=draw.dirichlet(np.ones(len(own)))) for own in points]
    )
    seen = sum(own[places[:, j]] for j, own in enumerate(points))
    priors = [np.bincount(places[:, j], minlength=len(own)) / 300 for j, own in enumerate(points)]
    right = np.zeros(3)
    for row, total in zip(places, seen, strict=True):
        weights = [np.zeros(len(own)) for own in points]
        for bins in itertools.product(*(range(len(own)) for own in points)):
            if sum(own[b] for own, b in zip(points, bins, strict=True)) == total:
                chance = np.prod([prior[b] for prior, b in zip(priors, bins, strict=True)])
                for weight, b in zip(weights, bins, strict=True):
                    weight[b] += chance
        right += [np.argmax(weight) == place for weight, place in zip(weights, row, strict=True)]
    found = guessed(points, places, seen)
    np.testing.assert_allclose([guess.attack for guess in found], right / 300, atol=1e-9)
