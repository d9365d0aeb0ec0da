"""The run of a join at one party: release, keys written by their rules, join, own rows in the joint order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from time import perf_counter
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from unseen.application.alignment.join_plan import left_of, most_repeats
from unseen.application.alignment.planning import rows_of
from unseen.application.alignment.request import AlignedSide, AlignRequest
from unseen.application.alignment.row_keys import RowKeys
from unseen.application.declared import sizes
from unseen.application.derivation import limit
from unseen.computation.intersect.join import UNDECLARED, Terms, join
from unseen.computation.intersect.join_kind import Kind
from unseen.computation.intersect.keys import Keys
from unseen.encoding import Json
from unseen.interaction.application import Run

FILES: Final = {Kind.INNER: "common.parquet", Kind.LEFT: "left.parquet", Kind.DIFFERENCE: "difference.parquet"}
"""A party's own rows of the joint table: row i is the same at both parties; nulls where there is no partner."""


def joined(run: Run, asked: AlignRequest) -> Mapping[str, Json]:
    """Join; this party's numbers. Its own rows of the joint table go to a file."""
    side = asked.parties[run.party]
    run.progress("join", 0.0, "reading own rows")
    table = run.release(side.dataset)
    keys, warnings = keys_of(table, side, asked.most_unfit)
    for warning in warnings:
        run.progress("join", 0.0, warning)
    left = left_of(asked)
    terms = Terms(
        asked.kind,
        run.circle.rank_of(left),
        limit(run.plan, "smallest_overlap"),
        most_repeats(asked),
    )
    began = perf_counter()
    found = join(
        run.circle,
        keys,
        terms,
        lambda done, note: run.progress("join", done, note),
        sizes(run.plan, run.party) or UNDECLARED,
    )
    seconds = perf_counter() - began
    if rows_of(run.party) in run.plan.outputs.get(run.party, ()):
        own = table.select([*side.key_columns, *side.columns])
        pq.write_table(own.take(pa.array(found.rows, mask=found.rows < 0)), run.folder / FILES[asked.kind])
    run.progress("join", 1.0)
    return {
        "party": run.party,
        "partner": run.circle.others()[0].peer,
        "kind": asked.kind.value,
        "left": left,
        **numbers_of(side, found.offered, found.common, found.by_key, len(found.rows)),
        "warnings": list(warnings),
        "seconds": round(seconds, 3),
    }


def keys_of(table: pa.Table, side: AlignedSide, most_unfit: float) -> tuple[list[Keys], list[str]]:
    """For each choice a key a row, empty where the row has none; and what a steward should know.

    Raises DataError naming data set and column where a column is no such key, or where more than `most_unfit` of
    the rows have none of the keys.
    """
    whole = RowKeys(side, most_unfit)
    keys = whole.take(table)
    whole.require_fit()
    return keys, whole.warnings(whole.commonest())


def numbers_of(
    side: AlignedSide,
    offered: Sequence[tuple[int, int]],
    common: Sequence[int],
    by_key: Sequence[int],
    rows: int,
) -> dict[str, Json]:
    """Numbers by the first key as an alignment has them, then by each key, then of the joint table."""
    each: list[Json] = [
        {
            "key": " and ".join(column for column, _ in choice),
            "offered": own,
            "partner_offered": theirs,
            "common": number,
            "rows": given,
        }
        for choice, (own, theirs), number, given in zip(side.choices, offered, common, by_key, strict=True)
    ]
    return {
        "offered": offered[0][0],
        "partner_offered": offered[0][1],
        "common": common[0],
        "by_key": each,
        "rows": rows,
        "without_partner": rows - sum(by_key),
    }
