"""What an alignment in buckets tells, and its message tables: to both parties, or to one of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from unseen.computation.intersect import align, ecdh, oprf, to_one, vole
from unseen.computation.intersect.align import MOST_KEYS
from unseen.computation.intersect.spool import BEAT_KEYS, MOST_BUCKETS
from unseen.computation.profile import Carries, Disclosure, Message, Profile, Role

_BEATS: Final = MOST_KEYS // BEAT_KEYS + MOST_BUCKETS
_CUT: Final = Disclosure(
    Role.EACH,
    "into how many buckets the lists are cut: {buckets}, or more where a machine has less memory than planned",
)


def _often(lines: Sequence[Message]) -> tuple[Message, ...]:
    """A bucket's message table: as many messages of each kind as there are buckets."""
    return tuple(
        line
        if line.most_messages is None
        else replace(
            line,
            most_messages=line.most_messages * MOST_BUCKETS,
            most_bytes=None if line.most_bytes is None else line.most_bytes * MOST_BUCKETS,
        )
        for line in lines
    )


_MESSAGES: Final = (
    Message("align/broken", Carries.DISCLOSED, most_messages=1, most_bytes=64),
    Message("align/reading", Carries.NOTHING, most_messages=_BEATS, most_bytes=_BEATS * 17),
    Message("align/offered", Carries.DISCLOSED, most_messages=1, most_bytes=40),
    Message("align/sample", Carries.DISCLOSED, most_messages=8, most_bytes=8 * 24),
    *(line for line in ecdh.MESSAGES if line.kind != "align/order"),
)

PROFILE: Final = Profile(
    id="intersect/buckets",
    title="Common customers of two institutions, bucket by bucket",
    source=align.PROFILE.source,
    reveals=(*align.PROFILE.reveals, _CUT),
    assumptions=align.PROFILE.assumptions,
    failure=align.PROFILE.failure,
    messages=(*_MESSAGES, *_often(vole.MESSAGES)),
    rounds=lambda: 8,
)

TO_ONE: Final = Profile(
    id="intersect/buckets-to-one",
    title="Common customers of two institutions, bucket by bucket, told to one of them",
    source=align.PROFILE.source,
    reveals=(*to_one.PROFILE.reveals, _CUT),
    assumptions=align.PROFILE.assumptions,
    failure=to_one.PROFILE.failure,
    messages=(
        *_MESSAGES,
        Message("align/shown", Carries.DISCLOSED, most_messages=8, most_bytes=8 * 17),
        Message("align/enough", Carries.DISCLOSED, most_messages=1, most_bytes=17),
        *_often(oprf.MESSAGES),
        *_often((Message("align/tags", Carries.BLINDED, most_messages=1),)),
    ),
    rounds=lambda: 8,
)
