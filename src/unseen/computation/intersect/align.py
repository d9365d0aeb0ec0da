"""Aligning two institutions' rows on the customers they have in common.

Few keys go through elliptic curves (`ecdh`), many through a vector OLE (`vole`), which is a hundred times faster
but finds the members at once. Where the agreement sets a smallest overlap, curves count first, on a sample of
keys that both draw by the same hash: members are looked for once the sample leaves a chance below 2^-40 that
there are too few, and the sample grows, at last to all keys, until it says so or the number is known.

Setting: two parties, semi-honest; assumptions of `ecdh` and `vole`. Who learns what: see the profile. Below the
minimum the caller is told "too few" and no more, although the process itself holds the number.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import exp, lgamma, log, log1p
from typing import Final

import numpy as np

from unseen.computation.channel import Channel
from unseen.computation.circle import Circle
from unseen.computation.correlation import silent_ole
from unseen.computation.intersect import ecdh, oprf, vole
from unseen.computation.intersect.keys import Keys, from_list, require_usable
from unseen.computation.profile import Carries, Disclosure, Message, Profile, Role
from unseen.computation.types import Index
from unseen.errors import MisuseError, ProtocolError, RefusedError

MESSAGES_OF_LINE: Final = (
    Message("line/ready", most_messages=2, most_bytes=64),
    Message("line/piece", most_messages=1, most_bytes=(1 << 16) + 32),
    Message("line/rate", most_messages=1, most_bytes=64),
)
"""How fast the line is (`line`), where it decides between the two ways."""

PROFILE: Final = Profile(
    id="intersect/align",
    title="Common customers of two institutions",
    source="Raghuraman & Rindal, CCS 2022; Huberman, Franklin, Hogg, ACM EC 1999; De Cristofaro et al., CANS 2012",
    reveals=(
        Disclosure(Role.EACH, "how many customers each side offers, and how many are common"),
        Disclosure(Role.EACH, "which of its own customers are common, if there are at least {smallest_overlap}"),
    ),
    assumptions=(
        "decisional Diffie–Hellman on P-256, SHA-256 as a random oracle",
        "BLAKE3 as a random oracle and a correlation-robust hash",
        *silent_ole.ASSUMPTIONS,
    ),
    failure="below 2^-40: two keys taken for one, which is an error then; too few taken for enough",
    messages=(
        *MESSAGES_OF_LINE,
        Message("align/size", Carries.DISCLOSED, most_messages=1, most_bytes=24),
        Message("align/sample", Carries.DISCLOSED, most_messages=8, most_bytes=8 * 24),
        *ecdh.MESSAGES,
        *vole.MESSAGES,
    ),
    rounds=lambda: 8,
)

MOST_KEYS: Final = 1 << 27
FEW: Final = 2048
"""Up to so many keys on both sides together, curves take less than a second."""
SAMPLE: Final = 1024
"""Keys of both sides together in the first sample; each next one has eight times as many."""
CHANCE: Final = 2.0**-40

Watch = Callable[[float, str], None]


class Method(StrEnum):
    """How common keys are found."""

    CURVES = "curves"
    """Elliptic curves: half a millisecond a key."""
    OLE = "vector-ole"
    """A vector OLE: a microsecond a key, made by the two parties themselves."""


@dataclass(frozen=True)
class Declared:
    """How many keys each side may offer at most: what the plan says, that everyone granted."""

    own: int
    theirs: int


@dataclass(frozen=True, eq=False)
class Aligned:
    """The numbers of this party's rows of the common keys, how many keys were offered, and how they were found."""

    rows: Index
    own: int
    theirs: int
    method: Method


def chosen(own: int, theirs: int) -> Method:
    """What takes less time for these sizes."""
    return Method.CURVES if own + theirs <= FEW else Method.OLE


def seconds(own: int, theirs: int) -> float:
    """About how long it takes on two cores of 2026, without samples: measured rates."""
    return seconds_by(chosen(own, theirs), own, theirs)


def seconds_by(method: Method, own: int, theirs: int) -> float:
    """The same one way or the other."""
    if method is Method.CURVES:
        return 2.3e-4 * (own + theirs)
    return 0.3 + 0.8e-6 * (own + theirs)


def bytes_moved(own: int, theirs: int) -> int:
    """Bytes between both parties."""
    return bytes_by(chosen(own, theirs), own, theirs)


def bytes_by(method: Method, own: int, theirs: int) -> int:
    """The same one way or the other."""
    if method is Method.CURVES:
        return 56 * (own + theirs)
    return 1_000_000 + 12 * min(own, theirs) + 10 * max(own, theirs)


def align(
    circle: Circle,
    keys: Sequence[bytes] | Keys,
    minimum: int,
    watch: Watch = lambda done, note: None,
    method: Method | None = None,
    declared: Declared | None = None,
) -> Index:
    """The numbers of this party's rows of the common keys, (common,) int64; see `aligned`."""
    return aligned(circle, keys, minimum, watch, method, declared).rows


def aligned(
    circle: Circle,
    keys: Sequence[bytes] | Keys,
    minimum: int,
    watch: Watch = lambda done, note: None,
    method: Method | None = None,
    declared: Declared | None = None,
) -> Aligned:
    """Find the common keys.

    The order is random, the same at both parties, and says nothing of either side's order. Keys are already
    normalised. Raises DataError for empty or repeated keys and RefusedError under rule `declared-size` for more
    keys than declared before anything of them is sent, RefusedError under rule `smallest-overlap` when fewer than
    `minimum` are common, ProtocolError for a peer that offers more than it declared or sends anything out of
    form, and for a result that both do not have the same.
    """
    entered, theirs = offered(circle, keys, declared)
    method = method or chosen(len(entered), theirs)
    if method is Method.CURVES:
        rows = _by_curves(circle, entered.keys, theirs, minimum, watch)
    else:
        rows = _by_ole(circle, entered, theirs, minimum, watch)
    return Aligned(rows, len(entered), theirs, method)


def offered(circle: Circle, keys: Sequence[bytes] | Keys, declared: Declared | None) -> tuple[oprf.Entered, int]:
    """This party's keys, checked and hashed, and how many the other side offers. Raises as `aligned` does."""
    if circle.size != 2:
        raise MisuseError("this alignment is for two parties; `multiparty.align_all` takes three or more")
    if declared is not None and len(keys) > declared.own:
        raise over_declared(circle.me, declared.own)
    held = keys if isinstance(keys, Keys) else from_list(keys)
    entered = oprf.enter(held, circle.joint_seed("align"))
    require_usable(held, entered.records)
    return entered, _sizes(circle, len(held), declared)


def _sizes(circle: Circle, own: int, declared: Declared | None) -> int:
    """How many keys the other side offers."""
    channel = circle.others()[0]
    channel.send("align/size", np.array([own], dtype=np.int64))
    theirs = int(channel.receive("align/size", np.int64, 1)[0])
    if not 0 < theirs <= MOST_KEYS:
        raise ProtocolError(channel.peer, f"offers a number of keys that is not between 1 and {MOST_KEYS}")
    if declared is not None and theirs > declared.theirs:
        raise peer_over_declared(channel.peer, declared.theirs)
    return theirs


def _by_ole(circle: Circle, entered: oprf.Entered, theirs: int, minimum: int, watch: Watch) -> Index:
    own = len(entered)
    if minimum > 1 and (rows := _counted(circle, entered, theirs, minimum, watch)) is not None:
        return rows
    watch(0.1, f"looking for common customers among {own:,} here and {theirs:,} there")
    receives = (own, circle.rank) < (theirs, 1 - circle.rank)
    rows = (vole.receive if receives else vole.send)(circle, entered, theirs, watch)
    if len(rows) < minimum:
        raise too_few()
    return rows


def _by_curves(circle: Circle, keys: Keys, theirs: int, minimum: int, watch: Watch) -> Index:
    counted = ecdh.count(circle, keys.take(np.arange(len(keys))), theirs, watch)
    if len(counted) < minimum:
        raise too_few()
    return ecdh.find(circle, counted)


def _counted(circle: Circle, entered: oprf.Entered, theirs: int, minimum: int, watch: Watch) -> Index | None:
    """None once a sample shows that at least `minimum` are common; the rows, if only all keys could show it."""
    channel, wanted, everyone = circle.others()[0], SAMPLE, len(entered) + theirs
    while wanted < everyone // 2:
        rate = wanted / everyone
        drawn = sample(entered, rate)
        other = sampled(channel, len(drawn), theirs)
        watch(0.0, f"counting on a sample of {len(drawn):,} customers here and {other:,} there")
        if len(drawn) and other:
            taken = entered.keys.take(drawn)
            counted = ecdh.count(circle, taken, other, lambda done, _: watch(0.1 * done, "counting"))
            if tail(minimum - 1, rate, len(counted)) < CHANCE:
                return None
        wanted *= 8
    return _by_curves(circle, entered.keys, theirs, minimum, watch)


def sample(entered: oprf.Entered, rate: float) -> Index:
    """The keys that fall into a sample of that share: by their hashes, so that both draw the same ones."""
    return np.flatnonzero(entered.records[:, 2] < np.uint64(rate * 2.0**64))


def sampled(channel: Channel, own: int, most: int) -> int:
    """How many keys of the other side fell into the sample."""
    channel.send("align/sample", np.array([own], dtype=np.int64))
    theirs = int(channel.receive("align/sample", np.int64, 1)[0])
    if not 0 <= theirs <= most:
        raise ProtocolError(channel.peer, "draws a sample larger than what it offers")
    return theirs


def tail(draws: int, rate: float, least: int) -> float:
    """The chance that of so many draws, each with this chance, at least `least` succeed (binomial, exact)."""
    if least <= 0:
        return 1.0
    terms = (
        lgamma(draws + 1) - lgamma(k + 1) - lgamma(draws - k + 1) + k * log(rate) + (draws - k) * log1p(-rate)
        for k in range(least, draws + 1)
    )
    return sum(exp(term) for term in terms)


def over_declared(party: str, most: int) -> RefusedError:
    """What stops a party that holds more keys than the plan declares for it."""
    return RefusedError(
        "declared-size",
        f"{party} holds more identifiers than the {most:,} that the plan declares for it",
        "declare as many rows as its data set has, and have the new plan granted",
    )


def peer_over_declared(party: str, most: int) -> ProtocolError:
    """What names a peer that offers more keys than the plan declares for it."""
    return ProtocolError(party, f"offers more identifiers than the {most:,} that the plan declares for it")


def too_few() -> RefusedError:
    """What everyone is told below the minimum."""
    return RefusedError(
        "smallest-overlap",
        "too few common customers for this agreement",
        "offer more customers, or agree on a smaller minimum",
    )


def heard_enough(channel: Channel, tag: str) -> bool:
    """Whether the peer says, in one octet, that enough customers are common. Raises ProtocolError for another."""
    told = channel.receive(tag, np.uint8, 1)[0]
    if told > 1:
        raise ProtocolError(channel.peer, "says neither that enough customers are common nor that too few are")
    return bool(told)
