"""Identifiers for measurements: customer-000000000017 and so on, as Arrow strings."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pyarrow as pa

_PREFIX: Final = b"customer-"
_DIGITS: Final = 12


def names(start: int, count: int) -> Any:
    """`count` Arrow large strings, from number `start` on."""
    prefix = np.frombuffer(_PREFIX, dtype=np.uint8)
    width, numbers = len(prefix) + _DIGITS, np.arange(start, start + count)
    octets = np.empty((count, width), dtype=np.uint8)
    octets[:, : len(prefix)] = prefix
    for place in range(width - 1, len(prefix) - 1, -1):
        octets[:, place] = 48 + numbers % 10
        numbers //= 10
    offsets = np.arange(count + 1, dtype=np.int64) * width
    return pa.Array.from_buffers(pa.large_string(), count, [None, pa.py_buffer(offsets), pa.py_buffer(octets)])
