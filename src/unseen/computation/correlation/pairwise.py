"""A source that needs no dealer for vector OLEs: the two parties concerned make them between themselves.

Everything else comes from the source beneath it, if there is one. The transfers of a pair are made at its first
vector OLE in one direction, and serve the whole run: Δ of a pair and direction stays the same in it, and no stream
is used twice. Where both parties have a shelf for it, base transfers outlive the run (`kept_setup`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import NoReturn

from unseen.computation.channel import Channel
from unseen.computation.correlation.kept_setup import Keeping, Shelf
from unseen.computation.correlation.ole_kinds import VectorOle
from unseen.computation.correlation.silent_ole import ReceiverSetup, Receiving, SenderSetup
from unseen.computation.correlation.source import Kind, Source, Ticket
from unseen.computation.prg import Expander
from unseen.computation.types import Words
from unseen.errors import MisuseError


class Pairwise:
    """Vector OLEs by `silent_ole` between rank and rank, all other kinds from `dealt`."""

    def __init__(
        self,
        rank: int,
        channels: Mapping[int, Channel],
        private: Expander,
        dealt: Source,
        shelf: Shelf | None = None,
    ) -> None:
        self._rank = rank
        self._channels = channels
        self._private = private
        self.dealt = dealt
        self._keeping = None if shelf is None else Keeping(shelf)
        self._receiving: dict[int, ReceiverSetup] = {}
        self._sending: dict[int, SenderSetup] = {}

    def ask(self, kind: Kind) -> Ticket:
        """As `Source.ask`. The first vector OLE of a pair and direction waits for the other party."""
        if not isinstance(kind, VectorOle):
            return self.dealt.ask(kind)
        if kind.receiver == kind.sender or not {kind.receiver, kind.sender} <= {self._rank, *self._channels}:
            raise MisuseError("a vector OLE is between two of the parties")
        if self._rank == kind.receiver:
            return _Receiver(self._receiver_of(kind.sender).begin(kind.count))
        if self._rank == kind.sender:
            return _Sender(self._sender_to(kind.receiver), kind.count)
        return _Nothing()

    def _receiver_of(self, peer: int) -> ReceiverSetup:
        if peer not in self._receiving:
            own = self._private.child(f"receiver/{peer}")
            self._receiving[peer] = ReceiverSetup(self._channels[peer], own, self._keeping)
        return self._receiving[peer]

    def _sender_to(self, peer: int) -> SenderSetup:
        if peer not in self._sending:
            own = self._private.child(f"sender/{peer}")
            self._sending[peer] = SenderSetup(self._channels[peer], own, self._keeping)
        return self._sending[peer]

    def forget(self, number: int) -> None:
        self.dealt.forget(number)

    def again(self, label: str) -> AbstractContextManager[None]:
        return self.dealt.again(label)

    def ahead(self, kinds: Sequence[Kind]) -> AbstractContextManager[None]:
        return self.dealt.ahead(kinds)

    def fork(self, label: str) -> Source:
        channels = {rank: channel.fork(f"{label}/ole") for rank, channel in self._channels.items()}
        return Pairwise(self._rank, channels, self._private.child(f"fork/{label}"), self.dealt.fork(label))

    def finish(self) -> None:
        self.dealt.finish()
        if self._keeping is not None:
            self._keeping.put_back()


class _Receiver:
    number = -1

    def __init__(self, receiving: Receiving) -> None:
        self._receiving = receiving

    def early(self) -> tuple[Words, ...]:
        return ()

    def take(self) -> tuple[Words, ...]:
        return self._receiving.finish()


class _Sender:
    number = -1

    def __init__(self, setup: SenderSetup, count: int) -> None:
        self._setup = setup
        self._count = count

    def early(self) -> tuple[Words, ...]:
        return ()

    def take(self) -> tuple[Words, ...]:
        return self._setup.make(self._count)


class _Nothing:
    number = -1

    def early(self) -> tuple[Words, ...]:
        return ()

    def take(self) -> tuple[Words, ...]:
        return ()


class NoDealer:
    """The source beneath where the plan names no dealer: any kind that needs one is an error."""

    def ask(self, kind: Kind) -> NoReturn:
        raise MisuseError(f"this run has no dealer to make a {kind.name}: name one in the agreement")

    def forget(self, number: int) -> None:
        raise MisuseError("this run has no dealer")

    def again(self, label: str) -> NoReturn:
        raise MisuseError("this run has no dealer: name one in the agreement")

    def ahead(self, kinds: Sequence[Kind]) -> NoReturn:
        raise MisuseError("this run has no dealer: name one in the agreement")

    def fork(self, label: str) -> Source:
        return self

    def finish(self) -> None:
        """Nothing was asked for."""
