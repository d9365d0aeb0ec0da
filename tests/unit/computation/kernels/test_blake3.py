"""BLAKE3's kernel against the published vectors and the reference implementation."""

from __future__ import annotations

import numpy as np
import pytest
from blake3 import blake3
from hypothesis import given, settings
from hypothesis import strategies as st

from unseen.computation.intersect.keys import from_list, hashed

KEY = b"whats the Elvish word for friend"
VECTORS = {
    0: "92b2b75604ed3c761f9d6f62392c8a9227ad0ea3f09573e783f1498a4ed60d26",
    1: "6d7878dfff2f485635d39013278ae14f1454b8c0a3a2d34bc1ab38228a80c95b",
    1024: "75c46f6f3d9eb4f55ecaaee480db732e6c2105546f1e675003687c31719c7ba4",
}
"""From BLAKE3's test_vectors.json: keyed hash, first 32 bytes, of bytes counting up modulo 251."""


@pytest.mark.parametrize("length", VECTORS)
def test_the_published_vectors(length: int) -> None:
    keys = from_list([bytes(i % 251 for i in range(length))])
    assert hashed(keys, KEY).tobytes().hex() == VECTORS[length]


@settings(deadline=None, max_examples=50)
@given(st.lists(st.binary(max_size=140), min_size=1, max_size=40), st.binary(min_size=32, max_size=32))
def test_every_length_as_the_reference_hashes_it(keys: list[bytes], secret: bytes) -> None:
    found = hashed(from_list(keys), secret)
    assert [row.tobytes() for row in found] == [blake3(key, key=secret).digest() for key in keys]


def test_a_key_of_64_kib_and_its_neighbours() -> None:
    keys = [b"a", bytes(65536), b"b" * 64, b"c" * 65]
    found = hashed(from_list(keys), KEY)
    assert [row.tobytes() for row in found] == [blake3(key, key=KEY).digest() for key in keys]
    assert found.dtype == np.uint64
