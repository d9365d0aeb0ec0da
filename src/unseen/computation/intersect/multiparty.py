"""The common customers of three and more institutions, without which of them any fewer have in common.

Source: Kolesnikov, Matania, Pinkas, Rosulek, Trieu, CCS 2017 (eprint 2017/799), its protocol with unconditional
zero-sharing. Its programmable function is made of the vector OLE of Raghuraman and Rindal, CCS 2022 (`oprf`), and
of an oblivious key-value store (`store`).

Every two parties agree a seed; party i's share of a key x is s_i(x) = XOR over the others j of F(seed_ij, x), so
that the shares of a key XOR to zero over all parties, and over fewer they are uniform. The leader, who has the
fewest keys, gets by an oblivious function O_i(x) of each other party i at its own keys. Party i makes a table
that decodes to O_i(y) + s_i(y) at each of its own keys y, and sends it. The leader decodes: s_i(x) at a key that
i holds, noise at any other. The sum over all parties is zero for a key of all. For each party, the leader puts
tags of the common keys (further bits of O_i) at random places among tags of nothing, as many as it has keys, the
same places for all; so everyone finds its rows, in one random order, and sums tell that they are the same keys.

Setting: semi-honest; F is AES of the key's hash. AES as a pseudorandom permutation; BLAKE3 as a random oracle and
a correlation-robust hash. A table's values are pseudorandom to the leader, and its free cells are drawn: so the
table is uniform whatever the keys.

Coalitions, by the paper's theorem for augmented semi-honest parties: any without the leader learns the common keys
and sizes, no more. One with the leader can work out a member's shares at keys that the member does not hold; so it
learns which of the leader's keys all parties outside the coalition hold, as it would had its members all offered
the leader's keys. With one party outside, that is the common keys of that party and the leader.

Failure: a key taken for common that is not, below 2^-64 a key of the leader: 2^-40 at the most keys it may have; a
tag that means two keys, below 2^-40. Either is an error then, not an answer. Bytes: those of `oprf`, 8 a cell of
each other party's table (1.31 cells a key), and a tag (10 bytes at 2^20 keys) a key of the leader to each.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from unseen.computation.channel import Channel
from unseen.computation.circle import Circle
from unseen.computation.correlation import silent_ole
from unseen.computation.intersect import enough, oprf, store, tags
from unseen.computation.intersect.align import MOST_KEYS, heard_enough, over_declared, peer_over_declared, too_few
from unseen.computation.intersect.keys import Keys, from_list, require_usable
from unseen.computation.intersect.oprf import Entered, Watch
from unseen.computation.kernels import permute
from unseen.computation.kernels.matching import matches
from unseen.computation.prg import SEED_BYTES, Expander, enciphered, fresh_seed
from unseen.computation.profile import Carries, Disclosure, Message, Profile, Role
from unseen.computation.types import Index, Words
from unseen.errors import MisuseError, ProtocolError

MOST_PARTIES: Final = 64
"""Institutions of one alignment."""

PROFILE: Final = Profile(
    id="intersect/align-all",
    title="Common customers of three or more institutions",
    source="Kolesnikov, Matania, Pinkas, Rosulek, Trieu, CCS 2017; Raghuraman & Rindal, CCS 2022",
    reveals=(
        Disclosure(Role.EACH, "how many customers each institution offers, and how many are common to all"),
        Disclosure(
            Role.EACH, "which of its own customers are common to all, if there are at least {smallest_overlap}"
        ),
        Disclosure(
            Role.EACH,
            "if it offers the fewest customers, its process finds the common ones before it compares their number"
            " with {smallest_overlap}; below that it tells all, its own institution too, that they are too few",
        ),
        Disclosure(
            Role.EACH,
            "if it pools what it saw with the institution that offers the fewest: which of that one's customers"
            " are common to all institutions outside the pool",
        ),
    ),
    assumptions=(
        "BLAKE3 as a random oracle and a correlation-robust hash",
        *silent_ole.ASSUMPTIONS,
        "AES-128 as a pseudorandom permutation",
    ),
    failure="below 2^-40 a pair of institutions: two keys taken for one, which is an error then",
    messages=(
        *oprf.MESSAGES,
        Message("align-all/size", Carries.DISCLOSED, most_messages=1, most_bytes=24),
        Message("align-all/sizes", Carries.DISCLOSED, most_messages=1, most_bytes=16 + 8 * MOST_PARTIES),
        Message("align-all/attempt", most_messages=1, most_bytes=24),
        Message("align-all/table", Carries.BLINDED, most_messages=1),
        Message("align-all/enough", Carries.DISCLOSED, most_messages=1, most_bytes=17),
        Message("align-all/tags", Carries.DISCLOSED, most_messages=1),
        Message("align-all/sum", Carries.DISCLOSED, most_messages=1, most_bytes=24),
    ),
    rounds=lambda: 9,
)

MOST_OF_FEWEST: Final = 1 << 24
"""Most keys of the institution with the fewest: a word of noise is zero at none of them, but for 2^-40."""

COUNTED_PROFILE: Final = replace(
    PROFILE,
    id="intersect/align-all-counted",
    title="Common customers of three or more institutions, counted on shares first",
    reveals=(*(line for line in PROFILE.reveals if "before it compares" not in line.what), *enough.REVEALS),
    failure=f"{PROFILE.failure}; too few taken for enough, below 2^-40",
    messages=(*(PROFILE.messages or ()), *enough.MESSAGES),
    rounds=None,
)

_TAG: Final = slice(1, 3)
_SUM: Final = slice(3, 4)
"""An output's four words: under the table's value, the tag, and the sum at the end."""


def align_all(
    circle: Circle,
    keys: Sequence[bytes] | Keys,
    minimum: int,
    watch: Watch = lambda done, note: None,
    declared: Mapping[str, int] | None = None,
    *,
    count_first: bool = False,
) -> Index:
    """Find the keys that all parties hold: the numbers of this party's rows, (common,) int64.

    `count_first`: whether there are enough is seen on shares before anyone finds them (`enough`; needs a dealer).

    The order is random, the same at all parties, and says nothing of anyone's order. Keys are already normalised.
    `declared` names the most keys that each party may offer. Raises DataError for empty or repeated keys and
    RefusedError under rule `declared-size` for more than declared before anything of them is sent, RefusedError
    under rule `smallest-overlap` when fewer than `minimum` are common, ProtocolError for what a peer sends out of
    form or beyond what it declared, and for a result that not all have the same, MisuseError where even the fewest
    are more than 2^24.
    """
    if circle.size < 3:
        raise MisuseError("this alignment is for three parties or more; two have their own, `align`")
    if circle.size > MOST_PARTIES:
        raise MisuseError(f"this alignment is for {MOST_PARTIES} parties at most")
    if declared is not None and len(keys) > declared[circle.me]:
        raise over_declared(circle.me, declared[circle.me])
    held = keys if isinstance(keys, Keys) else from_list(keys)
    entered = oprf.enter(held, circle.joint_seed("align"))
    require_usable(held, entered.records)
    sizes = _sizes(circle, len(held), declared)
    leader = sizes.index(min(sizes))
    if sizes[leader] > MOST_OF_FEWEST:
        raise MisuseError(f"the alignment of three or more takes at most {MOST_OF_FEWEST:,} of the smallest set")
    if count_first:
        enough.require(circle, entered.records, sizes, minimum, watch)
    seeds = _pair_seeds(circle)
    watch(0.1, f"looking for common customers among {', '.join(f'{size:,}' for size in sizes)}")
    if circle.rank == leader:
        return _lead(circle, entered, sizes, seeds, minimum, watch)
    return _follow(circle, entered, leader, sizes[leader], seeds, watch)


def _lead(
    circle: Circle, entered: Entered, sizes: Sequence[int], seeds: Sequence[bytes], minimum: int, watch: Watch
) -> Index:
    """The party with the fewest keys: it alone sees what the tables decode to."""
    others = circle.others()
    counts = [size for rank, size in enumerate(sizes) if rank != circle.rank]
    grouped, outputs = oprf.as_receiver(circle, entered, watch)
    sums = _zero_share(entered.records, seeds)
    watch(0.5, "waiting for the partners' tables")
    for channel, output, count in zip(others, outputs, counts, strict=True):
        sums[grouped.rows] ^= output[:, 0]
        _add_table(channel, entered, count, sums)
    common = np.flatnonzero(sums[grouped.rows] == 0)
    for channel in others:
        channel.send("align-all/enough", np.array([len(common) >= minimum], dtype=np.uint8))
    if len(common) < minimum:
        raise too_few()
    watch(0.8, "telling the partners the common customers")
    drawn = Expander.fresh().words(len(entered) + permute.SPARE)
    places = permute.permutation(drawn)[: len(common)]
    for channel, output, count in zip(others, outputs, counts, strict=True):
        told = Expander.fresh().words((len(entered), 2))
        told[places] = output[common, _TAG]
        tags.send(channel, "align-all/tags", told, tags.octets(len(entered), count))
    _agree(others, [tags.total(output[common, _SUM]) for output in outputs])
    at_place = np.full(len(entered), -1, dtype=np.int64)
    at_place[places] = grouped.rows[common]
    rows: Index = at_place[at_place >= 0]
    return rows


def _follow(
    circle: Circle, entered: Entered, leader: int, fewest: int, seeds: Sequence[bytes], watch: Watch
) -> Index:
    """Every other party: a table of its keys, and their tags compared with the leader's."""
    channel, length = circle.channel(leader), tags.octets(fewest, len(entered))
    values = _zero_share(entered.records, seeds)
    grouped, outputs = oprf.as_sender(circle, leader, fewest, entered, watch)
    values[grouped.rows] ^= outputs[:, 0]

    def records(attempt: int) -> Words:
        made = entered.again(attempt).copy()
        made[:, 3] = values
        return made

    attempt, _, table = store.encoded(records, store.layout(len(entered)), Expander.fresh())
    channel.send("align-all/attempt", np.array([attempt], dtype=np.int64))
    channel.send("align-all/table", table)
    watch(0.6, "waiting for the common customers")
    if not heard_enough(channel, "align-all/enough"):
        raise too_few()
    told = tags.receive(channel, "align-all/tags", fewest, length)
    found = matches(told, tags.cut(outputs[:, _TAG], length))
    common = found[found >= 0]
    _agree([channel], [tags.total(outputs[common, _SUM])], first=True)
    rows: Index = grouped.rows[common]
    return rows


def _sizes(circle: Circle, own: int, declared: Mapping[str, int] | None) -> list[int]:
    """How many keys each party offers, in rank order."""
    for channel in circle.others():
        channel.send("align-all/size", np.array([own], dtype=np.int64))
    sizes = []
    for rank in range(circle.size):
        size = own if rank == circle.rank else int(circle.channel(rank).receive("align-all/size", np.int64, 1)[0])
        if not 0 < size <= MOST_KEYS:
            raise ProtocolError(
                circle.parties[rank], f"offers a number of keys that is not between 1 and {MOST_KEYS}"
            )
        if declared is not None and size > declared[circle.parties[rank]]:
            raise peer_over_declared(circle.parties[rank], declared[circle.parties[rank]])
        sizes.append(size)
    _require_same(circle, sizes)
    return sizes


def _require_same(circle: Circle, sizes: Sequence[int]) -> None:
    """Everyone has heard the same sizes of everyone: else two would take another for the leader, and wait."""
    for channel in circle.others():
        channel.send("align-all/sizes", np.array(sizes, dtype=np.int64))
    for channel in circle.others():
        told = channel.receive("align-all/sizes", np.int64, circle.size)
        for rank in np.flatnonzero(told != np.array(sizes)).tolist():
            other = circle.parties[rank]
            if other in (circle.me, channel.peer):
                raise ProtocolError(channel.peer, f"says that {other} offers another number of keys than it told")
            raise ProtocolError(other, f"told {channel.peer} another number of keys than this party, by its word")


def _pair_seeds(circle: Circle) -> list[bytes]:
    """A fresh seed with each other party, which the two alone know."""
    after = {rank: fresh_seed() for rank in range(circle.rank + 1, circle.size)}
    for rank, seed in after.items():
        circle.channel(rank).send("seed/align-pair", np.frombuffer(seed, dtype=np.uint8))
    before = [circle.channel(rank).receive("seed/align-pair", np.uint8, SEED_BYTES) for rank in range(circle.rank)]
    return [*(seed.tobytes() for seed in before), *after.values()]


def _zero_share(records: Words, seeds: Sequence[bytes]) -> Words:
    """(n,) this party's share of zero for each key: F is AES of 128 bits of the key's hash."""
    blocks, share = np.ascontiguousarray(records[:, :2]), np.zeros(len(records), dtype=np.uint64)
    for seed in seeds:
        share ^= enciphered(blocks, seed)[:, 0]
    return share


def _add_table(channel: Channel, entered: Entered, count: int, sums: Words) -> None:
    """Receive a party's table and add to each row's sum what it decodes to there."""
    plan, attempt = store.layout(count), store.attempt_of(channel, "align-all/attempt")
    table = channel.receive("align-all/table", np.uint64, (plan.bins, plan.width))
    grouped = store.grouped(entered.again(attempt), plan)
    sums[grouped.rows] ^= store.values(grouped, plan, table)


def _agree(channels: Sequence[Channel], own: Sequence[Words], *, first: bool = False) -> None:
    """Sums over the common keys are the same at both ends, or the run ends; who is not `first` hears all others
    before it answers any, so that nobody takes a result that another has found wrong."""
    if first:
        for channel, total in zip(channels, own, strict=True):
            channel.send("align-all/sum", total)
    for channel, total in zip(channels, own, strict=True):
        if not np.array_equal(channel.receive("align-all/sum", np.uint64, 1), total):
            raise ProtocolError(channel.peer, "found other common keys than this party; the result is void")
    if not first:
        for channel, total in zip(channels, own, strict=True):
            channel.send("align-all/sum", total)
