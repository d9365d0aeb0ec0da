"""Weights of evidence and models on columns whose bins' values nobody sees."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from unseen.computation.circle import Circle
from unseen.computation.in_process import run_parties
from unseen.computation.learn.coded import BinnedBlock
from unseen.computation.learn.columns import Block
from unseen.computation.learn.fit import predict_scores
from unseen.computation.learn.hidden_evidence import HiddenEvidence, hidden_evidence
from unseen.computation.learn.logistic import Settings, fit_logistic
from unseen.computation.share.array import reveal
from unseen.errors import DataError

ROWS, WIDTHS = 1200, (4, 6, 3)
LEAST = 0.01


def drawn(seed: int = 5) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Bins of three columns, two columns of numbers, and outcomes; the last binned column says nothing."""
    draw = np.random.default_rng(seed)
    places = draw.integers(0, WIDTHS, size=(ROWS, len(WIDTHS)))
    numbers = draw.normal(size=(ROWS, 2)) * [3.0, 0.5] + [40.0, 0.0]
    odds = 0.6 * (places[:, 0] - 1.5) - 0.5 * np.abs(places[:, 1] - 2) + 0.2 * (numbers[:, 0] - 40) - 0.5
    return places, numbers, (draw.random(ROWS) < 1 / (1 + np.exp(-odds))).astype(float)


def plain_weights(places: np.ndarray, label: np.ndarray) -> tuple[list[pd.Series], list[float]]:
    """By pandas: smoothed shares of good and bad by bin, the logarithm of their ratio, the information."""
    weights, information = [], []
    for column in places.T:
        table = pd.crosstab(column, label) + 0.5
        share = table / (np.bincount(label.astype(int)) + 0.5)
        weights.append(np.log(share[0.0] / share[1.0]))
        information.append(float(((share[0.0] - share[1.0]) * weights[-1]).sum()))
    return weights, information


def weighed(
    circle: Circle,
    owner: int,
    holder: int,
    places: np.ndarray,
    label: np.ndarray,
    smallest: int = 1,
    least: float = LEAST,
) -> HiddenEvidence:
    return hidden_evidence(
        circle,
        owner,
        places if circle.rank == owner else None,
        WIDTHS,
        label if circle.rank == holder else None,
        holder,
        ROWS,
        least,
        smallest,
    )


@pytest.mark.parametrize(("parties", "owner", "holder"), [(2, 1, 0), (3, 0, 2)])
def test_weights_and_information_are_those_of_the_plain_table_empty_cells_included(
    parties: int, owner: int, holder: int
) -> None:
    places, _, label = drawn()
    label[places[:, 0] == 0] = 0.0  # a bin without a bad one
    expected, information = plain_weights(places, label)

    def program(circle: Circle) -> tuple[np.ndarray, np.ndarray, tuple[bool, ...]]:
        found = weighed(circle, owner, holder, places, label)
        return reveal(found.weights, "test"), reveal(found.information, "test"), found.useful

    for weights, values, useful in run_parties(program, parties):
        np.testing.assert_allclose(weights, np.concatenate(expected), atol=1e-4)
        np.testing.assert_allclose(values, information, atol=1e-4)
        assert useful == tuple(value >= LEAST for value in information) == (True, True, False)


def test_a_bin_of_too_few_rows_is_refused_at_its_owner() -> None:
    places, _, label = drawn()
    places[:, 2] = 0
    places[:3, 2] = 1
    with pytest.raises(DataError, match="fewer than 5 rows"):
        run_parties(lambda circle: weighed(circle, 1, 0, places, label, 5), 2)


@pytest.mark.parametrize(("parties", "owner", "holder"), [(2, 1, 0), (3, 0, 2)])
def test_a_model_of_hidden_weights_is_the_one_of_plain_weights(parties: int, owner: int, holder: int) -> None:
    """Also where one column hardly varies, so that its scale is large."""
    places, numbers, label = drawn()
    expected, _ = plain_weights(places, label)
    design = np.column_stack([*(expected[j].to_numpy()[places[:, j]] for j in range(3)), numbers])
    assert design[:, 2].std() < 0.05

    def program(circle: Circle) -> tuple[np.ndarray, ...]:
        kept = weighed(circle, owner, holder, places, label, least=0.0).only([0, 1, 2])
        hidden = kept.block(owner, ("a", "b", "c"), ROWS, places if circle.rank == owner else None)
        plain = Block(holder, ("d", "e"), ROWS, numbers if circle.rank == holder else None)
        blocks: list[Block | BinnedBlock] = [hidden, plain]
        model = fit_logistic(circle, blocks, label if circle.rank == holder else None, holder, Settings(1.0))
        scores = predict_scores(circle, blocks, model)
        assert model.variances is not None
        unit = 2.0**-model.exponents
        return (
            reveal(model.weights, "test") * unit,
            np.sqrt(reveal(model.variances, "test")[1:]) * unit,
            reveal(model.intercept, "test"),
            reveal(scores, "test"),
        )

    weights, errors, intercept, scores = run_parties(program, parties)[0]
    oracle = LogisticRegression(C=1.0, tol=1e-10, max_iter=5000).fit(design, label)
    np.testing.assert_allclose(weights, oracle.coef_[0], atol=1e-3)
    np.testing.assert_allclose(intercept, oracle.intercept_[0], atol=2e-2)  # forty times a column's coefficient
    np.testing.assert_allclose(scores, oracle.decision_function(design), atol=2e-3)
    full, chance = np.column_stack([np.ones(ROWS), design]), oracle.predict_proba(design)[:, 1]
    information = full.T @ (full * (chance * (1 - chance))[:, None]) + np.diag([0.0, *np.ones(5)])
    np.testing.assert_allclose(errors, np.sqrt(np.diagonal(np.linalg.inv(information)))[1:], rtol=2e-3)
