"""The dealer: a party of its own that makes correlated randomness and holds no data.

Every party gets one seed and expands its own parts of everything from it, without a word. Only the last party
sends requests (kinds and sizes). The last of those that hold a correlation's bound arrays receives corrections,
which make them add up. The dealer learns the kinds, sizes and order of the requests: nothing that depends on data.

Requests are numbered, so that one that comes twice is seen at once. Every party notes what it would ask for. At
the end the dealer holds these notes against each other and against what it was asked: who contradicts itself, or
stands against most of the others, is named; where two halves stand against each other, as two parties always do,
nobody can know who departed from the program, and all are named.

Setting: the dealer follows the protocol and colludes with no party; parties are semi-honest.
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from functools import lru_cache
from typing import Any, Final

import numpy as np
from blake3 import blake3

from unseen.computation.channel import Channel
from unseen.computation.correlation import request as requests
from unseen.computation.correlation.foresight import Foresight
from unseen.computation.correlation.source import Kind, Layout, Slot, Ticket, layout
from unseen.computation.counters import Counters
from unseen.computation.prg import SEED_BYTES, Branches, Expander, fresh_seed
from unseen.computation.types import Array, Words
from unseen.encoding import Json, canonical, parse_json
from unseen.errors import MisuseError, ProtocolError

REQUEST_LIMIT: Final = 1024
NUMBER_BYTES: Final = 8
"""Of a request's number within its stream, before the request."""
VAULT_LIMIT: Final = 1 << 31
"""Most words of kept masks: 16 GiB."""


class DealtSource:
    """A party's side: its seed, the count of requests so far, and its line of corrections.

    `parties` are the names of those that compute, in rank order.
    """

    def __init__(
        self, rank: int, parties: Sequence[str], dealer: Channel, seed: bytes | None = None, path: str = ""
    ) -> None:
        self._rank = rank
        self._parties = tuple(parties)
        self._channel = dealer
        self._path = path
        if dealer.peer in self._parties:
            raise MisuseError(f"{dealer.peer} computes in this run, so it cannot be its dealer")
        seed = seed or dealer.receive("dealer/seed", np.uint8, SEED_BYTES).tobytes()
        self._seed = Expander(seed)
        self._raw_seed = seed
        self._asked = self._sent = 0
        self._order = blake3(path.encode())
        self._line: deque[_Dealt] = deque()
        self._foresight = Foresight()

    @property
    def counters(self) -> Counters:
        """What went between this party and the dealer, all streams together."""
        return self._channel.counters

    @property
    def _asks(self) -> bool:
        return self._rank == len(self._parties) - 1

    def _layout(self, kind: Kind) -> Layout:
        return layout(kind, len(self._parties))

    def _corrected(self, made: Layout) -> bool:
        return bool(made.bound) and made.corrected == self._rank

    def ask(self, kind: Kind) -> Ticket:
        return self._foresight.asked(kind, self._announce)

    def _announce(self, kind: Kind) -> _Dealt:
        self._asked += 1
        self._note(_request(kind))
        dealt = _Dealt(self, kind, self._asked, self._seed.child(f"{self._path}/{self._asked}"))
        if self._corrected(self._layout(kind)):
            self._line.append(dealt)
        return dealt

    def forget(self, number: int) -> None:
        self._foresight.forgotten(number, self._drop)

    def _drop(self, number: int) -> None:
        self._note(canonical({"kind": "forget", "number": number}))

    def again(self, label: str) -> AbstractContextManager[None]:
        return self._foresight.again(label, lambda: self._asked, self._announce, self._drop)

    def ahead(self, kinds: Sequence[Kind]) -> AbstractContextManager[None]:
        return self._foresight.ahead(kinds, self._announce)

    def fork(self, label: str) -> DealtSource:
        self._note(canonical({"kind": "fork", "label": label}))
        path = f"{self._path}/{label}"
        return DealtSource(self._rank, self._parties, self._channel.fork(label), self._raw_seed, path)

    def finish(self) -> None:
        """Close the books: the dealer compares that all parties asked for the same things in the same order."""
        if self._asks:
            self._tell(canonical({"kind": "finish"}))
        self._channel.send("dealer/order", np.frombuffer(self._order.digest(), dtype=np.uint8))

    def _note(self, request: bytes) -> None:
        self._order.update(len(request).to_bytes(4, "big") + request)
        if self._asks:
            self._tell(request)

    def _tell(self, request: bytes) -> None:
        self._sent += 1
        self._channel.send_bytes("dealer/ask", _numbered(self._sent, request))

    def corrections(self, wanted: _Dealt) -> None:
        """Read corrections in the order of asking, up to the wanted one.

        Raises ProtocolError where others come than were asked for; they are the dealer's, and what it was asked
        for is the last party's word: unless this is the last party, either may be at fault.
        """
        while wanted.corrections is None:
            dealt = self._line.popleft()
            made = self._layout(dealt.kind)
            arrays = tuple(np.empty(slot.shape, dtype=slot.dtype) for slot in made.bound)
            try:
                for rows in made.pieces():
                    for array in arrays:
                        self._channel.receive_into(
                            "dealer/correction", array[rows] if dealt.kind.by_row else array
                        )
            except ProtocolError as error:
                if self._asks or error.party != self._channel.peer:
                    raise
                raise ProtocolError.one_of((self._channel.peer, self._parties[-1]), error.reason) from error
            dealt.corrections = arrays

    def parts(self, dealt: _Dealt) -> tuple[Any, ...]:
        made = self._layout(dealt.kind)
        corrected = self._corrected(made)
        mine = self._expanded(dealt, (*made.free, *(() if corrected else made.bound)))
        if corrected:
            self.corrections(dealt)
        return (*mine, *(dealt.corrections or ()))

    def free_parts(self, dealt: _Dealt) -> tuple[Any, ...]:
        """This party's parts of a correlation's free arrays, without waiting."""
        return self._expanded(dealt, self._layout(dealt.kind).free)

    def _expanded(self, dealt: _Dealt, slots: Sequence[Slot]) -> tuple[Any, ...]:
        """This party's parts of a correlation's first arrays, from its seed: a branch of the stream for each."""
        branches = dealt.stream.branches()
        return tuple(
            branches.lanes(i, slot.shape, slot.dtype) for i, slot in enumerate(slots) if slot.holds(self._rank)
        )


class _Dealt:
    """A ticket for a dealt correlation."""

    def __init__(self, source: DealtSource, kind: Kind, number: int, stream: Expander) -> None:
        self.kind = kind
        self.number = number
        self.stream = stream
        self.corrections: tuple[Array, ...] | None = None
        self._source = source
        self._taken = False

    def early(self) -> tuple[Any, ...]:
        return self._source.free_parts(self)

    def take(self) -> tuple[Any, ...]:
        if self._taken:
            raise MisuseError("correlated randomness is used once only")
        self._taken = True
        return self._source.parts(self)


def serve(parties: Sequence[Channel]) -> None:
    """Deal to the given parties, in rank order, until they finish. Blocks; ends with the parties' run.

    Raises ProtocolError naming the party whose request is not acceptable.
    """
    seeds = []
    for channel in parties:
        seed = fresh_seed()
        channel.send("dealer/seed", np.frombuffer(seed, dtype=np.uint8))
        seeds.append(seed)
    _Dealing(parties, [Expander(seed) for seed in seeds], "").run()


class _Dealing:
    """One stream of requests from the last party, in order."""

    def __init__(self, parties: Sequence[Channel], seeds: Sequence[Expander], path: str) -> None:
        self._parties = parties
        self._seeds = seeds
        self._path = path
        self._asked = 0
        self._vault: dict[int, Words] = {}
        self._order = blake3(path.encode())
        self._forks: list[tuple[threading.Thread, list[BaseException]]] = []

    def run(self) -> None:
        last, heard = self._parties[-1], 0
        while True:
            heard += 1
            told = last.receive_bytes("dealer/ask", REQUEST_LIMIT)
            data = told[NUMBER_BYTES:]
            if told != _numbered(heard, data):
                raise ProtocolError(last.peer, "asked the dealer twice, or out of turn")
            try:
                request = _understood(data)
                if not isinstance(request, Kind) and request["kind"] == "finish":
                    break
                self._order.update(len(data).to_bytes(4, "big") + data)
                if isinstance(request, Kind):
                    self._deal(request)
                elif request["kind"] == "forget":
                    self._vault.pop(int(request["number"]), None)  # type: ignore[arg-type]
                else:
                    self._fork(str(request["label"]))
            except (MisuseError, KeyError, ValueError, TypeError) as error:
                raise ProtocolError(last.peer, f"asked the dealer for something unacceptable: {error}") from error
        self._compare_order()
        for thread, errors in self._forks:
            thread.join()
            if errors:
                raise errors[0]

    def _deal(self, kind: Kind) -> None:
        self._asked += 1
        made = layout(kind, len(self._parties))
        streams = [seed.child(f"{self._path}/{self._asked}").branches() for seed in self._seeds]
        for rows in made.pieces():
            values = [_total(slot, _part(slot, rows, kind.by_row), i, streams) for i, slot in enumerate(made.free)]
            if kind.keeps:
                self._keep(values[0])
            corrections = list(kind.target(values, self._vault))
            for j, slot in enumerate(made.bound):
                for rank, stream in enumerate(streams):
                    if slot.holds(rank) and rank != made.corrected:
                        part = stream.lanes(len(made.free) + j, _part(slot, rows, kind.by_row), slot.dtype)
                        corrections[j] = slot.group.without(corrections[j], part)
            self._parties[made.corrected].send_all("dealer/correction", corrections)

    def _keep(self, mask: Words) -> None:
        if sum(kept.size for kept in self._vault.values()) + mask.size > VAULT_LIMIT:
            raise MisuseError("more masks kept than the dealer has room for")
        self._vault[self._asked] = mask

    def _fork(self, label: str) -> None:
        forked = _Dealing([c.fork(label) for c in self._parties], self._seeds, f"{self._path}/{label}")
        errors: list[BaseException] = []

        def dealing() -> None:
            try:
                forked.run()
            except BaseException as error:  # noqa: BLE001  # told to all, and raised where the fork is joined
                errors.append(error)
                for channel in self._parties:
                    channel.abort(error)

        thread = threading.Thread(target=dealing, daemon=True, name=f"dealing{forked._path}")
        thread.start()
        self._forks.append((thread, errors))

    def _compare_order(self) -> None:
        """Hold what the last party asked for against what each party noted. Raises ProtocolError."""
        ours, last = self._order.digest(), self._parties[-1]
        noted = {
            channel.peer: channel.receive("dealer/order", np.uint8, len(ours)).tobytes()
            for channel in self._parties
        }
        if noted[last.peer] != ours:
            raise ProtocolError(last.peer, "asked for other correlated randomness than it says it asked for")
        ((usual, count), *others) = Counter(noted.values()).most_common()
        if not others:
            return
        if 2 * count > len(noted):
            departed = [name for name, order in noted.items() if order != usual]
            raise ProtocolError(
                " and ".join(departed), "went by another order of correlated randomness than most parties"
            )
        raise ProtocolError.one_of(
            noted,
            "went by different orders of correlated randomness, and who departed from the program is not known",
        )


@lru_cache(maxsize=1024)
def _request(kind: Kind) -> bytes:
    """A request as it is sent; a loop asks for the same kinds again and again."""
    return canonical(kind.as_json())


def _numbered(number: int, request: bytes) -> bytes:
    return number.to_bytes(NUMBER_BYTES, "big") + request


@lru_cache(maxsize=1024)
def _understood(data: bytes) -> Kind | Mapping[str, Json]:
    """A request as it came. Raises MisuseError for what is none."""
    request = parse_json(data)
    if isinstance(request, dict) and request.get("kind") in ("finish", "forget", "fork"):
        return request
    return requests.from_json(request)


def _part(slot: Slot, rows: slice, by_row: bool) -> tuple[int, ...]:
    return (rows.stop - rows.start, *slot.shape[1:]) if by_row else slot.shape


def _total(slot: Slot, shape: tuple[int, ...], branch: int, streams: Sequence[Branches]) -> Array:
    parts = [stream.lanes(branch, shape, slot.dtype) for rank, stream in enumerate(streams) if slot.holds(rank)]
    if not parts:
        raise MisuseError("a request for ranks that are not among the parties")
    return slot.total(parts)
