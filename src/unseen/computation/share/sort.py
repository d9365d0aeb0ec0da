"""Sorting, ranks and quantiles of shared values: shuffle, then quicksort by revealed comparisons.

Rows are shuffled into an order that nobody knows, together with their numbers; comparisons of shuffled rows may
then be told to all, because every order is equally likely, whatever the values are. Equal keys keep the order
they had. Pivots are medians of samples that are compared along the way (Hoare 1961; Sedgewick & Bentley).

Source: Hamada, Kikuchi, Ikarashi, Chida, Takahashi, ICISC 2012, "Practically efficient multi-party sorting
protocols from comparison sort algorithms". Setting: semi-honest, any number of parties, all but one colluding;
the source knows the shuffle and no row. Nobody learns anything but the number of rows and columns; the numbers of
comparisons that are made depend on the random order alone.
Cost: about 1.15·n·log2(n) comparisons of 12 bytes to each peer, in about 2·log2(n) passes of four rounds.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import log2
from typing import Final

import numpy as np

from unseen.computation.circle import Circle
from unseen.computation.kernels import quicksort
from unseen.computation.profile import Profile
from unseen.computation.share.array import Shared, as_rows
from unseen.computation.share.precedence import PRECEDENCE, Asked, ask_precedence, precedes
from unseen.computation.share.shuffle import SHUFFLE, shuffle
from unseen.computation.types import Array, Index, Real, Words
from unseen.errors import MisuseError


def usual_comparisons(rows: int) -> int:
    """About how many comparisons sort so many rows, of a few hundred up to some hundred thousand."""
    return round(1.12 * rows * log2(max(2, rows)))


def _ordering_bytes(rows: int, columns: int, comparisons: int, parties: int) -> int:
    """Of rows that are shuffled with their keys and numbers, and compared."""
    assert SHUFFLE.bytes_sent is not None
    assert PRECEDENCE.bytes_sent is not None
    return SHUFFLE.bytes_sent(rows, columns + 2, parties) + PRECEDENCE.bytes_sent(comparisons, parties)


SORT: Final = Profile(
    id="share/sort",
    title="Rows sorted by a shared key",
    source="Hamada et al., ICISC 2012",
    failure="none; rounds and bytes depend on the random order",
    rounds=lambda rows, columns, parties: parties + 4 * round(1.8 * log2(max(2, rows))),
    bytes_sent=lambda rows, columns, parties: _ordering_bytes(rows, columns, usual_comparisons(rows), parties),
    expected=True,
)
RANKS: Final = Profile(
    id="share/order-statistics",
    title="The values of given ranks, quantiles, the largest few",
    source="Hamada et al., ICISC 2012, sorting only the parts that hold a wanted rank",
    failure="none; rounds and bytes depend on the random order",
    rounds=lambda rows, parties: parties + 4 * round(log2(max(2, rows))),
    bytes_sent=lambda rows, parties: _ordering_bytes(rows, 0, 4 * rows, parties),
    expected=True,
)


def _placement_bytes(rows: int, columns: int, parties: int) -> int:
    assert SHUFFLE.bytes_sent is not None
    return SHUFFLE.bytes_sent(rows, columns + 1, parties) + parties * (parties - 1) * 8 * rows


PLACEMENT: Final = Profile(
    id="share/placement",
    title="Rows put at shared places",
    source="Hamada et al., ICISC 2012: places opened after a shuffle",
    rounds=lambda rows, columns, parties: parties + 1,
    bytes_sent=_placement_bytes,
)
MOST_ROWS: Final = 1 << 31
"""Row numbers are compared in 32 bits, one of them the sign."""
AHEAD_ROWS: Final = 4096
"""Least number of rows for which randomness is announced before the comparisons are known."""


def sort(values: Shared, descending: bool = False) -> Shared:
    """(n,) values in rising order, or falling, as `sort_by`."""
    return sort_by(values, descending=descending)[0]


def argsort(keys: Shared, descending: bool = False) -> Shared:
    """(n,) row numbers in the order of the keys, shared, without a fraction; equal keys in order of rows.

    As `sort_by`.
    """
    return sort_by(keys, [row_numbers(keys)], descending)[1]


def sort_by(keys: Shared, columns: Sequence[Shared] = (), descending: bool = False) -> list[Shared]:
    """Keys (n,) in rising order, or falling, and columns (n, …) in the same order of rows; stable.

    Exact over the whole range, fewer than 2^31 rows. A shuffle, and about 2·log2(n) passes of four rounds.
    """
    return _ranked(keys, columns, descending, None)


def order_statistics(values: Shared, ranks: Sequence[int]) -> Shared:
    """The values of given ranks, 0 for the smallest: (n,) to (len(ranks),).

    Exact over the whole range. Only parts that hold a wanted rank are sorted: about 4·n comparisons for a few
    ranks.
    """
    return _ranked(values, (), False, np.asarray(ranks, dtype=np.int64))[0]


def top(keys: Shared, count: int, columns: Sequence[Shared] = ()) -> list[Shared]:
    """The `count` largest keys, largest first, and the columns' rows of these: as `order_statistics`."""
    return _ranked(keys, columns, True, np.arange(count))


def quantiles(values: Shared, levels: Sequence[float]) -> Shared:
    """Quantiles at public levels within [0, 1], linear between neighbours, as numpy.quantile: (len(levels),).

    As `order_statistics`, and one round. Where a level falls between two values, these must be less than
    2^(38 - fraction) apart; the result is off by a step, and 2^-24 of that difference.
    """
    if any(not 0.0 <= level <= 1.0 for level in levels):
        raise MisuseError("a quantile's level lies between 0 and 1")
    places = np.asarray(levels) * (values.size - 1)
    below = np.floor(places).astype(np.int64)
    ranks = np.concatenate([below, np.minimum(below + 1, values.size - 1)])
    found = order_statistics(values, ranks.tolist())
    low, high = found[: len(levels)], found[len(levels) :]
    share: Real = places - below
    return low + (high - low) * share


def median(values: Shared) -> Shared:
    """The middle value, or the mean of the two middle ones: a single number. As `quantiles`."""
    return quantiles(values, [0.5])[0]


def place(table: Shared, positions: Shared) -> Shared:
    """Rows (n, …) put at shared positions (n,), a permutation without a fraction: row i goes to positions[i].

    Undoes an `argsort`. Rows and positions are shuffled together, then the positions opened: they are a uniform
    permutation. Rounds: one more than a shuffle; 8 bytes a row to each peer beyond it.
    """
    circle, flat = table.circle, as_rows(table)
    if positions.shape != table.shape[:1] or positions.fraction:
        raise MisuseError("positions must be whole numbers, one a row")
    mixed = shuffle(Shared(circle, np.column_stack([positions.words, flat]), 0)).words
    (places,) = circle.open_words("sort-places", mixed[:, 0] + circle.zero_share(len(mixed)))
    if not np.array_equal(np.sort(places), np.arange(len(places), dtype=np.uint64)):
        raise MisuseError("positions are no permutation of the rows")
    rows = np.empty_like(flat)
    rows[places.astype(np.int64)] = mixed[:, 1:]
    return Shared(circle, rows.reshape(table.shape), table.fraction)


def row_numbers(like: Shared) -> Shared:
    """0, 1, 2, … one a row, as a sharing without a fraction; local."""
    mine = np.arange(len(like.words), dtype=np.uint64)
    return Shared(like.circle, mine if like.circle.rank == 0 else np.zeros_like(mine), 0)


def _ranked(keys: Shared, columns: Sequence[Shared], descending: bool, ranks: Index | None) -> list[Shared]:
    """Keys and columns at the wanted ranks (None: all), in their order."""
    circle, count = keys.circle, keys.size
    if keys.words.ndim != 1 or any(column.shape[:1] != keys.shape for column in columns):
        raise MisuseError("keys must have shape (n,), and every column n rows")
    if count >= MOST_ROWS or (ranks is not None and len(ranks) and not 0 <= ranks.min() <= ranks.max() < count):
        raise MisuseError(f"ranks must lie within 0 and {count}, the number of rows")
    key = -keys if descending else keys
    flat = [as_rows(column) for column in columns]
    whole = np.column_stack([key.words, row_numbers(keys).words, *flat])
    mixed = shuffle(Shared(circle, whole, 0)).words
    order = _order(circle, np.ascontiguousarray(mixed[:, 0]), mixed[:, 1].astype(np.uint32), ranks)
    rows = mixed[order if ranks is None else order[ranks]]
    key = keys._with(np.ascontiguousarray(rows[:, 0]))
    parts = np.split(rows[:, 2:], np.cumsum([part.shape[1] for part in flat])[:-1], axis=1) if flat else []
    return [
        -key if descending else key,
        *(c._with(part.reshape(len(rows), *c.shape[1:])) for c, part in zip(columns, parts, strict=True)),
    ]


def _order(circle: Circle, keys: Words, numbers: Array, ranks: Index | None) -> Index:
    """The public order of shuffled rows: place k holds the row of rank k, for the wanted ranks at least."""
    count = len(keys)
    order, starts, pivots = np.arange(count), np.array([0, count]), np.zeros(1, dtype=np.int64)
    ahead = _announced(circle, count) if ranks is None else []
    while True:
        active = _active(starts, ranks)
        pairs = quicksort.count_pairs(starts, active)
        if not pairs:
            return order
        left, right = np.empty(pairs, dtype=np.int64), np.empty(pairs, dtype=np.int64)
        quicksort.list_pairs(order, starts, active, pivots, left, right)
        asked = ahead.pop(0) if ahead and pairs <= ahead[0].pairs else None
        before = precedes(circle, keys, numbers, left, right, asked)
        fresh, places = np.empty(count + 1, dtype=np.int64), np.empty(count, dtype=np.int64)
        found = quicksort.apply_answers(before, order, starts, active, pivots, fresh, places)
        starts, pivots = fresh[: found + 1].copy(), places[:found].copy()


def _active(starts: Index, ranks: Index | None) -> Array:
    """Which buckets are not settled yet and hold a wanted rank."""
    open_ones = np.diff(starts) > 1
    if ranks is None:
        return open_ones
    rising = np.sort(ranks)
    return open_ones & (np.searchsorted(rising, starts[1:]) > np.searchsorted(rising, starts[:-1]))


def _announced(circle: Circle, count: int) -> list[Asked]:
    """Randomness for the passes in which nearly all rows are still compared, so that its maker runs ahead."""
    passes = max(0, int(np.log2(count / AHEAD_ROWS)) + 4) if count >= AHEAD_ROWS else 0
    return [ask_precedence(circle, count + count // 12, count) for _ in range(passes)]
