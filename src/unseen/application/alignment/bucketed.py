"""The run of an alignment bucket by bucket at one party: nothing of its list is ever in memory as a whole.

The one door gives the granted columns batch by batch; keys are written by their rule, hashed and put into buckets
on the disk, and with each the columns that go home. After the last bucket the own rows of the common customers go
bucket by bucket into sealed files. What is found is kept until the run is done, so that a later one goes on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from time import perf_counter
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from unseen.application.alignment.memory import buckets_here
from unseen.application.alignment.numbers import keys_and_time, partners
from unseen.application.alignment.request import AlignedSide, AlignRequest
from unseen.application.declared import sizes
from unseen.application.derivation import limit
from unseen.computation.intersect.align import Method
from unseen.computation.intersect.buckets import Cut, Found, aligned_in_buckets, begin, read
from unseen.computation.intersect.checkpoint import Checkpoint
from unseen.computation.intersect.keys import from_arrow
from unseen.computation.intersect.spool import PIECE, Batch
from unseen.computation.types import Index
from unseen.data.key_stream import KeyStream
from unseen.encoding import Json, digest
from unseen.errors import DataError, MisuseError
from unseen.interaction.application import Batches, Run
from unseen.interaction.plan import Plan
from unseen.interaction.workroom import Workroom

FOLDER: Final = "common"
"""A party's own rows of the common customers, in files one after another: row i of all is the same at both."""
PLAN_TAG: Final = "unseen/buckets/plan/v1"
GOES_ON: Final = "goes-on"
"""Which job's kept part a job goes on with: the first that broke off."""
STEP: Final = "align"
_PIECE_BYTES: Final = 1 << 27


def in_buckets(run: Run, asked: AlignRequest) -> Mapping[str, Json]:
    """Find the common customers; this party's numbers. A recipient's own rows of them go to `common/`."""
    side, room, most = asked.parties[run.party], _room(run), sizes(run.plan, run.party)
    if most is None:
        raise MisuseError("an alignment in buckets declares how many rows each side offers")
    receiving = sorted(run.plan.outputs)
    recipient = run.circle.rank_of(receiving[0]) if len(receiving) == 1 else None
    checkpoint, watch = _checkpoint(room, asked), _Remaining(run)
    cut = begin(run.circle, agreed_digest(run.plan), buckets_here(run, most), most, checkpoint)
    _announce(run, asked, cut)
    began, keys = perf_counter(), KeyStream(side.form, asked.most_unfit)
    spool = room.passing()
    try:
        with run.batches(side.dataset) as opened:
            held = read(run.circle, cut, _batches(run, side, opened, keys, run.party in receiving), spool)
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
        result |= {"common": found.common, "files": _take_home(run, room, side, found)}
    checkpoint.forget()
    room.kept().forget(GOES_ON)
    run.progress(STEP, 1.0)
    return {**result, **keys_and_time(fit, perf_counter() - began)}


def agreed_digest(plan: Plan) -> bytes:
    """Of all that two runs of one request have alike: not of job, seed, and which job is gone on with."""
    whole: Any = plan.as_json()
    parameters = dict(whole["parameters"])
    parameters["request"] = {**parameters["request"], "resumes": ""}
    same = {name: value for name, value in whole.items() if name not in ("job", "seed", "parameters")}
    return bytes.fromhex(digest(PLAN_TAG, {**same, "parameters": parameters}))


def _room(run: Run) -> Workroom:
    if run.room is None:
        raise MisuseError("an alignment in buckets needs a node's own room on the disk")
    return run.room


def _checkpoint(room: Workroom, asked: AlignRequest) -> Checkpoint:
    """What this run goes on from, and keeps for a later one: with the first job that broke off."""
    if not asked.resumes:
        return Checkpoint(room.kept())
    first = asked.resumes
    for named in room.kept(asked.resumes).read(GOES_ON):
        first = named.decode("ascii")
    checkpoint = Checkpoint(room.kept(first))
    if checkpoint.heading() is None:
        raise MisuseError(
            f"job {asked.resumes} left nothing here to go on from: it ended before the first bucket, was gone on"
            " with to its end, or its days are over; leave `resumes` out"
        )
    room.clear_after(asked.resumes)
    own = room.kept()
    own.forget(GOES_ON)
    own.write(GOES_ON, first.encode("ascii"))
    return checkpoint


def _announce(run: Run, asked: AlignRequest, cut: Cut) -> None:
    planned = int(str(run.plan.parameters["buckets"]))
    note = f"in {cut.buckets:,} buckets"
    if cut.buckets > planned:
        note += f" ({planned:,} planned; a machine here or there has less memory)"
    if cut.done:
        note += f", going on with bucket {cut.done + 1:,}"
    elif asked.resumes:
        note += ", from the first one: the partner has none of them"
    run.progress(STEP, 0.0, note)


def _batches(run: Run, side: AlignedSide, opened: Batches, keys: KeyStream, home: bool) -> Iterator[Batch]:
    """About a million rows at a time, with their columns if these go home."""
    start = 0
    for table in _pieces(opened):
        fit, places = keys.take(table[side.key].combine_chunks() if table.num_rows else table[side.key])
        run.progress(STEP, 0.0, f"reading own rows: {start + table.num_rows:,}")
        if len(places):
            columns = table.select([side.key, *side.columns]) if home else None
            luggage = None if columns is None else _Rows(columns.take(pa.array(places)), start + places)
            yield Batch(from_arrow(fit), start + places, luggage)
        start += table.num_rows
    keys.require_usable()


def _pieces(opened: Batches) -> Iterator[pa.Table]:
    waiting: list[pa.RecordBatch] = []
    for batch in opened:
        waiting.append(batch)
        if sum(part.num_rows for part in waiting) >= PIECE or sum(part.nbytes for part in waiting) >= _PIECE_BYTES:
            yield pa.Table.from_batches(waiting, opened.schema)
            waiting = []
    if waiting:
        yield pa.Table.from_batches(waiting, opened.schema)


class _Rows:
    """The own columns of a batch's rows, by their places: Arrow's stream format, the row's number first."""

    def __init__(self, columns: pa.Table, numbers: Index) -> None:
        arrays = [pa.array(numbers), *(column.combine_chunks() for column in columns.columns)]
        self._table = pa.Table.from_arrays(arrays, names=[str(place) for place in range(len(arrays))])

    def packed(self, places: Index) -> bytes:
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, self._table.schema) as writer:
            writer.write_table(self._table.take(pa.array(places)))
        packed: bytes = sink.getvalue().to_pybytes()
        return packed


def _take_home(run: Run, room: Workroom, side: AlignedSide, found: Found) -> int:
    """Write the own rows of the common customers, a file a bucket; how many files."""
    names, buckets = [side.key, *side.columns], found.held.buckets
    for bucket, rows in enumerate(found.rows()):
        run.progress(STEP, 0.99, f"writing own rows of bucket {bucket + 1:,} of {buckets:,}")
        chunks = [pa.ipc.open_stream(chunk).read_all() for chunk in found.held.luggage(bucket)]
        whole = pa.concat_tables(chunks)
        places = np.searchsorted(whole.column(0).to_numpy(), rows)
        sink = pa.BufferOutputStream()
        pq.write_table(whole.drop_columns(["0"]).take(pa.array(places)).rename_columns(names), sink)
        room.put(f"{FOLDER}/part-{bucket + 1:05d}.parquet", sink.getvalue().to_pybytes())
        found.held.forget(bucket)
    return buckets


def _allowed(run: Run) -> str:
    return f"{int(str(run.plan.parameters['memory'])):,}"


class _Remaining:
    """Tells progress with the time that is left, from how long the buckets so far took."""

    def __init__(self, run: Run) -> None:
        self._run, self._from = run, (0.0, 0.0)

    def __call__(self, done: float, note: str) -> None:
        moment, (began, first) = perf_counter(), self._from
        if note.startswith("bucket"):
            if not began:
                self._from = began, first = moment, done
            if done > first:
                note += f", {_spoken((moment - began) * (1.0 - done) / (done - first))} left"
        self._run.progress(STEP, min(done, 0.99), note)


def _spoken(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
