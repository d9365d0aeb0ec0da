"""Merkle trees over a log that only grows.

Source: RFC 9162 (Certificate Transparency 2.0), section 2.1: tree hash, inclusion and consistency proofs.

A tree is kept as its complete subtrees: subtree (level, number) covers the 2^level leaves from number·2^level.
They never change once written, so that appending costs one hash on average, and every proof and every earlier
root is a few look-ups whatever the length of the log. Where they lie (`Subtrees`) is the caller's choice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Protocol

from unseen.errors import VerificationError

EMPTY = hashlib.sha256(b"").digest()


def leaf_hash(data: bytes) -> bytes:
    """The hash of one entry: SHA-256(0x00 || data)."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash over two subtrees: SHA-256(0x01 || left || right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class Subtrees(Protocol):
    """Where the hashes of complete subtrees lie."""

    def get(self, level: int, number: int) -> bytes:
        """The hash of a complete subtree that was put before."""

    def put(self, level: int, number: int, value: bytes) -> None:
        """Keep the hash of a complete subtree."""


class InMemory:
    """Subtrees in a list for each level."""

    def __init__(self) -> None:
        self._levels: list[list[bytes]] = []

    def get(self, level: int, number: int) -> bytes:
        return self._levels[level][number]

    def put(self, level: int, number: int, value: bytes) -> None:
        while len(self._levels) <= level:
            self._levels.append([])
        self._levels[level].append(value)


class Tree:
    """The tree of the first `size` leaves of a log."""

    def __init__(self, subtrees: Subtrees | None = None, size: int = 0) -> None:
        self._subtrees = subtrees if subtrees is not None else InMemory()
        self.size = size

    @classmethod
    def of(cls, leaves: Iterable[bytes]) -> Tree:
        """A tree in memory over these leaf hashes."""
        tree = cls()
        for leaf in leaves:
            tree.append(leaf)
        return tree

    def append(self, leaf: bytes) -> None:
        """Add one leaf hash, and the subtrees that it completes."""
        level, number, value = 0, self.size, leaf
        self._subtrees.put(level, number, value)
        while number % 2:
            value = node_hash(self._subtrees.get(level, number - 1), value)
            level, number = level + 1, number // 2
            self._subtrees.put(level, number, value)
        self.size += 1

    def root(self, size: int | None = None) -> bytes:
        """The tree hash (section 2.1.1) of the log now, or as it was at an earlier `size`."""
        end = self._within(self.size if size is None else size)
        return self._over(0, end) if end else EMPTY

    def inclusion(self, index: int, size: int | None = None) -> list[bytes]:
        """The hashes that lead from leaf `index` to the root (section 2.1.3.1)."""
        end = self._within(self.size if size is None else size)
        if not 0 <= index < end:
            raise VerificationError(f"the log has no entry {index} at size {end}")
        start, proof = 0, []
        while end - start > 1:
            cut = start + _split(end - start)
            if index < cut:
                proof.append(self._over(cut, end))
                end = cut
            else:
                proof.append(self._over(start, cut))
                start = cut
        return proof[::-1]

    def consistency(self, old: int, size: int | None = None) -> list[bytes]:
        """The hashes that show that the first `old` leaves are unchanged (section 2.1.4.1); 0 < old <= size."""
        end = self._within(self.size if size is None else size)
        if not 0 < old <= end:
            raise VerificationError(f"there is no proof from size {old} to size {end}")
        start, whole, proof = 0, True, []
        while old < end:
            cut = start + _split(end - start)
            if old <= cut:
                proof.append(self._over(cut, end))
                end = cut
            else:
                proof.append(self._over(start, cut))
                start, whole = cut, False
        return ([] if whole else [self._over(start, end)]) + proof[::-1]

    def _within(self, size: int) -> int:
        if not 0 <= size <= self.size:
            raise VerificationError(f"the log has {self.size} entries, not {size}")
        return size

    def _over(self, start: int, end: int) -> bytes:
        """The hash over leaves start..end, for the ranges that halving a tree at `_split` leads to."""
        width = end - start
        if width & (width - 1) == 0:
            level = width.bit_length() - 1
            return self._subtrees.get(level, start >> level)
        cut = start + _split(width)
        return node_hash(self._over(start, cut), self._over(cut, end))


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


def verify_consistency(old: int, old_root: bytes, size: int, root: bytes, proof: Sequence[bytes]) -> None:
    """Check that a log only grew between two heads (section 2.1.4.2). Raises VerificationError."""
    if not 0 <= old <= size:
        raise VerificationError("the newer head is over fewer entries than the older: the log was cut")
    if old == size:
        if old_root != root or proof:
            raise VerificationError("two heads of one size differ: the log was rewritten")
        return
    if old == 0:
        if old_root != EMPTY or proof:
            raise VerificationError("the older head is over no entries, yet its root is not the empty one")
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
