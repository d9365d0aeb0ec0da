"""HMAC-SHA-256 of a column: what other institutions' tools compute under the same key.

Source: RFC 2104, FIPS 198-1: H((k ⊕ opad) ‖ H((k ⊕ ipad) ‖ value)). The two padded keys are whole blocks and are
compressed once a column, so that a short value costs two compressions.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import pyarrow as pa

from unseen.data.protect.sha256 import BLOCK, DIGEST, after, digests
from unseen.data.protect.text import fixed, hexadecimal, read
from unseen.errors import MisuseError


class KeyedHash:
    """HMAC-SHA-256 under a key of 16 to 64 bytes, shared on purpose with those who must link: 64 hex digits.

    Unlike a token it is the same under every purpose. Who holds the key can test whether a person is in.
    """

    name: ClassVar[str] = "hash"

    def __init__(self, key: bytes) -> None:
        if not 16 <= len(key) <= BLOCK:
            raise MisuseError(f"a hash key has 16 to {BLOCK} bytes")
        padded = key.ljust(BLOCK, b"\0")
        self._inner = after(bytes(octet ^ 0x36 for octet in padded))
        self._outer = after(bytes(octet ^ 0x5C for octet in padded))

    def apply(self, values: pa.Array, subjects: pa.Array | None = None) -> pa.Array:
        """The hashes, as strings."""
        text = read(values)
        inner = digests(self._inner, 1, text.data, text.offsets)
        outer = digests(self._outer, 1, inner.reshape(-1), np.arange(text.rows + 1, dtype=np.int64) * DIGEST)
        return fixed(hexadecimal(outer), text.valid)

    def __repr__(self) -> str:
        return "KeyedHash(key hidden)"
