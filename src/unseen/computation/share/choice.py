"""Secret bits by shared numbers, where many bits meet the same numbers: rows kept or dropped, values looked up.

Numbers are masked once for all bits; a bit costs one opened bit and what the source supplies. With b = o XOR ρ,
o opened, b·x = o·x + (1 - 2o)·ρ·x, and ρ·x = ρ·(x - a) + ρ·a for x opened under its mask a.

Source: Beaver, CRYPTO 1991, with the mask of one factor kept (Mohassel & Zhang, SecureML, IEEE S&P 2017) and the
other factor a dealt bit in both sharings. Setting: any number of semi-honest parties, all but one colluding.
Nobody learns anything; perfect hiding, no failure probability.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from unseen.computation.circle import Circle
from unseen.computation.correlation.choice_kinds import BitScaling, BitSums
from unseen.computation.correlation.kinds import MatrixMask
from unseen.computation.kernels import choice as kernels
from unseen.computation.profile import Profile
from unseen.computation.share.array import Shared
from unseen.computation.share.boolean import Bits, words_for
from unseen.computation.types import Array, Words
from unseen.errors import MisuseError

SCALING: Final = Profile(
    id="share/rows-by-bits",
    title="Rows kept or zeroed by shared bits, the rows masked once",
    source="Beaver, CRYPTO 1991; SecureML, IEEE S&P 2017, section IV",
    rounds=lambda bits: 1,
    bytes_sent=lambda bits, parties: parties * (parties - 1) * 8 * words_for(bits),
)
LOOKUP: Final = Profile(
    id="share/values-by-bits",
    title="Sum of the shared values that a row's shared bits choose",
    source="Beaver, CRYPTO 1991; SecureML, IEEE S&P 2017, section IV",
    rounds=lambda rows, choices: 1,
    bytes_sent=lambda rows, choices, parties: parties * (parties - 1) * 8 * (words_for(rows * choices) + choices),
)


@dataclass(frozen=True, eq=False)
class MaskedRows:
    """Shared vectors (columns, rows) opened once under a mask that the source keeps."""

    value: Shared
    opened: Words
    number: int

    def times(self, truth: Bits) -> Shared:
        """Bits (groups, rows) to shared (groups, columns, rows): each group's rows kept, the others zero.

        Exact over the whole range. One round, one bit a group and row to each peer.
        """
        circle, (columns, rows) = self.value.circle, self.value.shape
        if truth.shape[1:] != (rows,):
            raise MisuseError(f"bits must have shape (groups, {rows}), not {truth.shape}")
        groups = truth.shape[0]
        ticket = circle.source.ask(BitScaling(self.number, groups, columns, rows))
        mask, ring, products = ticket.take()
        opened = _open_bits(circle, "rows-by-bits", truth.words ^ mask)
        out = np.empty((groups, columns, rows), dtype=np.uint64)
        kernels.scale(opened, ring, products, self.opened, self.value.words, out)
        return Shared(circle, out, self.value.fraction)

    def forget(self) -> None:
        """The source may drop the mask."""
        self.value.circle.source.forget(self.number)


def masked_rows(value: Shared) -> MaskedRows:
    """Open (columns, rows) under a mask: one round, 8 bytes a number to each peer."""
    circle = value.circle
    ticket = circle.source.ask(MatrixMask(value.shape[0], value.shape[1], -1))
    (a,) = ticket.take()
    words = np.ascontiguousarray(value.words)
    (opened,) = circle.open_words("masked-rows", words - a)
    return MaskedRows(Shared(circle, words, value.fraction), opened, ticket.number)


def chosen_sums(truth: Bits, values: Shared, lane: int = 64) -> Shared:
    """Bits (choices, rows) and values (choices,) to the shared sum of the chosen values, row by row: (rows,).

    Exact; |sum| < 2^(62 - fraction). One round, a bit a choice and row, and a word a choice, to each peer. With
    `lane` 32, half of what the source supplies: the result is then right modulo 2^32 only, which is what
    functions of the low bits need.
    """
    circle, (choices, rows) = truth.circle, truth.shape
    if values.shape != (choices,):
        raise MisuseError(f"values must have shape ({choices},), not {values.shape}")
    kind = np.dtype(f"u{lane // 8}")
    mask, u, ring, products = circle.source.ask(BitSums(choices, rows, lane)).take()
    share = values.words.astype(kind)
    hidden, words = share - u, truth.words ^ mask
    for channel in circle.others():
        channel.send("values-by-bits", words)
        channel.send("values-by-bits", hidden)
    opened, weights = words.copy(), hidden.copy()
    for channel in circle.others():
        opened ^= channel.receive("values-by-bits", np.uint64, words.shape)
        weights += channel.receive("values-by-bits", kind, hidden.shape)
    out = np.zeros(rows, dtype=kind)
    kernels.choose(opened, ring, products, weights, share, out)
    return Shared(circle, out.astype(np.uint64), values.fraction)


def _open_bits(circle: Circle, tag: str, share: Array) -> Words:
    for channel in circle.others():
        channel.send(tag, share)
    (opened,) = circle.collect_bits(tag, share)
    return opened
