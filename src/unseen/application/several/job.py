"""The runs of align-all and known-at at one party: release, check the keys, align or count, say what came out."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from time import perf_counter
from typing import Any, Final, cast

import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console
from rich.markup import escape

from unseen.application.free_memory import require_free
from unseen.application.several.planning import COUNT_FIRST, rows_of
from unseen.computation.intersect.footprint import among_all, sorted_together
from unseen.computation.intersect.keys import from_arrow
from unseen.computation.intersect.known_at import count_known
from unseen.computation.intersect.multiparty import align_all
from unseen.data.contract import normalised, whole
from unseen.data.join_keys import JoinKeys, join_keys
from unseen.encoding import Json
from unseen.errors import DataError
from unseen.interaction.application import Run
from unseen.interaction.declared import declared

FREE: Final = "free some, or declare fewer rows"
"""What to do where a run would not fit into the memory that is free."""
FILE: Final = "common.parquet"
"""A party's own rows of the common customers: row i is the same customer's at all parties."""


def align_everyone(run: Run) -> Mapping[str, Json]:
    """Find the customers common to all; this party's numbers. Its own keys of them go to common.parquet."""
    rows = declared(run.plan)
    require_free(run, among_all(rows[run.party], list(rows.values())), FREE)
    table, keys = released(run, "align")
    began = perf_counter()
    found = align_all(
        run.circle, from_arrow(keys.keys), limit(run, "smallest_overlap"), partial(run.progress, "align"),
        declared(run.plan), count_first=bool(run.plan.parameters[COUNT_FIRST]),
    )  # fmt: skip
    seconds = perf_counter() - began
    if rows_of(run.party) in run.plan.outputs.get(run.party, ()):
        pq.write_table(table.take(pa.array(keys.rows[found])), run.folder / FILE)
    run.progress("align", 1.0)
    return {**offered(run, keys), "common": len(found), "seconds": round(seconds, 3)}


def count_everyone(run: Run) -> Mapping[str, Json]:
    """Count the customers that at least so many institutions know; rounded as agreed."""
    rows = declared(run.plan)
    require_free(run, sorted_together(rows[run.party], list(rows.values())), FREE)
    _, keys = released(run, "count")
    least, unit = int(cast("int", request_of(run)["least"])), limit(run, "round_to")
    began = perf_counter()
    number = count_known(
        run.circle, from_arrow(keys.keys), least, limit(run, "smallest_overlap"), None,
        partial(run.progress, "count"), declared(run.plan),
    )  # fmt: skip
    seconds = perf_counter() - began
    run.progress("count", 1.0)
    rounded = (number + unit // 2) // unit * unit
    return {
        **offered(run, keys),
        "least": least,
        "known": rounded,
        "rounded_to": unit,
        "seconds": round(seconds, 3),
    }


def present(console: Console, result: Mapping[str, Any]) -> None:
    """Print this party's numbers."""
    for warning in result["warnings"]:
        console.print(f"[yellow]warning[/]  {escape(warning)}")
    me, institutions = result["party"], ", ".join(result["parties"])
    lines = [(f"offered by {me}", f"{result['offered']:,}")]
    if "common" in result:
        lines.append((f"common to {institutions}", f"{result['common']:,}"))
    else:
        unit = f" (rounded to {result['rounded_to']:,})" if result["rounded_to"] > 1 else ""
        lines.append((f"known at {result['least']} or more of {institutions}", f"{result['known']:,}{unit}"))
    for name, value in [*lines, ("seconds", f"{result['seconds']:.2f}")]:
        console.print(f"  {escape(name)}  {escape(value)}")


def request_of(run: Run) -> Mapping[str, Any]:
    """The request in the plan."""
    return cast("Mapping[str, Any]", run.plan.parameters["request"])


def released(run: Run, step: str) -> tuple[pa.Table, JoinKeys]:
    """This party's rows, and those of its keys that a join can use. Raises DataError naming the data set."""
    run.progress(step, 0.0, "reading own rows")
    asked = request_of(run)
    side = asked["parties"][run.party]
    table = run.release(side["dataset"])
    try:
        keys = join_keys(normalised(whole(table[side["key"]])), float(asked["most_unfit"]))
    except DataError as error:
        raise DataError(f"data set {side['dataset']!r}, column {side['key']!r}: {error}") from error
    return table.select([side["key"]]), keys


def offered(run: Run, keys: JoinKeys) -> dict[str, Json]:
    """Who computed, what this party offered, and what a steward should know."""
    return {
        "party": run.party,
        "parties": list(run.plan.parties),
        "offered": len(keys.keys),
        "warnings": list(keys.warnings()),
    }


def limit(run: Run, name: str) -> int:
    """A number among the plan's parameters."""
    return int(cast("int", run.plan.parameters[name]))
