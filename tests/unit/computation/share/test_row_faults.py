"""Protocols that move rows, when something goes wrong: lost peers; cut, changed and repeated messages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from unseen.computation.circle import Circle
from unseen.computation.in_process import run_parties
from unseen.computation.share.array import Shared, from_owner
from unseen.computation.share.binned import binned_columns
from unseen.computation.share.extremes import largest, top_along
from unseen.computation.share.groups import group_by
from unseen.computation.share.private_order import private_gather, private_order
from unseen.computation.share.shuffle import shuffle
from unseen.computation.share.sort import argsort, place, sort
from unseen.errors import PeerLostError, ProtocolError, UnseenError

Work = Callable[[Circle], object]
VALUES = np.arange(20.0) % 7


def entered(circle: Circle) -> Shared:
    return from_owner(circle, 0, VALUES if circle.rank == 0 else None, VALUES.shape)


def mine(circle: Circle, array: np.ndarray) -> np.ndarray | None:
    return array if circle.rank == 1 else None


PROTOCOLS: dict[str, Work] = {
    "shuffle": lambda c: shuffle(entered(c)),
    "private order": lambda c: private_order(c, 1, mine(c, np.arange(20)[::-1]), 20).apply(entered(c)),
    "private gather": lambda c: private_gather(c, 1, mine(c, np.zeros(5, dtype=np.int64)), 5, entered(c)),
    "sort": lambda c: sort(entered(c)),
    "placing": lambda c: place(entered(c), argsort(entered(c))),
    "group-by": lambda c: group_by(entered(c), [entered(c)]),
    "tournament": lambda c: largest(entered(c)),
    "top few": lambda c: top_along(entered(c)[:6], 2),
    "bin sums": lambda c: binned_columns(c, 0, VALUES[:, None].astype(int) if c.rank == 0 else None, [7], 20).sums(
        entered(c)[None]
    ),
}


def spoiling(work: Work, spoil: Callable[[Circle, int, Any], Any], seen: list[int]) -> Work:
    """The work with every message from party 1 to party 0 given to `spoil(circle, number, (tag, array))`."""

    def program(circle: Circle) -> object:
        if circle.rank == 1:
            channel = circle.channel(0)
            honest = channel.send

            def send(tag: str, array: np.ndarray) -> None:
                changed = spoil(circle, len(seen), (tag, array))
                seen.append(array.nbytes)
                honest(*changed)

            channel.send = send  # type: ignore[method-assign]
        return work(circle)

    return program


def sent(work: Work) -> int:
    """How many messages party 1 sends party 0."""
    seen: list[int] = []
    run_parties(spoiling(work, lambda circle, number, message: message, seen))
    return len(seen)


@pytest.mark.parametrize("name", PROTOCOLS)
def test_a_peer_lost_at_any_message_ends_the_run_at_all(name: str) -> None:
    work = PROTOCOLS[name]
    count = sent(work)
    for lost in sorted({0, count // 2, count - 1} if name not in {"sort", "placing", "group-by"} else {0, 1, 5}):

        def spoil(circle: Circle, number: int, message: Any, lost: int = lost) -> Any:
            if number == lost:
                raise PeerLostError(circle.parties[0], "its connection closed")
            return message

        with pytest.raises(PeerLostError):
            run_parties(spoiling(work, spoil, []), 3)


@pytest.mark.parametrize("name", PROTOCOLS)
def test_a_message_cut_short_is_laid_at_its_senders_door(name: str) -> None:
    def cut(circle: Circle, number: int, message: Any) -> Any:
        tag, array = message
        return (tag, array.reshape(-1)[:-1]) if number == 1 or array.size > 1 else message

    with pytest.raises(ProtocolError, match="party1"):
        run_parties(spoiling(PROTOCOLS[name], cut, []))


@pytest.mark.parametrize("name", PROTOCOLS)
def test_a_message_of_another_step_is_laid_at_its_senders_door(name: str) -> None:
    def renamed(circle: Circle, number: int, message: Any) -> Any:
        return ("product", message[1]) if number == 0 else message

    with pytest.raises(ProtocolError, match="party1"):
        run_parties(spoiling(PROTOCOLS[name], renamed, []))


@pytest.mark.parametrize("name", ["sort", "group-by", "placing"])
def test_answers_that_are_changed_on_the_way_do_no_harm_beyond_the_result(name: str) -> None:
    """Places and orders that a peer makes up are refused or sorted wrongly, but never read out of bounds."""

    def changed(circle: Circle, number: int, message: Any) -> Any:
        tag, array = message
        return (tag, np.full_like(array, 2**64 - 1)) if number % 3 == 2 and array.dtype == np.uint64 else message

    try:
        run_parties(spoiling(PROTOCOLS[name], changed, []))
    except UnseenError:
        return
    assert name == "sort"
