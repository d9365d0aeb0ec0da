"""The largest values along an axis of a shared array, and where they stand.

`largest` is a knock-out tournament: as many comparisons as values, in the logarithm of their number of rounds.
`top_along` compares all pairs at once, which gives every value its rank in a fixed number of rounds: for axes
of a few dozen. For long vectors see `share.sort.top`.

Source: tournaments as in Toft, CT-RSA 2011 and everywhere; ranks by counting, Knuth, The Art of Computer
Programming 3, section 5.2. Setting: any number of semi-honest parties, all but one colluding. Nobody learns
anything; no failure probability. Values must differ by less than 2^63 units of the last place, as all do.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from unseen.computation.profile import Profile
from unseen.computation.share.array import Shared
from unseen.computation.share.boolean import RING, WHERE, to_numbers, where, words_for
from unseen.computation.share.compare import COMPARISON, EQUALITY, equal
from unseen.computation.share.together import together
from unseen.errors import MisuseError


def _levels(width: int) -> int:
    return (width - 1).bit_length()


def _tournament_bytes(lines: int, width: int, parties: int) -> int:
    total = 0
    while width > 1:
        games, width = lines * (width // 2), width - width // 2
        comparison = COMPARISON.bytes_sent(games, parties) if COMPARISON.bytes_sent else 0
        total += comparison + 2 * parties * (parties - 1) * (8 + 8 * 64) * words_for(games)
    return total


def _top_bytes(lines: int, width: int, count: int, parties: int) -> int:
    """All pairs compared and counted; each rank held against the wanted ones, and values chosen by it."""
    pairs, wanted = lines * width * (width - 1) // 2, lines * width * count
    steps = ((COMPARISON, pairs), (RING, pairs), (EQUALITY, wanted), (WHERE, wanted), (RING, wanted))
    return sum(step.bytes_sent(size, parties) for step, size in steps if step.bytes_sent)


LARGEST: Final = Profile(
    id="share/largest",
    title="The largest value along an axis, and its place",
    source="knock-out tournament of comparisons and choices",
    rounds=lambda lines, width: 4 * _levels(width),
    bytes_sent=_tournament_bytes,
)
TOP: Final = Profile(
    id="share/top-along",
    title="The largest few along a short axis, and their places",
    source="ranks by comparing all pairs (Knuth, TAOCP 3, section 5.2)",
    rounds=lambda lines, width, count: 8,
    bytes_sent=_top_bytes,
)


def maximum(values: Shared, axis: int = -1) -> Shared:
    """The largest value along an axis, exactly, as `largest`; the axis goes."""
    return largest(values, axis)[0]


def minimum(values: Shared, axis: int = -1) -> Shared:
    """The smallest value along an axis, exactly, as `largest`; the axis goes."""
    return -largest(-values, axis)[0]


def argmax(values: Shared, axis: int = -1) -> Shared:
    """The place of the largest value along an axis, the first of equal ones, without a fraction, as `largest`."""
    return largest(values, axis)[1]


def largest(values: Shared, axis: int = -1) -> tuple[Shared, Shared]:
    """The largest value along an axis and its place, the first of equal ones: four rounds a doubling.

    Exact over the whole range.
    """
    current = _axis_last(values, axis)
    width = current.shape[-1]
    first = np.broadcast_to(np.arange(width, dtype=np.uint64), current.shape)
    places = Shared(values.circle, first if values.circle.rank == 0 else np.zeros_like(first), 0)
    while width > 1:
        left, right = current[..., : width - 1 : 2], current[..., 1:width:2]
        smaller = left < right
        value, place = together(
            where.steps(smaller, right, left),
            where.steps(smaller, places[..., 1:width:2], places[..., : width - 1 : 2]),
        )
        odd = width - width % 2
        current = current._with(np.concatenate([value.words, current.words[..., odd:width]], axis=-1))
        places = places._with(np.concatenate([place.words, places.words[..., odd:width]], axis=-1))
        width = current.shape[-1]
    return current[..., 0], places[..., 0]


def top_along(values: Shared, count: int, axis: int = -1) -> tuple[Shared, Shared]:
    """The `count` largest values along an axis and their places, largest first, along a last axis: eight rounds.

    Exact over the whole range. Compares all pairs: for n values n·(n - 1)/2 comparisons and count·n equalities.
    Equal values keep their order.
    """
    lined = _axis_last(values, axis)
    width = lined.shape[-1]
    if not 0 < count <= width:
        raise MisuseError(f"{count} of {width} values cannot be taken")
    early, late = np.triu_indices(width, 1)
    ahead = to_numbers(lined[..., early] < lined[..., late])
    # A value's rank is how many come before it: of those left of it all that are not smaller, of those right of
    # it all that are larger.
    gains = np.zeros((len(early), width), dtype=np.uint64)
    gains[np.arange(len(early)), early] = 1
    gains[np.arange(len(early)), late] = np.uint64(2**64 - 1)
    ranks = Shared(values.circle, ahead.words @ gains, 0) + np.arange(width, dtype=np.float64)
    wanted = np.arange(count, dtype=np.float64)
    tiled = Shared(values.circle, np.repeat(ranks.words[..., None, :], count, axis=-2), 0)
    chosen = equal(tiled - np.broadcast_to(wanted[:, None], tiled.shape), 0.0)
    repeated = lined._with(np.repeat(lined.words[..., None, :], count, axis=-2))
    kept, ones = together(where.steps(chosen, repeated, repeated.times_integer(0)), to_numbers.steps(chosen))
    places = ones.times_integer(np.arange(width))
    return kept.sum(axis=-1), places.sum(axis=-1)


def _axis_last(values: Shared, axis: int) -> Shared:
    if not values.shape or not -len(values.shape) <= axis < len(values.shape) or not values.shape[axis]:
        raise MisuseError(f"shape {values.shape} has nothing along axis {axis}")
    return values._with(np.ascontiguousarray(np.moveaxis(values.words, axis, -1)))
