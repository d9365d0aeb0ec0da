"""Alignment in buckets, half of the identifiers in common: from a source read batch by batch to row numbers.

What is timed begins with the first batch and ends with the last bucket's rows; the spool lies sealed on the disk.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Final

import numpy as np

from unseen.cli.bench.names import names
from unseen.cli.bench.registry import Program, Size
from unseen.computation.circle import Circle
from unseen.computation.intersect.align import Declared
from unseen.computation.intersect.buckets import aligned_in_buckets, begin, read
from unseen.computation.intersect.checkpoint import Checkpoint
from unseen.computation.intersect.keys import from_arrow
from unseen.computation.intersect.spool import PIECE, Batch
from unseen.data.sealed import Passing
from unseen.data.sealed_spool import SealedSpool
from unseen.encoding import Json


@dataclass(frozen=True)
class _Inputs:
    start: int
    keys: int
    buckets: int


def _prepare(rank: int, parties: int, size: Size) -> _Inputs:
    return _Inputs(rank * (size["keys"] // 2), size["keys"], size["buckets"])


def _batches(inputs: _Inputs) -> Iterator[Batch]:
    for first in range(0, inputs.keys, PIECE):
        count = min(PIECE, inputs.keys - first)
        rows = np.arange(first, first + count, dtype=np.int64)
        yield Batch(from_arrow(names(inputs.start + first, count)), rows)


def _run(circle: Circle, inputs: _Inputs) -> Mapping[str, Json]:
    with tempfile.TemporaryDirectory(prefix="unseen-buckets-") as name:
        folder, began = Path(name), perf_counter()
        checkpoint = Checkpoint(SealedSpool(folder / "kept", Passing(), "kept", lasting=True))
        cut = begin(circle, bytes(32), inputs.buckets, Declared(inputs.keys, inputs.keys), checkpoint)
        held = read(circle, cut, _batches(inputs), SealedSpool(folder / "spool", Passing(), "spool"))
        reading, disk = perf_counter() - began, sum(path.stat().st_size for path in folder.rglob("*.spool"))
        found = aligned_in_buckets(circle, cut, held, 1, checkpoint)
        rows = sum(len(some) for some in found.rows())
    return {"common": rows, "reading_seconds": round(reading, 2), "spool_bytes": disk}


BUCKETS: Final[Program] = Program(_prepare, _run)
