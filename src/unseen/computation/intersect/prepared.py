"""Common keys of a small and a large set, the large side's work done beforehand, for one run.

Source: the function of `oprf` (Raghuraman and Rindal, CCS 2022, eprint 2022/320, figure 4), its table drawn
beforehand and corrected in the run as in Beaver, STOC 1995; the large set sent beforehand as in Kiss, Liu,
Schneider, Asokan, Pinkas, PoPETs 2017.

In `oprf` the sender's function is F(y) = H(decode(K, y) + Δ·v(y)), and K = b + Δ·(P + a) is known only when the
receiver's table P is. Here the large side, the sender, draws K uniformly, for the size that the small side has
declared, computes F at its keys, and tells the tags in their own order. In the run the small side sends P + a, the
large side answers D = K - b - Δ·(P + a), and by c = b + Δ·a the small side has c + D = K + Δ·P: at a key x of its
own that decodes to decode(K, x) + Δ·v(x), the argument of F(x). Two short messages and as many hashes as it has
keys; it looks the tags up in what it stored, and tells which it found.

Why the small side learns no more than in `oprf`: K is uniform, so that c + D is, whatever Δ; F at a key y that
it did not enter is H at a point that is off by Δ·(P(y) + v(y)) from what c + D decodes to, and Δ is hidden.
Before the run F is H at points that K hides. The keys may be chosen after the tags were seen: H is then a random
oracle that a simulator programs in the run. The large side sees P + a, uniform, and what it is told at the end.

One preparation is good for ONE run: P and P' under one K and a would tell the large side P + P', and D + D' =
Δ·(P + P') would tell the small side Δ, and so F at any key. Each side spends its state before it sends what
depends on it.

Setting: two parties, semi-honest; assumptions of `oprf`, H a random oracle. A malicious small side can enter up
to as many keys as its table has cells: 1.34 times the declared at 2^12. What goes wrong is an error: a key that
both sides add must be found, and where both learn the result a sum over further words of the common keys agrees.
Failure: that of `tags`; no table under the one seed (`store`: below 2^-40) ends the run, and they prepare anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from unseen.computation import threads
from unseen.computation.channel import Channel
from unseen.computation.circle import Circle
from unseen.computation.correlation import silent_ole
from unseen.computation.correlation.ole_kinds import VectorOle
from unseen.computation.correlation.source import Ticket
from unseen.computation.intersect import oprf, store, tags
from unseen.computation.intersect.align import heard_enough, over_declared, peer_over_declared, too_few
from unseen.computation.intersect.keys import Keys, from_list, hashed, require_usable, subkey
from unseen.computation.intersect.oprf import Watch
from unseen.computation.intersect.prepared_state import (
    CANARIES,
    HEAD,
    MOST_CAPACITY,
    MOST_LARGE,
    Large,
    Small,
    Terms,
)
from unseen.computation.kernels import gf128
from unseen.computation.prg import Expander
from unseen.computation.profile import Carries, Disclosure, Message, Profile, Role
from unseen.computation.types import Index, Words
from unseen.errors import AbortedError, DataError, MisuseError, ProtocolError

PREPARATION: Final = Profile(
    id="intersect/prepare",
    title="Preparation of the common customers of a small and a large set",
    source="Raghuraman & Rindal, CCS 2022; Kiss et al., PoPETs 2017",
    reveals=(Disclosure(Role.EACH, "how many customers {large} offers, and how many {small} may offer at most"),),
    assumptions=("BLAKE3 as a random oracle", *silent_ole.ASSUMPTIONS),
    failure="none",
    messages=(
        *silent_ole.MESSAGES,
        Message("prepared/size", Carries.DISCLOSED, most_messages=1, most_bytes=24),
        Message("align/trial", most_messages=1, most_bytes=64),
        Message("align/question", most_messages=1, most_bytes=64),
        Message("align/answer", most_messages=1, most_bytes=64),
        Message("align/proof", most_messages=1, most_bytes=128),
        Message("prepared/heads", Carries.BLINDED, most_messages=1),
        Message("prepared/rests", Carries.BLINDED, most_messages=1),
    ),
    rounds=lambda: 5,
)

_USE_MESSAGES: Final = (
    Message("prepared/which", most_messages=1, most_bytes=32),
    Message("prepared/table", most_messages=1),
    Message("prepared/answer", most_messages=1),
    Message("prepared/enough", Carries.DISCLOSED, most_messages=1, most_bytes=17),
)
_FOUND_FIRST: Final = (
    "its process finds the common customers before it compares their number with {smallest_overlap}; below that it"
    " tells both, its own institution too, that they are too few"
)

FOR_BOTH: Final = Profile(
    id="intersect/prepared",
    title="Common customers of a small and a large set that is prepared",
    source=PREPARATION.source,
    reveals=(
        Disclosure(Role.EACH, "how many customers are common, if there are at least {smallest_overlap}"),
        Disclosure(Role.EACH, "which of its own customers are common, if there are at least {smallest_overlap}"),
        Disclosure(Role.OWNER, _FOUND_FIRST),
    ),
    assumptions=PREPARATION.assumptions[:1],
    failure="below 2^-40: two keys taken for one, which is an error then",
    messages=(
        *_USE_MESSAGES,
        Message("prepared/found", Carries.DISCLOSED, most_messages=1),
        Message("prepared/sum", Carries.DISCLOSED, most_messages=1, most_bytes=24),
    ),
    rounds=lambda: 3,
)

FOR_SMALL: Final = Profile(
    id="intersect/prepared-to-one",
    title="Common customers of a small set and a large one that is prepared, told to the small side alone",
    source=PREPARATION.source,
    reveals=(
        Disclosure(Role.EACH, "whether at least {smallest_overlap} customers are common"),
        Disclosure(
            Role.OWNER,
            "how many customers are common, and which of its own, if there are at least {smallest_overlap}",
        ),
        Disclosure(Role.OWNER, _FOUND_FIRST),
    ),
    assumptions=PREPARATION.assumptions[:1],
    failure="below 2^-40: two keys taken for one",
    messages=_USE_MESSAGES,
    rounds=lambda: 2,
)
"""Role.OWNER is the small side."""

_PIECE: Final = 1 << 18
"""Keys of the large side that are hashed at once: their records stay near the processor."""
_NOBODY: Final = np.uint32(0xFFFF_FFFF)
_PATIENCE_NOTE: Final = "waiting for the partner's tags"


def prepare_large(
    circle: Circle,
    keys: Sequence[bytes] | Keys,
    capacity: int,
    watch: Watch = lambda done, note: None,
    most: int | None = None,
) -> Large:
    """The large side's part of the preparation, for a partner of at most `capacity` keys.

    Raises DataError for empty or repeated keys and RefusedError under rule `declared-size` for more than `most`
    before anything of them is sent. Bytes: a tag (10 bytes at 2^24 keys against 2^12) a key, to the partner.
    """
    held = keys if isinstance(keys, Keys) else from_list(keys)
    _require(circle, capacity)
    if most is not None and len(held) > most:
        raise over_declared(circle.me, most)
    _require_keys(held, MOST_LARGE)
    channel, seed = circle.others()[0], circle.joint_seed("prepared")
    terms = Terms(capacity, len(held), _length(capacity, len(held)), seed)
    ticket = _asked(circle, terms, receiver=1 - circle.rank)
    table = Expander.fresh().words((terms.plan.cells, 2))
    delta, b = ticket.take()
    heads, rests, checks = _function(held, terms, table, delta, watch)
    order = np.argsort(heads)
    heads, rests, checks = heads[order], rests[order], checks[order]
    if _repeated(heads, checks):
        raise DataError("some keys occur twice; a join needs one row a person")
    channel.send("prepared/size", np.array([len(held)], dtype=np.int64))
    oprf.require_correlated(channel, delta, b)
    watch(0.9, "sending the tags")
    octets = rests.view(np.uint8).reshape(-1, 8)[:, : terms.length - HEAD]
    channel.send("prepared/heads", heads)
    channel.send("prepared/rests", np.ascontiguousarray(octets))
    pad = table ^ b[: terms.plan.cells]
    return Large(terms, delta, pad, order.astype(np.uint32), checks)


def prepare_small(
    circle: Circle, capacity: int, watch: Watch = lambda done, note: None, most: int | None = None
) -> Small:
    """The small side's part of the preparation: no key of its own enters.

    Raises ProtocolError for a partner that offers more than `most` keys, or tags out of form.
    """
    _require(circle, capacity)
    channel, seed = circle.others()[0], circle.joint_seed("prepared")
    ticket = _asked(circle, Terms(capacity, 1, 16, seed), receiver=circle.rank)
    a, c = ticket.take()
    watch(0.0, _PATIENCE_NOTE)
    large = int(channel.receive("prepared/size", np.int64, 1)[0])
    if not 0 < large <= MOST_LARGE:
        raise ProtocolError(channel.peer, f"offers a number of keys that is not between 1 and {MOST_LARGE}")
    if most is not None and large > most:
        raise peer_over_declared(channel.peer, most)
    oprf.prove_correlated(channel, a, c)
    terms = Terms(capacity, large, _length(capacity, large), seed)
    watch(0.5, _PATIENCE_NOTE)
    heads = channel.receive("prepared/heads", np.uint64, terms.listed)
    rests = channel.receive("prepared/rests", np.uint8, (terms.listed, terms.length - HEAD))
    if (heads[1:] < heads[:-1]).any():
        raise ProtocolError(channel.peer, "sends tags that are not in their order")
    return Small(terms, a[: terms.plan.cells].copy(), c[: terms.plan.cells].copy(), heads, rests)


def align_large(
    circle: Circle, state: Large, minimum: int, to_both: bool, watch: Watch = lambda done, note: None
) -> Index | None:
    """The large side's part of the run: its rows of the common keys, (common,) int64, if both are told.

    Raises RefusedError under rule `smallest-overlap` when the small side finds too few, and under rule
    `prepared-once` for a state that was used; ProtocolError for what the partner sends out of form, and for a
    result that both do not have the same. Bytes: 8 a cell of the table (1.34 a key of the capacity), 16 back.
    """
    channel, terms = _meeting(circle, state.terms)
    watch(0.1, "waiting for the partner's table")
    table = channel.receive("prepared/table", np.uint64, terms.plan.cells)
    state.spend()
    answer = state.pad
    gf128.add_scaled(table, state.delta, answer)
    channel.send("prepared/answer", answer)
    if not heard_enough(channel, "prepared/enough"):
        raise too_few()
    if not to_both:
        return None
    told = channel.receive("prepared/found", np.uint32, terms.capacity)
    places = told[: np.count_nonzero(told != _NOBODY)].astype(np.int64)
    rising = bool((places[1:] > places[:-1]).all()) and (not len(places) or int(places[-1]) < terms.listed)
    if not rising or (told[len(places) :] != _NOBODY).any() or (state.rows[places] == terms.large).any():
        raise ProtocolError(channel.peer, "names customers in common that there are none of")
    if len(places) < minimum:
        raise ProtocolError(channel.peer, "says that enough customers are common, and names fewer")
    tags.agree(channel, "prepared/sum", state.checks[places, None])
    rows: Index = state.rows[places].astype(np.int64)
    return rows


def align_small(
    circle: Circle,
    state: Small,
    keys: Sequence[bytes] | Keys,
    minimum: int,
    to_both: bool,
    watch: Watch = lambda done, note: None,
) -> Index:
    """The small side's part of the run: its rows of the common keys, (common,) int64, in the order of the tags.

    The order is random and the same at both. Raises as `align_large` does; DataError for empty or repeated keys
    and RefusedError under rule `declared-size` for more than the capacity, AbortedError where these keys have no
    table: before anything of them is sent and with the preparation unspent.
    """
    held = keys if isinstance(keys, Keys) else from_list(keys)
    terms, seed = state.terms, state.terms.seed
    if len(held) > terms.capacity:
        raise over_declared(circle.me, terms.capacity)
    records = hashed(held, subkey(seed, "keys/0"))
    require_usable(held, records)
    grouped = store.grouped(np.concatenate([records, _canary(seed)]), terms.plan)
    table = store.solved(grouped, terms.plan)
    if table is None or not np.array_equal(store.values(grouped, terms.plan, table), grouped.records[:, 3]):
        raise AbortedError("these keys have no table under the preparation's seed; prepare again")
    channel, _ = _meeting(circle, terms)
    state.spend()
    channel.send("prepared/table", table.reshape(-1) ^ state.a)
    watch(0.2, "waiting for the partner's answer")
    cells = state.c ^ channel.receive("prepared/answer", np.uint64, (terms.plan.cells, 2))
    outputs = oprf.outputs(store.decoded(grouped, terms.plan, cells, oprf.PLAIN), seed)
    places = _looked_up(state, outputs)
    own = grouped.rows < len(held)
    if (places[~own] < 0).any():
        raise ProtocolError(channel.peer, "answers from another preparation than it sent; the result is void")
    common = np.flatnonzero(own & (places >= 0))
    common = common[np.argsort(places[common])]
    channel.send("prepared/enough", np.array([len(common) >= minimum], dtype=np.uint8))
    if len(common) < minimum:
        raise too_few()
    if to_both:
        told = np.full(terms.capacity, _NOBODY, dtype=np.uint32)
        told[: len(common)] = places[common]
        channel.send("prepared/found", told)
        tags.agree(channel, "prepared/sum", outputs[common, 2:3])
    rows: Index = grouped.rows[common]
    return rows


def _require(circle: Circle, capacity: int) -> None:
    if circle.size != 2:
        raise MisuseError("a prepared alignment is for two parties")
    if not 0 < capacity <= MOST_CAPACITY:
        raise MisuseError(f"the small side of a prepared alignment has 1 to {MOST_CAPACITY:,} keys")


def _require_keys(keys: Keys, most: int) -> None:
    if not 0 < len(keys) <= most:
        raise DataError(f"a prepared alignment takes 1 to {most:,} keys of its large side")
    if (np.diff(keys.offsets) == 0).any():
        raise DataError("some keys are empty; remove these rows at the source")


def _length(capacity: int, large: int) -> int:
    """Octets of a tag: one at least beyond its head."""
    return max(HEAD + 1, tags.octets(capacity + CANARIES, large + CANARIES))


def _asked(circle: Circle, terms: Terms, receiver: int) -> Ticket:
    return circle.source.ask(VectorOle(terms.plan.cells + oprf.MASKS, receiver, 1 - receiver))


def _canary(seed: bytes) -> Words:
    """(1, 4): the record of a key that both add, which no key hashes to."""
    return np.frombuffer(subkey(seed, "canary"), dtype="<u8").astype(np.uint64).reshape(1, 4)


def _function(keys: Keys, terms: Terms, table: Words, delta: Words, watch: Watch) -> tuple[Words, Words, Words]:
    """F at each key and at the canary: the tags' first words, their second words cut, and a third: (listed,) each.

    Piece by piece, so that memory holds no more than these.
    """
    heads, rests, checks = (np.empty(terms.listed, dtype=np.uint64) for _ in range(3))
    secret = subkey(terms.seed, "keys/0")

    def fill(place: slice, records: Words) -> None:
        grouped = store.grouped(records, terms.plan)
        outputs = oprf.outputs(store.decoded(grouped, terms.plan, table, delta), terms.seed)
        cut = tags.cut(outputs, terms.length)
        for into, column in ((heads, cut[:, 0]), (rests, cut[:, 1]), (checks, outputs[:, 2])):
            into[place][grouped.rows] = column

    def piece(start: int) -> None:
        place = slice(start, min(start + _PIECE, len(keys)))
        fill(place, hashed(Keys(keys.data, keys.offsets[place.start : place.stop + 1]), secret))

    fill(slice(len(keys), terms.listed), _canary(terms.seed))
    step = _PIECE * threads.cores()
    for start in range(0, len(keys), step):
        watch(0.8 * start / len(keys), "preparing the tags")
        threads.each(piece, range(start, min(start + step, len(keys)), _PIECE))
    return heads, rests, checks


def _repeated(heads: Words, checks: Words) -> bool:
    """Whether two rows are the same, given in rising order of their heads."""
    first = np.flatnonzero(heads[1:] == heads[:-1])
    places = np.union1d(first, first + 1)
    return len(np.unique(np.stack([heads[places], checks[places]], axis=1), axis=0)) < len(places)


def _looked_up(state: Small, outputs: Words) -> Index:
    """(n,) the place of each output's tag in the stored list, -1 where it is not there."""
    wanted = tags.cut(outputs, state.terms.length)
    rests = wanted[:, 1:].copy().view(np.uint8).reshape(-1, 8)[:, : state.terms.length - HEAD]
    found, live = np.full(len(wanted), -1, dtype=np.int64), np.arange(len(wanted))
    at = np.searchsorted(state.heads, wanted[:, 0]).astype(np.int64)
    while len(live):  # once, but for heads that occur more than once
        live = live[at[live] < len(state.heads)]
        live = live[state.heads[at[live]] == wanted[live, 0]]
        hit = (state.rests[at[live]] == rests[live]).all(axis=1)
        found[live[hit]] = at[live[hit]]
        live = live[~hit]
        at[live] += 1
    return found


def _meeting(circle: Circle, terms: Terms) -> tuple[Channel, Terms]:
    """The partner, who must hold the other half of the same preparation."""
    if circle.size != 2:
        raise MisuseError("a prepared alignment is for two parties")
    channel = circle.others()[0]
    channel.send("prepared/which", terms.name)
    if not np.array_equal(channel.receive("prepared/which", np.uint64, 2), terms.name):
        raise ProtocolError(channel.peer, "holds another preparation than this party; both must use the same")
    return channel, terms
