"""Every protocol on shares when a party is lost, stops, or sends what is not due: the run ends with its name.

Among two, three and five parties. Each kind of message (its tag) fails once at each party that sends it, the
dealer too, and once at one of the parties that hear it. Which of a kind's messages fails, and how, goes round:
among five parties that all send a kind, it fails in all five ways. A protocol that is put together from many
others has each kind fail at one of its senders; at all of them it does so in the protocols below.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import pytest

from unseen.cli.specimen import Specimen, usual
from unseen.cli.specimens import SPECIMENS
from unseen.computation.circle import Circle
from unseen.computation.in_process import DEALER, run_parties
from unseen.computation.link import Link
from unseen.errors import AbortedError, PeerLostError, ProtocolError, UnseenError

VALUES = usual(40)
PATIENCE = 120.0
KINDS = 7
"""With so many kinds a protocol is put together from others, each of which is here by itself."""
TRIES = 40
"""Where the number of messages varies from run to run, until one comes to the message that is to fail."""

Post = Callable[[int, str, memoryview], None]


class Message(NamedTuple):
    """A kind of message at one party: what it sends or hears under a tag."""

    party: str
    sends: bool
    tag: str


class Case(NamedTuple):
    """The message of that number fails."""

    message: Message
    number: int
    fault: str


FAULTS = ("lost", "cut", "renamed", "repeated", "stopped")
ENDS: dict[str, type[UnseenError]] = {
    "lost": PeerLostError,
    "cut": ProtocolError,
    "renamed": ProtocolError,
    "repeated": ProtocolError,
    "stopped": AbortedError,
}


class Run:
    """One run of a specimen's step: messages counted by kind, and one of them spoilt."""

    def __init__(self, case: Case | None = None) -> None:
        self.counts: Counter[Message] = Counter()
        self.failed = False
        self._case = case
        self._parties: dict[int, str] = {}

    def of(self, specimen: Specimen, parties: int) -> None:
        def program(circle: Circle) -> None:
            step = specimen.enter(circle, VALUES)
            self._parties[threading.get_ident()] = circle.me
            step()
            del self._parties[threading.get_ident()]
            for tag in ("after", "end"):  # what came twice is found by who waits for the next message
                circle.open_words(tag, np.zeros(1, dtype=np.uint64))

        run_parties(program, parties, patience=PATIENCE)

    def posting(self, post: Post, link: Link, stream: int, tag: str, data: memoryview) -> None:
        fault = self._due(True, tag)
        if fault in ("lost", "stopped"):
            self._end(fault, link)
        if fault == "repeated":
            post(stream, tag, data)
        post(stream, "another-step" if fault == "renamed" else tag, data[:-1] if fault == "cut" else data)

    def hearing(self, link: Link, tag: str) -> None:
        if fault := self._due(False, tag):
            self._end(fault, link)

    def _due(self, sends: bool, tag: str) -> str | None:
        party = self._parties.get(threading.get_ident())
        if party is None:
            # Of the parties outside the step, and of the dealer always: only what it deals is looked at.
            if not (sends and tag == "dealer/correction"):
                return None
            party = DEALER
        message = Message(party, sends, tag)
        self.counts[message] += 1
        case = self._case
        if case is None or case.message != message or case.number != self.counts[message] - 1:
            return None
        self.failed = True
        return case.fault

    def _end(self, fault: str, link: Link) -> None:
        if fault == "lost":
            raise PeerLostError(link.peer, "its connection closed")
        raise AbortedError("the operator stopped the run")


def cases(counts: Counter[Message], parties: int) -> Iterator[Case]:
    """Each kind once at each sender, and at one listener."""
    names = [*(f"party{rank}" for rank in range(parties)), DEALER]
    kinds = sorted({(message.sends, message.tag) for message in counts})
    for place, (sends, tag) in enumerate(kinds):
        able = [name for name in names if Message(name, sends, tag) in counts]
        for name in able if sends and not together(counts) else [able[place % len(able)]]:
            turn = names.index(name) + place
            faults = [fault for fault in FAULTS if _shows(fault, sends, tag)]
            message = Message(name, sends, tag)
            yield Case(message, turn % counts[message], faults[turn % len(faults)])


def together(counts: Counter[Message]) -> bool:
    """Whether the protocol is put together from many others."""
    return len({message.tag for message in counts}) >= KINDS


def _shows(fault: str, sends: bool, tag: str) -> bool:
    """Who hears can lose its peer or stop; a correction that the dealer sends twice is just another mask."""
    return fault in ("lost", "stopped") or (sends and (fault != "repeated" or tag != "dealer/correction"))


@pytest.fixture
def watching(monkeypatch: pytest.MonkeyPatch) -> Callable[[Run], None]:
    """Every link of this process gives what it sends and hears to that run first."""
    send, receive_into, receive_bytes = Link.send, Link.receive_into, Link.receive_bytes

    def watch(run: Run) -> None:
        def sending(link: Link, stream: int, tag: str, data: memoryview) -> None:
            run.posting(lambda *message: send(link, *message), link, stream, tag, data)

        def hearing(link: Link, stream: int, tag: str, view: memoryview) -> None:
            run.hearing(link, tag)
            receive_into(link, stream, tag, view)

        def hearing_bytes(link: Link, stream: int, tag: str, limit: int) -> Any:
            run.hearing(link, tag)
            return receive_bytes(link, stream, tag, limit)

        monkeypatch.setattr(Link, "send", sending)
        monkeypatch.setattr(Link, "receive_into", hearing)
        monkeypatch.setattr(Link, "receive_bytes", hearing_bytes)

    return watch


@pytest.mark.parametrize("parties", [2, 3, 5])
@pytest.mark.parametrize("specimen", SPECIMENS, ids=lambda specimen: specimen.profile.id)
def test_whatever_fails_ends_the_run_at_all_with_the_culprits_name(
    specimen: Specimen, parties: int, watching: Callable[[Run], None]
) -> None:
    honest = Run()
    watching(honest)
    honest.of(specimen, parties)
    assert any(message.sends for message in honest.counts)
    for case in cases(honest.counts, parties):
        error = failure(case, specimen, parties, watching)
        assert isinstance(error, ENDS[case.fault]), (case, error)
        if isinstance(error, ProtocolError):
            assert error.party in blamed(case, parties), (case, error)


def blamed(case: Case, parties: int) -> set[str]:
    """Whom the error may name. What is amiss with corrections may also be the fault of who asked the dealer."""
    candidates = {case.message.party}
    if case.message.tag == "dealer/correction":
        candidates.add(f"{DEALER} or party{parties - 1}")
    return candidates


def failure(case: Case, specimen: Specimen, parties: int, watching: Callable[[Run], None]) -> UnseenError | None:
    """How a run ends in which this fails: None if it ends as if nothing had."""
    for _ in range(TRIES):
        run = Run(case)
        watching(run)
        try:
            run.of(specimen, parties)
        except UnseenError as error:
            return error
        if run.failed:
            break
    return None


def test_every_kind_of_message_is_one_of_a_protocol_that_is_not_put_together_from_many(
    watching: Callable[[Run], None],
) -> None:
    alone: set[str] = set()
    used: set[str] = set()
    for specimen in SPECIMENS:
        run = Run()
        watching(run)
        run.of(specimen, 2)
        tags = {message.tag for message in run.counts}
        used |= tags
        alone |= set() if together(run.counts) else tags
    assert used == alone
