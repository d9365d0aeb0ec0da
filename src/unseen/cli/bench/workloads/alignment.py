"""Alignment of two parties' identifiers, half of them in common: from Arrow strings to Arrow row numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from unseen.cli.bench.registry import Program, Size
from unseen.computation.circle import Circle
from unseen.computation.intersect.align import align
from unseen.computation.intersect.keys import from_arrow
from unseen.encoding import Json


def _prepare(rank: int, _: int, size: Size) -> Any:
    keys = size["keys"]
    start = rank * (keys // 2)
    return pa.array([f"customer-{number:012d}" for number in range(start, start + keys)])


def _run(circle: Circle, names: Any) -> Mapping[str, Json]:
    rows = pa.array(align(circle, from_arrow(names), 1))
    return {"common": len(rows)}


ALIGN = Program(_prepare, _run)
