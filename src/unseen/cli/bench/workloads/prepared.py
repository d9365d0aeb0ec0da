"""Alignment of a small set with a large one that is prepared beforehand: what is timed is the run alone.

It begins with the stored bytes of both sides' states, as a later job reads them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import Final

import pyarrow as pa

from unseen.cli.bench.names import names
from unseen.cli.bench.registry import Program, Size
from unseen.computation.circle import Circle
from unseen.computation.intersect.keys import from_arrow
from unseen.computation.intersect.prepared import align_large, align_small, prepare_large, prepare_small
from unseen.computation.intersect.prepared_state import Large, Small
from unseen.computation.types import Index
from unseen.encoding import Json


@dataclass(frozen=True)
class _Inputs:
    """Rank 0 has the large set; half of the small one is in it."""

    names: pa.Array
    capacity: int


@dataclass(frozen=True)
class _Ready:
    inputs: _Inputs
    stored: bytes
    seconds: float
    bytes_moved: int


def _prepare(rank: int, parties: int, size: Size) -> _Inputs:
    few, many = size["keys"], size["other"]
    start, count = (max(0, many - few // 2), few) if rank else (0, many)
    return _Inputs(names(start, count), few)


def _enter(circle: Circle, inputs: _Inputs) -> _Ready:
    before, started = _traffic(circle), perf_counter()
    state: Large | Small
    if circle.rank == 0:
        state = prepare_large(circle, from_arrow(inputs.names), inputs.capacity)
    else:
        state = prepare_small(circle, inputs.capacity)
    stored = state.to_bytes()
    circle.joint_seed("ready")  # both are: what was sent has arrived
    return _Ready(inputs, stored, perf_counter() - started, _traffic(circle) - before)


def _run(circle: Circle, ready: _Ready) -> Mapping[str, Json]:
    """One preparation is good for one run; here the same keys meet again and again, from the same bytes."""
    rows: Index | None
    if circle.rank == 0:
        rows = align_large(circle, Large.from_bytes(ready.stored), 1, to_both=True)
    else:
        rows = align_small(circle, Small.from_bytes(ready.stored), from_arrow(ready.inputs.names), 1, to_both=True)
    return {
        "common": 0 if rows is None else len(rows),
        "preparation_seconds": round(ready.seconds, 2),
        "preparation_bytes": ready.bytes_moved,
    }


def _traffic(circle: Circle) -> int:
    """Bytes that this party and the other have sent each other."""
    counters = circle.others()[0].counters
    return counters.bytes_sent + counters.bytes_received


PREPARED: Final[Program] = Program(_prepare, _run, _enter)
