"""The array types that cross this layer."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint64]
"""Elements of Z_2^64, or 64 packed bits a word."""

Real = NDArray[np.float64]
"""Numbers in the clear."""

Index = NDArray[np.int64]
"""Row numbers, positions, bin numbers."""

Array = NDArray[Any]
"""Any array that a message may carry."""


def octets(array: Array) -> memoryview:
    """The bytes of an array, without a copy if it is contiguous."""
    flat = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
    return memoryview(flat)  # type: ignore[arg-type]  # numpy's stubs leave out the buffer protocol
