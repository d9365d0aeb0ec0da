"""Many public thresholds at once against NumPy, over the whole range and at its edges."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from ranges import split

from unseen.computation.circle import Circle
from unseen.computation.in_process import run_parties
from unseen.computation.share.array import Shared, from_owner
from unseen.computation.share.boolean import reveal_bits
from unseen.computation.share.thresholds import below_each, below_each_in_ring
from unseen.errors import MisuseError, RangeError

EDGES = [-(2**62) + 1, -1, 0, 1, 2**62 - 1, 2**48 - 1, 2**48, -(2**48)]
WHOLE_RANGE = st.one_of(st.sampled_from(EDGES), st.integers(-(2**62) + 1, 2**62 - 1))
SMALL_EDGES = [-(2**30), -1, 0, 1, 2**16, 2**30 - 1]
SMALL_RANGE = st.one_of(st.sampled_from(SMALL_EDGES), st.integers(-(2**30), 2**30 - 1))
SLOW = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@SLOW
@given(
    st.lists(WHOLE_RANGE, min_size=1, max_size=70),
    st.lists(st.integers(-(2**53), 2**53), min_size=1, max_size=4),
    st.sampled_from([2, 3, 5]),
)
@example(EDGES, [0, 1, -1, 2**48], 3)
def test_exact_over_the_whole_range(values: list[int], levels: list[int], parties: int) -> None:
    words = np.array(values, dtype=np.int64)

    def program(circle: Circle) -> np.ndarray:
        x = Shared(circle, split(circle, words.view(np.uint64)), 0)
        return reveal_bits(below_each(x, np.array(levels, dtype=np.float64)), "below")

    for found in run_parties(program, parties):
        np.testing.assert_array_equal(found, words < np.array(levels)[:, None])


@SLOW
@given(
    st.lists(SMALL_RANGE, min_size=1, max_size=70),
    st.lists(SMALL_RANGE, min_size=1, max_size=4),
    st.sampled_from([2, 3, 5]),
)
@example(SMALL_EDGES, SMALL_EDGES, 2)
def test_exact_in_the_small_ring(values: list[int], levels: list[int], parties: int) -> None:
    numbers, bounds = np.array(values, dtype=np.int32), np.array(levels, dtype=np.int32)

    def program(circle: Circle) -> np.ndarray:
        words = below_each_in_ring(circle, split(circle, numbers.view(np.uint32)), bounds.view(np.uint32))
        for channel in circle.others():
            channel.send("open", words)
        (opened,) = circle.collect_bits("open", words)
        rows = [np.unpackbits(row.view(np.uint8), count=len(values), bitorder="little") for row in opened]
        return np.stack(rows).astype(bool)

    for found in run_parties(program, parties):
        np.testing.assert_array_equal(found, numbers < bounds[:, None])


@pytest.mark.parametrize("shape", [(), (5,), (64, 2), (3, 7)])
def test_bits_have_the_shape_of_the_thresholds_before_that_of_the_values(shape: tuple[int, ...]) -> None:
    values = np.random.default_rng(3).normal(size=shape)

    def program(circle: Circle) -> np.ndarray:
        x = from_owner(circle, 1, values if circle.rank == 1 else None, shape)
        return reveal_bits(below_each(x, np.array([-0.5, 0.0, 0.5])), "below")

    expected = values[None] < np.array([-0.5, 0.0, 0.5]).reshape(3, *(1,) * len(shape))
    np.testing.assert_array_equal(run_parties(program)[0], expected)


@pytest.mark.parametrize("bad", [[], 1.0, [[1.0]]])
def test_thresholds_are_a_vector(bad: object) -> None:
    def program(circle: Circle) -> None:
        below_each(Shared(circle, np.zeros(3, np.uint64), 0), np.array(bad))

    with pytest.raises(MisuseError, match="vector"):
        run_parties(program)


def test_a_threshold_beyond_the_range_is_refused() -> None:
    def program(circle: Circle) -> None:
        below_each(Shared(circle, np.zeros(3, np.uint64), 24), np.array([2.0**38]))

    with pytest.raises(RangeError):
        run_parties(program)
