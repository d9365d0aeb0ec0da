"""The kinds of join, and what each tells whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum
from typing import Final

from unseen.computation.intersect import align
from unseen.computation.profile import Carries, Disclosure, Message, Profile, Role

MOST_CHOICES: Final = 4
"""Keys in order of preference."""


class Kind(StrEnum):
    """Which rows a join has."""

    INNER = "inner"
    """Every pair of rows, one of each side, with the same key."""
    LEFT = "left"
    """Those, and the left party's rows without a partner."""
    DIFFERENCE = "difference"
    """The left party's rows without a partner alone."""


def often(line: Message) -> Message:
    """An alignment's message, as often as there are keys."""
    messages, octets = line.most_messages, line.most_bytes
    return replace(
        line,
        most_messages=None if messages is None else messages * MOST_CHOICES,
        most_bytes=None if octets is None else octets * MOST_CHOICES,
    )


_ALIGNED: Final = (
    *(often(line) for line in align.PROFILE.messages or ()),
    Message("join/left-over", Carries.DISCLOSED, most_messages=MOST_CHOICES, most_bytes=MOST_CHOICES * 24),
)
_PAIRED: Final = (
    *_ALIGNED,
    Message("join/times", Carries.DISCLOSED, most_messages=MOST_CHOICES),
    Message("join/sum", Carries.DISCLOSED, most_messages=MOST_CHOICES, most_bytes=MOST_CHOICES * 64),
)
_COMMON: Final = (
    Disclosure(
        Role.EACH,
        "for each key in turn ({keys}): how many different values each side offers among its rows that no earlier"
        " key has matched, and how many are common",
    ),
    Disclosure(
        Role.EACH,
        "which of its own rows have a partner, and by which key, if at least {smallest_overlap} values of the"
        " first key are common",
    ),
)
_TIMES: Final = Disclosure(
    Role.EACH, "how often each common value of a key occurs at the other side (at most {most_repeats} times)"
)


def _profile(kind: Kind, title: str, reveals: tuple[Disclosure, ...], messages: tuple[Message, ...]) -> Profile:
    return Profile(
        id=f"intersect/join-{kind}",
        title=title,
        source=align.PROFILE.source,
        reveals=reveals,
        assumptions=align.PROFILE.assumptions,
        failure=align.PROFILE.failure,
        messages=messages,
        rounds=lambda keys=1: 9 * keys + 1,
    )


PROFILES: Final[Mapping[Kind, Profile]] = {
    Kind.INNER: _profile(
        Kind.INNER, "Pairs of rows with the same key at two institutions", (*_COMMON, _TIMES), _PAIRED
    ),
    Kind.LEFT: _profile(
        Kind.LEFT,
        "All rows of one institution, with their partners at another",
        (
            *_COMMON,
            _TIMES,
            Disclosure(Role.EACH, "how many rows of {left} have no partner, and so how many rows {left} has"),
        ),
        (*_PAIRED, Message("join/rest", Carries.DISCLOSED, most_messages=1, most_bytes=24)),
    ),
    Kind.DIFFERENCE: _profile(
        Kind.DIFFERENCE,
        "Rows of one institution whose key another does not know",
        (*_COMMON, Disclosure(Role.OWNER, "which of its own rows have no partner")),
        _ALIGNED,
    ),
}
"""By kind. Facts to fill: `keys` (their names in order), `smallest_overlap`, `most_repeats`, `left` (a party's
name). Role OWNER is the left party."""
