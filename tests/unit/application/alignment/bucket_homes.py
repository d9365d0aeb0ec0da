"""Runs of an application that lie on the disk, each party a thread with a home of its own."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import pyarrow as pa
import pyarrow.parquet as pq

from unseen.application.alignment import ALIGN
from unseen.computation.circle import Circle
from unseen.computation.in_process import run_parties
from unseen.encoding import Json
from unseen.errors import AbortedError
from unseen.interaction.application import Run
from unseen.interaction.home import Home
from unseen.interaction.plan import Plan
from unseen.interaction.workroom import Workroom

Told = list[tuple[str, float, str]]


def ran(
    plan: Plan,
    homes: Mapping[str, Home],
    tables: Mapping[str, pa.Table],
    told: Told | None = None,
    dies: Callable[[str, str], bool] = lambda party, note: False,
    memory: int | None = None,
) -> dict[str, Mapping[str, Json]]:
    """Results by party. `dies` says at which word of its progress a party's worker is gone."""

    def program(circle: Circle) -> Mapping[str, Json]:
        def progress(step: str, done: float, note: str = "") -> None:
            if told is not None and circle.rank == 0:
                told.append((step, done, note))
            if dies(circle.me, note):
                raise AbortedError("the worker is gone")

        @contextmanager
        def batches(_: str) -> Iterator[pa.RecordBatchReader]:
            yield tables[circle.me].to_reader(max_chunksize=64)

        room = Workroom(homes[circle.me], plan.job)
        try:
            return ALIGN.run(
                Run(
                    circle.me,
                    plan,
                    circle,
                    lambda _: tables[circle.me],
                    progress,
                    homes[circle.me].path,
                    batches=batches,
                    room=room,
                    memory=memory,
                )
            )
        finally:
            room.close()

    return dict(zip(plan.parties, run_parties(program, list(plan.parties)), strict=True))


def rows_at(home: Home, job: str) -> pa.Table:
    """All parts of a party's result, in their order."""
    kept = home.results(job)
    parts = [pq.read_table(io.BytesIO(kept.read(name))) for name in kept.names() if "/part-" in name]
    return pa.concat_tables(parts)
