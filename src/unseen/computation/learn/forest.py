"""Scores of new rows by trees of which each party holds its own splits and its part of the leaf weights.

For each leaf a party knows whether its own splits let a row come there: a pattern of bits. The leaf that the row
comes to is the one that all parties' patterns allow, so membership is a product of bits which one party each
knows. Weights are brought into binary digits once, the member's digits looked up and added up over all trees in
XOR shares, and the sum alone is brought into the ring: exact, whatever the rows beside it.

At a node that nobody split, all rows go right. Nobody knows which nodes these are, so patterns allow both sides
there; the digits of leaves left of such a node are zeroed, on shares, by the parties' own marks of their nodes.

Setting: semi-honest, any number of parties, all but one colluding. Nobody learns anything: see `share.known_bits`,
`share.lookup`, `share.adders`, `share.conversion`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from unseen.computation.circle import Circle
from unseen.computation.correlation.announced import Announced
from unseen.computation.correlation.formula import Gate
from unseen.computation.correlation.lookup_kinds import DigitLookup
from unseen.computation.correlation.source import Kind
from unseen.computation.kernels import digits as kernels
from unseen.computation.learn.splits import WEIGHT_FRACTION
from unseen.computation.learn.trees import Split, Tree
from unseen.computation.share.adders import digit_sums, digit_sums_kinds
from unseen.computation.share.array import Shared
from unseen.computation.share.boolean import both, evaluate, packed, words_for
from unseen.computation.share.conversion import to_bits
from unseen.computation.share.known_bits import all_know, all_know_kinds
from unseen.computation.share.lookup import looked_up
from unseen.computation.share.together import Steps, in_turns
from unseen.computation.types import Array, Words

AT_ONCE: Final = 1 << 28
"""Bits of membership and of digits that are worked on in one block of rows: 32 MB, and four times that with what
goes with them."""
BLOCKS: Final = 2
"""Blocks in step with each other: one's messages travel while the other is worked on."""


@dataclass(frozen=True, eq=False)
class Forest:
    """Trees ready for scoring: `digits` (trees, leaves), this party's XOR part of the weights, modulo 2^lane."""

    circle: Circle
    owners: tuple[int, ...]
    splits: tuple[tuple[Split, ...], ...]
    missing: tuple[int, ...]
    digits: Array

    def kinds(self, words: int) -> list[Kind]:
        """What `scored` asks for, in order, for so many words of rows."""
        trees, leaves = self.digits.shape
        lane = 8 * self.digits.itemsize
        return [
            *all_know_kinds(self.owners, trees * leaves * words),
            DigitLookup(trees, leaves, words, lane),
            *digit_sums_kinds(trees, lane, words),
        ]

    def scored(self, circle: Circle, places: Array | None, rows: int) -> Steps[Array]:
        """The sum of all trees for a block of rows, (rows,) of the ring; `places` (rows, own columns) or None."""
        trees, leaves = self.digits.shape
        shape = (trees, leaves, 64 * words_for(rows))
        own = self.patterns(places, rows).reshape(-1)
        members = yield from all_know.steps(circle, self.owners, own, shape)
        planes = yield from looked_up.steps(circle, members.words.reshape(trees, leaves, -1), self.digits)
        return (yield from digit_sums.steps(circle, planes))[:rows]

    def patterns(self, places: Array | None, rows: int) -> Words:
        """(trees, leaves, words) bits: the leaves that this party's own splits let each row come to."""
        trees, leaves = self.digits.shape
        allowed = np.full((trees, leaves, words_for(rows)), 0xFFFFFFFFFFFFFFFF, dtype=np.uint64)
        if places is None:
            return allowed
        columns, left = np.ascontiguousarray(places.T), np.empty(words_for(rows), dtype=np.uint64)
        for splits, leaf in zip(self.splits, allowed, strict=True):
            for split in splits:
                lost = self.missing[split.column] if split.missing_left else -1
                kernels.at_most(columns[split.column], split.threshold, lost, left)
                begin, end = leaves_below(split.node, leaves)
                leaf[begin : (begin + end) // 2] &= left
                leaf[(begin + end) // 2 : end] &= ~left
        return allowed


def leaves_below(node: int, leaves: int) -> tuple[int, int]:
    """The first leaf below a node, and the one after the last."""
    level = (node + 1).bit_length() - 1
    width = leaves >> level
    first = (node + 1 - (1 << level)) * width
    return first, first + width


def forest(
    circle: Circle, trees: Sequence[Tree], owners: Sequence[int], missing: Sequence[int], lane: int
) -> Forest:
    """Weights to digits, and those of leaves that nobody may come to zeroed: depth + 5 rounds, whatever the rows.

    `owners` are the ranks that hold columns; `missing` as `trees.missing_bins` says for this party.
    """
    depth, count = trees[0].depth, len(trees)
    weights = Shared(circle, np.concatenate([tree.leaves for tree in trees]), WEIGHT_FRACTION)
    kept = packed(circle, _right_or_split(circle, trees, 0))
    for level in range(1, depth):
        kept = both(kept, packed(circle, _right_or_split(circle, trees, level)))
    spread = np.uint64(0) - kept.unpacked().astype(np.uint64)
    words = evaluate(circle, Gate.AND, np.stack([to_bits(weights).words, spread], axis=1))[:, 0]
    digits = words.astype(f"u{lane // 8}").reshape(count, 1 << depth)
    splits = tuple(tree.splits for tree in trees)
    return Forest(circle, tuple(owners) or (0,), splits, tuple(missing), digits)


def _right_or_split(circle: Circle, trees: Sequence[Tree], level: int) -> Array:
    """(trees · leaves,) shares of bits: a leaf lies right of its node of a level, or somebody split that."""
    depth = trees[0].depth
    right = (np.arange(1 << depth) >> (depth - 1 - level)) & 1
    marks = np.zeros((len(trees), 1 << depth), dtype=np.uint8)
    for tree, marked in zip(trees, marks, strict=True):
        for split in tree.splits:
            begin, end = leaves_below(split.node, 1 << depth)
            if end - begin == 1 << (depth - level):
                marked[begin:end] = 1
    marks[:, right == 1] = circle.rank == 0
    return marks.reshape(-1)


def tree_scores(
    circle: Circle,
    trees: Sequence[Tree],
    owners: Sequence[int],
    places: Array | None,
    missing: Sequence[int],
    rows: int,
    lane: int,
) -> Words:
    """The sum of all trees for new rows, as this party's part (rows,) modulo 2^lane.

    `places` (rows, columns) are this party's own columns, None where it has none. Nobody learns anything. For two
    parties a row and tree of L leaves costs (3·L + lane)/8 bytes from each to the other and as many from the
    source; two and a half rounds a doubling of the trees, for as many rows as AT_ONCE allows.
    """
    ready = forest(circle, trees, owners, missing, lane)
    count, leaves = ready.digits.shape
    step = max(64, AT_ONCE // (count * (leaves + lane)) // 64 * 64)
    cuts = [slice(start, min(start + step, rows)) for start in range(0, rows, step)]
    bins = None if places is None else _narrow(places)
    circles: list[Circle] = []

    def announced(number: int) -> Circle:
        """The circle of a block, with the randomness of the block after the next announced as well."""
        for cut in cuts[len(circles) : number + BLOCKS + 1]:
            kinds = ready.kinds(words_for(cut.stop - cut.start))
            circles.append(replace(circle, source=Announced(circle.source, kinds)))
        return circles[number]

    def running() -> Iterator[Steps[Array]]:
        for number, cut in enumerate(cuts):
            yield ready.scored(announced(number), None if bins is None else bins[cut], cut.stop - cut.start)

    found = in_turns(running(), BLOCKS)
    for own in circles:
        own.source.finish()
    return np.concatenate(found).astype(np.uint64)


def _narrow(places: Array) -> Array:
    """Bin numbers in as few bytes as they take."""
    small = places.size == 0 or (places.min() >= 0 and places.max() < 256)
    return places.astype(np.uint8 if small else np.int64, copy=False)
