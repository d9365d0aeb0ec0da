"""The runs of align and overlap at one party: release, keys checked, align or count, own rows or the number."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from time import perf_counter

import pyarrow as pa
import pyarrow.parquet as pq

from unseen.application.alignment.joining import joined
from unseen.application.alignment.memory import BUCKETS, require_memory
from unseen.application.alignment.numbers import keys_and_time, partners
from unseen.application.alignment.planning import COUNT
from unseen.application.alignment.request import AlignedSide, AlignRequest, Side, Way, read_align, read_overlap
from unseen.application.declared import sizes
from unseen.application.derivation import limit, request_in
from unseen.application.free_memory import require_free
from unseen.computation.intersect import cardinality
from unseen.computation.intersect.align import FEW, Aligned, Declared, Method, aligned
from unseen.computation.intersect.footprint import counted
from unseen.computation.intersect.keys import from_arrow
from unseen.computation.intersect.line import by_line, depends_on_line, measured_rate
from unseen.computation.intersect.to_one import aligned_to_one
from unseen.data.join_keys import JoinKeys, join_keys
from unseen.encoding import Json
from unseen.errors import DataError
from unseen.interaction.application import Run

FILE = "common.parquet"
"""A party's own rows of the common customers: row i is the same customer's at both parties."""


def align(run: Run) -> Mapping[str, Json]:
    """Find the common customers; this party's numbers. A recipient's own rows of them go to common.parquet."""
    asked = read_align(request_in(run.plan))
    if run.plan.parameters[BUCKETS] != 1:
        from unseen.application.alignment.bucketed import in_buckets
        from unseen.application.alignment.bucketed_join import join_in_buckets

        return (join_in_buckets if asked.joins else in_buckets)(run, asked)
    require_memory(run)
    if asked.joins:
        return joined(run, asked)
    if asked.way is not Way.AT_ONCE:
        from unseen.application.alignment.preparing import prepare, use

        return prepare(run, asked) if asked.prepare else use(run, asked)
    side = asked.parties[run.party]
    table, keys = released(run, side, "align", asked.most_unfit)
    began = perf_counter()
    find, receiving = aligned, sorted(run.plan.outputs)
    most, rate = sizes(run.plan, run.party), None
    if asked.method is None and most is not None and depends_on_line(most.own, most.theirs):
        rate = measured_rate(run.circle, perf_counter)
    if len(receiving) == 1:
        find = partial(aligned_to_one, recipient=run.circle.rank_of(receiving[0]))
    found = find(
        run.circle,
        from_arrow(keys.keys),
        limit(run.plan, "smallest_overlap"),
        watch=lambda done, note: run.progress("align", done, note),
        method=_method(asked, most, rate),
        declared=most,
    )
    seconds = perf_counter() - began
    result: dict[str, Json] = {
        **partners(run, found.own, found.theirs),
        "method": found.method.value,
        "why": _why(found, asked.method, rate),
        **keys_and_time(keys, seconds),
    }
    run.progress("align", 1.0)
    if run.party not in receiving:
        return result
    own = table.select([side.key, *side.columns]).take(pa.array(keys.rows[found.rows]))
    pq.write_table(own, run.folder / FILE)
    return {**result, "common": len(found.rows)}


def overlap(run: Run) -> Mapping[str, Json]:
    """Count the common customers; the number goes to the recipients alone."""
    asked = read_overlap(request_in(run.plan))
    if (most := sizes(run.plan, run.party)) is not None:
        mend = "free some, or let fewer be counted (`rows`, `exact_up_to`)"
        require_free(run, counted(most.own, most.theirs, asked.exact_up_to), mend)
    _, keys = released(run, asked.parties[run.party], "count", asked.most_unfit)
    began = perf_counter()
    count = cardinality.count_common(
        run.circle,
        from_arrow(keys.keys),
        limit(run.plan, "smallest_overlap"),
        lambda done, note: run.progress("count", done, note),
        declared=sizes(run.plan, run.party),
        round_to=limit(run.plan, "round_to"),
        most_exact=asked.exact_up_to,
    )
    seconds = perf_counter() - began
    run.progress("count", 1.0)
    result: dict[str, Json] = {**partners(run, count.own, count.theirs), **keys_and_time(keys, seconds)}
    if COUNT not in run.plan.outputs.get(run.party, ()):
        return result
    if count.interval is not None:
        low, high = count.interval
        between: Json = {"low": low, "high": high, "confidence": cardinality.CONFIDENCE}
        result |= {"estimate": True, "interval": between, "sampled_share": count.rate}
        why = f"counted on a sample: more than {asked.exact_up_to:,} identifiers on both sides together"
    else:
        result["estimate"] = False
        why = f"every identifier counted: no more than {asked.exact_up_to:,} on both sides together"
    unit = limit(run.plan, "round_to")
    return {**result, "common": count.common, "rounded_to": unit, "method": Method.CURVES.value, "why": why}


def released(run: Run, side: Side | AlignedSide, step: str, most_unfit: float) -> tuple[pa.Table, JoinKeys]:
    """This party's rows, and those of its keys that a join can use. Raises DataError naming the data set."""
    run.progress(step, 0.0, "reading own rows")
    table = run.release(side.dataset)
    try:
        written, report = side.form.checked(table[side.key])
        keys = join_keys(written, most_unfit, report)
    except DataError as error:
        raise DataError(f"data set {side.dataset!r}, column {side.key!r}: {error}") from error
    for warning in keys.warnings():
        run.progress(step, 0.0, warning)
    return table, keys


def _method(asked: AlignRequest, most: Declared | None, rate: float | None) -> Method | None:
    """By curves also more than a few, over a thin line; else as the sizes that are offered say."""
    thin = most is not None and rate is not None and by_line(most.own, most.theirs, rate) is Method.CURVES
    return Method.CURVES if thin else asked.method


def _why(found: Aligned, asked: Method | None, rate: float | None) -> str:
    both = found.own + found.theirs
    if asked is not None:
        return "the request asks for it"
    if found.method is Method.CURVES and rate is not None and both > FEW:
        return (
            f"{both:,} identifiers on both sides together, a line of {8e-6 * rate:,.1f} Mbit/s: curves move less"
        )
    if found.method is Method.CURVES:
        return f"{both:,} identifiers on both sides together, no more than {FEW:,}: less than a second"
    return f"{both:,} identifiers on both sides together, more than {FEW:,}: a hundred times faster than curves"
