"""What an alignment or a join in buckets tells, and its message tables: to both parties, or to one of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from unseen.computation.intersect import align, ecdh, oprf, to_one, vole
from unseen.computation.intersect.align import MOST_KEYS
from unseen.computation.intersect.join_kind import MOST_CHOICES, PROFILES, Kind
from unseen.computation.intersect.spool import BEAT_KEYS, MOST_BUCKETS
from unseen.computation.profile import Carries, Disclosure, Message, Profile, Role

_BEATS: Final = MOST_KEYS // BEAT_KEYS + MOST_BUCKETS
_CUT: Final = Disclosure(
    Role.EACH,
    "into how many buckets the lists are cut: {buckets}, or more where a machine has less memory than planned",
)


def _often(lines: Sequence[Message], times: int = MOST_BUCKETS) -> tuple[Message, ...]:
    """A bucket's message table: as many messages of each kind as there are buckets."""
    return tuple(
        line
        if line.most_messages is None
        else replace(
            line,
            most_messages=line.most_messages * times,
            most_bytes=None if line.most_bytes is None else line.most_bytes * times,
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

_ALL: Final = MOST_BUCKETS * MOST_CHOICES
_JOIN_BEATS: Final = MOST_KEYS // BEAT_KEYS + 2 * _ALL
_OF_JOIN: Final = (
    *(line for line in _MESSAGES if line.kind != "align/reading"),
    Message("align/reading", Carries.NOTHING, most_messages=_JOIN_BEATS, most_bytes=_JOIN_BEATS * 17),
    *_often(vole.MESSAGES, _ALL),
    Message("join/left-over", Carries.DISCLOSED, most_messages=MOST_CHOICES, most_bytes=MOST_CHOICES * 32),
)
_PAIRED: Final = (
    Message("join/times", Carries.DISCLOSED, most_messages=_ALL),
    Message("join/sum", Carries.DISCLOSED, most_messages=_ALL, most_bytes=_ALL * 64),
)


def _in_buckets(profile: Profile, messages: tuple[Message, ...]) -> Profile:
    return replace(
        profile,
        id=profile.id.replace("join", "buckets-join"),
        title=f"{profile.title}, bucket by bucket",
        reveals=(*profile.reveals, _CUT),
        messages=(*_OF_JOIN, *messages),
        rounds=lambda: 8,
    )


JOINS: Final[Mapping[Kind, Profile]] = {
    Kind.INNER: _in_buckets(PROFILES[Kind.INNER], _PAIRED),
    Kind.LEFT: _in_buckets(
        PROFILES[Kind.LEFT],
        (*_PAIRED, Message("join/rest", Carries.DISCLOSED, most_messages=1, most_bytes=24)),
    ),
    Kind.DIFFERENCE: _in_buckets(PROFILES[Kind.DIFFERENCE], ()),
}
"""By kind, with the facts of `join_kind.PROFILES` and `buckets`."""
