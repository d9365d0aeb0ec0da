"""Common keys of two parties by an oblivious pseudorandom function (`oprf`).

Source: Raghuraman and Rindal, CCS 2022 (eprint 2022/320), figure 4.

The function's receiver knows the outputs at its own keys, the other side at its own. The sender tells its outputs,
cut to tags and sorted, and the receiver says which of them it knows: then both know the common keys. Where only
one may know them it is the receiver, whatever the sizes, and says nothing.

Setting: two parties, semi-honest; assumptions of `oprf`. Failure: that of `tags`. A wrong result for both is an
error: they add up further bits of the common keys' outputs. Bytes: those of `oprf`, and a tag (10 bytes at 2^20
keys) and one bit a key of the sender.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from unseen.computation.circle import Circle
from unseen.computation.intersect import oprf, store, tags
from unseen.computation.intersect.oprf import Entered, Watch
from unseen.computation.kernels.matching import matches
from unseen.computation.profile import Carries, Message
from unseen.computation.types import Index, Words

MESSAGES: Final = (
    *oprf.MESSAGES,
    Message("align/tags", Carries.BLINDED, most_messages=1),
    Message("align/known", Carries.DISCLOSED, most_messages=1),
    Message("align/sum", Carries.DISCLOSED, most_messages=1, most_bytes=64),
)


def receive(circle: Circle, entered: Entered, theirs: int, watch: Watch, *, tell: bool = True) -> Index:
    """The receiver's rows of the common keys, in the order of the sender's tags; `tell` the sender which."""
    channel, length = circle.others()[0], tags.octets(len(entered), theirs)
    grouped, (outputs,) = oprf.as_receiver(circle, entered, watch)
    watch(0.6, "waiting for the partner's tags")
    told = tags.receive(channel, "align/tags", theirs, length)
    found = matches(told, tags.cut(outputs, length))
    known = found >= 0
    places = found[known]
    if tell:
        channel.send("align/known", np.packbits(known))
        tags.agree(channel, "align/sum", outputs[places, 2:])
    rows: Index = grouped.rows[places]
    return rows


def send(circle: Circle, entered: Entered, theirs: int, watch: Watch) -> Index:
    """The sender's rows of the common keys, in the order of its tags; the receiver tells it."""
    grouped, outputs, order = _sent(circle, entered, theirs, watch)
    channel = circle.others()[0]
    watch(0.7, "waiting for the partner's matches")
    packed = channel.receive("align/known", np.uint8, -(-len(entered) // 8))
    known = np.unpackbits(packed, count=len(entered)).astype(bool)
    tags.agree(channel, "align/sum", outputs[known, 2:])
    rows: Index = grouped.rows[order[known]]
    return rows


def send_untold(circle: Circle, entered: Entered, theirs: int, watch: Watch) -> None:
    """The sender's part where the receiver alone learns the common keys."""
    _sent(circle, entered, theirs, watch)


def _sent(circle: Circle, entered: Entered, theirs: int, watch: Watch) -> tuple[store.Grouped, Words, Index]:
    """Tell the tags in their own order: the keys by bin, the outputs in the tags' order, and that order."""
    grouped, outputs = oprf.as_sender(circle, 1 - circle.rank, theirs, entered, watch)
    order = np.argsort(outputs[:, 0])
    outputs = outputs[order]
    tags.send(circle.others()[0], "align/tags", outputs, tags.octets(len(entered), theirs))
    return grouped, outputs, order
