"""Requests announced for one piece of work, and met in the order announced, whatever others ask in between."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from unseen.computation.correlation.source import Kind, Source, Ticket
from unseen.errors import MisuseError


class Announced:
    """A view of a source for work that asks for just these kinds, in this order."""

    def __init__(self, source: Source, kinds: Sequence[Kind]) -> None:
        self._tickets = deque((kind, source.ask(kind)) for kind in kinds)

    def ask(self, kind: Kind) -> Ticket:
        """Raises MisuseError for anything else than what was announced."""
        if not self._tickets or self._tickets[0][0] != kind:
            raise MisuseError("a protocol asks for other randomness than it announced")
        return self._tickets.popleft()[1]

    def forget(self, number: int) -> None:
        raise MisuseError("work that is announced keeps no masks")

    @contextmanager
    def again(self, label: str) -> Iterator[None]:
        yield

    @contextmanager
    def ahead(self, kinds: Sequence[Kind]) -> Iterator[None]:
        yield

    def fork(self, label: str) -> Source:
        raise MisuseError("work that is announced does not fork")

    def finish(self) -> None:
        """Raises MisuseError where less was asked for than announced."""
        if self._tickets:
            raise MisuseError("a protocol asked for less than it announced")
