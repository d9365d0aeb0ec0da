"""Common customers of two institutions, told to one of them alone.

By curves (`ecdh`) the recipient returns none of the other side's points, and the other side tells its order once
there are enough. By vector OLE (`vole`) the recipient is the function's receiver, whichever side is larger, and
does not say which tags it knows. The other side holds uniform words, blinded points and its own keys: it learns
sizes, and whether enough customers are common. Where the agreement sets a smallest overlap the recipient counts
first, as in `align`, and the other side sees on how large a sample it was content.

Setting: two parties, semi-honest; assumptions of `ecdh` and `vole`. There is no sum that both could compare: two
keys taken for one, below 2^-40, are no error here; the vector OLE is tried all the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from unseen.computation.channel import Channel
from unseen.computation.circle import Circle
from unseen.computation.intersect import align, ecdh, oprf, vole
from unseen.computation.intersect.align import (
    CHANCE,
    SAMPLE,
    Aligned,
    Declared,
    Method,
    Watch,
    chosen,
    heard_enough,
    offered,
    sample,
    sampled,
    tail,
    too_few,
)
from unseen.computation.intersect.keys import Keys
from unseen.computation.profile import Carries, Disclosure, Message, Profile, Role
from unseen.computation.types import Index
from unseen.errors import MisuseError

PROFILE: Final = Profile(
    id="intersect/align-to-one",
    title="Common customers of two institutions, told to one of them",
    source=align.PROFILE.source,
    reveals=(
        Disclosure(Role.EACH, "how many customers each side offers"),
        Disclosure(
            Role.EACH,
            "whether at least {smallest_overlap} customers are common, and how large a sample was counted to see",
        ),
        Disclosure(
            Role.RECIPIENT,
            "how many customers are common, and which of its own, if there are at least {smallest_overlap}",
        ),
    ),
    assumptions=align.PROFILE.assumptions,
    failure="below 2^-40: two keys taken for one; too few taken for enough",
    messages=(
        *align.MESSAGES_OF_LINE,
        Message("align/size", Carries.DISCLOSED, most_messages=1, most_bytes=24),
        Message("align/sample", Carries.DISCLOSED, most_messages=8, most_bytes=8 * 24),
        Message("align/shown", Carries.DISCLOSED, most_messages=8, most_bytes=8 * 17),
        Message("align/enough", Carries.DISCLOSED, most_messages=1, most_bytes=17),
        *ecdh.MESSAGES,
        *oprf.MESSAGES,
        Message("align/tags", Carries.BLINDED, most_messages=1),
    ),
    rounds=lambda: 8,
)


def aligned_to_one(
    circle: Circle,
    keys: Sequence[bytes] | Keys,
    minimum: int,
    recipient: int,
    watch: Watch = lambda done, note: None,
    method: Method | None = None,
    declared: Declared | None = None,
) -> Aligned:
    """Find the common keys for the party of rank `recipient`; at the other, the result has no rows.

    The rows' order is random. Raises as `align.aligned` does; RefusedError under rule `smallest-overlap` at both.
    """
    if recipient not in (0, 1):
        raise MisuseError("the recipient of this alignment is one of its two parties")
    entered, theirs = offered(circle, keys, declared)
    method = method or chosen(len(entered), theirs)
    find = _for_me if circle.rank == recipient else _for_the_other
    return Aligned(find(circle, entered, theirs, minimum, method, watch), len(entered), theirs, method)


def _for_me(
    circle: Circle, entered: oprf.Entered, theirs: int, minimum: int, method: Method, watch: Watch
) -> Index:
    channel = circle.others()[0]
    if method is Method.OLE and (minimum <= 1 or _shown(circle, entered, theirs, minimum, watch)):
        watch(0.1, f"looking for common customers among {len(entered):,} here and {theirs:,} there")
        rows = vole.receive(circle, entered, theirs, watch, tell=False)
        _tell(channel, "align/enough", len(rows) >= minimum)
        return rows
    counted = ecdh.count_alone(circle, _all(entered), theirs, watch)
    _tell(channel, "align/enough", len(counted) >= minimum)
    return ecdh.find_alone(circle, counted)


def _for_the_other(
    circle: Circle, entered: oprf.Entered, theirs: int, minimum: int, method: Method, watch: Watch
) -> Index:
    channel = circle.others()[0]
    if method is Method.OLE and (minimum <= 1 or _helped(circle, entered, theirs, watch)):
        vole.send_untold(circle, entered, theirs, watch)
        _hear(channel)
    else:
        shuffle = ecdh.help_count(circle, _all(entered), theirs, watch)
        _hear(channel)
        ecdh.tell_order(circle, shuffle)
    return np.empty(0, dtype=np.int64)


def _shown(circle: Circle, entered: oprf.Entered, theirs: int, minimum: int, watch: Watch) -> bool:
    """Whether a sample shows that at least `minimum` are common, but for a chance of 2^-40; the other is told."""
    channel = circle.others()[0]
    for rate in _rates(len(entered) + theirs):
        drawn = sample(entered, rate)
        other, counted = sampled(channel, len(drawn), theirs), 0
        if len(drawn) and other:
            counted = len(ecdh.count_alone(circle, entered.keys.take(drawn), other, _part(watch)))
        enough = tail(minimum - 1, rate, counted) < CHANCE
        channel.send("align/shown", np.array([enough], dtype=np.uint8))
        if enough:
            return True
    return False


def _helped(circle: Circle, entered: oprf.Entered, theirs: int, watch: Watch) -> bool:
    """The other side of `_shown`."""
    channel = circle.others()[0]
    for rate in _rates(len(entered) + theirs):
        drawn = sample(entered, rate)
        other = sampled(channel, len(drawn), theirs)
        if len(drawn) and other:
            ecdh.help_count(circle, entered.keys.take(drawn), other, _part(watch))
        if heard_enough(channel, "align/shown"):
            return True
    return False


def _rates(everyone: int) -> list[float]:
    """The shares of all keys that are drawn one after the other, as in `align`."""
    wanted = [SAMPLE * 8**step for step in range(8)]
    return [some / everyone for some in wanted if some < everyone // 2]


def _part(watch: Watch) -> Watch:
    return lambda done, _: watch(0.1 * done, "counting on a sample")


def _all(entered: oprf.Entered) -> list[bytes]:
    return entered.keys.take(np.arange(len(entered)))


def _tell(channel: Channel, tag: str, enough: bool) -> None:
    """Both end here when there are too few."""
    channel.send(tag, np.array([enough], dtype=np.uint8))
    if not enough:
        raise too_few()


def _hear(channel: Channel) -> None:
    if not heard_enough(channel, "align/enough"):
        raise too_few()
