"""Rounds and bytes of operations on shares are those that their profiles declare."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from unseen.computation.circle import Circle
from unseen.computation.in_process import run_parties
from unseen.computation.profile import Profile
from unseen.computation.share.array import Shared, shared_zeros
from unseen.computation.share.elementary import (
    DIVISION,
    LOGARITHM,
    RECIPROCAL,
    ROOT,
    divide,
    inverse_square_root,
    logarithm,
    reciprocal,
    square_root,
)
from unseen.computation.share.exponential import EXPONENTIAL, exponential
from unseen.computation.share.moments import DOT, MEAN, VARIANCE, dot, mean, variance
from unseen.computation.share.normalise import NORMALISATION, normalise, span
from unseen.computation.share.quotient import QUOTIENT, quotient
from unseen.computation.share.smooth import SMOOTH, SMOOTH_FINE, Smooth, smooth_function
from unseen.computation.share.thresholds import (
    BELOW_EACH,
    BELOW_EACH_ROUGHLY,
    below_each,
    below_each_in_ring,
)

COUNT = 130
RANGE = (2.0**-8, 2.0**8)
TANH = Smooth(np.tanh, -4.0, 4.0, 5e-4, 14, 4)
Work = Callable[[Circle, Shared], Any]

OPERATIONS: list[tuple[Profile, tuple[Any, ...], int, Work]] = [
    (BELOW_EACH, (COUNT, 3, 1), 24, lambda _, x: below_each(x, np.arange(3.0))),
    (BELOW_EACH, (COUNT, 2, 0), 24, lambda _, x: below_each(x, np.array([1.0, 2.0**-20]))),
    (
        BELOW_EACH_ROUGHLY,
        (COUNT, 3, 0),
        24,
        lambda circle, x: below_each_in_ring(circle, x.words.astype(np.uint32), np.arange(3, dtype=np.uint32)),
    ),
    (EXPONENTIAL, (COUNT,), 24, lambda _, x: exponential(x)),
    (SMOOTH, (COUNT,), 24, lambda _, x: smooth_function(x, TANH)),
    (SMOOTH_FINE, (COUNT,), 24, lambda _, x: smooth_function(x, TANH, fine=True)),
    (NORMALISATION, (COUNT, 7, False), 24, lambda _, x: normalise(x, span(*RANGE))),
    (NORMALISATION, (COUNT, 7, True), 24, lambda _, x: normalise(x, span(*RANGE, fine=True))),
    (NORMALISATION, (COUNT, 0, False), 24, lambda _, x: normalise(x, span(0.5, 1.0))),
    (RECIPROCAL, (COUNT, 7, False), 24, lambda _, x: reciprocal(x, *RANGE)),
    (RECIPROCAL, (COUNT, 11, True), 24, lambda _, x: reciprocal(x, 2.0**-14, 2.0**10)),
    (RECIPROCAL, (COUNT, 0, False), 24, lambda _, x: reciprocal(x, 1.5, 4.0)),
    (DIVISION, (COUNT, 7, False), 24, lambda _, x: divide(x, x, *RANGE)),
    (DIVISION, (COUNT, 0, False), 24, lambda _, x: divide(x, x, 1.5, 4.0)),
    (ROOT, (COUNT, 7, False), 24, lambda _, x: square_root(x, *RANGE)),
    (ROOT, (COUNT, 7, False), 24, lambda _, x: inverse_square_root(x, *RANGE)),
    (LOGARITHM, (COUNT, 7), 24, lambda _, x: logarithm(x, *RANGE)),
    (LOGARITHM, (COUNT, 0), 24, lambda _, x: logarithm(x, 1.5, 4.0)),
    (MEAN, (1,), 24, lambda _, x: mean(x)),
    (MEAN, (10,), 24, lambda _, x: mean(x.reshape(13, 10), 0)),
    (VARIANCE, (COUNT, 13), 24, lambda _, x: variance(x.reshape(13, 10), 1)),
    (DOT, (COUNT,), 24, lambda _, x: dot(x, x)),
    (QUOTIENT, (COUNT, 2), 31, lambda _, x: quotient(x, x, 0.1, 20)),
]


@pytest.mark.parametrize("parties", [2, 3, 5])
@pytest.mark.parametrize(
    ("profile", "sizes", "fraction", "work"), OPERATIONS, ids=lambda part: getattr(part, "id", "")
)
def test_rounds_and_bytes_are_those_of_the_profile(
    parties: int, profile: Profile, sizes: tuple[Any, ...], fraction: int, work: Work
) -> None:
    def program(circle: Circle) -> tuple[int, int]:
        counters, rounds = [channel.counters for channel in circle.others()], circle.others()[0].rounds
        circle.open_words("level", np.zeros(1, dtype=np.uint64))
        sent, passed = sum(c.bytes_sent - 16 * c.messages_sent for c in counters), rounds.count
        work(circle, shared_zeros(circle, COUNT, fraction))
        return sum(c.bytes_sent - 16 * c.messages_sent for c in counters) - sent, rounds.count - passed

    found = run_parties(program, parties)
    assert profile.bytes_sent is not None
    assert profile.rounds is not None
    assert sum(sent for sent, _ in found) == profile.bytes_sent(*sizes, parties)
    # The last party also waits for the dealer, which its count of rounds shows.
    assert found[0][1] == profile.rounds(*sizes)
