"""Dealing ahead of use: what is asked is made at once, into a bounded buffer, stream by stream."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

from unseen.computation import link
from unseen.computation.circle import Circle
from unseen.computation.correlation import kinds
from unseen.computation.correlation.dealer import DealtSource, serve
from unseen.computation.in_process import channels_among, run_parties
from unseen.errors import PeerLostError

MANY = kinds.Square(1 << 18)
"""2 MiB of corrections, in two pieces."""


@pytest.mark.parametrize("parties", [2, 3])
def test_one_stream_is_served_while_what_another_asked_for_is_not_taken(parties: int) -> None:
    def program(circle: Circle) -> tuple[np.ndarray, np.ndarray]:
        waiting = [circle.source.ask(MANY) for _ in range(4)]  # far more than fits between dealer and party
        beside = circle.fork("beside")
        few = [np.stack(beside.source.ask(kinds.Square(5)).take()) for _ in range(3)]
        beside.source.finish()
        late = [np.stack(ticket.take()) for ticket in waiting]
        return np.stack(few), np.stack(late)

    found = run_parties(program, parties, capacity=1 << 16)
    for parts in zip(*found, strict=True):
        roots, squares = np.moveaxis(np.sum(parts, axis=0, dtype=np.uint64), 1, 0)
        np.testing.assert_array_equal(squares, roots * roots)


def dealing(limit: int, requests: int, monkeypatch: pytest.MonkeyPatch) -> tuple[list[int], list[Any]]:
    """A dealer whose last party asks and takes nothing: how full its queue was, and how its run ended."""
    monkeypatch.setattr(link, "BACKLOG_LIMIT", limit)
    channels = channels_among(["a", "b", "dealer"], capacity=1 << 16, patience=1.0)
    full, ends, wholly = [0], list[Any](), threading.Event()
    towards = channels["dealer"]["b"]._link
    honest = towards._enqueue

    def noted(head: bytes, part: memoryview) -> None:
        honest(head, part)
        full.append(towards._queued_bytes)
        if len(full) > 2 * requests:
            wholly.set()

    monkeypatch.setattr(towards, "_enqueue", noted)

    def dealer() -> None:
        try:
            serve([channels["dealer"][name] for name in ("a", "b")])
        except PeerLostError as error:
            ends.append(error)
        finally:
            wholly.set()

    thread = threading.Thread(target=dealer)
    thread.start()
    sources = [DealtSource(rank, ("a", "b"), channels[name]["dealer"]) for rank, name in enumerate(("a", "b"))]
    for _ in range(requests):
        for source in sources:
            source.ask(MANY)
    assert wholly.wait(30.0)
    for of_one in channels.values():
        for channel in of_one.values():
            channel.close()
    thread.join(30.0)
    assert not thread.is_alive()
    return full, ends


def test_what_is_asked_for_is_made_before_anybody_takes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    full, _ = dealing(1 << 30, 6, monkeypatch)
    assert max(full) > 5 * (2 << 20)


def test_a_party_that_takes_nothing_is_named_and_does_not_exhaust_the_dealer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    limit = 4 << 20
    full, ends = dealing(limit, 40, monkeypatch)
    assert limit <= max(full) <= limit + (2 << 20)
    assert [str(error) for error in ends] == ["b: took nothing for 1 s"]
