"""Trees that no party knows: each holds its own splits and its part of the leaf weights.

A tree of depth d has nodes 0 .. 2^d - 2 by level, node v's children being 2v + 1 and 2v + 2, and 2^d leaves from
left to right. A row's way is kept as shared bits, one a node of the level: nobody sees where a row goes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from unseen.computation.circle import Circle
from unseen.computation.learn.splits import Candidates, Column
from unseen.computation.share.array import Shared
from unseen.computation.share.boolean import Bits, both, packed
from unseen.computation.share.choice import chosen_sums
from unseen.computation.types import Array, Words


@dataclass(frozen=True)
class Split:
    """One of this party's own splits: rows of `node` whose bin in `column` is at most `threshold` go left."""

    node: int
    column: int
    threshold: int
    missing_left: bool


@dataclass(frozen=True, eq=False)
class Tree:
    """This party's part of a tree: its own splits, and its share of the leaf weights (2^depth,)."""

    depth: int
    splits: tuple[Split, ...]
    leaves: Words


def own_splits(found: Candidates, chosen: Array, columns: Sequence[Column], level: int) -> list[Split]:
    """This party's splits of a level: (nodes,) places among the candidates, -1 where the split is not its own."""
    first = 2**level - 1
    return [
        Split(first + node, columns[found.column[k]].place, int(found.threshold[k]), bool(found.missing_left[k]))
        for node, k in enumerate(chosen.tolist())
        if k >= 0
    ]


def missing_bins(columns: Sequence[Column], rank: int) -> list[int]:
    """The bin of missing values of each of a party's columns, -1 where there is none."""
    return [column.width - 1 if column.missing else -1 for column in columns if column.owner == rank]


def goes_left(splits: Sequence[Split], places: Array, missing: Sequence[int], nodes: range) -> Array:
    """(nodes, rows) truth values: whether this party's split of the node sends the row left; if none, no row.

    `places` (rows, columns) holds bin numbers, `missing` each column's bin of missing values or -1.
    """
    truth = np.zeros((len(nodes), places.shape[0]), dtype=bool)
    for split in splits:
        if split.node in nodes:
            bins = places[:, split.column]
            lost = bins == missing[split.column]
            truth[split.node - nodes.start] = np.where(lost, split.missing_left, bins <= split.threshold)
    return truth


def step_down(members: Bits, left: Bits) -> Bits:
    """From the nodes of a level (nodes, rows) to those of the next (2·nodes, rows): one round."""
    goes = both(members, left)
    stays = members ^ goes
    nodes, rows = members.shape
    if rows % 64 == 0:
        words = np.stack([goes.words.reshape(nodes, -1), stays.words.reshape(nodes, -1)], axis=1)
        return Bits(members.circle, words.reshape(-1), (2 * nodes, rows))
    children = np.stack([goes.unpacked(), stays.unpacked()], axis=1)
    return packed(members.circle, children.reshape(2 * nodes, rows))


def all_rows(circle: Circle, nodes: int, rows: int) -> Bits:
    """Every row lies in each of so many roots."""
    here = np.ones if circle.rank == 0 else np.zeros
    return packed(circle, here((nodes, rows), dtype=bool))


def leaf_scores(members: Bits, leaves: Shared, lane: int) -> Words:
    """(leaves, rows) bits and (leaves,) weights to each row's sum of them, right modulo 2^lane: (rows,) words."""
    return chosen_sums(members, leaves, lane).words
