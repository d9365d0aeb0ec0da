"""Streams and permutations of words from short seeds, against AES block by block."""

from __future__ import annotations

import numpy as np
import pytest
from blake3 import blake3
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from unseen.computation.prg import Expander, enciphered

SEED = bytes(range(32))


def aes(label: bytes, block: bytes) -> bytes:
    key = blake3(label, key=SEED).digest(length=16)
    cipher = Cipher(algorithms.AES(key), modes.CBC(bytes(16))).encryptor()  # of one block: the cipher alone
    return cipher.update(block)


def test_a_stream_is_aes_of_the_counter() -> None:
    words = Expander(SEED).words((3, 2))
    for number, row in enumerate(words):
        assert row.tobytes() == aes(b"unseen/stream", number.to_bytes(16, "big"))


def test_a_branch_is_aes_of_its_own_counters_whatever_pieces_it_is_taken_in() -> None:
    branches, taken = Expander(SEED).branches(), dict[int, list[bytes]]()
    for branch, count in [(0, 3), (2, 1), (0, 5), (2, 0), (5, 40), (2, 2), (0, 9), (2, 30)]:
        taken.setdefault(branch, []).append(branches.lanes(branch, count, np.uint32).tobytes())
    for branch, pieces in taken.items():
        stream = b"".join(pieces)
        counters = (((branch << 64) + i).to_bytes(16, "big") for i in range(len(stream) // 16 + 1))
        assert stream == b"".join(aes(b"unseen/branches", counter) for counter in counters)[: len(stream)]


def test_branches_of_many_pieces_are_those_of_one() -> None:
    whole, cut = Expander(SEED).branches(), Expander(SEED).branches()
    pieces = [cut.lanes(1, size, np.uint64) for size in (1, 131_072, 300_001, 7)]
    np.testing.assert_array_equal(whole.lanes(1, sum(map(len, pieces)), np.uint64), np.concatenate(pieces))
    assert "hidden" in repr(cut)


@pytest.mark.parametrize("count", [0, 1, 5, 65_536, 65_537, 200_000])
def test_each_block_is_enciphered_by_itself(count: int) -> None:
    blocks = np.random.default_rng(count).integers(0, 2**64, (count, 2), dtype=np.uint64)
    kept = blocks.copy()
    found = enciphered(blocks, SEED)
    assert found.shape == blocks.shape
    np.testing.assert_array_equal(blocks, kept)
    for place in {0, 1, count // 2, 65_535, 65_536, count - 1} & set(range(count)):
        assert found[place].tobytes() == aes(b"unseen/blocks", blocks[place].tobytes())


def test_blocks_have_two_words_and_seeds_32_bytes() -> None:
    with pytest.raises(ValueError, match="two words"):
        enciphered(np.zeros((3, 4), dtype=np.uint64), SEED)
    with pytest.raises(ValueError, match="32 bytes"):
        Expander(b"short")
