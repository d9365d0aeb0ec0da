"""Tokens in the place of values: made by a key for each purpose, or drawn at random and kept in a vault."""

from __future__ import annotations

import secrets
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from unseen.data.protect.cmac import BLOCK, ColumnMac
from unseen.data.protect.protection import Reason
from unseen.data.protect.secret import Secret
from unseen.data.protect.text import fixed, hexadecimal, read
from unseen.data.protect.vault import Vault
from unseen.errors import DataError


class KeyedToken:
    """AES-CMAC of the value under the purpose's key: 32 hexadecimal digits.

    The same value has the same token within a purpose, for example an agreement, and unlinkable tokens under
    two purposes. Without the key a token says only which rows are equal; nobody, with the key neither, can
    compute a value from its token but by trying values.
    """

    name: ClassVar[str] = "token"

    def __init__(self, secret: Secret, purpose: str) -> None:
        self._mac = ColumnMac(secret.key(self.name, purpose))

    def apply(self, values: pa.Array, subjects: pa.Array | None = None) -> pa.Array:
        """The tokens, as strings."""
        text = read(values)
        return fixed(hexadecimal(self._mac.tags(text)), text.valid)


class RandomToken:
    """Random tokens of 128 bits; the vault alone knows whose they are. A value met again keeps its token."""

    name: ClassVar[str] = "vault-token"

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def apply(self, values: pa.Array, subjects: pa.Array | None = None) -> pa.Array:
        """The tokens, as strings; new values get new tokens, which are in the vault before this returns."""
        text = pc.cast(values, pa.large_string())
        text = text.combine_chunks() if isinstance(text, pa.ChunkedArray) else text
        known, tokens = self._vault.grown(pc.drop_null(pc.unique(text)), _fresh_tokens)
        return tokens.take(pc.index_in(text, value_set=known))

    def reverse(self, values: pa.Array, reason: Reason, subjects: pa.Array | None = None) -> pa.Array:
        """The values behind tokens. Raises DataError if some are not in the vault."""
        reason.note(self.name, len(values))
        known, tokens = self._vault.read()
        places = pc.index_in(pc.cast(values, pa.large_string()), value_set=tokens)
        unknown = places.null_count - values.null_count
        if unknown:
            raise DataError(f"{unknown} tokens are not in the vault; they were made elsewhere or erased")
        return known.take(places)


def _fresh_tokens(count: int) -> pa.Array:
    drawn = np.frombuffer(secrets.token_bytes(count * BLOCK), np.uint8).reshape(count, BLOCK)
    return pc.cast(fixed(hexadecimal(drawn), np.ones(count, np.bool_)), pa.large_string())
