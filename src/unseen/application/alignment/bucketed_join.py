"""The run of a join bucket by bucket at one party: nothing of its table is ever in memory as a whole.

As `bucketed` for an alignment. Each row lies on the disk once for each key that it has, in that key's bucket, with
the columns that go home. After the last bucket the joint table's own rows go part by part into sealed files: the
pairs by each key, then the rows without a partner.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from time import perf_counter
from typing import Final

import numpy as np
import pyarrow as pa

from unseen.application.alignment.bucket_room import (
    PIECE_BYTES,
    Parts,
    Remaining,
    Rows,
    agreed_digest,
    announce,
    checkpoint_of,
    chosen,
    forget,
    pieces,
    room_of,
    unpacked,
)
from unseen.application.alignment.join_plan import left_of, most_repeats
from unseen.application.alignment.joining import numbers_of
from unseen.application.alignment.memory import buckets_here
from unseen.application.alignment.planning import rows_of
from unseen.application.alignment.request import AlignedSide, AlignRequest
from unseen.application.alignment.row_keys import RowKeys
from unseen.application.declared import sizes
from unseen.application.derivation import limit
from unseen.computation.intersect.buckets import begin
from unseen.computation.intersect.join import Terms
from unseen.computation.intersect.join_buckets import (
    PIECE_ROWS,
    WORDS,
    JoinedInBuckets,
    joined_in_buckets,
    read_rows,
)
from unseen.computation.intersect.join_kind import Kind
from unseen.computation.intersect.row_spool import HeldRows, RowBatch
from unseen.encoding import Json
from unseen.errors import MisuseError
from unseen.interaction.application import Batches, Run
from unseen.interaction.workroom import Workroom

FOLDERS: Final = {Kind.INNER: "common", Kind.LEFT: "left", Kind.DIFFERENCE: "difference"}
"""A party's own rows of the joint table, in files one after another: row i of all is the same at both parties."""
STEP: Final = "join"
_GIVEN: Final = 255
"""Marks a row without a partner that has been written."""


def join_in_buckets(run: Run, asked: AlignRequest) -> Mapping[str, Json]:
    """Join; this party's numbers. Its own rows of the joint table go to a folder of files."""
    side, room, most = asked.parties[run.party], room_of(run), sizes(run.plan, run.party)
    if most is None:
        raise MisuseError("a join in buckets declares how many rows each side offers")
    left, home = left_of(asked), rows_of(run.party) in run.plan.outputs.get(run.party, ())
    terms = Terms(asked.kind, run.circle.rank_of(left), limit(run.plan, "smallest_overlap"), most_repeats(asked))
    checkpoint, watch = checkpoint_of(room, asked, WORDS), Remaining(run, STEP)
    cut = begin(run.circle, agreed_digest(run.plan), buckets_here(run, most), most, checkpoint)
    announce(run, STEP, asked, cut)
    began, keys = perf_counter(), RowKeys(side, asked.most_unfit)
    with run.batches(side.dataset) as opened:
        source = _batches(run, side, opened, keys, home)
        held = read_rows(run.circle, cut, source, len(side.choices), terms, room.passing())
        schema = pa.schema([opened.schema.field(name) for name in (*side.key_columns, *side.columns)])
    warnings = keys.warnings(dict(enumerate(held.most)))
    for warning in warnings:
        run.progress(STEP, 0.0, warning)
    found = joined_in_buckets(run.circle, cut, held, terms, checkpoint, watch)
    files = _take_home(run, room, schema, found) if home else 0
    forget(room, checkpoint)
    run.progress(STEP, 1.0)
    return {
        "party": run.party,
        "partner": run.circle.others()[0].peer,
        "kind": asked.kind.value,
        "left": left,
        **numbers_of(side, found.offered, found.common, found.by_key, sum(found.by_key) + found.rest),
        "buckets": cut.buckets,
        "gone_on_from": cut.done,
        "files": files,
        "warnings": list(warnings),
        "seconds": round(perf_counter() - began, 3),
    }


def _batches(run: Run, side: AlignedSide, opened: Batches, keys: RowKeys, home: bool) -> Iterator[RowBatch]:
    """About a million rows at a time, with their columns if these go home."""
    start = 0
    for table in pieces(opened):
        numbers = np.arange(start, start + table.num_rows, dtype=np.int64)
        start += table.num_rows
        run.progress(STEP, 0.0, f"reading own rows: {start:,}")
        columns = table.select([*side.key_columns, *side.columns]) if home else None
        yield RowBatch(keys.take(table), numbers, None if columns is None else Rows(columns, numbers))
    keys.require_fit()


def _take_home(run: Run, room: Workroom, schema: pa.Schema, found: JoinedInBuckets) -> int:
    """Write the own rows of the joint table; how many files."""
    parts, held = Parts(room, FOLDERS[found.terms.kind]), found.held
    for pairs in found.pairs():
        note = f"writing own rows of bucket {pairs.bucket + 1:,} of {held.buckets:,} by key {pairs.number + 1}"
        run.progress(STEP, 0.99, note)
        numbers, table = chosen(held.luggage(pairs.number, pairs.bucket), np.sort(pairs.members), schema)
        for rows in pairs.rows():
            parts.put(table.take(pa.array(np.searchsorted(numbers, rows))))
    if found.rest:
        run.progress(STEP, 0.99, "writing rows without a partner")
        for table in _alone(held, schema) if found.left else _nobody(found.rest, schema):
            parts.put(table)
    return parts.files


def _alone(held: HeldRows, schema: pa.Schema) -> Iterator[pa.Table]:
    """The own rows without a partner, some at a time: each from where its first key has put it."""
    waiting: list[pa.Table] = []
    for chunk in _all_luggage(held):
        numbers, table = unpacked(chunk, schema)
        free = held.matched_by[numbers] == 0
        held.matched_by[numbers[free]] = _GIVEN
        waiting.append(table.filter(pa.array(free)))
        if sum(part.num_rows for part in waiting) >= PIECE_ROWS or sum(p.nbytes for p in waiting) >= PIECE_BYTES:
            yield pa.concat_tables(waiting)
            waiting = []
    if sum(part.num_rows for part in waiting):
        yield pa.concat_tables(waiting)


def _all_luggage(held: HeldRows) -> Iterator[bytes]:
    for number in range(held.choices):
        for bucket in range(held.buckets):
            yield from held.luggage(number, bucket)
    yield from held.keyless_luggage()


def _nobody(rows: int, schema: pa.Schema) -> Iterator[pa.Table]:
    """Places for the other side's rows without a partner."""
    for start in range(0, rows, PIECE_ROWS):
        count = min(PIECE_ROWS, rows - start)
        yield pa.table([pa.nulls(count, field.type) for field in schema], schema=schema)
