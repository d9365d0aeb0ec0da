"""HMAC-SHA-256 of a column, computed inside DuckDB: what other institutions' tools compute under the same key.

Source: RFC 2104, FIPS 198-1: H((k ⊕ opad) ‖ H((k ⊕ ipad) ‖ value)).
"""

from __future__ import annotations

from typing import ClassVar, Final

import pyarrow as pa

from unseen.data.protect.text import read
from unseen.errors import MisuseError

_BLOCK: Final = 64


class KeyedHash:
    """HMAC-SHA-256 under a key of 16 to 64 bytes, shared on purpose with those who must link: 64 hex digits.

    Unlike a token it is the same under every purpose. Who holds the key can test whether a person is in.
    """

    name: ClassVar[str] = "hash"

    def __init__(self, key: bytes) -> None:
        if not 16 <= len(key) <= _BLOCK:
            raise MisuseError(f"a hash key has 16 to {_BLOCK} bytes")
        padded = key.ljust(_BLOCK, b"\0")
        self._inner = bytes(octet ^ 0x36 for octet in padded)
        self._outer = bytes(octet ^ 0x5C for octet in padded)

    def apply(self, values: pa.Array, subjects: pa.Array | None = None) -> pa.Array:
        """The hashes, as strings."""
        import duckdb

        column = pa.table({"value": read(values).arrow()})
        query = "select sha256($outer || unhex(sha256($inner || encode(value)))) as hash from given"
        with duckdb.connect() as connection:
            connection.execute("set threads to 1; set preserve_insertion_order to true")
            connection.register("given", column)
            result = connection.execute(query, {"inner": self._inner, "outer": self._outer}).to_arrow_table()
        return result["hash"].combine_chunks()

    def __repr__(self) -> str:
        return "KeyedHash(key hidden)"
