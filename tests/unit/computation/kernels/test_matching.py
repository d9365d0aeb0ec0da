"""Matching of tags against Python's dict."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from unseen.computation.kernels.matching import matches, repeats

TAGS = st.lists(st.tuples(st.integers(0, 7), st.integers(0, 2**64 - 1)), unique=True, max_size=60)


def words(rows: list[tuple[int, int]]) -> np.ndarray:
    """First words that crowd at both ends of the table, so that probing wraps around."""
    ends = [0, 1, 2**63, 2**64 - 1, 2**64 - 2, 5, 2**62, 2**64 - 3]
    return np.array([(ends[first], second) for first, second in rows], dtype=np.uint64).reshape(-1, 2)


@settings(deadline=None)
@given(TAGS, TAGS)
def test_matches_are_those_of_a_dictionary(own: list[tuple[int, int]], theirs: list[tuple[int, int]]) -> None:
    places = {tag: place for place, tag in enumerate(theirs)}
    assert list(matches(words(own), words(theirs))) == [places.get(tag, -1) for tag in own]


@settings(deadline=None)
@given(TAGS, st.integers(0, 59))
def test_a_repeated_row_is_noticed_and_no_other(tags: list[tuple[int, int]], which: int) -> None:
    assert not repeats(words(tags))
    if tags:
        assert repeats(words([*tags, tags[which % len(tags)]]))
