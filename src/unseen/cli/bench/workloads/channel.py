"""Workloads of the bare channel: latency and throughput as protocols see them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from unseen.cli.bench.registry import Program, Size
from unseen.computation.circle import Circle
from unseen.computation.prg import Expander
from unseen.encoding import Json


def _times(_: int, __: int, size: Size) -> int:
    return size["times"]


def _round_trip(circle: Circle, times: int) -> Mapping[str, Json]:
    word = np.zeros(1, dtype=np.uint64)
    for _ in range(times):
        if circle.rank == 0:
            circle.channel(1).send("there", word)
            word = circle.channel(1).receive("back", np.uint64, 1)
        elif circle.rank == 1:
            word = circle.channel(0).receive("there", np.uint64, 1)
            circle.channel(0).send("back", word)
    return {}


def _words(_: int, __: int, size: Size) -> Any:
    return Expander.fresh().words(size["words"])


def _open(circle: Circle, share: Any) -> Mapping[str, Json]:
    circle.open_words("open", share)
    return {}


ROUND_TRIP = Program(_times, _round_trip)
OPEN = Program(_words, _open)
