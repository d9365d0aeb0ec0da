"""The preparation of an alignment at one party, and the one run on it: states that lie sealed between the two."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from time import perf_counter
from typing import Final

import pyarrow.parquet as pq
from blake3 import blake3

from unseen.application.alignment.job import FILE, released
from unseen.application.alignment.numbers import keys_and_time, partners
from unseen.application.alignment.request import AlignRequest
from unseen.application.derivation import limit
from unseen.computation.intersect.keys import Keys, from_arrow
from unseen.computation.intersect.prepared import align_large, align_small, prepare_large, prepare_small
from unseen.computation.intersect.prepared_state import Large, Small, Terms
from unseen.computation.types import Index, octets
from unseen.encoding import Json
from unseen.errors import DataError, MisuseError
from unseen.interaction.application import Run

STATE: Final = "prepared.state"
LIST: Final = "prepared.list"
"""The larger side's: a digest of the list that was prepared, in its order."""


def prepare(run: Run, asked: AlignRequest) -> Mapping[str, Json]:
    """Do the larger side's work for one later run; the smaller side offers nothing yet."""
    capacity, most, step = asked.parties[asked.small].rows, asked.parties[asked.large].rows, "prepare"
    began = perf_counter()
    state: Large | Small
    if run.party == asked.large:
        _, keys = released(run, asked.parties[run.party], step, asked.most_unfit)
        held = from_arrow(keys.keys)
        began = perf_counter()
        state = prepare_large(run.circle, held, capacity, partial(run.progress, step), most)
        (run.folder / LIST).write_bytes(_digest(held))
        more = keys_and_time(keys, perf_counter() - began)
    else:
        state = prepare_small(run.circle, capacity, partial(run.progress, step), most)
        more = {"warnings": [], "seconds": round(perf_counter() - began, 3)}
    (run.folder / STATE).write_bytes(state.to_bytes())
    run.progress(step, 1.0)
    return {
        "party": run.party,
        "partner": run.circle.others()[0].peer,
        "prepared": asked.large,
        "listed": state.terms.large,
        "capacity": capacity,
        **more,
    }


def use(run: Run, asked: AlignRequest) -> Mapping[str, Json]:
    """The one run on a preparation: it is erased here before anything is sent that depends on it."""
    side, job = asked.parties[run.party], asked.prepared
    stored = _stored(run, job, STATE)
    table, keys = released(run, side, "align", asked.most_unfit)
    held, to_both = from_arrow(keys.keys), len(run.plan.outputs) > 1
    least, began = limit(run.plan, "smallest_overlap"), perf_counter()
    rows: Index | None
    if run.party == asked.large:
        large = Large.from_bytes(stored, lambda: run.erase(job, STATE))
        _require_same(large.terms, asked)
        if _digest(held) != _stored(run, job, LIST):
            raise DataError(
                f"data set {side.dataset!r} offers other customers than when it was prepared, or in another order;"
                " prepare again"
            )
        rows = align_large(run.circle, large, least, to_both, partial(run.progress, "align"))
        theirs = asked.parties[asked.small].rows
    else:
        small = Small.from_bytes(stored, lambda: run.erase(job, STATE))
        _require_same(small.terms, asked)
        rows = align_small(
            run.circle,
            small,
            held,
            least,
            to_both,
            partial(run.progress, "align"),
        )
        theirs = small.terms.large
    result: dict[str, Json] = {
        **partners(run, len(held), theirs),
        "method": "prepared",
        "why": f"by job {job}; {asked.small} may offer up to {asked.parties[asked.small].rows:,}",
        **keys_and_time(keys, perf_counter() - began),
    }
    run.progress("align", 1.0)
    if rows is None or run.party not in run.plan.outputs:
        return result
    pq.write_table(table.select([side.key, *side.columns]).take(keys.rows[rows]), run.folder / FILE)
    return {**result, "common": len(rows)}


def _stored(run: Run, job: str, name: str) -> bytes:
    try:
        return run.earlier(job, name)
    except MisuseError as error:
        raise MisuseError(
            f"job {job} left no preparation here, or it has had its one run; prepare again ({error})"
        ) from error


def _require_same(terms: Terms, asked: AlignRequest) -> None:
    if terms.capacity != asked.parties[asked.small].rows or terms.large > asked.parties[asked.large].rows:
        raise MisuseError(
            f"that job prepared {terms.large:,} customers for up to {terms.capacity:,}; declare so many in `rows`"
        )


def _digest(keys: Keys) -> bytes:
    """Of all keys in their order: BLAKE3 of their lengths and of their bytes."""
    start, end = int(keys.offsets[0]), int(keys.offsets[-1])
    digest = blake3(octets(keys.offsets - start))
    digest.update(octets(keys.data[start:end]))
    return digest.digest()
