"""Random words from short seeds: AES-128 in counter mode.

Every mask and every share that one party makes comes from here, and every seed from the operating system.
A seed is 32 bytes; a child seed is its keyed hash under a label, so that streams for different purposes are
independent (a pseudorandom function, NIST SP 800-108 in spirit), and no stream is ever used twice.
"""

from __future__ import annotations

import secrets
from math import prod
from typing import Final

import numpy as np
from blake3 import blake3
from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext, algorithms, modes
from numpy.typing import DTypeLike, NDArray

from unseen.computation.types import Array, Words, octets

SEED_BYTES: Final = 32
_CHUNK: Final = 1 << 20
_ZEROS: Final = memoryview(bytes(_CHUNK))
_BLOCK: Final = 16
_FROM_ZERO: Final = modes.CTR(bytes(_BLOCK))
_SLACK: Final = 16  # `update_into` demands room for one block beyond what it writes


class Expander:
    """A stream of pseudorandom words from one seed. `repr` never shows the seed."""

    def __init__(self, seed: bytes) -> None:
        if len(seed) != SEED_BYTES:
            raise ValueError(f"a seed has {SEED_BYTES} bytes")
        self._seed = seed
        self._encryptor: CipherContext | None = None

    @classmethod
    def fresh(cls) -> Expander:
        """An expander on a new seed from the operating system."""
        return cls(fresh_seed())

    def child(self, label: str | int) -> Expander:
        """An independent expander, the same at everyone who holds this seed and names the same label."""
        return Expander(blake3(b"unseen/child/" + str(label).encode(), key=self._seed).digest())

    def words(self, shape: int | tuple[int, ...]) -> Words:
        """Uniform uint64 words of the given shape; about 6 GB a second here."""
        return self._bytes(_count(shape) * 8).view(np.uint64).reshape(shape)

    def lanes(self, shape: int | tuple[int, ...], dtype: DTypeLike) -> Array:
        """Uniform unsigned integers of any width."""
        kind = np.dtype(dtype)
        return self._bytes(_count(shape) * kind.itemsize).view(kind).reshape(shape)

    def octets(self, count: int) -> bytes:
        """Uniform bytes."""
        return self._bytes(count).tobytes()

    def branches(self) -> Branches:
        """Streams side by side, independent of this one, for the price of one cipher."""
        return Branches(_counting(blake3(b"unseen/branches", key=self._seed).digest(length=16)))

    def _bytes(self, count: int) -> NDArray[np.uint8]:
        return _keystream(self._encryptor or self._begun(), count)

    def _begun(self) -> CipherContext:
        """The cipher, made at first use: many an expander is there for its children alone."""
        self._encryptor = _counting(blake3(b"unseen/stream", key=self._seed).digest(length=16))
        return self._encryptor

    def __repr__(self) -> str:
        return "Expander(seed hidden)"


class Branches:
    """Streams of pseudorandom integers side by side, under one key: the i-th begins at counter i·2^64.

    A stream ends long before it comes to the next one's counters: no block is used twice.
    """

    def __init__(self, encryptor: CipherContext) -> None:
        self._encryptor = encryptor
        self._taken: dict[int, int] = {}

    def lanes(self, branch: int, shape: int | tuple[int, ...], dtype: DTypeLike) -> Array:
        """The next uniform unsigned integers of that stream; all that it gives are of one width."""
        kind = np.dtype(dtype)
        place, count = self._taken.get(branch, 0), _count(shape) * kind.itemsize
        self._taken[branch] = place + count
        block, begun = divmod(place, _BLOCK)
        self._encryptor.reset_nonce(((branch << 64) + block).to_bytes(_BLOCK, "big"))
        return _keystream(self._encryptor, begun + count)[begun:].view(kind).reshape(shape)

    def __repr__(self) -> str:
        return "Branches(key hidden)"


def _counting(key: bytes) -> CipherContext:
    """AES-128 in counter mode, from counter zero."""
    return Cipher(algorithms.AES(key), _FROM_ZERO).encryptor()


def _keystream(encryptor: CipherContext, count: int) -> NDArray[np.uint8]:
    buffer = np.empty(count + _SLACK, dtype=np.uint8)
    if count <= _CHUNK:
        encryptor.update_into(_ZEROS[:count], buffer.data)
        return buffer[:count]
    view = octets(buffer)
    for start in range(0, count, _CHUNK):
        encryptor.update_into(_ZEROS[: min(_CHUNK, count - start)], view[start:])
    return buffer[:count]


def _count(shape: int | tuple[int, ...]) -> int:
    return shape if isinstance(shape, int) else prod(shape)


def enciphered(blocks: Words, seed: bytes) -> Words:
    """AES-128 of each block (n, 2) under a key from the seed: a pseudorandom permutation, one word pair a block.

    For distinct blocks as good as a random function, but for n²·2^-129.
    """
    if blocks.ndim != 2 or blocks.shape[1] != 2:
        raise ValueError("a block has two words")
    key = blake3(b"unseen/blocks", key=seed).digest(length=16)
    encryptor = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # a permutation, not a mode
    given, out = octets(blocks), np.empty(blocks.nbytes + _SLACK, dtype=np.uint8)
    view = octets(out)
    for start in range(0, len(given), _CHUNK):
        encryptor.update_into(given[start : start + _CHUNK], view[start:])
    return out[: blocks.nbytes].view(np.uint64).reshape(blocks.shape)


def fresh_seed() -> bytes:
    """32 bytes from the operating system's generator."""
    return secrets.token_bytes(SEED_BYTES)
