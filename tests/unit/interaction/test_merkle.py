"""The tree of RFC 9162, against its definition taken word by word and against published vectors."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unseen.errors import VerificationError
from unseen.interaction import merkle
from unseen.interaction.merkle import Tree

INPUTS = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
"""Inputs and roots that google/certificate-transparency publishes with its own tests (Apache-2.0)."""


def naive_root(leaves: list[bytes]) -> bytes:
    """RFC 9162, section 2.1.1, word by word."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    cut = 1
    while cut * 2 < len(leaves):
        cut *= 2
    return merkle.node_hash(naive_root(leaves[:cut]), naive_root(leaves[cut:]))


def naive_inclusion(index: int, leaves: list[bytes]) -> list[bytes]:
    """RFC 9162, section 2.1.3.1, word by word."""
    if len(leaves) == 1:
        return []
    cut = 1
    while cut * 2 < len(leaves):
        cut *= 2
    if index < cut:
        return [*naive_inclusion(index, leaves[:cut]), naive_root(leaves[cut:])]
    return [*naive_inclusion(index - cut, leaves[cut:]), naive_root(leaves[:cut])]


def naive_consistency(old: int, leaves: list[bytes], whole: bool = True) -> list[bytes]:
    """RFC 9162, section 2.1.4.1, word by word."""
    if old == len(leaves):
        return [] if whole else [naive_root(leaves)]
    cut = 1
    while cut * 2 < len(leaves):
        cut *= 2
    if old <= cut:
        return [*naive_consistency(old, leaves[:cut], whole), naive_root(leaves[cut:])]
    return [*naive_consistency(old - cut, leaves[cut:], False), naive_root(leaves[:cut])]


@given(st.integers(1, 70), st.data())
def test_tree_hash_and_proofs_follow_the_rfc(size: int, data: st.DataObject) -> None:
    leaves = [merkle.leaf_hash(bytes([i])) for i in range(size + 3)]
    tree = Tree.of(leaves)
    leaves = leaves[:size]
    root = naive_root(leaves)
    assert tree.root(size) == root == Tree.of(leaves).root()
    index = data.draw(st.integers(0, size - 1))
    proof = tree.inclusion(index, size)
    assert proof == naive_inclusion(index, leaves)
    merkle.verify_inclusion(leaves[index], index, size, proof, root)
    if size > 1:
        with pytest.raises(VerificationError):
            merkle.verify_inclusion(leaves[index], (index + 1) % size, size, proof, root)
    old = data.draw(st.integers(1, size))
    steps = tree.consistency(old, size)
    assert steps == naive_consistency(old, leaves)
    merkle.verify_consistency(old, naive_root(leaves[:old]), size, root, steps)
    if old < size:
        with pytest.raises(VerificationError):
            merkle.verify_consistency(old, merkle.leaf_hash(b"other"), size, root, steps)


@given(st.integers(2, 40), st.data())
def test_a_proof_with_one_hash_changed_dropped_or_added_is_refused(size: int, data: st.DataObject) -> None:
    tree = Tree.of(merkle.leaf_hash(bytes([i])) for i in range(size))
    index, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size - 1))
    leaf = merkle.leaf_hash(bytes([index]))
    stranger = hashlib.sha256(b"stranger").digest()
    for proof, check in (
        (tree.inclusion(index), lambda p: merkle.verify_inclusion(leaf, index, size, p, tree.root())),
        (tree.consistency(old), lambda p: merkle.verify_consistency(old, tree.root(old), size, tree.root(), p)),
    ):
        check(proof)
        where = data.draw(st.integers(0, len(proof) - 1))
        for wrong in (
            [*proof[:where], stranger, *proof[where + 1 :]],
            proof[:where] + proof[where + 1 :],
            [*proof, stranger],
        ):
            with pytest.raises(VerificationError):
                check(wrong)


def test_tree_hashes_equal_the_published_vectors() -> None:
    tree = Tree.of(merkle.leaf_hash(bytes.fromhex(text)) for text in INPUTS)
    assert [tree.root(size).hex() for size in range(1, 9)] == ROOTS
    assert tree.root(0) == hashlib.sha256(b"").digest()


@pytest.mark.parametrize(("old", "size"), [(5, 3), (-1, 3)])
def test_a_newer_head_over_fewer_entries_is_no_continuation(old: int, size: int) -> None:
    with pytest.raises(VerificationError, match="cut"):
        merkle.verify_consistency(old, merkle.EMPTY, size, merkle.EMPTY, [])


def test_what_the_log_does_not_have_has_no_proof() -> None:
    tree = Tree.of([merkle.leaf_hash(b"a")])
    for ask in (lambda: tree.inclusion(1), lambda: tree.consistency(2), lambda: tree.root(2)):
        with pytest.raises(VerificationError):
            ask()
