"""Scores of new rows by shared trees against a walk down the pooled trees, to the last bit."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import unseen.computation.learn.forest as forest_module
from unseen.computation.circle import Circle
from unseen.computation.in_process import run_parties
from unseen.computation.learn.forest import leaves_below, tree_scores
from unseen.computation.learn.trees import Split, Tree

WIDTH, COLUMNS = 9, 7
MISSING = WIDTH - 1


class Model:
    """Trees drawn at random: some nodes split by nobody, missing values sent either way."""

    def __init__(self, draw: np.random.Generator, trees: int, depth: int) -> None:
        self.depth = depth
        self.nodes = [
            {
                node: (int(draw.integers(COLUMNS)), int(draw.integers(WIDTH - 2)), bool(draw.integers(2)))
                for node in range(2**depth - 1)
                if draw.random() < 0.8
            }
            for _ in range(trees)
        ]
        self.leaves = draw.integers(-(1 << 40), 1 << 40, (trees, 2**depth))

    def scores(self, places: np.ndarray) -> np.ndarray:
        """By walking: where nobody split, right."""
        total = np.zeros(len(places), dtype=np.int64)
        for nodes, leaves in zip(self.nodes, self.leaves, strict=True):
            for i, row in enumerate(places):
                node = 0
                while node < 2**self.depth - 1:
                    column, threshold, missing_left = nodes.get(node, (0, -1, False))
                    left = missing_left if row[column] == MISSING else row[column] <= threshold
                    node = 2 * node + (1 if left else 2)
                total[i] += leaves[node - (2**self.depth - 1)]
        return total

    def part(self, rank: int, first: int, end: int, shares: np.ndarray) -> list[Tree]:
        """What the party of these columns holds."""
        return [
            Tree(
                self.depth,
                tuple(Split(v, j - first, t, lost) for v, (j, t, lost) in nodes.items() if first <= j < end),
                leaves[rank],
            )
            for nodes, leaves in zip(self.nodes, shares, strict=True)
        ]


def shared(draw: np.random.Generator, leaves: np.ndarray, parties: int) -> np.ndarray:
    """(trees, parties, leaves) words that add up to the leaves."""
    parts = draw.integers(0, 1 << 64, (len(leaves), parties, leaves.shape[1]), dtype=np.uint64)
    parts[:, 0] += leaves.astype(np.uint64) - parts.sum(axis=1)
    return parts


def scored(model: Model, places: np.ndarray, parties: int, lane: int, owners: int, seed: int) -> np.ndarray:
    """Scores among parties of which the first so many hold columns."""
    cuts = [*np.linspace(0, COLUMNS, owners + 1).astype(int), *[COLUMNS] * (parties - owners)]
    shares = shared(np.random.default_rng(seed), model.leaves, parties)

    def program(circle: Circle) -> np.ndarray:
        first, end = list(pairwise(cuts))[circle.rank]
        own = places[:, first:end] if first < end else None
        trees = model.part(circle.rank, first, end, shares)
        missing = [MISSING] * (end - first)
        words = tree_scores(circle, trees, range(owners), own, missing, len(places), lane)
        (opened,) = circle.open_words("scores", words)
        return opened.astype(f"u{lane // 8}").astype(np.uint64)

    return run_parties(program, parties)[0]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    rows=st.integers(1, 150),
    trees=st.integers(1, 6),
    depth=st.integers(1, 4),
    among=st.sampled_from([(2, 2), (2, 1), (3, 3), (3, 2), (5, 5)]),
    lane=st.sampled_from([32, 64]),
    seed=st.integers(0, 2**32),
)
def test_scores_are_those_of_a_walk(
    rows: int, trees: int, depth: int, among: tuple[int, int], lane: int, seed: int
) -> None:
    draw = np.random.default_rng(seed)
    model, places = Model(draw, trees, depth), draw.integers(0, WIDTH, (rows, COLUMNS))
    found = scored(model, places, among[0], lane, among[1], seed)
    np.testing.assert_array_equal(found, model.scores(places).astype(np.uint64) & np.uint64((1 << lane) - 1))


def test_a_row_scores_the_same_alone_in_a_batch_and_in_any_block(monkeypatch: pytest.MonkeyPatch) -> None:
    draw = np.random.default_rng(2)
    model, places = Model(draw, 5, 3), draw.integers(0, WIDTH, (300, COLUMNS))
    batch = scored(model, places, 2, 32, 2, 1)
    assert scored(model, places[123:124], 2, 32, 2, 2)[0] == batch[123]
    monkeypatch.setattr(forest_module, "AT_ONCE", 64 * 5 * (8 + 32))
    np.testing.assert_array_equal(scored(model, places, 2, 32, 2, 3), batch)


def test_leaves_below_a_node_are_its_part_of_its_level() -> None:
    assert [leaves_below(node, 8) for node in range(7)] == [
        (0, 8),
        (0, 4),
        (4, 8),
        (0, 2),
        (2, 4),
        (4, 6),
        (6, 8),
    ]
