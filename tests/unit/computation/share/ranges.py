"""Numbers of the whole admissible range for tests of operations on shares, and the integers that they are."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from unseen.computation.circle import Circle

FRACTION: Final = 20
LIMIT: Final = 62 - FRACTION
"""A party may enter numbers of magnitudes below 2^LIMIT."""


def drawn(seed: int, bits: float, *shape: int, fraction: int = FRACTION) -> np.ndarray:
    """Numbers of every size below 2^bits in multiples of 2^-fraction, and both ends of the range."""
    random = np.random.default_rng(seed)
    ends = np.array([-1.0, 1.0]) * np.nextafter(2.0**bits, 0.0)
    values = random.choice([-1.0, 1.0], shape) * 2.0 ** random.uniform(-fraction, bits, shape)
    kept = np.where(random.random(shape) < 0.2, random.choice(ends, shape), values)
    return np.trunc(kept * 2.0**fraction) / 2.0**fraction


def tied(seed: int, bits: float, *shape: int) -> np.ndarray:
    """As `drawn`, many of them equal."""
    pool = drawn(seed, bits, max(1, int(np.prod(shape)) // 2))
    return np.random.default_rng(seed).choice(pool, shape)


def exact(values: np.ndarray) -> np.ndarray:
    """The numbers as integers of any length, in multiples of the last place."""
    return np.array([int(value * 2.0**FRACTION) for value in values.ravel()], dtype=object).reshape(values.shape)


def rounded(integers: Any) -> np.ndarray:
    """Such integers as numbers again."""
    return np.asarray(integers).astype(np.float64) / 2.0**FRACTION


def split(circle: Circle, words: np.ndarray) -> np.ndarray:
    """A true sharing of what rank 0 knows: every other party holds random words that rank 0 takes off."""
    if circle.rank:
        mine = circle.private.lanes(words.shape, words.dtype)
        circle.channel(0).send("split", mine)
        return mine
    for channel in circle.others():
        words = words - channel.receive("split", words.dtype, words.shape)
    return words
