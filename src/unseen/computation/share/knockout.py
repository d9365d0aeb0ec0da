"""What belongs to the largest of many shared values: a knock-out tournament of groups of five.

All pairs of a group are compared at once; who beats the other four, a gate of four inputs, is its winner, and what
the winner carries goes on. A round of the tournament takes five rounds of messages and leaves a fifth of the
values, where pairs take four and leave a half.

Source: tournaments as in Toft, CT-RSA 2011; all pairs at once, Knuth, The Art of Computer Programming 3, section
5.2. Setting: any number of semi-honest parties, all but one colluding. Nobody learns anything; no failure
probability. Values must differ by less than 2^63 units of the last place, as all do.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from unseen.computation.circle import Circle
from unseen.computation.correlation.formula import Gate
from unseen.computation.kernels import bits
from unseen.computation.profile import Profile
from unseen.computation.share.array import Shared, shared_zeros
from unseen.computation.share.boolean import Bits, evaluate, packed, where, words_for
from unseen.computation.share.compare import COMPARISON, negative
from unseen.computation.share.together import Protocol, Steps
from unseen.computation.types import Array, Words
from unseen.errors import MisuseError

GROUP: Final = 5
"""Values of a group: each has four others to beat."""


def _groups(count: int) -> list[tuple[int, int]]:
    """Values of a group and number of groups, round by round; what fits into no group goes on by itself."""
    rounds = []
    while count > 1:
        members = min(GROUP, count)
        rounds.append((members, count // members))
        count = count // members + count % members
    return rounds


def _bytes(count: int, lines: int, carried: int, parties: int) -> int:
    total, left = 0, len(_groups(count))
    for members, groups in _groups(count):
        left -= 1
        own = groups * lines
        comparison = COMPARISON.bytes_sent
        total += comparison(members * (members - 1) // 2 * own, parties) if comparison else 0
        gate = 4 * words_for((members - 1) * own) if members > 2 else 0
        choice = (8 + 8 * 64) * words_for((carried + bool(left)) * (members - 1) * own)
        total += parties * (parties - 1) * (8 * gate + choice)
    return total


KNOCKOUT: Final = Profile(
    id="share/knockout",
    title="What belongs to the largest of many values",
    source="knock-out tournament of groups of five, all pairs at once",
    rounds=lambda count, lines, carried: sum(4 + (members > 2) for members, _ in _groups(count)),
    bytes_sent=_bytes,
)


def of_largest(values: Shared, carried: Words) -> Words:
    """Of (count, lines) values and words (k, count, lines), those of each line's largest value: (k, lines).

    Exact over the whole range. Of equal values the one that comes first in its group wins; `carried` are shares of
    the ring. Five rounds leave a fifth of the values; four, where no more than two are left.
    """
    if values.shape != carried.shape[1:] or not values.shape[0]:
        raise MisuseError(f"words of shape {carried.shape} are not carried by values of shape {values.shape}")
    running = np.concatenate([values.words[None], carried])
    for members, groups in _groups(values.shape[0]):
        running = _round(values.circle, running, members, groups)
    return running[-len(carried) :, 0]


@Protocol
def _round(circle: Circle, running: Words, members: int, groups: int) -> Steps[Words]:
    """One round of the tournament, on values and what they carry: (1 + k, count, lines)."""
    played, rest = running[:, : members * groups], running[:, members * groups :]
    played = played.reshape(len(running), members, groups, -1)
    early, late = np.triu_indices(members, 1)
    smaller = yield from negative.steps(Shared(circle, played[0][early] - played[0][late], 0))
    wins = smaller ^ np.ones(smaller.shape, dtype=bool)
    if members > 2:
        factors = _must_hold(smaller.unpacked(), members, circle.rank == 0)
        inputs = np.stack([bits.pack(factor.reshape(-1)) for factor in factors], axis=1)
        found = yield from evaluate.steps(circle, Gate.ALL_FOUR, inputs)
        wins = Bits(circle, np.ascontiguousarray(found[:, 0]), factors.shape[1:])
    last_round = members * groups == running.shape[1] and groups == 1
    kept = played[1:] if last_round else played
    above_last = kept[:, :-1] - kept[:, -1:]
    tiled = packed(circle, np.broadcast_to(wins.unpacked(), above_last.shape))
    chosen = yield from where.steps(
        tiled, Shared(circle, above_last, 0), shared_zeros(circle, above_last.shape, 0)
    )
    winners = kept[:, -1] + chosen.words.sum(axis=1, dtype=np.uint64)
    return np.concatenate([winners, rest[-len(kept) :]], axis=1)


def _must_hold(smaller: Array, members: int, first: bool) -> Array:
    """(4, members - 1, groups, lines): what makes each member but the last the winner, ones for what is missing.

    `smaller` (pairs, groups, lines) says of each pair whether the later one is larger.
    """
    factors = np.full((4, members - 1, *smaller.shape[1:]), first, dtype=np.uint8)
    filled = [0] * members
    for one, other, less in zip(*np.triu_indices(members, 1), smaller, strict=True):
        for member, wins in ((one, less ^ first), (other, less)):
            if member < members - 1:
                factors[filled[member], member] = wins
                filled[member] += 1
    return factors
