"""Fixed-point numbers in Z_2^64: a real x stands as round(x·2^fraction), negative ones wrapped.

Values must keep |x|·2^fraction < 2^62: the two spare bits are what exact truncation needs. What a party
encodes is checked before it is sent; what an operation may produce is bounded in its docstring.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from unseen.computation.kernels import fixed_point
from unseen.computation.types import Real, Words
from unseen.errors import RangeError

FRACTION: Final = 24
"""Fractional bits where an operation does not say otherwise: steps of 6e-8, values up to 2^38."""
HEADROOM: Final = 62
"""Magnitudes stay below 2^HEADROOM in the ring."""


def encode(values: Real, fraction: int = FRACTION, what: str = "value") -> Words:
    """Real numbers of any shape to ring elements. Raises RangeError for NaN, infinity and |x| >= 2^(62-f)."""
    array = np.asarray(values, dtype=np.float64)
    bound, words = 2.0 ** (HEADROOM - fraction), np.empty(array.shape, dtype=np.uint64)
    flat = np.ascontiguousarray(array).reshape(-1)
    if not fixed_point.scale_up(flat, 2.0**fraction, bound, words.reshape(-1)):
        kind = "not a finite number" if not np.isfinite(array).all() else f"beyond ±{bound:g}"
        raise RangeError(f"a {what} is {kind}; with {fraction} fractional bits it cannot be shared")
    return words


def decode(words: Words, fraction: int = FRACTION) -> Real:
    """Ring elements to real numbers."""
    return words.view(np.int64).astype(np.float64) * 2.0**-fraction


def integers(values: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> Words:
    """Whole numbers to ring elements, fraction 0."""
    return np.ascontiguousarray(values, dtype=np.int64).view(np.uint64)
