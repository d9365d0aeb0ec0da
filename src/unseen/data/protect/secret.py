"""One secret, many keys: every protection of every column and purpose has a key of its own.

Keys follow from one 32-byte secret by HKDF-Expand with SHA-256 (RFC 5869, section 2.3). The labels are encoded
without ambiguity, so that no two lists of labels give the same key.
"""

from __future__ import annotations

import secrets
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from unseen.encoding import canonical
from unseen.errors import MisuseError

SECRET_BYTES: Final = 32
LABEL: Final = "unseen/protect/v1"


class Secret:
    """A data set's secret. `repr` never shows it. Raises MisuseError unless it has 32 bytes."""

    def __init__(self, value: bytes) -> None:
        if len(value) != SECRET_BYTES:
            raise MisuseError(f"a protection's secret has {SECRET_BYTES} bytes")
        self._value = value

    @classmethod
    def fresh(cls) -> Secret:
        """A new secret from the operating system's generator."""
        return cls(secrets.token_bytes(SECRET_BYTES))

    def key(self, *labels: str, size: int = 32) -> bytes:
        """The key of `size` bytes for these labels, for example method, column and purpose."""
        return HKDFExpand(SHA256(), size, canonical([LABEL, *labels])).derive(self._value)

    def __repr__(self) -> str:
        return "Secret(hidden)"
