"""Tags: short hashes by which one party tells another which keys it means, and sums that check what was found.

A tag is up to 16 octets, two words with the rest zero. Failure: two different keys with one tag, below 2^-40 for
all pairs of keys of a run, by the tag's length.
"""

from __future__ import annotations

from math import ceil, log2
from typing import Final

import numpy as np

from unseen.computation.channel import Channel
from unseen.computation.types import Words
from unseen.errors import ProtocolError

STATISTICAL: Final = 40


def octets(left: int, right: int) -> int:
    """Octets of a tag for so many keys on either side."""
    return min(16, max(8, ceil((STATISTICAL + log2(left) + log2(right)) / 8)))


def cut(words: Words, length: int) -> Words:
    """(n, 2): the first `length` octets of each row of (n, 2 or more) words, the others set to zero."""
    over = 8 * (16 - length)
    tags = words[:, :2].copy()
    tags[:, 1] &= np.uint64((1 << (64 - over)) - 1)
    return tags


def send(channel: Channel, tag: str, words: Words, length: int) -> None:
    """Send the first `length` octets of each row."""
    channel.send(tag, np.ascontiguousarray(cut(words, length).view(np.uint8)[:, :length]))


def receive(channel: Channel, tag: str, count: int, length: int) -> Words:
    """(count, 2) words, as `cut` gives them."""
    rows = np.zeros((count, 16), dtype=np.uint8)
    rows[:, :length] = channel.receive(tag, np.uint8, (count, length))
    return rows.view(np.uint64)


def total(words: Words) -> Words:
    """The XOR of all rows: what two parties compare that should hold the same rows."""
    return np.asarray(np.bitwise_xor.reduce(words, axis=0, initial=np.uint64(0)))


def agree(channel: Channel, tag: str, words: Words) -> None:
    """The XOR of (common, k) words is the same at both parties, or the run ends."""
    own = total(words)
    channel.send(tag, own)
    if not np.array_equal(channel.receive(tag, np.uint64, len(own)), own):
        raise ProtocolError(channel.peer, "found other common keys than this party; the result is void")
