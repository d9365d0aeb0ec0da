"""The messages of the building blocks: what any protocol may send, and why none of it says anything by itself.

Every opening here is under a uniform mask in Z_2^64 or over bits; seeds and corrections are uniform. What the
dealer is asked for names kinds and sizes, which the protocols' own profiles disclose to it.
"""

from __future__ import annotations

from typing import Final

from unseen.computation.profile import Carries, Message

BLOCKS: Final = (
    Message("seed/*"),
    Message("private-*"),
    Message("truncation"),
    Message("product"),
    Message("square"),
    Message("matrix-product"),
    Message("fourier"),
    Message("exponential"),
    Message("normalisation"),
    Message("lift"),
    Message("gate"),
    Message("bits-to-numbers"),
    Message("number-to-bits"),
    Message("where"),
    Message("comparison"),
    Message("equality"),
    Message("bin-sums"),
    Message("masked-rows"),
    Message("rows-by-bits"),
    Message("values-by-bits"),
    Message("known-bits"),
    Message("digits-by-bits"),
    Message("carries"),
    Message("shuffle"),
    Message("sort-order"),
    Message("sort-places"),
    Message("dealer/seed", most_messages=1, most_bytes=64),
    Message("dealer/correction"),
    Message("dealer/ask", Carries.DISCLOSED),
    Message("dealer/order"),
)
