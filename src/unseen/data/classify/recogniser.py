"""A recogniser: the shape of a value, its check digit where there is one, and the category that both speak for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from unseen.data.classify.digits import Digits, Truths, matrix


@dataclass(frozen=True)
class Recogniser:
    """Values of `pattern` (RE2, matched whole) whose signs without separators pass `check` are of `category`.

    `chance` is the share of random values of the same shape that pass: what a check digit leaves, or how common
    the shape is where there is none. Above `ALONE` the values do not decide by themselves: the column's name must
    speak for the category too.
    """

    name: str
    category: str
    pattern: str
    check: Callable[[Digits], Truths] | None = None
    chance: float = 0.1
    separators: str = r"[ ./-]"

    def matches(self, values: pa.Array) -> Truths:
        """For each text (no nulls) whether it is one."""
        shaped = pc.match_substring_regex(values, f"^(?:{self.pattern})$").to_numpy(zero_copy_only=False)
        if self.check is None or not shaped.any():
            return np.asarray(shaped, dtype=bool)
        places = np.flatnonzero(shaped)
        signs = pc.replace_substring_regex(values.take(pa.array(places)), self.separators, "")
        lengths = pc.utf8_length(signs).to_numpy()
        valid = np.zeros(len(values), dtype=bool)
        for length in np.unique(lengths):
            group = np.flatnonzero(lengths == length)
            valid[places[group]] = self.check(matrix(signs.take(pa.array(group)), int(length)))
        return valid


ALONE = 0.2
"""The greatest chance at which values decide without the column's name."""
