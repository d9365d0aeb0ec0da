"""Where an alignment's time goes at the first party: a run under Python's profiler, added up by what was done.

Kernels and ciphers run whole under one call each, so that the profiler hardly slows them.
"""

from __future__ import annotations

import cProfile
import pstats
from collections.abc import Mapping
from typing import Any, Final

from unseen.cli.bench.registry import Program, Size
from unseen.cli.bench.workloads.alignment import ALIGN
from unseen.computation.channel import Channel
from unseen.computation.circle import Circle
from unseen.computation.correlation import (
    base_transfer,
    expand_convolute,
    punctured,
    silent_ole,
    transfer_extension,
)
from unseen.computation.intersect import keys, oprf, store
from unseen.computation.kernels import matching
from unseen.encoding import Json

PARTS: Final[Mapping[str, tuple[Any, ...]]] = {
    "base_transfers": (base_transfer.give, base_transfer.take),
    "expansion": (
        transfer_extension.give,
        transfer_extension.take,
        silent_ole._small_given,
        silent_ole._small_taken,
        punctured.grown,
        punctured.punctured,
        expand_convolute.compress,
    ),
    "encoding": (store.encoded, store.grouped, store.decoded),
    "hashing": (keys.hashed, keys.hashed_rows),
    "trial": (oprf.prove_correlated, oprf.require_correlated),
    "matching": (matching.matches,),
    "network": (Channel.receive, Channel.send),
}
"""Disjoint but for the network, which is taken off the others."""


def _prepare(rank: int, parties: int, size: Size) -> Any:
    return ALIGN.prepare(rank, parties, size)


def _run(circle: Circle, names: Any) -> Mapping[str, Json]:
    profile, own = (
        cProfile.Profile(),
        circle.fork(f"parts/{len(names)}"),
    )  # a stream with base transfers of its own
    found = profile.runcall(ALIGN.run, own, names)
    own.source.finish()
    figures: Any = pstats.Stats(profile).stats  # type: ignore[attr-defined]  # by (file, line, name): calls, times, callers
    seconds = {part: sum(_within(figures, each) for each in functions) for part, functions in PARTS.items()}
    for part, functions in PARTS.items():
        if part != "network":
            seconds[part] -= sum(_waited(figures, each, functions) for each in PARTS["network"])
    return {**found, **{f"{part}_seconds": round(value, 3) for part, value in seconds.items()}}


def _place(function: Any) -> tuple[str, int, str]:
    code = function.__code__
    return code.co_filename, code.co_firstlineno, code.co_name


def _within(figures: Any, function: Any) -> float:
    """Seconds in a function and all that it calls."""
    return float(figures[_place(function)][3]) if _place(function) in figures else 0.0


def _waited(figures: Any, callee: Any, callers: tuple[Any, ...]) -> float:
    """Seconds in one function where it was called by some."""
    told = figures.get(_place(callee), (0, 0, 0.0, 0.0, {}))[4]
    return float(sum(told[_place(caller)][3] for caller in callers if _place(caller) in told))


ALIGN_PARTS: Final = Program(_prepare, _run)
