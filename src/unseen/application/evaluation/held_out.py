"""Who is held out of a fit: drawn from key and public seed alone, so that a validator finds the same people."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from blake3 import blake3

from unseen.computation.types import Index


def lots(keys: Sequence[bytes], seed: str) -> list[bytes]:
    """One lot a row."""
    return [blake3(seed.encode() + b"/held-out/" + key).digest() for key in keys]


def by_lot(keys: Sequence[bytes], share: float, seed: str) -> tuple[Index, int]:
    """As `training_first`, the same people, but the rows of either part in the order of their lots: an order that
    nobody chose, and where a model depends on the order of rows, a validator finds that too."""
    drawn = lots(keys, seed)
    places = np.array(sorted(range(len(drawn)), key=drawn.__getitem__), dtype=np.int64)
    return places, len(drawn) - round(share * len(drawn))


def training_first(keys: Sequence[bytes], share: float, seed: str) -> tuple[Index, int]:
    """Places of the rows with these keys: those that train, then those held out, `share` of all, rounded.

    Returns the places and how many train.
    """
    training, drawn = len(keys) - round(share * len(keys)), lots(keys, seed)
    first = set(sorted(drawn)[:training])
    picked = np.array([lot in first for lot in drawn], dtype=bool)
    return np.r_[np.flatnonzero(picked), np.flatnonzero(~picked)], training
