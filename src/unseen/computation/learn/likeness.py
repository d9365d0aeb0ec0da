"""How alike a party finds persons by its own columns: what label inference votes by (see `hidden_attacks`).

Two persons are alike where they lie on the same side of cuts through the party's columns. A cut counts with the
product of both persons' distances from its mean side, so that rare sides say more, times its weight. Weighed by
the trees' own splits this is their proximity (Breiman, Machine Learning 45, 2001), as far as one party knows it;
weighed alike it is what the columns say without a model. Everything here is computed at one party.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from unseen.computation.learn.trees import Tree
from unseen.computation.types import Array, Real


@dataclass(frozen=True)
class Cut:
    """Whether a row's bin in `column` is at most `threshold`, or missing where those go left."""

    column: int
    threshold: int
    missing_left: bool = False


Cuts: TypeAlias = Mapping[Cut, float]
"""Weights of cuts."""


def cuts_of(trees: Iterable[Tree]) -> Cuts:
    """A party's own splits, each by the share of rows that its level lets expect at a node."""
    found: dict[Cut, float] = defaultdict(float)
    for tree in trees:
        for split in tree.splits:
            level = (split.node + 1).bit_length() - 1
            found[Cut(split.column, split.threshold, split.missing_left)] += 2.0**-level
    return found


def every_cut(widths: Sequence[int]) -> Cuts:
    """All cuts between the bins of columns of such widths, all columns with the same weight."""
    return {
        Cut(column, threshold): 1.0 / (width - 1)
        for column, width in enumerate(widths)
        for threshold in range(width - 1)
    }


def likeness(cuts: Cuts, places: Array, missing: Sequence[int], known: int) -> Real:
    """How alike the rows after the first `known` are to these: (rows - known, known), the largest 1 in size.

    `places` (rows, columns) are bin numbers, `missing` each column's bin of missing values or -1. Zeros where no
    cut parts the rows.
    """
    by_column: dict[int, list[Cut]] = defaultdict(list)
    for cut in cuts:
        by_column[cut.column].append(cut)
    total = np.zeros((len(places) - known, known))
    for column, own in by_column.items():
        bins = places[:, column]
        lost = bins == missing[column]
        sides = np.column_stack([np.where(lost, cut.missing_left, bins <= cut.threshold) for cut in own])
        apart = sides - sides.mean(axis=0)
        total += (apart[known:] * [cuts[cut] for cut in own]) @ apart[:known].T
    largest = np.abs(total).max(initial=0.0)
    return total / largest if largest > 0 else total
