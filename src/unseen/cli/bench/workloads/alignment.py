"""Alignment of two parties' identifiers, half of them in common."""

from __future__ import annotations

from collections.abc import Mapping

from unseen.cli.bench.registry import Program, Size
from unseen.computation.circle import Circle
from unseen.computation.intersect.align import align
from unseen.encoding import Json


def _prepare(rank: int, _: int, size: Size) -> list[bytes]:
    keys = size["keys"]
    start = rank * (keys // 2)
    return [b"customer-%012d" % number for number in range(start, start + keys)]


def _run(circle: Circle, keys: list[bytes]) -> Mapping[str, Json]:
    return {"common": len(align(circle, keys, 1))}


ALIGN = Program(_prepare, _run)
