"""Who is held out of a fit: drawn from key and public seed alone, so that a validator finds the same people."""

from __future__ import annotations

import numpy as np
from blake3 import blake3

from unseen.computation.intersect.keys import Keys
from unseen.computation.types import Index


def training_first(keys: Keys, rows: Index, share: float, seed: str) -> tuple[Index, int]:
    """Rows of the table with `keys`, in the order of all parties, rearranged: those that train first.

    `share` of them, rounded, is held out. Returns the rows and how many train.
    """
    training = len(rows) - round(share * len(rows))
    lots = [blake3(seed.encode() + b"/held-out/" + keys[row]).digest() for row in rows]
    first = set(sorted(lots)[:training])
    picked = np.array([lot in first for lot in lots], dtype=bool)
    return np.r_[rows[picked], rows[~picked]], training
