"""Rows that are alike, against pandas."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from unseen.computation.kernels import alike, strings


@settings(deadline=None)
@given(st.lists(st.integers(0, 6), max_size=40))
def test_groups_are_numbered_by_their_first_rows_and_list_their_rows(values: list[int]) -> None:
    spread = np.array(values, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    groups, count = alike.numbered(np.stack([spread, spread ^ np.uint64(5)], axis=1))
    numbers, distinct = pd.factorize(np.array(values, dtype=np.int64))
    np.testing.assert_array_equal(groups, numbers)
    assert count == len(distinct)
    starts, members = alike.listed(groups, count)
    for group in range(count):
        np.testing.assert_array_equal(members[starts[group] : starts[group + 1]], np.flatnonzero(numbers == group))


def test_rows_that_differ_in_the_second_word_alone_are_not_alike() -> None:
    words = np.array([[7, 1], [7, 2], [7, 1], [0, 7]], dtype=np.uint64)
    groups, count = alike.numbered(words)
    assert (groups.tolist(), count) == ([0, 1, 0, 2], 3)


def test_strings_are_chosen_in_any_order_and_often() -> None:
    data, offsets = np.frombuffer(b"onetwothree", dtype=np.uint8), np.array([0, 3, 6, 6, 11])
    out = np.empty(11, dtype=np.uint8)
    strings.choose(data, offsets, np.array([3, 0, 2, 1]), out)
    assert out.tobytes() == b"threeonetwo"
