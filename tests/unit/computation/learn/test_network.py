"""A dense network on shares against the same steps in NumPy, and against scikit-learn's in what it finds."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score
from sklearn.neural_network import MLPClassifier

from unseen.computation.circle import Circle
from unseen.computation.in_process import run_parties
from unseen.computation.learn.network import Features, Settings, fit_network, require_in_range
from unseen.computation.share.array import from_owner, reveal
from unseen.errors import DataError, MisuseError, RangeError

ROWS, COLUMNS = 600, 5


def made() -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(0)
    values = draw.normal(size=(ROWS, COLUMNS)) * [1, 5, 0.1, 30, 1] + [0, 3, 0, -20, 1]
    scaled = (values - values.mean(axis=0)) / values.std(axis=0)
    odds = 2 * np.abs(scaled[:, 0]) - 1.5 * scaled[:, 1] * (scaled[:, 3] > 0) - 1.5
    return values, (draw.random(ROWS) < 1 / (1 + np.exp(-odds))).astype(np.float64)


def ours(values: np.ndarray, label: np.ndarray, settings: Settings, parties: int = 2) -> np.ndarray:
    cuts = np.linspace(0, COLUMNS, parties + 1).astype(int)

    def program(circle: Circle) -> np.ndarray:
        sides = [
            Features(rank, end - start, ROWS, values[:, start:end] if circle.rank == rank else None)
            for rank, (start, end) in enumerate(pairwise(cuts.tolist()))
        ]
        model = fit_network(circle, sides, label if circle.rank == 0 else None, 0, settings)
        return reveal(model.scores(circle, sides), "scores")

    found = run_parties(program, parties)
    for other in found[1:]:
        np.testing.assert_array_equal(other, found[0])
    return found[0]


def plain(values: np.ndarray, label: np.ndarray, settings: Settings) -> np.ndarray:
    """The same draws and steps in floating point."""
    x = (values - values.mean(axis=0)) / values.std(axis=0)
    draw = np.random.default_rng(settings.seed)
    order = draw.permutation(ROWS)
    batches = [order[s : s + settings.batch] for s in range(0, ROWS - settings.batch + 1, settings.batch)]
    sizes = [COLUMNS, *settings.hidden, 1]
    weights = [draw.normal(size=(i, o)) * np.sqrt(2 / i) for i, o in pairwise(sizes)]
    params = [*weights, *(np.zeros(o) for o in sizes[1:])]
    speeds = [np.zeros_like(p) for p in params]
    deep = len(weights)

    def forward(rows: np.ndarray) -> list[np.ndarray]:
        outputs = [rows]
        for number in range(deep):
            z = outputs[-1] @ params[number] + params[deep + number]
            outputs.append(np.maximum(z, 0) if number < deep - 1 else z)
        return outputs

    for _ in range(settings.epochs):
        for number in draw.permutation(len(batches)):
            chosen = batches[number]
            outputs = forward(x[chosen])
            delta = (1 / (1 + np.exp(-outputs[-1][:, 0])) - label[chosen])[:, None]
            gradients = [np.zeros(0)] * (2 * deep)
            for layer in range(deep - 1, -1, -1):
                gradients[layer] = outputs[layer].T @ delta + settings.penalty * params[layer]
                gradients[deep + layer] = delta.sum(axis=0)
                if layer:
                    delta = (delta @ params[layer].T) * (outputs[layer] > 0)
            rate = settings.learning_rate / len(chosen)
            speeds = [settings.momentum * v - rate * g for v, g in zip(speeds, gradients, strict=True)]
            params = [p + v for p, v in zip(params, speeds, strict=True)]
    return forward(x)[-1][:, 0]


@pytest.mark.parametrize(("hidden", "parties"), [((6,), 2), ((5, 4), 3)])
def test_every_step_is_the_one_in_floating_point(hidden: tuple[int, ...], parties: int) -> None:
    values, label = made()
    settings = Settings(hidden=hidden, epochs=2, batch=150, penalty=0.5, seed=4)
    np.testing.assert_allclose(ours(values, label, settings, parties), plain(values, label, settings), atol=1e-2)


def test_it_finds_what_scikit_learns_network_finds() -> None:
    values, label = made()
    scores = ours(values, label, Settings(hidden=(8,), epochs=25, batch=60, learning_rate=0.1))
    scaled = (values - values.mean(axis=0)) / values.std(axis=0)
    theirs = MLPClassifier((8,), solver="sgd", batch_size=60, learning_rate_init=0.1, max_iter=400, random_state=0)
    expected = roc_auc_score(label, theirs.fit(scaled, label).predict_proba(scaled)[:, 1])
    linear = roc_auc_score(label, scaled[:, 0] - scaled[:, 1])
    assert roc_auc_score(label, scores) > expected - 0.05 > linear


def test_bad_settings_and_bad_values_are_refused() -> None:
    with pytest.raises(MisuseError, match="hidden layer"):
        Settings(hidden=())
    values, label = made()
    with pytest.raises(MisuseError, match="more than the 600 rows"):
        ours(values, label, Settings(batch=601))
    values[3, 4] = np.nan
    with pytest.raises(DataError, match="missing or infinite"):
        ours(values, label, Settings(epochs=1))


def test_scores_that_left_the_range_of_the_gradients_are_an_error_at_all() -> None:
    def program(circle: Circle, worst: float) -> None:
        scores = np.array([0.0, -26.5, worst])
        require_in_range(from_owner(circle, 0, scores if circle.rank == 0 else None, (3,)))

    run_parties(lambda circle: program(circle, 26.5), 2)
    for worst in (27.5, -300.0):
        with pytest.raises(RangeError, match="smaller learning rate"):
            run_parties(lambda circle, worst=worst: program(circle, worst), 2)
