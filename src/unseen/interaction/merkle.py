"""Merkle trees over a log that only grows.

Source: RFC 9162 (Certificate Transparency 2.0), section 2.1: tree hash, inclusion and consistency proofs.
A `Frontier` holds the roots of the complete subtrees, so that appending costs a handful of hashes whatever the
length of the log.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from unseen.errors import VerificationError

EMPTY = hashlib.sha256(b"").digest()


def leaf_hash(data: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


class Frontier:
    """The tree of the first `size` leaves, as the roots of its complete subtrees from large to small."""

    def __init__(self) -> None:
        self.size = 0
        self._roots: list[bytes] = []

    def append(self, leaf: bytes) -> None:
        """Add one leaf hash."""
        self._roots.append(leaf)
        self.size += 1
        carry = self.size
        while carry % 2 == 0:
            right, left = self._roots.pop(), self._roots.pop()
            self._roots.append(node_hash(left, right))
            carry //= 2

    def root(self) -> bytes:
        if not self._roots:
            return EMPTY
        result = self._roots[-1]
        for left in reversed(self._roots[:-1]):
            result = node_hash(left, result)
        return result


def root_of(leaves: Sequence[bytes]) -> bytes:
    """The tree hash of these leaf hashes."""
    frontier = Frontier()
    for leaf in leaves:
        frontier.append(leaf)
    return frontier.root()


def inclusion_proof(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """The hashes that lead from leaf `index` to the root (section 2.1.3.1)."""
    if len(leaves) == 1:
        return []
    cut = _split(len(leaves))
    if index < cut:
        return [*inclusion_proof(leaves[:cut], index), root_of(leaves[cut:])]
    return [*inclusion_proof(leaves[cut:], index - cut), root_of(leaves[:cut])]


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Check a leaf against a root (section 2.1.3.2). Raises VerificationError."""
    if not 0 <= index < size:
        raise VerificationError("the entry's number lies outside the log")
    position, last, result = index, size - 1, leaf
    for step in proof:
        if last == 0:
            raise VerificationError("the inclusion proof is too long")
        if position % 2 or position == last:
            result = node_hash(step, result)
            while position % 2 == 0 and position:
                position, last = position >> 1, last >> 1
        else:
            result = node_hash(result, step)
        position, last = position >> 1, last >> 1
    if last or result != root:
        raise VerificationError("the entry is not in the log with this head")


def consistency_proof(leaves: Sequence[bytes], old: int) -> list[bytes]:
    """The hashes that show that the first `old` leaves are unchanged (section 2.1.4.1); 0 < old <= size."""
    return _subproof(leaves, old, True)


def _subproof(leaves: Sequence[bytes], old: int, whole: bool) -> list[bytes]:
    if old == len(leaves):
        return [] if whole else [root_of(leaves)]
    cut = _split(len(leaves))
    if old <= cut:
        return [*_subproof(leaves[:cut], old, whole), root_of(leaves[cut:])]
    return [*_subproof(leaves[cut:], old - cut, False), root_of(leaves[:cut])]


def verify_consistency(old: int, old_root: bytes, size: int, root: bytes, proof: Sequence[bytes]) -> None:
    """Check that a log only grew between two heads (section 2.1.4.2). Raises VerificationError."""
    if old == size:
        if old_root != root or proof:
            raise VerificationError("two heads of one size differ: the log was rewritten")
        return
    steps = list(proof) if old & (old - 1) else [old_root, *proof]
    position, last = old - 1, size - 1
    while position % 2:
        position, last = position >> 1, last >> 1
    if not steps:
        raise VerificationError("the consistency proof is empty")
    first = second = steps[0]
    for step in steps[1:]:
        if last == 0:
            raise VerificationError("the consistency proof is too long")
        if position % 2 or position == last:
            first, second = node_hash(step, first), node_hash(step, second)
            while position % 2 == 0 and position:
                position, last = position >> 1, last >> 1
        else:
            second = node_hash(second, step)
        position, last = position >> 1, last >> 1
    if last or first != old_root or second != root:
        raise VerificationError("the log does not continue the older head: it was rewritten")


def _split(size: int) -> int:
    """The largest power of two smaller than `size`."""
    return 1 << (size - 1).bit_length() - 1
