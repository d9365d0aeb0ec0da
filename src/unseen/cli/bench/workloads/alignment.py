"""Alignment of identifiers, half of them in common to all parties: from Arrow strings to Arrow row numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa
from pyarrow import csv

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


def as_text(names: Any) -> bytes:
    """Identifiers as the text of a CSV file with one column, `id`."""
    return "\n".join(["id", *names.to_pylist(), ""]).encode("ascii")


def _prepare_csv(rank: int, parties: int, size: Size) -> bytes:
    return as_text(_prepare(rank, parties, size))


def _rows(circle: Circle, names: Any) -> Any:
    find = align if circle.size == 2 else align_all
    return pa.array(find(circle, from_arrow(names), 1))


def _run(circle: Circle, names: Any) -> Mapping[str, Json]:
    return {"common": len(_rows(circle, names))}


def _run_csv(circle: Circle, text: bytes) -> Mapping[str, Json]:
    table = csv.read_csv(pa.BufferReader(text)).combine_chunks()
    common = table.take(_rows(circle, table["id"].chunk(0)))
    written = pa.BufferOutputStream()
    csv.write_csv(common, written)
    return {"common": len(common)}


def _overlap(circle: Circle, names: Any) -> Mapping[str, Json]:
    return {"common": count_common(circle, from_arrow(names), 1).common}


def _count(circle: Circle, names: Any) -> Mapping[str, Json]:
    return {"known": count_known(circle, from_arrow(names), 2, 1)}


ALIGN = Program(_prepare, _run)
ALIGN_CSV = Program(_prepare_csv, _run_csv)
OVERLAP = Program(_prepare, _overlap)
KNOWN = Program(_prepare, _count)
