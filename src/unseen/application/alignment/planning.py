"""The plans of align and overlap: pure functions of request and agreement, the same bytes at every party."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from unseen.application import joint_keys
from unseen.application.alignment.join_plan import (
    choices_of,
    join_parameters,
    join_step,
    key_parameters,
)
from unseen.application.alignment.memory import BUCKETS, memory_parameters, needed
from unseen.application.alignment.prepared_plan import WAY, preparation_step, prepared_step, seconds_and_bytes
from unseen.application.alignment.request import (
    AlignedSide,
    AlignRequest,
    OverlapRequest,
    read_align,
    read_overlap,
)
from unseen.application.declared import as_parameter
from unseen.application.derivation import SMALLEST_GROUP, derived, limit, request_in, require_parties
from unseen.computation.intersect import align, bucket_profile, cardinality, to_one
from unseen.computation.intersect.footprint import counted
from unseen.computation.intersect.join_kind import Kind
from unseen.computation.profile import Role
from unseen.data.catalogue import Use
from unseen.encoding import Json
from unseen.errors import MisuseError
from unseen.interaction.agreement import Agreement
from unseen.interaction.application import Request
from unseen.interaction.declared import declared
from unseen.interaction.plan import ColumnUse, Flow, Plan, Shape, Step

COUNT: Final = "overlap"
"""The output of overlap: the number of common customers."""
_HOMEWARD: Final = (Use.FEATURE, Use.LABEL, Use.RETRIEVE, Use.AGGREGATE, Use.GROUP, Use.FILTER)
"""Uses under which a column that goes back to its own party is read: the first that is agreed."""
_START_SECONDS: Final = 2.0


def rows_of(party: str) -> str:
    """The output that an agreement's `recipients` names: a party's own rows of the common customers."""
    return f"{party}-rows"


def plan_align(request: Request, agreement: Agreement) -> Plan:
    """Derive the plan. Raises MisuseError for a request that does not fit the agreement's parties."""
    asked = read_align(request.body)
    _require_two(asked.parties, agreement)
    keys = {name: joint_keys.uses(name, side) for name, side in sorted(asked.parties.items())}
    if asked.prepare:
        step = preparation_step(asked, _roles(agreement))
        return _plan(request, agreement, asked, step, uses=keys[asked.large], outputs={})
    homeward = {name: _homeward(name, side, agreement) for name, side in sorted(asked.parties.items())}
    receiving = _receiving(asked, agreement)
    for name, columns in homeward.items():
        if columns and name not in receiving and asked.kind is not Kind.DIFFERENCE:
            raise MisuseError(f"{name} gets no {rows_of(name)} here and can take no columns home")
    roles, facts = _roles(agreement), _facts(agreement)
    return _plan(
        request,
        agreement,
        asked,
        _align_step(asked, receiving, roles, facts),
        uses=tuple(use for name in keys for use in (*keys[name], *homeward[name])),
        outputs={name: (rows_of(name),) for name in receiving},
        flows=tuple(Flow(rows_of(name), Shape.VALUE, (*keys[name], *homeward[name])) for name in receiving),
    )


def _receiving(asked: AlignRequest, agreement: Agreement) -> tuple[str, ...]:
    """Who gets rows. Raises MisuseError for a party that the request names and the agreement does not."""
    allowed = [name for name in sorted(asked.parties) if name in agreement.recipients.get(rows_of(name), ())]
    if barred := sorted(set(asked.recipients or ()) - set(allowed)):
        raise MisuseError(f"the agreement lets nobody receive {', '.join(map(rows_of, barred))}")
    if asked.kind is Kind.DIFFERENCE:
        allowed = [name for name in allowed if name == asked.left]
    receiving = tuple(name for name in allowed if asked.recipients is None or name in asked.recipients)
    if not receiving:
        raise MisuseError("the agreement lets no party receive its rows; `overlap` counts and tells nobody which")
    return receiving


def _align_step(
    asked: AlignRequest,
    receiving: tuple[str, ...],
    roles: Mapping[Role, tuple[str, ...]],
    facts: Mapping[str, str],
) -> Step:
    """Where one party alone receives, the protocol tells the other nothing of who is common."""
    if asked.joins:
        return join_step(asked, roles, facts, int(str(memory_parameters(asked)[BUCKETS])))
    if asked.prepared:
        return prepared_step(asked, receiving, roles, facts)
    roles = roles if len(receiving) > 1 else {**roles, Role.RECIPIENT: receiving}
    buckets = memory_parameters(asked)[BUCKETS]
    if buckets == 1:
        return Step("align", align.PROFILE if len(receiving) > 1 else to_one.PROFILE, roles, facts)
    profile = bucket_profile.PROFILE if len(receiving) > 1 else bucket_profile.TO_ONE
    return Step("align", profile, roles, {**facts, "buckets": f"{buckets:,}"})


def plan_overlap(request: Request, agreement: Agreement) -> Plan:
    """Derive the plan. Raises MisuseError for a request that does not fit the agreement's parties."""
    asked = read_overlap(request.body)
    _require_two(asked.parties, agreement)
    keys = tuple(use for name, side in sorted(asked.parties.items()) for use in joint_keys.uses(name, side))
    receiving = [name for name in sorted(asked.parties) if name in agreement.recipients.get(COUNT, ())]
    if not receiving:
        raise MisuseError(f"the agreement lets no party receive {COUNT}; name one in its recipients")
    facts = {**_facts(agreement), "most_exact": f"{asked.exact_up_to:,}"}
    return _plan(
        request,
        agreement,
        asked,
        Step("count", cardinality.PROFILE, _roles(agreement), facts),
        uses=keys,
        outputs=dict.fromkeys(receiving, (COUNT,)),
        flows=(Flow(COUNT, Shape.COUNT, keys),),
    )


def _plan(
    request: Request, agreement: Agreement, asked: AlignRequest | OverlapRequest, step: Step, **parts: Any
) -> Plan:
    parameters: dict[str, Json] = {
        SMALLEST_GROUP: max(2, agreement.limits.smallest_group),
        "round_to": agreement.limits.round_to,
        **as_parameter({name: side.rows for name, side in asked.parties.items()}),
    }
    parameters |= key_parameters(asked.parties)
    if isinstance(asked, AlignRequest):
        parameters |= {**join_parameters(asked), WAY: asked.way.value, **memory_parameters(asked)}
    return derived(request, agreement, asked, dealer=None, steps=(step,), parameters=parameters, **parts)


def _require_two(parties: Mapping[str, joint_keys.Keyed], agreement: Agreement) -> None:
    require_parties(parties, agreement)
    if len(agreement.computing) != 2:
        raise MisuseError("the alignment of this version is for two parties")
    joint_keys.require_alike(parties)


def _homeward(party: str, side: AlignedSide, agreement: Agreement) -> tuple[ColumnUse, ...]:
    """Own columns under the first use that is agreed; where none is, the plan is refused by rule `column-use`."""
    found = []
    for column in side.columns:
        agreed = agreement.uses(party, side.dataset, column)
        use = next((use for use in _HOMEWARD if use in agreed), _HOMEWARD[0])
        found.append(ColumnUse(party, side.dataset, column, use))
    return tuple(found)


def _roles(agreement: Agreement) -> dict[Role, tuple[str, ...]]:
    return {Role.EACH: agreement.computing}


def _facts(agreement: Agreement) -> dict[str, str]:
    return {"smallest_overlap": str(agreement.limits.smallest_overlap)}


def estimate_align(plan: Plan, rows: int) -> dict[str, Json]:
    """Seconds, bytes and a party's memory for as many rows as declared, whatever `rows` are: measured rates."""
    one, two = declared(plan).values()
    if found := seconds_and_bytes(plan, min(one, two), max(one, two)):
        return {"seconds": _START_SECONDS + found[0], "bytes": found[1]}
    times, buckets = choices_of(plan), limit(plan, BUCKETS)
    if buckets > 1:
        times, one, two = times * buckets, -(-one // buckets), -(-two // buckets)
    return {
        "seconds": _START_SECONDS + times * align.seconds(one, two),
        "bytes": times * align.bytes_moved(one, two),
        "memory": needed(plan),
        "buckets": buckets,
    }


def estimate_overlap(plan: Plan, rows: int) -> dict[str, Json]:
    """Seconds and bytes for as many rows as declared, whatever `rows` are: measured rates."""
    one, two = declared(plan).values()
    most = read_overlap(request_in(plan)).exact_up_to
    return {
        "seconds": _START_SECONDS + cardinality.seconds(one, two, most),
        "bytes": cardinality.bytes_moved(one, two, most),
        "memory": max(counted(one, two, most), counted(two, one, most)),
    }
