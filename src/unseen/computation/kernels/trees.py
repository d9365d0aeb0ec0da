"""One level of many binary trees of pseudorandom blocks: children from enciphered parents, and their sums."""

from __future__ import annotations

import numpy as np

from unseen.computation.kernels import kernel
from unseen.computation.types import Words


@kernel
def grow(parents: Words, left: Words, right: Words, children: Words, sums: Words) -> None:
    """Both children of each block, and of each tree the XOR of its left and of its right ones.

    parents, left and right (n, 2), the latter two the parents enciphered under two keys; children (2n, 2); sums
    (trees, 2, 2) with the nodes of a tree one after another.
    """
    trees = sums.shape[0]
    nodes = parents.shape[0] // trees
    for tree in range(trees):
        l0, l1, r0, r1 = np.uint64(0), np.uint64(0), np.uint64(0), np.uint64(0)
        for i in range(tree * nodes, (tree + 1) * nodes):
            p0, p1 = parents[i, 0], parents[i, 1]
            a0, a1 = left[i, 0] ^ p0, left[i, 1] ^ p1
            b0, b1 = right[i, 0] ^ p0, right[i, 1] ^ p1
            children[2 * i, 0], children[2 * i, 1] = a0, a1
            children[2 * i + 1, 0], children[2 * i + 1, 1] = b0, b1
            l0 ^= a0
            l1 ^= a1
            r0 ^= b0
            r1 ^= b1
        sums[tree, 0, 0], sums[tree, 0, 1] = l0, l1
        sums[tree, 1, 0], sums[tree, 1, 1] = r0, r1
