"""Every protocol on shares when a peer is lost, or sends what is not due: the run ends with its name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from unseen.cli.specimen import Specimen, usual
from unseen.cli.specimens import SPECIMENS
from unseen.computation.circle import Circle
from unseen.computation.in_process import run_parties
from unseen.errors import AbortedError, PeerLostError, ProtocolError

EACH = pytest.mark.parametrize("specimen", SPECIMENS, ids=lambda specimen: specimen.profile.id)
Send = Callable[[str, Any], None]
Fault = Callable[[Send, str, Any], None]
AMONG = pytest.mark.parametrize("parties", [2, 3])
VALUES = usual(200)


def lost(send: Send, tag: str, array: Any) -> None:
    raise PeerLostError("party1", "its connection closed")


def cut(send: Send, tag: str, array: Any) -> None:
    send(tag, array.reshape(-1)[:-1])


def renamed(send: Send, tag: str, array: Any) -> None:
    send("another-step", array)


def repeated(send: Send, tag: str, array: Any) -> None:
    send(tag, array)
    send(tag, array)


def run(specimen: Specimen, fault: Fault | None, place: int, parties: int) -> int:
    """Run with party 1's message to party 0 of that number spoilt; how many it sends in all."""
    sent: list[str] = []

    def program(circle: Circle) -> None:
        step = specimen.enter(circle, VALUES)
        if circle.rank == 1:
            channel = circle.channel(0)
            honest = channel.send

            def send(tag: str, array: Any) -> None:
                sent.append(tag)
                if fault and len(sent) - 1 == place:
                    fault(honest, tag, array)
                else:
                    honest(tag, array)

            channel.send = send  # type: ignore[method-assign]
        step()
        for tag in ("after", "end"):
            circle.open_words(tag, np.zeros(1, dtype=np.uint64))

    run_parties(program, parties, patience=30.0)
    return len(sent)


@AMONG
@EACH
def test_a_peer_lost_at_the_first_a_middle_or_the_last_message_ends_the_run(
    specimen: Specimen, parties: int
) -> None:
    count = run(specimen, None, 0, parties)
    for place in sorted({0, count // 2, count - 1} if not specimen.varies else {0, 1, 5}):
        with pytest.raises(PeerLostError):
            run(specimen, lost, place, parties)


@AMONG
@EACH
@pytest.mark.parametrize("fault", [cut, renamed, repeated])
def test_a_message_that_is_not_due_is_laid_at_its_senders_door(
    specimen: Specimen, fault: Fault, parties: int
) -> None:
    with pytest.raises(ProtocolError, match="party1"):
        run(specimen, fault, 0, parties)


@AMONG
@EACH
def test_a_party_that_stops_ends_the_run_at_all(specimen: Specimen, parties: int) -> None:
    def stopped(send: Send, tag: str, array: Any) -> None:
        raise AbortedError("the operator stopped the run")

    with pytest.raises(AbortedError):
        run(specimen, stopped, 0, parties)
