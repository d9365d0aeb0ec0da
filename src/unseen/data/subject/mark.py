"""How a person is written down without their identifier: a keyed mark of 128 bits.

Identifiers are normalised as join keys are, then go through AES-CMAC under a secret of the institution. Equal
persons have equal marks in all data sets, as far as these name them by the same identifier; without the secret a
mark says nothing.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from unseen.data.contract import normalised
from unseen.data.protect.cmac import ColumnMac
from unseen.data.protect.secret import Secret
from unseen.data.protect.text import read

HIGH: Final = "unseen_mark_high"
LOW: Final = "unseen_mark_low"
Words = NDArray[np.int64]


class Marker:
    """Marks of persons under one secret."""

    def __init__(self, secret: Secret) -> None:
        self._mac = ColumnMac(secret.key("subject-mark"))

    def marks(self, subjects: pa.Array | pa.ChunkedArray) -> tuple[Words, Words]:
        """The upper and lower half of each person's mark, as signed words."""
        halves = self._mac.tags(read(normalised(subjects))).view(">i8").astype(np.int64)
        return halves[:, 0], halves[:, 1]

    def name(self, subject: str) -> str:
        """One person's mark as 32 hexadecimal digits: how ledgers call them."""
        high, low = self.marks(pa.array([subject]))
        return f"{int(high[0]) % 2**64:016x}{int(low[0]) % 2**64:016x}"
