"""How many customers are known at k or more of n institutions, as a number and nothing else.

Every institution's keys, hashed to 62 bits under a joint seed, enter as shared numbers, and all are sorted
together by `share.sort`: the rows of one customer stand one after the other, one an institution. A customer with L
rows has L - d pairs of rows that are equal and d places apart, or none where L <= d; so with E(d) such pairs in
all, E(k - 1) - E(k) counts every customer with k or more rows once. Whether it reaches the agreed minimum is told
before the number, which stays shared below it: no process holds it.

Source: sort, then compare neighbours, as in Huang, Evans, Katz, NDSS 2012, on the shares of `share.sort`. Setting:
semi-honest, all but one colluding; correlated randomness from the circle's source. With two institutions and k = 2
this is their overlap, as a number alone; with `among`, one pair's of many.

Failure: two different customers taken for one, which may change the number by one: below m²·2^-63 for m keys of
all institutions together (2^-29 at 2^17, 2^-21 at 2^21). Cost: a sort of m rows and two equalities a row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from unseen.computation.circle import Circle
from unseen.computation.intersect import oprf
from unseen.computation.intersect.align import MOST_KEYS, Watch, over_declared, peer_over_declared, too_few
from unseen.computation.intersect.keys import Keys, from_list, require_usable
from unseen.computation.profile import Carries, Disclosure, Message, Profile, Role
from unseen.computation.share.array import Shared, reveal
from unseen.computation.share.boolean import popcount, reveal_bits
from unseen.computation.share.compare import equal
from unseen.computation.share.sort import MOST_ROWS, sort
from unseen.computation.types import Words
from unseen.errors import MisuseError, ProtocolError

PROFILE: Final = Profile(
    id="intersect/known-at",
    title="How many customers are known at several institutions",
    source="Huang, Evans, Katz, NDSS 2012; Hamada et al., ICISC 2012",
    reveals=(
        Disclosure(Role.EACH, "how many customers each institution enters"),
        Disclosure(
            Role.EACH,
            "how many customers are known at {least} or more of {institutions},"
            " if they are at least {smallest_overlap}",
        ),
        Disclosure(Role.DEALER, "how many customers all institutions enter together"),
    ),
    assumptions=("BLAKE3 as a pseudorandom function",),
    failure="two customers taken for one: below m²·2^-63 for m customers entered",
    messages=(
        Message("known/size", Carries.DISCLOSED, most_messages=1, most_bytes=24),
        Message("reveal/known-enough", Carries.DISCLOSED, most_messages=1, most_bytes=24),
        Message("reveal/known", Carries.DISCLOSED, most_messages=1, most_bytes=24),
    ),
)

_SPARE_BITS: Final = np.uint64(2)
"""Shared numbers are compared below 2^62."""


def count_known(
    circle: Circle,
    keys: Sequence[bytes] | Keys,
    least: int,
    minimum: int,
    among: Sequence[str] | None = None,
    watch: Watch = lambda done, note: None,
    declared: Mapping[str, int] | None = None,
) -> int:
    """How many keys are held by `least` or more of the parties, or of those named in `among`; told to all.

    A party that is not among them brings no keys. Keys are already normalised; `declared` names the most that each
    party may bring. Raises DataError for empty or repeated keys, RefusedError under rule `declared-size` for more
    than declared and under rule `smallest-overlap` where the number is below `minimum`, MisuseError for a `least`
    that is not between one and the number of institutions.
    """
    members = [circle.rank_of(name) for name in among or circle.parties]
    if not 1 <= least <= len(set(members)) == len(members):
        raise MisuseError("the least number of institutions lies between one and all, each named once")
    if declared is not None and len(keys) > declared[circle.me]:
        raise over_declared(circle.me, declared[circle.me])
    held = keys if isinstance(keys, Keys) else from_list(keys)
    entered = oprf.enter(held, circle.joint_seed("known"))
    if circle.rank in members:
        require_usable(held, entered.records)
    elif len(held):
        raise MisuseError("this institution is not among those whose customers are counted; it brings none")
    sizes = _sizes(circle, len(held), members, declared)
    watch(0.1, f"sorting {sum(sizes):,} customers of {len(members)} institutions together")
    number = shared_number(circle, entered.records, sizes, least, len(members))
    if not reveal_bits(number >= minimum, "known-enough").all():
        raise too_few()
    return int(reveal(number, "known"))


def shared_number(circle: Circle, records: Words, sizes: Sequence[int], least: int, members: int) -> Shared:
    """On shares: how many keys `least` or more of the members have. `records` (n, 4) are this party's hashes;
    `sizes`, by rank, how many each enters."""
    words = np.zeros(sum(sizes), dtype=np.uint64)
    start = sum(sizes[: circle.rank])
    words[start : start + len(records)] = records[:, 0] >> _SPARE_BITS
    ordered = sort(Shared(circle, words, 0))
    return _equal_pairs(ordered, least - 1, members) - _equal_pairs(ordered, least, members)


def _equal_pairs(ordered: Shared, apart: int, parties: int) -> Shared:
    """How many rows are equal to the one so many places on; none is, as far away as there are parties."""
    if not apart:
        return Shared(ordered.circle, np.zeros((), dtype=np.uint64), 0) + ordered.size
    if apart >= min(parties, ordered.size):
        return Shared(ordered.circle, np.zeros((), dtype=np.uint64), 0)
    return popcount(equal(ordered[:-apart], ordered[apart:]))


def _sizes(circle: Circle, own: int, members: Sequence[int], declared: Mapping[str, int] | None) -> list[int]:
    """How many keys each party enters, in rank order; none, if it is not among the members."""
    for channel in circle.others():
        channel.send("known/size", np.array([own], dtype=np.int64))
    sizes = [own] * circle.size
    for rank in range(circle.size):
        if rank == circle.rank:
            continue
        sizes[rank] = int(circle.channel(rank).receive("known/size", np.int64, 1)[0])
        if not (0 < sizes[rank] <= MOST_KEYS if rank in members else sizes[rank] == 0):
            raise ProtocolError(circle.parties[rank], f"enters a number of keys out of bounds (1 to {MOST_KEYS})")
        if declared is not None and sizes[rank] > declared[circle.parties[rank]]:
            raise peer_over_declared(circle.parties[rank], declared[circle.parties[rank]])
    if sum(sizes) >= MOST_ROWS:
        raise MisuseError(f"all institutions together enter at most {MOST_ROWS:,} keys")
    return sizes
