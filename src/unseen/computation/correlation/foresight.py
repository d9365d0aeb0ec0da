"""Requests announced before they are needed: a loop asks each time round for what it asked for the time before.

Protocols ask when they need, so whoever makes correlated randomness would start just then, and everyone wait. What
a loop asks for does not depend on data. So its first round is noted down, and at the start of every other the
whole list is announced; the requests that follow are met from it, in order, and must be the ones announced. A
protocol of many rounds that knows its own list announces it without a first round.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from unseen.computation.correlation.source import Kind, Ticket
from unseen.errors import MisuseError


@dataclass
class _Round:
    """What one round asked for, in order: kinds, and numbers of masks to forget; `start` requests came before."""

    start: int
    events: list[Kind | int] = field(default_factory=list)


@dataclass(frozen=True)
class _Announced:
    """An announced request (with its ticket) or forgetting, as it must come."""

    event: Kind | int
    ticket: Ticket | None = None


class Foresight:
    """One stream's notes of earlier rounds, by label, and what of the present round is announced already."""

    def __init__(self) -> None:
        self._rounds: dict[str, _Round] = {}
        self._noting: _Round | None = None
        self._announced: deque[_Announced] | None = None

    def asked(self, kind: Kind, announce: Callable[[Kind], Ticket]) -> Ticket:
        """A request of the protocol: met from what was announced, or announced now."""
        if self._announced is None:
            if self._noting:
                self._noting.events.append(kind)
            return announce(kind)
        found = self._next(kind)
        assert found.ticket is not None
        return found.ticket

    def forgotten(self, number: int, drop: Callable[[int], None]) -> None:
        """A mask that the protocol needs no more."""
        if self._announced is not None:
            self._next(number)
            return
        if self._noting:
            self._noting.events.append(number)
        drop(number)

    @contextmanager
    def again(
        self,
        label: str,
        count: Callable[[], int],
        announce: Callable[[Kind], Ticket],
        drop: Callable[[int], None],
    ) -> Iterator[None]:
        """One round. Raises MisuseError where it asks for anything else than the round before, or for less."""
        if self._noting or self._announced is not None:
            raise MisuseError("rounds of requests that are announced cannot lie in one another")
        earlier = self._rounds.get(label)
        if earlier is None:
            self._noting = _Round(count())
            try:
                yield
                self._rounds[label] = self._noting
            finally:
                self._noting = None
            return
        self._announced = deque()
        by = count() - earlier.start
        for event in earlier.events:
            if isinstance(event, Kind):
                kind = event.moved(earlier.start, by)
                self._announced.append(_Announced(kind, announce(kind)))
            else:
                number = event + by if event > earlier.start else event
                self._announced.append(_Announced(number))
                drop(number)
        try:
            yield
            if self._announced:
                raise MisuseError(f"a round of {label!r} asked for less than the one before")
        finally:
            self._announced = None

    @contextmanager
    def ahead(self, kinds: Sequence[Kind], announce: Callable[[Kind], Ticket]) -> Iterator[None]:
        """What follows asks for just these kinds. Within a round, or in one another, the outer announcement holds.

        Raises MisuseError where it asks for anything else, or for less.
        """
        if self._noting or self._announced is not None:
            yield
            return
        self._announced = deque(_Announced(kind, announce(kind)) for kind in kinds)
        try:
            yield
            if self._announced:
                raise MisuseError("a protocol asked for less than it announced")
        finally:
            self._announced = None

    def _next(self, event: Kind | int) -> _Announced:
        if not self._announced or self._announced[0].event != event:
            raise MisuseError("a round of requests is not the one that was announced")
        return self._announced.popleft()
