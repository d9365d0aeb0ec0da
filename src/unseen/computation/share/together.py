"""Rounds side by side: protocols that wait for the same messages at the same time.

A protocol is a generator: it yields what it wants opened, and is handed what came out. Called, it runs alone;
its `steps` run beside those of others, and every round's openings of all of them go out before any is awaited:

    positive, root = together(negative.steps(x), square.steps(y))

reads as two calls and costs the rounds of the longer one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass
from functools import update_wrapper
from typing import Any, Generic, ParamSpec, TypeAlias, TypeVar

from unseen.computation.circle import Circle
from unseen.computation.correlation.source import Group
from unseen.computation.types import Array

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, eq=False)
class Opening:
    """What one protocol wants opened to all in one round: `shares` that add up and `bits` that XOR, each under a
    uniform mask. It gets them back in this order."""

    circle: Circle
    tag: str
    shares: Sequence[Array] = ()
    bits: Sequence[Array] = ()


Steps: TypeAlias = Generator[Opening, list[Any], R]


class Protocol(Generic[P, R]):
    """A generator function that can be called as a plain function, or run beside others by its `steps`."""

    def __init__(self, steps: Callable[P, Steps[R]]) -> None:
        self.steps = steps
        update_wrapper(self, steps)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        result: R = together(self.steps(*args, **kwargs))[0]
        return result


def together(*running: Steps[Any]) -> list[Any]:
    """Run protocols in step with each other; their results, in order."""
    return in_turns(running, len(running))


def in_turns(running: Iterable[Steps[Any]], at_once: int) -> list[Any]:
    """Run protocols, so many of them in step with each other; their results, in order.

    What one wants opened goes out before the next one is worked on, so that messages travel meanwhile.
    """
    waiting, results = enumerate(running), dict[int, Any]()
    active: deque[tuple[int, Steps[Any], Opening]] = deque()

    def advance(i: int, steps: Steps[Any], opened: list[Any] | None) -> None:
        try:
            opening = next(steps) if opened is None else steps.send(opened)
        except StopIteration as end:
            results[i] = end.value
            return
        for channel in opening.circle.others():
            channel.send_all(opening.tag, (*opening.shares, *opening.bits))
        active.append((i, steps, opening))

    while True:
        while len(active) < at_once and (started := next(waiting, None)):
            advance(*started, None)
        if not active:
            return [results[i] for i in sorted(results)]
        with active[0][2].circle.others()[0].rounds.overlap():
            for _ in range(len(active)):
                i, steps, opening = active.popleft()
                advance(i, steps, _opened(opening))


def _opened(opening: Opening) -> list[Any]:
    added, mixed = (Group.ADD, opening.shares), (Group.XOR, opening.bits)
    return [
        whole for group, shares in (added, mixed) for whole in opening.circle.collect(opening.tag, shares, group)
    ]
