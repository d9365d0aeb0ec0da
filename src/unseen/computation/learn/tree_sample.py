"""Which rows and columns a tree sees: drawn from the public seed, by everyone alike, with nothing told."""

from __future__ import annotations

import numpy as np

from unseen.computation.learn.boosting_settings import Settings
from unseen.computation.types import Index


def drawn(settings: Settings, number: int, columns: int, rows: int) -> tuple[list[int], Index]:
    """For tree `number`: the places of its columns, ascending, and (rows,) int64 of 1 where a row is learned from,
    0 where it is left out or held out."""
    # A validator draws the same again from the plan's seed, so a plain generator: nothing here hides anything.
    draw = np.random.default_rng([settings.seed, number])
    count = max(1, round(settings.column_share * columns))
    chosen = sorted(draw.choice(columns, count, replace=False).tolist())
    kept = np.ones(rows, dtype=np.int64)
    if settings.row_share < 1:
        kept = (draw.random(rows) < settings.row_share).astype(np.int64)
    kept[rows - settings.held_out :] = 0
    return chosen, kept
