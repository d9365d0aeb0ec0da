"""What alignments and joins in buckets have in common at one party: what they go on from, rows batch by batch and
the columns that go home with them, and progress with the time that is left."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from time import perf_counter
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from unseen.application.alignment.request import AlignRequest
from unseen.computation.intersect.buckets import Cut
from unseen.computation.intersect.checkpoint import Checkpoint
from unseen.computation.intersect.spool import PIECE
from unseen.computation.types import Index
from unseen.encoding import digest
from unseen.errors import MisuseError
from unseen.interaction.application import Batches, Run
from unseen.interaction.plan import Plan
from unseen.interaction.workroom import Workroom

PLAN_TAG: Final = "unseen/buckets/plan/v1"
GOES_ON: Final = "goes-on"
"""Which job's kept part a job goes on with: the first that broke off."""
PIECE_BYTES: Final = 1 << 27


def agreed_digest(plan: Plan) -> bytes:
    """Of all that two runs of one request have alike: not of job, seed, and which job is gone on with."""
    whole: Any = plan.as_json()
    parameters = dict(whole["parameters"])
    parameters["request"] = {**parameters["request"], "resumes": ""}
    same = {name: value for name, value in whole.items() if name not in ("job", "seed", "parameters")}
    return bytes.fromhex(digest(PLAN_TAG, {**same, "parameters": parameters}))


def room_of(run: Run) -> Workroom:
    """Raises MisuseError outside a node."""
    if run.room is None:
        raise MisuseError("an alignment in buckets needs a node's own room on the disk")
    return run.room


def checkpoint_of(room: Workroom, asked: AlignRequest, words: int = 2) -> Checkpoint:
    """What this run goes on from, and keeps for a later one: with the first job that broke off."""
    if not asked.resumes:
        return Checkpoint(room.kept(), words)
    first = asked.resumes
    for named in room.kept(asked.resumes).read(GOES_ON):
        first = named.decode("ascii")
    checkpoint = Checkpoint(room.kept(first), words)
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


def forget(room: Workroom, checkpoint: Checkpoint) -> None:
    """Nothing is gone on from after a run that has ended well."""
    checkpoint.forget()
    room.kept().forget(GOES_ON)


def announce(run: Run, step: str, asked: AlignRequest, cut: Cut) -> None:
    """Say into how many buckets the lists are cut, and with which the run goes on."""
    planned = int(str(run.plan.parameters["buckets"]))
    note = f"in {cut.buckets:,} buckets"
    if cut.buckets > planned:
        note += f" ({planned:,} planned; a machine here or there has less memory)"
    if cut.done:
        key, bucket = divmod(cut.done, cut.buckets)
        note += f", going on with bucket {bucket + 1:,}" + (f" by key {key + 1}" if key else "")
    elif asked.resumes:
        note += ", from the first one: the partner has none of them"
    run.progress(step, 0.0, note)


def pieces(opened: Batches) -> Iterator[pa.Table]:
    """About a million rows at a time, or 128 MiB."""
    waiting: list[pa.RecordBatch] = []
    rows, size = 0, 0
    for batch in opened:
        waiting.append(batch)
        rows, size = rows + batch.num_rows, size + batch.nbytes
        if rows >= PIECE or size >= PIECE_BYTES:
            yield pa.Table.from_batches(waiting, opened.schema)
            waiting, rows, size = [], 0, 0
    if waiting:
        yield pa.Table.from_batches(waiting, opened.schema)


class Rows:
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


def unpacked(chunk: bytes, schema: pa.Schema) -> tuple[Index, pa.Table]:
    """The numbers of a chunk's rows, and their columns under their names."""
    whole = pa.ipc.open_stream(chunk).read_all()
    return whole.column(0).to_numpy(), whole.drop_columns(["0"]).rename_columns(schema.names)


def chosen(chunks: Iterable[bytes], rows: Index, schema: pa.Schema) -> tuple[Index, pa.Table]:
    """Of all rows in these chunks those with such numbers, ascending and once each; only they are held."""
    numbers, tables = [np.empty(0, dtype=np.int64)], [schema.empty_table()]
    for chunk in chunks:
        some, table = unpacked(chunk, schema)
        places = np.searchsorted(rows, some)
        places[places == len(rows)] = 0
        wanted = rows[places] == some if len(rows) else np.zeros(len(some), dtype=bool)
        numbers.append(some[wanted])
        tables.append(table.filter(pa.array(wanted)).cast(schema))
    return np.concatenate(numbers), pa.concat_tables(tables)


class Parts:
    """Parquet files one after another, of which the rows of all in the order of their names are one table."""

    def __init__(self, room: Workroom, folder: str) -> None:
        self._room, self._folder = room, folder
        self.files = 0

    def put(self, table: pa.Table) -> None:
        self.files += 1
        sink = pa.BufferOutputStream()
        pq.write_table(table, sink)
        self._room.put(f"{self._folder}/part-{self.files:05d}.parquet", sink.getvalue().to_pybytes())


class Remaining:
    """Tells progress with the time that is left, from how long the buckets so far took."""

    def __init__(self, run: Run, step: str) -> None:
        self._run, self._step, self._from = run, step, (0.0, 0.0)

    def __call__(self, done: float, note: str) -> None:
        moment, (began, first) = perf_counter(), self._from
        if note.startswith("bucket"):
            if not began:
                self._from = began, first = moment, done
            if done > first:
                note += f", {_spoken((moment - began) * (1.0 - done) / (done - first))} left"
        self._run.progress(self._step, min(done, 0.99), note)


def _spoken(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
