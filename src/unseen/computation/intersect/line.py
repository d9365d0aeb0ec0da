"""How fast the line between two parties is, and which way of aligning takes less time on it.

Elliptic curves move few bytes and take much work, a vector OLE the other way round: for some thousands of keys
the line decides. Both send a piece at once and time it, tell what they found, and take the slower: so both
choose alike.

Setting: two parties. Nothing of any list is sent. Bytes: 64 KiB each way, in four rounds. The clock is the
caller's: this layer has none.
"""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite
from typing import Final

import numpy as np

from unseen.computation.circle import Circle
from unseen.computation.intersect.align import FEW, MESSAGES_OF_LINE, Method, bytes_by, seconds_by
from unseen.computation.types import Array
from unseen.errors import MisuseError, ProtocolError

__all__ = ["MESSAGES_OF_LINE", "MOST_BY_CURVES", "by_line", "depends_on_line", "measured_rate"]

PROBE_BYTES: Final = 1 << 16
MOST_BY_CURVES: Final = 50_000
"""Keys of both sides together above which no line in use is thin enough for curves."""


def depends_on_line(own: int, theirs: int) -> bool:
    """Whether the line decides between curves and vector OLE for so many keys."""
    return FEW < own + theirs <= MOST_BY_CURVES


def by_line(own: int, theirs: int, rate: float) -> Method:
    """What takes less time for these sizes over a line of so many bytes a second."""

    def whole(method: Method) -> float:
        return seconds_by(method, own, theirs) + bytes_by(method, own, theirs) / rate

    return min(Method, key=whole)


def measured_rate(circle: Circle, clock: Callable[[], float]) -> float:
    """Bytes a second each way, the smaller of what both measure. Raises ProtocolError for a rate that is none."""
    if circle.size != 2:
        raise MisuseError("a line is between two parties")
    channel, small = circle.others()[0], np.zeros(1, dtype=np.uint8)

    def exchanged(tag: str, piece: Array) -> float:
        began = clock()
        channel.send(tag, piece)
        channel.receive(tag, np.uint8, len(piece))
        return clock() - began

    exchanged("line/ready", small)  # both are here
    there = exchanged("line/ready", small)
    whole = exchanged("line/piece", np.zeros(PROBE_BYTES, dtype=np.uint8))
    own = PROBE_BYTES / max(whole - there, 1e-5)
    channel.send("line/rate", np.array([own]))
    theirs = float(channel.receive("line/rate", np.float64, 1)[0])
    if not (isfinite(theirs) and theirs > 0):
        raise ProtocolError(channel.peer, "tells a rate of the line that there cannot be")
    return min(own, theirs)
