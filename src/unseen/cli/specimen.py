"""A protocol on shares at a small size: what it costs, counted.

A specimen enters made-up inputs and gives back the step that its profile speaks of, so that what the step sends
can be counted by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from inspect import signature
from typing import Final

import numpy as np

from unseen.computation.circle import Circle
from unseen.computation.correlation.dealer import DealtSource
from unseen.computation.correlation.pairwise import Pairwise
from unseen.computation.in_process import run_parties
from unseen.computation.profile import Profile
from unseen.computation.types import Real

COUNT: Final = 1000
HEADER_BYTES: Final = 16
"""Of each message, before its payload."""

Step = Callable[[], object]


def usual(count: int) -> Real:
    """The values that a specimen takes where nothing else is said: in [1/8, 1)."""
    return np.linspace(0.125, 0.9, count)


@dataclass(frozen=True)
class Specimen:
    """A profile, the sizes that it is asked about for n values, and the step on given values (n,).

    `words` says in the documentation what COUNT values are. n is a multiple of twenty. `usual_corrections`: what
    corrections are, roughly, between two parties where they depend on the random order of rows. `one_way`: the
    first party need not wait for an answer, so that it counts fewer rounds than there are steps.
    """

    profile: Profile
    sizes: Callable[[int], tuple[int, ...]]
    words: str
    enter: Callable[[Circle, Real], Step]
    usual_corrections: Callable[[int], int] | None = None
    one_way: bool = False

    @property
    def varies(self) -> bool:
        """Whether rounds and bytes depend on the random order of rows."""
        return self.profile.expected

    def rounds(self, parties: int, count: int = COUNT) -> int | None:
        """As the profile declares them; None where they vary."""
        if self.profile.rounds is None:
            return None
        more = (parties,) if "parties" in signature(self.profile.rounds).parameters else ()
        return self.profile.rounds(*self.sizes(count), *more)

    def bytes_sent(self, parties: int, count: int = COUNT) -> int | None:
        """As the profile declares them; None where they vary."""
        return self.profile.bytes_sent(*self.sizes(count), parties) if self.profile.bytes_sent else None


@dataclass(frozen=True)
class Cost:
    """What all parties sent each other in one step, the rounds at the first, and the dealer's corrections."""

    bytes_sent: int
    rounds: int
    corrections: int


def cost(specimen: Specimen, parties: int, values: Real | None = None) -> Cost:
    """Run the step among parties of one process, and count."""
    given = usual(COUNT) if values is None else values

    def program(circle: Circle) -> Cost:
        step = specimen.enter(circle, given)
        channels = circle.others()
        circle.zero_bits(1)
        circle.open_words("level", np.zeros(1, dtype=np.uint64))
        before, passed, corrected = _payload(circle), channels[0].rounds.count, corrections(circle)
        step()
        return Cost(_payload(circle) - before, channels[0].rounds.count - passed, corrections(circle) - corrected)

    found = run_parties(program, parties)
    totals = (sum(one.bytes_sent for one in found), found[0].rounds, sum(one.corrections for one in found))
    return Cost(*totals)


def _payload(circle: Circle) -> int:
    counters = [channel.counters for channel in circle.others()]
    return sum(c.bytes_sent - HEADER_BYTES * c.messages_sent for c in counters)


def corrections(circle: Circle) -> int:
    """Bytes of corrections that this party has had from the dealer, as its channel counted them."""
    source = circle.source
    assert isinstance(source, Pairwise)
    assert isinstance(source.dealt, DealtSource)
    messages, heard = source.dealt.counters.heard_by_tag.get("dealer/correction", (0, 0))
    return heard - HEADER_BYTES * messages
