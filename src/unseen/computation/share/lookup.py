"""Tables looked up in XOR shares: for each row, the words that the row's shared bits choose, XORed.

With bits m = o XOR ρ, o opened, and words w = d XOR u, d opened once for all rows, the XOR over a table's choices
of m·w is that of o·w (local), of ρ·d (local) and of ρ·u. The last is one dealt word a row and table, whatever the
number of choices: over bits a masked value is linear in its mask, which it is not in a ring.

Source: Beaver, CRYPTO 1991, for an inner product over GF(2). Setting: any number of semi-honest parties, all but
one colluding. Nobody learns anything; perfect hiding, no failure probability.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from unseen.computation.circle import Circle
from unseen.computation.correlation.lookup_kinds import DigitLookup
from unseen.computation.kernels import digits as kernels
from unseen.computation.profile import Profile
from unseen.computation.share.boolean import words_for
from unseen.computation.share.together import Opening, Protocol, Steps
from unseen.computation.types import Array, Words
from unseen.errors import MisuseError

DIGITS: Final = Profile(
    id="share/digits-by-bits",
    title="Words in binary digits that a row's shared bits choose from tables",
    source="Beaver, CRYPTO 1991, an inner product over bits",
    rounds=lambda rows, tables, choices, lane: 1,
    bytes_sent=lambda rows, tables, choices, lane, parties: (
        parties * (parties - 1) * tables * choices * (8 * words_for(rows) + lane // 8)
    ),
)


@Protocol
def looked_up(circle: Circle, bits: Words, words: Array) -> Steps[Words]:
    """Bits (tables, choices, n) and words (tables, choices) of 32 or 64 bits to their digits (tables, lane, n).

    `bits` has one a choice and row, 64 rows to a word; `words` are XOR shares. Digit j of 64 rows is one word of
    plane j. One round: a bit a choice and row to each peer; corrections of a word a table and row.
    """
    if bits.shape[:2] != words.shape:
        raise MisuseError(f"bits of shape {bits.shape} do not choose among words of shape {words.shape}")
    lane = 8 * words.itemsize
    mask, u, found = circle.source.ask(DigitLookup(bits.shape[0], bits.shape[1], bits.shape[2], lane)).take()
    opened, hidden = yield Opening(circle, "digits-by-bits", bits=(bits ^ mask, words ^ u))
    kernels.choose(opened, np.ascontiguousarray(words), found)
    kernels.choose(mask, hidden, found)
    return np.asarray(found)
