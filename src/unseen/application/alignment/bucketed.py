"""The run of an alignment bucket by bucket at one party: nothing of its list is ever in memory as a whole.

The one door gives the granted columns batch by batch; keys are written by their rule, hashed and put into buckets
on the disk, and with each the columns that go home. After the last bucket the own rows of the common customers go
bucket by bucket into sealed files. What is found is kept until the run is done, so that a later one goes on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from time import perf_counter
from typing import Final

import numpy as np
import pyarrow as pa

from unseen.application.alignment.bucket_room import (
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
)
from unseen.application.alignment.memory import buckets_here
from unseen.application.alignment.numbers import keys_and_time, partners
from unseen.application.alignment.request import AlignedSide, AlignRequest
from unseen.application.declared import sizes
from unseen.application.derivation import limit
from unseen.computation.intersect.align import Method
from unseen.computation.intersect.buckets import Found, aligned_in_buckets, begin, read
from unseen.computation.intersect.keys import from_arrow
from unseen.computation.intersect.spool import Batch
from unseen.data.key_stream import KeyStream
from unseen.encoding import Json
from unseen.errors import DataError, MisuseError
from unseen.interaction.application import Batches, Run
from unseen.interaction.workroom import Workroom

FOLDER: Final = "common"
"""A party's own rows of the common customers, in files one after another: row i of all is the same at both."""
STEP: Final = "align"


def in_buckets(run: Run, asked: AlignRequest) -> Mapping[str, Json]:
    """Find the common customers; this party's numbers. A recipient's own rows of them go to `common/`."""
    side, room, most = asked.parties[run.party], room_of(run), sizes(run.plan, run.party)
    if most is None:
        raise MisuseError("an alignment in buckets declares how many rows each side offers")
    receiving = sorted(run.plan.outputs)
    recipient = run.circle.rank_of(receiving[0]) if len(receiving) == 1 else None
    checkpoint, watch = checkpoint_of(room, asked), Remaining(run, STEP)
    cut = begin(run.circle, agreed_digest(run.plan), buckets_here(run, most), most, checkpoint)
    announce(run, STEP, asked, cut)
    began, keys = perf_counter(), KeyStream(side.form, asked.most_unfit)
    spool = room.passing()
    try:
        with run.batches(side.dataset) as opened:
            held = read(run.circle, cut, _batches(run, side, opened, keys, run.party in receiving), spool)
            schema = pa.schema([opened.schema.field(name) for name in (side.key, *side.columns)])
        fit = keys.fit(held.keys)
    except DataError as error:
        raise DataError(f"data set {side.dataset!r}, column {side.key!r}: {error}") from error
    for warning in fit.warnings():
        run.progress(STEP, 0.0, warning)
    found = aligned_in_buckets(
        run.circle, cut, held, limit(run.plan, "smallest_overlap"), checkpoint, watch, recipient
    )
    result: dict[str, Json] = {
        **partners(run, held.keys, found.theirs),
        "method": Method.OLE.value,
        "why": f"in {cut.buckets:,} buckets, so that it takes no more than {_allowed(run)} MiB of memory",
        "buckets": cut.buckets,
        "gone_on_from": cut.done,
    }
    if run.party in receiving:
        result |= {"common": found.common, "files": _take_home(run, room, schema, found)}
    forget(room, checkpoint)
    run.progress(STEP, 1.0)
    return {**result, **keys_and_time(fit, perf_counter() - began)}


def _batches(run: Run, side: AlignedSide, opened: Batches, keys: KeyStream, home: bool) -> Iterator[Batch]:
    """About a million rows at a time, with their columns if these go home."""
    start = 0
    for table in pieces(opened):
        fit, places = keys.take(table[side.key].combine_chunks() if table.num_rows else table[side.key])
        run.progress(STEP, 0.0, f"reading own rows: {start + table.num_rows:,}")
        if len(places):
            columns = table.select([side.key, *side.columns]) if home else None
            luggage = None if columns is None else Rows(columns.take(pa.array(places)), start + places)
            yield Batch(from_arrow(fit), start + places, luggage)
        start += table.num_rows
    keys.require_usable()


def _take_home(run: Run, room: Workroom, schema: pa.Schema, found: Found) -> int:
    """Write the own rows of the common customers, a file a bucket; how many files."""
    parts, buckets = Parts(room, FOLDER), found.held.buckets
    for bucket, rows in enumerate(found.rows()):
        run.progress(STEP, 0.99, f"writing own rows of bucket {bucket + 1:,} of {buckets:,}")
        numbers, table = chosen(found.held.luggage(bucket), np.sort(rows), schema)
        parts.put(table.take(pa.array(np.searchsorted(numbers, rows))))
        found.held.forget(bucket)
    return parts.files


def _allowed(run: Run) -> str:
    return f"{int(str(run.plan.parameters['memory'])):,}"
