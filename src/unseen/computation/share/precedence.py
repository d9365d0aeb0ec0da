"""Which of two rows comes first, by a shared key, and among equal keys by a shared row number: told to all.

One comparison of up to 24 nibbles: the 16 of the keys' difference above those of the row numbers'. Rows must
have been shuffled, so that the answers say nothing about keys: no two rows are equal, and whatever the keys are,
every order of the rows is equally likely.

Source: Hamada, Kikuchi, Ikarashi, Chida, Takahashi, ICISC 2012 (sorting by revealed comparisons of shuffled rows,
keys made different by row numbers); the comparison as in `share.compare`. Setting: any number of semi-honest
parties, all but one colluding; no failure probability.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from unseen.computation.circle import Circle
from unseen.computation.correlation.formula import Gate
from unseen.computation.correlation.order_kinds import OrderMasks
from unseen.computation.correlation.source import Ticket
from unseen.computation.kernels import bits, quicksort
from unseen.computation.profile import Profile
from unseen.computation.share.boolean import ask_gate, evaluate, words_for
from unseen.computation.share.compare import carry_inputs
from unseen.computation.share.together import Opening, Protocol, Steps
from unseen.computation.types import Array, Index, Words

PRECEDENCE: Final = Profile(
    id="share/precedence",
    title="Which of two shuffled rows comes first, told to all",
    source="Hamada et al., ICISC 2012; comparison as in share/comparison",
    rounds=lambda pairs: 4,
    bytes_sent=lambda pairs, parties: (
        parties * (parties - 1) * (12 * pairs + 8 * (6 * 7 + 10 + 1) * words_for(pairs))
    ),
)

_BLOCKS: Final = 6


def _nibbles(rows: int) -> int:
    """Nibbles that hold the difference of two row numbers, its sign included."""
    return -(-(rows.bit_length() + 1) // 4)


@dataclass(frozen=True)
class Asked:
    """The randomness for up to `pairs` answers, announced before the pairs are known."""

    pairs: int
    masks: Ticket
    fours: Ticket
    last: Ticket


def ask_precedence(circle: Circle, pairs: int, rows: int) -> Asked:
    """Announce that so many pairs of so many rows, or fewer pairs, will be compared in one go."""
    masks = circle.source.ask(OrderMasks(pairs, _nibbles(rows)))
    words = words_for(pairs)
    return Asked(
        pairs, masks, ask_gate(circle, Gate.CARRY, _BLOCKS * words), ask_gate(circle, Gate.LAST_OF_SIX, words)
    )


class _Part:
    """The first rows of what a ticket brings."""

    def __init__(self, ticket: Ticket, rows: int) -> None:
        self.number = ticket.number
        self._ticket = ticket
        self._rows = rows

    def early(self) -> tuple[Any, ...]:
        return tuple(part[: self._rows] for part in self._ticket.early())

    def take(self) -> tuple[Any, ...]:
        return tuple(part[: self._rows] for part in self._ticket.take())


@Protocol
def precedes(
    circle: Circle, keys: Words, numbers: Array, left: Index, right: Index, asked: Asked | None = None
) -> Steps[Array]:
    """Whether row left[k] comes before row right[k], for all k, as public truth values: four rounds.

    `keys` (uint64) and `numbers` (uint32) are this party's shares, one a row; keys differ by less than 2^63, row
    numbers are all different and below the number of rows, which is below 2^31. 12 bytes and 53 bits a pair to
    each peer.
    """
    pairs, words = len(left), words_for(len(left))
    asked = asked or ask_precedence(circle, pairs, len(keys))
    r, q, above, below = _Part(asked.masks, pairs).take()
    key, number = np.empty_like(r), np.empty_like(q)
    quicksort.masked_differences(keys, left, right, r, key)
    quicksort.masked_differences(numbers, left, right, q, number)
    opened, small = yield Opening(circle, "sort-order", (key, number))
    first = circle.rank == 0
    high = bits.compare_nibbles(opened, above, first, signed=True)
    low = bits.compare_lanes(small.astype(np.uint64), below, first, signed=True)
    greater, same = np.zeros((2, _BLOCKS, 4, words), dtype=np.uint64)
    for whole, parts in ((greater, (low[0], high[0])), (same, (low[1], high[1]))):
        # What the row numbers leave of their two blocks stays empty, at the low end: it generates nothing.
        whole.reshape(4 * _BLOCKS, words)[8 - len(parts[0]) :] = np.concatenate(parts)
    fours = carry_inputs(greater, same).reshape(-1, 7)
    carried = yield from evaluate.steps(circle, Gate.CARRY, fours, _Part(asked.fours, len(fours)))
    generated = greater[:, 3] ^ carried[:, 0].reshape(_BLOCKS, words)
    passed = carried[:, 1].reshape(_BLOCKS, words)
    inputs = np.concatenate([generated[4::-1], passed[:0:-1]]).T
    borrowed = yield from evaluate.steps(
        circle, Gate.LAST_OF_SIX, np.ascontiguousarray(inputs), _Part(asked.last, words)
    )
    answer = generated[5] ^ borrowed[:, 0] ^ circle.zero_bits(words)
    (told,) = yield Opening(circle, "sort-order", bits=(answer,))
    return bits.unpack(told, pairs)
