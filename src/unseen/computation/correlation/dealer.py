"""The dealer: a party of its own that makes correlated randomness and holds no data.

Every party gets one seed and expands its own parts of everything from it, without a word. Only the last party
sends requests (kinds and sizes). The last of those that hold a correlation's bound arrays receives corrections,
which make them add up. The dealer learns the kinds, sizes and order of the requests: nothing that depends on data.

Setting: the dealer follows the protocol and colludes with no party; parties are semi-honest.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from contextlib import AbstractContextManager
from functools import lru_cache
from typing import Any, Final

import numpy as np
from blake3 import blake3

from unseen.computation.channel import Channel
from unseen.computation.correlation import request as requests
from unseen.computation.correlation.foresight import Foresight
from unseen.computation.correlation.source import Kind, Slot, Ticket
from unseen.computation.prg import SEED_BYTES, Expander, fresh_seed
from unseen.computation.types import Array, Words
from unseen.encoding import canonical, parse_json
from unseen.errors import MisuseError, ProtocolError

REQUEST_LIMIT: Final = 1024
VAULT_LIMIT: Final = 1 << 31
"""Most words of kept masks: 16 GiB."""


class DealtSource:
    """A party's side: its seed, the count of requests so far, and its line of corrections."""

    def __init__(
        self, rank: int, parties: int, dealer: Channel, seed: bytes | None = None, path: str = ""
    ) -> None:
        self._rank = rank
        self._parties = parties
        self._channel = dealer
        self._path = path
        seed = seed or dealer.receive("dealer/seed", np.uint8, SEED_BYTES).tobytes()
        self._seed = Expander(seed)
        self._raw_seed = seed
        self._asked = 0
        self._order = blake3(path.encode())
        self._line: deque[_Dealt] = deque()
        self._foresight = Foresight()

    @property
    def _asks(self) -> bool:
        return self._rank == self._parties - 1

    def _corrected(self, kind: Kind) -> bool:
        return bool(kind.bound()) and kind.corrected(self._parties) == self._rank

    def ask(self, kind: Kind) -> Ticket:
        return self._foresight.asked(kind, self._announce)

    def _announce(self, kind: Kind) -> _Dealt:
        self._asked += 1
        self._note(_request(kind))
        dealt = _Dealt(self, kind, self._asked, self._seed.child(f"{self._path}/{self._asked}"))
        if self._corrected(kind):
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
            self._channel.send_bytes("dealer/ask", canonical({"kind": "finish"}))
        self._channel.send("dealer/order", np.frombuffer(self._order.digest(), dtype=np.uint8))

    def _note(self, request: bytes) -> None:
        self._order.update(len(request).to_bytes(4, "big") + request)
        if self._asks:
            self._channel.send_bytes("dealer/ask", request)

    def corrections(self, wanted: _Dealt) -> None:
        """Read corrections in the order of asking, up to the wanted one."""
        while wanted.corrections is None:
            dealt = self._line.popleft()
            slots = dealt.kind.bound()
            arrays = tuple(np.empty(slot.shape, dtype=slot.dtype) for slot in slots)
            for rows in dealt.kind.pieces():
                for array in arrays:
                    self._channel.receive_into("dealer/correction", array[rows] if dealt.kind.by_row else array)
            dealt.corrections = arrays

    def parts(self, dealt: _Dealt) -> tuple[Any, ...]:
        free, bound, corrected = dealt.kind.free(), dealt.kind.bound(), self._corrected(dealt.kind)
        mine = self.expanded(dealt, (*free, *(() if corrected else bound)))
        if corrected:
            self.corrections(dealt)
        return (*mine, *(dealt.corrections or ()))

    def expanded(self, dealt: _Dealt, slots: Sequence[Slot]) -> tuple[Any, ...]:
        """This party's parts of a correlation's first arrays, from its seed."""
        return tuple(
            _stream(dealt.stream, i).lanes(slot.shape, slot.dtype)
            for i, slot in enumerate(slots)
            if slot.holds(self._rank)
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
        return self._source.expanded(self, self.kind.free())

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
        last = self._parties[-1]
        while True:
            data = last.receive_bytes("dealer/ask", REQUEST_LIMIT)
            try:
                request = parse_json(data)
                name = request.get("kind") if isinstance(request, dict) else None
                if name == "finish":
                    break
                self._order.update(len(data).to_bytes(4, "big") + data)
                if name == "forget":
                    self._vault.pop(int(request["number"]), None)  # type: ignore[index,call-overload,arg-type]
                elif name == "fork":
                    self._fork(str(request["label"]))  # type: ignore[index,call-overload]
                else:
                    self._deal(requests.from_json(request))
            except (MisuseError, KeyError, ValueError, TypeError) as error:
                raise ProtocolError(last.peer, f"asked the dealer for something unacceptable: {error}") from error
        self._compare_order()
        for thread, errors in self._forks:
            thread.join()
            if errors:
                raise errors[0]

    def _deal(self, kind: Kind) -> None:
        self._asked += 1
        free, bound, corrected = kind.free(), kind.bound(), kind.corrected(len(self._parties))
        seeds = [seed.child(f"{self._path}/{self._asked}") for seed in self._seeds]
        streams = [[_stream(seed, i) for seed in seeds] for i in range(len(free) + len(bound))]
        for rows in kind.pieces():
            values = [
                _total(slot, _part(slot, rows, kind.by_row), made)
                for slot, made in zip(free, streams, strict=False)
            ]
            if kind.keeps:
                self._keep(values[0])
            targets = kind.target(values, self._vault)
            for slot, value, made in zip(bound, targets, streams[len(free) :], strict=True):
                for stream in (
                    stream for rank, stream in enumerate(made) if slot.holds(rank) and rank != corrected
                ):
                    value = slot.group.without(value, stream.lanes(_part(slot, rows, kind.by_row), slot.dtype))
                self._parties[corrected].send("dealer/correction", value)

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
        ours = self._order.digest()
        for channel in self._parties:
            if channel.receive("dealer/order", np.uint8, len(ours)).tobytes() != ours:
                raise ProtocolError(channel.peer, "asked for other correlated randomness than the last party did")


@lru_cache(maxsize=1024)
def _request(kind: Kind) -> bytes:
    """A request as it is sent; a loop asks for the same kinds again and again."""
    return canonical(kind.as_json())


def _stream(seed: Expander, slot: int) -> Expander:
    """What one party's part of one array of one correlation is expanded from."""
    return seed.child(slot)


def _part(slot: Slot, rows: slice, by_row: bool) -> tuple[int, ...]:
    return (rows.stop - rows.start, *slot.shape[1:]) if by_row else slot.shape


def _total(slot: Slot, shape: tuple[int, ...], streams: Sequence[Expander]) -> Array:
    parts = [stream.lanes(shape, slot.dtype) for rank, stream in enumerate(streams) if slot.holds(rank)]
    if not parts:
        raise MisuseError("a request for ranks that are not among the parties")
    return slot.total(parts)
