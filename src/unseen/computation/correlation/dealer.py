"""The dealer: a party of its own that makes correlated randomness and holds no data.

Every party gets one seed and expands its own parts of everything from it, without a word. Only the last party
sends requests (kinds and sizes) and receives corrections, which make the bound arrays add up. The dealer
learns the kinds, sizes and order of the requests: nothing that depends on data.

Setting: the dealer follows the protocol and colludes with no party; parties are semi-honest.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from typing import Final

import numpy as np
from blake3 import blake3

from unseen.computation.channel import Channel
from unseen.computation.correlation import kinds
from unseen.computation.correlation.source import Kind, Ticket
from unseen.computation.prg import SEED_BYTES, Expander, fresh_seed
from unseen.computation.types import Words
from unseen.encoding import canonical, parse_json
from unseen.errors import MisuseError, ProtocolError

REQUEST_LIMIT: Final = 1024
VAULT_LIMIT: Final = 1 << 31
"""Most words of kept masks: 16 GiB."""


class DealtSource:
    """A party's side: its seed, the count of requests so far, and (the last party's) line of corrections."""

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

    @property
    def corrected(self) -> bool:
        return self._rank == self._parties - 1

    def ask(self, kind: Kind) -> Ticket:
        self._asked += 1
        self._note(canonical(kind.as_json()))
        dealt = _Dealt(self, kind, self._asked, self._seed.child(f"{self._path}/{self._asked}"))
        if self.corrected and kind.bound():
            self._line.append(dealt)
        return dealt

    def forget(self, number: int) -> None:
        self._note(canonical({"kind": "forget", "number": number}))

    def fork(self, label: str) -> DealtSource:
        self._note(canonical({"kind": "fork", "label": label}))
        path = f"{self._path}/{label}"
        return DealtSource(self._rank, self._parties, self._channel.fork(label), self._raw_seed, path)

    def finish(self) -> None:
        """Close the books: the dealer compares that all parties asked for the same things in the same order."""
        if self.corrected:
            self._channel.send_bytes("dealer/ask", canonical({"kind": "finish"}))
        self._channel.send("dealer/order", np.frombuffer(self._order.digest(), dtype=np.uint8))

    def _note(self, request: bytes) -> None:
        self._order.update(len(request).to_bytes(4, "big") + request)
        if self.corrected:
            self._channel.send_bytes("dealer/ask", request)

    def corrections(self, wanted: _Dealt) -> None:
        """Read corrections in the order of asking, up to the wanted one."""
        while wanted.corrections is None:
            dealt = self._line.popleft()
            dealt.corrections = tuple(
                self._channel.receive("dealer/correction", np.uint64, slot.shape) for slot in dealt.kind.bound()
            )

    def parts(self, dealt: _Dealt) -> tuple[Words, ...]:
        free = [dealt.stream.words(slot.shape) for slot in dealt.kind.free() if slot.holds(self._rank)]
        if not self.corrected:
            return (*free, *(dealt.stream.words(slot.shape) for slot in dealt.kind.bound()))
        if dealt.kind.bound():
            self.corrections(dealt)
        return (*free, *(dealt.corrections or ()))


class _Dealt:
    """A ticket for a dealt correlation."""

    def __init__(self, source: DealtSource, kind: Kind, number: int, stream: Expander) -> None:
        self.kind = kind
        self.number = number
        self.stream = stream
        self.corrections: tuple[Words, ...] | None = None
        self._source = source
        self._taken = False

    def take(self) -> tuple[Words, ...]:
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
        self._forks: list[threading.Thread] = []

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
                    self._deal(kinds.from_json(request))
            except (MisuseError, KeyError, ValueError, TypeError) as error:
                raise ProtocolError(last.peer, f"asked the dealer for something unacceptable: {error}") from error
        self._compare_order()
        for thread in self._forks:
            thread.join()

    def _deal(self, kind: Kind) -> None:
        self._asked += 1
        streams = [seed.child(f"{self._path}/{self._asked}") for seed in self._seeds]
        values = []
        for slot in kind.free():
            parts = [stream.words(slot.shape) for rank, stream in enumerate(streams) if slot.holds(rank)]
            values.append(slot.group.total(parts) if len(parts) > 1 else parts[0])
        if kind.keeps:
            if sum(mask.size for mask in self._vault.values()) + values[0].size > VAULT_LIMIT:
                raise MisuseError("more masks kept than the dealer has room for")
            self._vault[self._asked] = values[0]
        for slot, value in zip(kind.bound(), kind.target(values, self._vault), strict=True):
            for stream in streams[:-1]:
                value = slot.group.without(value, stream.words(slot.shape))
            self._parties[-1].send("dealer/correction", value)

    def _fork(self, label: str) -> None:
        forked = _Dealing([c.fork(label) for c in self._parties], self._seeds, f"{self._path}/{label}")
        thread = threading.Thread(target=forked.run, daemon=True, name=f"dealing{forked._path}")
        thread.start()
        self._forks.append(thread)

    def _compare_order(self) -> None:
        ours = self._order.digest()
        for channel in self._parties:
            if channel.receive("dealer/order", np.uint8, len(ours)).tobytes() != ours:
                raise ProtocolError(channel.peer, "asked for other correlated randomness than the last party did")
