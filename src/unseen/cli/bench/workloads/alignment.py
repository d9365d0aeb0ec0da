"""Alignment of identifiers, half of them in common to all parties: from Arrow strings to Arrow row numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from unseen.cli.bench.registry import Program, Size
from unseen.computation.circle import Circle
from unseen.computation.intersect.align import align
from unseen.computation.intersect.cardinality import count_common
from unseen.computation.intersect.keys import from_arrow
from unseen.computation.intersect.known_at import count_known
from unseen.computation.intersect.multiparty import align_all
from unseen.encoding import Json


def _prepare(rank: int, parties: int, size: Size) -> Any:
    keys = size["keys"]
    start = rank * (keys // 2) // (parties - 1)
    return pa.array([f"customer-{number:012d}" for number in range(start, start + keys)])


def _run(circle: Circle, names: Any) -> Mapping[str, Json]:
    find = align if circle.size == 2 else align_all
    rows = pa.array(find(circle, from_arrow(names), 1))
    return {"common": len(rows)}


def _overlap(circle: Circle, names: Any) -> Mapping[str, Json]:
    return {"common": count_common(circle, from_arrow(names), 1).common}


def _count(circle: Circle, names: Any) -> Mapping[str, Json]:
    return {"known": count_known(circle, from_arrow(names), 2, 1)}


ALIGN = Program(_prepare, _run)
OVERLAP = Program(_prepare, _overlap)
KNOWN = Program(_prepare, _count)
