"""The runs of align-all and known-at at one party: release, check the keys, align or count, say what came out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any, Final, cast

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console
from rich.markup import escape

from unseen.application.derivation import limit, request_in
from unseen.application.free_memory import require_free
from unseen.application.joint_rows import common_rows
from unseen.application.own_keys import OwnKeys, own_keys
from unseen.application.several.planning import COUNT_FIRST, Offer, rows_of
from unseen.computation.intersect.footprint import among_all, sorted_together
from unseen.computation.intersect.known_at import count_known
from unseen.encoding import Json
from unseen.interaction.application import Run
from unseen.interaction.declared import declared

FREE: Final = "free some, or declare fewer rows"
"""What to do where a run would not fit into the memory that is free."""
FILE: Final = "common.parquet"
"""A party's own rows of the common customers: row i is the same customer's at all parties."""


def align_everyone(run: Run) -> Mapping[str, Json]:
    """Find the customers common to all; this party's numbers. Its own keys of them go to common.parquet."""
    declared_rows = declared(run.plan)
    require_free(run, among_all(declared_rows[run.party], list(declared_rows.values())), FREE)
    table, own = released(run, "align")
    began = perf_counter()
    watch, counting = partial(run.progress, "align"), bool(run.plan.parameters[COUNT_FIRST])
    parts = common_rows(run, own.offered, watch, count_first=counting)
    seconds = perf_counter() - began
    rows = np.concatenate(parts)
    if rows_of(run.party) in run.plan.outputs.get(run.party, ()):
        pq.write_table(table.take(pa.array(own.rows[rows])), run.folder / FILE)
    run.progress("align", 1.0)
    by_key: list[Json] = [len(part) for part in parts]
    return {**offered(run, own), "common": len(rows), "by_key": by_key, "seconds": round(seconds, 3)}


def count_everyone(run: Run) -> Mapping[str, Json]:
    """Count the customers that at least so many institutions know; rounded as agreed."""
    rows = declared(run.plan)
    require_free(run, sorted_together(rows[run.party], list(rows.values())), FREE)
    _, own = released(run, "count")
    least, unit = int(cast("int", request_in(run.plan)["least"])), limit(run.plan, "round_to")
    began = perf_counter()
    number = count_known(
        run.circle, own.offered[0], least, limit(run.plan, "smallest_overlap"), None,
        partial(run.progress, "count"), declared(run.plan),
    )  # fmt: skip
    seconds = perf_counter() - began
    run.progress("count", 1.0)
    rounded = (number + unit // 2) // unit * unit
    return {
        **offered(run, own),
        "least": least,
        "known": rounded,
        "rounded_to": unit,
        "seconds": round(seconds, 3),
    }


def present(
    console: Console,
    record: Mapping[str, Any],
    result: Mapping[str, Any],
    report: Path,
    ledgers: Sequence[Path] = (),
) -> None:
    """Print this party's numbers."""
    for warning in result["warnings"]:
        console.print(f"[yellow]warning[/]  {escape(warning)}")
    me, institutions = result["party"], ", ".join(result["parties"])
    lines = [(f"offered by {me}", f"{result['offered']:,}")]
    if "common" in result:
        by_key = " and ".join(f"{count:,} by key {number}" for number, count in enumerate(result["by_key"], 1))
        more = f" ({by_key})" if len(result["by_key"]) > 1 else ""
        lines.append((f"common to {institutions}", f"{result['common']:,}{more}"))
    else:
        unit = f" (rounded to {result['rounded_to']:,})" if result["rounded_to"] > 1 else ""
        lines.append((f"known at {result['least']} or more of {institutions}", f"{result['known']:,}{unit}"))
    for name, value in [*lines, ("seconds", f"{result['seconds']:.2f}")]:
        console.print(f"  {escape(name)}  {escape(value)}")


def released(run: Run, step: str) -> tuple[pa.Table, OwnKeys]:
    """This party's key columns, and the keys that a join can use. Raises DataError naming the data set."""
    run.progress(step, 0.0, "reading own rows")
    asked = request_in(run.plan)
    side = Offer.model_validate(asked["parties"][run.party])
    table = run.release(side.dataset)
    return table.select(side.key_columns), own_keys(table, side, float(asked["most_unfit"]))


def offered(run: Run, own: OwnKeys) -> dict[str, Json]:
    """Who computed, what this party offered, and what a steward should know."""
    return {
        "party": run.party,
        "parties": list(run.plan.parties),
        "offered": len(own.rows),
        "warnings": list(own.warnings),
    }
