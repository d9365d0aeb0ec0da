"""Permutations drawn from uniform words, and checked. Gathers are NumPy's own."""

from __future__ import annotations

from typing import Final

import numpy as np

from unseen.computation.kernels import kernel
from unseen.computation.types import Array, Index, Words
from unseen.errors import MisuseError

SPARE: Final = 64
"""Words to draw beyond one a place: a draw is rejected with a chance of at most n·2^-64."""


def permutation(drawn: Words) -> Index:
    """A uniform permutation of n places from n + SPARE uniform words."""
    places = np.empty(drawn.shape[0] - SPARE, dtype=np.int64)
    if not _exchange(drawn, places):
        raise MisuseError("more draws of a permutation were rejected than can happen")
    return places


def inverse(places: Index) -> Index:
    """The permutation that undoes another: `inverse(p)[p[i]] == i`."""
    back = np.empty_like(places)
    back[places] = np.arange(len(places))
    return back


def is_permutation(places: Array) -> bool:
    """Whether (n,) unsigned numbers are 0..n-1, each once."""
    seen = np.zeros(len(places), dtype=np.uint8)
    if len(places) and int(places.max()) >= len(places):
        return False
    seen[places] = 1
    return bool(seen.all())


@kernel
def _exchange(drawn: Words, places: Index) -> bool:
    """Fisher and Yates, each place drawn without bias by a multiplication (Lemire, ACM TOMACS 29, 2019)."""
    at, low, half = 0, np.uint64(0xFFFFFFFF), np.uint64(32)
    for i in range(places.shape[0]):
        places[i] = i
    for i in range(places.shape[0] - 1, 0, -1):
        choices = np.uint64(i + 1)
        reject = True
        place = np.uint64(0)
        while reject:
            if at == drawn.shape[0]:
                return False
            word = drawn[at]
            at += 1
            rest = word * choices
            # 2^64 modulo `choices` is needed only where the rest is below `choices`: hardly ever.
            reject = rest < choices and rest < (np.uint64(0) - choices) % choices
            place = ((word >> half) * choices + (((word & low) * choices) >> half)) >> half
        j = np.int64(place)
        places[i], places[j] = places[j], places[i]
    return True
