"""Attacks on shares against the same attacks in the clear, by scikit-learn and NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import roc_auc_score

from unseen.computation.circle import Circle
from unseen.computation.in_process import run_parties
from unseen.computation.learn.attacks import Membership, membership
from unseen.computation.learn.hidden_attacks import hidden_membership, label_attack
from unseen.computation.learn.hidden_measures import hidden_losses
from unseen.computation.learn.likeness import Cut, cuts_of, every_cut, likeness
from unseen.computation.learn.measures import Predicted, deviances
from unseen.computation.learn.trees import Split, Tree
from unseen.computation.share.array import from_owner
from unseen.errors import DataError

ROWS, TRAINED = 300, 200


def row_losses(predicted: Predicted, predictor: np.ndarray, label: np.ndarray) -> np.ndarray:
    if predicted is Predicted.OUTCOME:
        return np.logaddexp(0, predictor) - predictor * label
    return deviances(predicted, predictor, label)


@pytest.mark.parametrize("parties", [2, 3])
@pytest.mark.parametrize("predicted", list(Predicted))
def test_membership_by_losses_that_nobody_sees_is_that_in_the_clear(predicted: Predicted, parties: int) -> None:
    draw = np.random.default_rng(6)
    predictor = draw.normal(size=ROWS)
    noise = np.where(np.arange(ROWS) < TRAINED, 0.3, 1.2)
    label = {
        Predicted.OUTCOME: (draw.random(ROWS) < 1 / (1 + np.exp(-predictor / noise))).astype(float),
        Predicted.NUMBER: predictor + noise * draw.normal(size=ROWS),
        Predicted.COUNT: np.rint(np.exp(predictor + noise * draw.normal(size=ROWS))),
        Predicted.AMOUNT: np.exp(predictor + noise * draw.normal(size=ROWS)),
    }[predicted]

    def program(circle: Circle) -> Membership | None:
        last = circle.size - 1
        shared = from_owner(circle, 0, predictor if circle.rank == 0 else None, (ROWS,), 28)
        losses = hidden_losses(predicted, shared, label if circle.rank == last else None, last)
        return hidden_membership(losses, TRAINED, circle.parties[last])

    *others, found = run_parties(program, parties)
    assert others == [None] * (parties - 1)
    assert found is not None
    losses = row_losses(predicted, predictor, label)
    assert found.auc == pytest.approx(roc_auc_score(np.arange(ROWS) < TRAINED, -losses), abs=2e-3)
    assert found.advantage == pytest.approx(membership(losses[:TRAINED], losses[TRAINED:]).advantage, abs=0.02)


def test_membership_needs_rows_of_both_kinds() -> None:
    def program(circle: Circle) -> Membership | None:
        return hidden_membership(
            from_owner(circle, 0, np.zeros(4) if circle.rank == 0 else None, (4,)), 4, "party0"
        )

    with pytest.raises(DataError, match="trained on and others"):
        run_parties(program, 2)


@pytest.mark.parametrize("parties", [2, 3])
def test_votes_of_known_labels_rank_others_as_in_the_clear(parties: int) -> None:
    draw = np.random.default_rng(7)
    known, tested = 60, 140
    column = draw.integers(0, 4, known + tested)
    label = (draw.random(known + tested) < 0.1 + 0.2 * column).astype(float)
    alike = likeness(every_cut([5]), column[:, None], [4], known)

    def program(circle: Circle) -> float | None:
        own = alike if circle.rank == circle.size - 1 else None
        return label_attack(circle, circle.size - 1, own, label if circle.rank == 0 else None, 0, (known, tested))

    found, *others = run_parties(program, parties)
    assert others == [None] * (parties - 1)
    votes = alike @ (label[:known] - label[:known].mean())
    assert found == pytest.approx(roc_auc_score(label[known:], votes), abs=0.01)
    assert found > 0.6


def test_tested_labels_that_are_all_alike_give_nothing_and_say_nothing() -> None:
    def program(circle: Circle) -> float | None:
        own = np.ones((3, 2)) if circle.rank == 1 else None
        return label_attack(circle, 1, own, np.r_[1.0, 0, 0, 0, 0] if circle.rank == 0 else None, 0, (2, 3))

    assert run_parties(program, 2) == [None, None]


def test_likeness_by_cuts_is_the_inner_product_of_centred_sides() -> None:
    draw = np.random.default_rng(8)
    places = draw.integers(0, 6, (50, 2))
    splits = (Split(0, 1, 2, False), Split(1, 0, 1, True), Split(2, 0, 1, True))
    cuts = cuts_of([Tree(2, splits, np.zeros(4, np.uint64)), Tree(2, splits[:1], np.zeros(4, np.uint64))])
    assert cuts == {Cut(1, 2): 2.0, Cut(0, 1, True): 1.0}
    sides = np.column_stack([places[:, 1] <= 2, (places[:, 0] <= 1) | (places[:, 0] == 5)]).astype(float)
    sides = (sides - sides.mean(axis=0)) * np.sqrt([2.0, 1.0])
    expected = sides[20:] @ sides[:20].T
    np.testing.assert_allclose(likeness(cuts, places, [5, -1], 20), expected / np.abs(expected).max())
    assert not likeness({}, places, [5, -1], 20).any()


def test_an_attacker_with_the_trees_splits_ranks_labels_that_follow_its_columns() -> None:
    """Splits that a forest of scikit-learn chose, among columns that say nothing: knowing them helps."""
    draw = np.random.default_rng(9)
    rows, known, columns = 1500, 100, 12
    places = draw.integers(0, 10, (rows, columns))
    label = (draw.random(rows) < np.where(np.abs(places[:, 0] - 4.5) > 2, 0.7, 0.2)).astype(float)
    forest = RandomForestClassifier(20, max_depth=3, max_features=None, random_state=0).fit(places, label)
    trees = []
    for grown in forest.estimators_:
        tree = grown.tree_
        nodes = {0: 0}
        for node in range(tree.node_count):
            if tree.children_left[node] >= 0:
                nodes[tree.children_left[node]] = 2 * nodes[node] + 1
                nodes[tree.children_right[node]] = 2 * nodes[node] + 2
        splits = [
            Split(nodes[node], int(tree.feature[node]), int(tree.threshold[node]), False)
            for node in range(tree.node_count)
            if tree.children_left[node] >= 0
        ]
        trees.append(Tree(3, tuple(splits), np.zeros(8, np.uint64)))
    areas = []
    for cuts in (cuts_of(trees), every_cut([11] * columns)):
        votes = likeness(cuts, places, [10] * columns, known) @ (label[:known] - label[:known].mean())
        areas.append(roc_auc_score(label[known:], votes))
    assert areas[0] > areas[1] + 0.05
    assert areas[0] > 0.65
