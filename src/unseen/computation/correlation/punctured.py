"""Punctured trees: long pseudorandom vectors that two parties share but for one secret place a block.

Source: Goldreich, Goldwasser, Micali, JACM 1986 (trees); Boyle, Couteau, Gilboa, Ishai, Kohl, Scholl, CRYPTO 2019
(eprint 2019/448), figure 6 (puncturing by oblivious transfer, all trees of a level at once); a fixed-key cipher
for the children, π(x) + x under two keys: Guo, Katz, Wang, Yu, IEEE S&P 2020.

The grower makes whole trees from random roots. Of each level it offers the sum of all left children and the sum
of all right ones; the other party takes the one off its path, and so knows every leaf but one. The place is what
the transfers' random choices say: the complement of each is the next bit of the path, the first the highest.

Setting: two parties, semi-honest. Leaks nothing; bytes: 32 a tree and level, from the grower.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from unseen.computation.channel import Channel
from unseen.computation.kernels.trees import grow
from unseen.computation.prg import Expander, enciphered
from unseen.computation.types import Array, Index, Words

_LEFT: Final = b"unseen/punctured/left-children.."
_RIGHT: Final = b"unseen/punctured/right-children."
_TILE: Final = 1 << 16
"""Leaves that are grown at a time: 1 MiB, which stays in the cache."""


def grown(
    channel: Channel, trees: int, depth: int, pads: tuple[Words, Words], private: Expander
) -> tuple[Words, Words]:
    """(trees, 2^depth, 2): all leaves, after the other party was given its sums; (trees, 2): each tree's total.

    `pads` are both blocks of trees·depth transfers, tree by tree, the root's level first.
    """
    leaves = np.empty((trees, 1 << depth, 2), dtype=np.uint64)
    sums = np.empty((trees, depth, 2, 2), dtype=np.uint64)
    for part in _tiles(trees, depth):
        nodes = private.words((part.stop - part.start, 2))
        for level in range(depth):
            nodes = _children(nodes, sums[part, level])
        leaves[part] = nodes.reshape(-1, 1 << depth, 2)
    totals: Words = sums[:, -1, 0] ^ sums[:, -1, 1]
    sums[:, :, 0] ^= pads[0].reshape(trees, depth, 2)
    sums[:, :, 1] ^= pads[1].reshape(trees, depth, 2)
    channel.send("trees/sums", sums)
    return leaves, totals


def punctured(channel: Channel, trees: int, depth: int, pads: Words, choices: Array) -> tuple[Words, Words, Index]:
    """(trees, 2^depth, 3): a zero, for the caller's use, and each leaf but one a tree, which is zero; (trees, 2):
    the total of each tree's known leaves; (trees,): the place of the unknown one.

    `pads` (trees·depth, 2) are the chosen blocks, `choices` (trees·depth,) bits.
    """
    sums = channel.receive("trees/sums", np.uint64, (trees, depth, 2, 2))
    taken = choices.reshape(trees, depth).astype(np.int64)
    known = np.take_along_axis(sums, taken[:, :, None, None], axis=2)[:, :, 0] ^ pads.reshape(trees, depth, 2)
    leaves = np.zeros((trees, 1 << depth, 3), dtype=np.uint64)
    totals, places = np.empty((trees, 2), dtype=np.uint64), np.empty(trees, dtype=np.int64)
    for part in _tiles(trees, depth):
        size = part.stop - part.start
        nodes, at, tree = np.zeros((size, 2), dtype=np.uint64), np.zeros(size, dtype=np.int64), np.arange(size)
        for level in range(depth):
            found = np.empty((size, 2, 2), dtype=np.uint64)
            nodes = _children(nodes, found).reshape(size, 2 << level, 2)
            side = taken[part, level]
            # Both children of the unknown node are wrong: one comes from the sum, the other stays unknown.
            wrong = nodes[tree, 2 * at + side]
            nodes[tree, 2 * at + side] = known[part, level] ^ found[tree, side] ^ wrong
            at = 2 * at + 1 - side
            totals[part] = known[part, level] ^ found[tree, 1 - side] ^ nodes[tree, at]
            nodes[tree, at] = 0
            nodes = nodes.reshape(-1, 2)
        leaves[part, :, 1:], places[part] = nodes.reshape(size, 1 << depth, 2), at
    return leaves, totals, places


def _tiles(trees: int, depth: int) -> list[slice]:
    step = max(1, _TILE >> depth)
    return [slice(start, min(start + step, trees)) for start in range(0, trees, step)]


def _children(nodes: Words, sums: Words) -> Words:
    out = np.empty((2 * len(nodes), 2), dtype=np.uint64)
    grow(nodes, enciphered(nodes, _LEFT), enciphered(nodes, _RIGHT), out, sums)
    return out
