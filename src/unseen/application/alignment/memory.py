"""Whether an alignment fits into memory: decided in the plan from declared sizes, and held against the machine.

The plan says how much memory each party may take and into how many buckets the lists are cut for it: 1 means all
at once. A machine that has less free when its part begins asks for more buckets, or, where the plan has none, says
before anything is read what would do.
"""

from __future__ import annotations

from typing import Final

from unseen.application.alignment.request import AlignRequest, read_align
from unseen.application.declared import sizes
from unseen.application.derivation import request_in
from unseen.application.free_memory import require_free
from unseen.computation.intersect.align import Declared
from unseen.computation.intersect.footprint import (
    DEFAULT_MEMORY,
    LEAST_MEMORY,
    MIB,
    at_once,
    buckets_for,
    in_buckets,
)
from unseen.encoding import Json
from unseen.errors import MisuseError, UnavailableError
from unseen.interaction.application import Run
from unseen.interaction.declared import declared
from unseen.interaction.plan import Plan

BUCKETS: Final = "buckets"
MEMORY: Final = "memory"
"""The plan's parameters: into how many buckets the lists are cut, and MiB that each party may take."""


def memory_parameters(asked: AlignRequest) -> dict[str, Json]:
    """What the plan carries. Raises MisuseError where a run that is taken up was none in buckets, or where no
    number of buckets would do."""
    allowed = asked.memory or DEFAULT_MEMORY // MIB
    one, two = (side.rows for side in asked.parties.values())
    cut = asked.buckets or (buckets_for(one, two, allowed * MIB, asked.joined_by) if asked.may_be_cut else 1)
    if asked.resumes and cut == 1:
        raise MisuseError("`resumes` goes on with an alignment in buckets, and this request is none; leave it out")
    return {BUCKETS: cut, MEMORY: allowed}


def needed(plan: Plan) -> int:
    """Octets that the party with the larger need takes, about."""
    one, two = declared(plan).values()
    buckets = int(str(plan.parameters[BUCKETS]))
    if buckets == 1:
        keys = _asked(plan).joined_by
        return max(at_once(one, two, keys), at_once(two, one, keys))
    return max(in_buckets(one, two, buckets), in_buckets(two, one, buckets))


def buckets_here(run: Run, most: Declared) -> int:
    """The plan's number of buckets, or more where this machine has less memory free than the plan allows.

    Raises UnavailableError where no number of them would do.
    """
    planned = int(str(run.plan.parameters[BUCKETS]))
    if run.memory is None or in_buckets(most.own, most.theirs, planned) <= run.memory:
        return planned
    try:
        return max(planned, 2, buckets_for(most.own, most.theirs, run.memory))
    except MisuseError as error:
        raise UnavailableError(f"{run.party} has {run.memory // MIB:,} MiB of memory free: {error}") from error


def require_memory(run: Run) -> None:
    """Raises UnavailableError before anything is read where a list as a whole would not fit into what is free."""
    most = sizes(run.plan, run.party)
    if most is None or run.memory is None:
        return
    asked = _asked(run.plan)
    mend = "free some"
    if asked.may_be_cut:
        mend += f", or cut it into buckets (`memory: {max(LEAST_MEMORY, run.memory) // MIB}` in the request)"
    require_free(run, at_once(most.own, most.theirs, asked.joined_by), mend)


def _asked(plan: Plan) -> AlignRequest:
    return read_align(request_in(plan))
