"""The plans of align-all and known-at: pure functions of request and agreement, the same bytes at every party."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, Final

from pydantic import Field

from unseen.application import joint_keys
from unseen.application.derivation import SMALLEST_GROUP, derived, require_parties
from unseen.application.joint_keys import KeyedSide
from unseen.application.request import Strict, read
from unseen.computation.intersect import in_turn, known_at, multiparty
from unseen.computation.intersect.align import MOST_KEYS
from unseen.computation.profile import Profile, Role
from unseen.data.join_keys import MOST_WARNED_SHARE
from unseen.encoding import Json
from unseen.errors import MisuseError
from unseen.interaction.agreement import Agreement
from unseen.interaction.application import Request
from unseen.interaction.declared import DECLARED
from unseen.interaction.plan import ColumnUse, Flow, Plan, Shape, Step

NUMBER: Final = "known"
"""The output of known-at: how many customers so many institutions know."""
COUNT_FIRST: Final = "count_first"
"""The plan's parameter that an agreement may bound."""


class Offer(KeyedSide):
    """One party's part: data set, key by its rule or keys, and how many rows it offers at most, which is held to
    in the run."""

    rows: Annotated[int, Field(ge=1, le=MOST_KEYS)]


class SeveralRequest(Strict):
    """`most_unfit` is the share of keys that may be empty, repeated or malformed, each; they are left out."""

    parties: Mapping[str, Offer]
    most_unfit: Annotated[float, Field(ge=0, le=1)] = MOST_WARNED_SHARE


class AlignAllRequest(SeveralRequest):
    """`count_first`: whether there are enough in common is seen on shares before anyone finds them (dealer); of
    several keys in order of preference, by the first."""

    count_first: bool = False


class KnownAtRequest(SeveralRequest):
    """`least` is at how many of the institutions a customer must be known to be counted."""

    least: Annotated[int, Field(ge=1)]


def rows_of(party: str) -> str:
    """The output that an agreement's `recipients` names: a party's own rows of the common customers."""
    return f"{party}-rows"


def plan_align_all(request: Request, agreement: Agreement) -> Plan:
    """Derive the plan. Raises MisuseError for a request that does not fit the agreement's parties."""
    asked = read(AlignAllRequest, request.body)
    keys = keys_of(asked, agreement, fewest=3)
    receiving = [name for name in agreement.computing if name in agreement.recipients.get(rows_of(name), ())]
    if asked.count_first and agreement.dealer is None:
        raise MisuseError("the agreement names no dealer; to count first needs one")
    facts = {**facts_of(agreement), "keys": joint_keys.spoken(asked.parties)}
    plan = plan_of(
        request,
        agreement,
        asked,
        (Step("align", _align_profile(asked), roles_of(agreement), facts),),
        dealer=agreement.dealer if asked.count_first else None,
        uses=all_keys(keys),
        outputs={name: (rows_of(name),) for name in receiving},
        flows=tuple(Flow(rows_of(name), Shape.VALUE, keys[name]) for name in receiving),
    )
    return replace(plan, parameters={**plan.parameters, COUNT_FIRST: asked.count_first})


def _align_profile(asked: AlignAllRequest) -> Profile:
    several = any(len(side.choices) > 1 for side in asked.parties.values())
    if several:
        return in_turn.COUNTED_PROFILE if asked.count_first else in_turn.PROFILE
    return multiparty.COUNTED_PROFILE if asked.count_first else multiparty.PROFILE


def plan_known_at(request: Request, agreement: Agreement) -> Plan:
    """Derive the plan. Raises MisuseError for a request that does not fit parties or recipients."""
    asked = read(KnownAtRequest, request.body)
    keys = keys_of(asked, agreement, fewest=2)
    require_one_key(asked)
    if asked.least > len(keys):
        raise MisuseError(f"no customer is known at {asked.least} of {len(keys)} institutions; ask for fewer")
    if missing := [name for name in keys if name not in agreement.recipients.get(NUMBER, ())]:
        raise MisuseError(
            f"every computing party learns the number, and the agreement does not name {', '.join(missing)}"
            f" among the recipients of {NUMBER}"
        )
    if agreement.dealer is None:
        raise MisuseError("the agreement names no dealer; this count needs one")
    facts = {**facts_of(agreement), "least": str(asked.least), "institutions": ", ".join(keys)}
    return plan_of(
        request,
        agreement,
        asked,
        (Step("count", known_at.PROFILE, roles_of(agreement), facts),),
        dealer=agreement.dealer,
        uses=all_keys(keys),
        outputs=dict.fromkeys(keys, (NUMBER,)),
        flows=(Flow(NUMBER, Shape.COUNT, all_keys(keys)),),
    )


def plan_of(
    request: Request, agreement: Agreement, asked: SeveralRequest, steps: tuple[Step, ...], **parts: Any
) -> Plan:
    """The plan of a request of three or more, with what differs from one to another in `parts`."""
    parameters: dict[str, Json] = {
        **joint_keys.as_parameters(asked.parties),
        SMALLEST_GROUP: max(2, agreement.limits.smallest_group),
        "round_to": agreement.limits.round_to,
        DECLARED: {name: side.rows for name, side in asked.parties.items()},
    }
    return derived(request, agreement, asked, steps=steps, parameters=parameters, **parts)


def keys_of(asked: SeveralRequest, agreement: Agreement, fewest: int) -> dict[str, tuple[ColumnUse, ...]]:
    """Every party's key columns. Raises MisuseError for other parties than the agreement's, too few, or keys that
    differ."""
    require_parties(asked.parties, agreement)
    if len(asked.parties) < fewest:
        raise MisuseError("this alignment is for three parties or more; two have their own, `align`")
    joint_keys.require_alike(asked.parties)
    return {name: joint_keys.uses(name, side) for name, side in sorted(asked.parties.items())}


def all_keys(keys: Mapping[str, tuple[ColumnUse, ...]]) -> tuple[ColumnUse, ...]:
    """The key columns of all parties."""
    return tuple(use for uses in keys.values() for use in uses)


def require_one_key(asked: SeveralRequest) -> None:
    """Raises MisuseError for several keys in order of preference, where a number alone is asked."""
    if any(len(side.choices) > 1 for side in asked.parties.values()):
        raise MisuseError(
            "a count is by one key, of one column or several: a second key would count customers that the first"
            " has left over, and a count tells nobody who these are; name one key, or ask for `align-all`"
        )


def roles_of(agreement: Agreement) -> dict[Role, tuple[str, ...]]:
    """Who computes, and who deals."""
    return {Role.EACH: agreement.computing, Role.DEALER: (agreement.dealer,) if agreement.dealer else ()}


def facts_of(agreement: Agreement) -> dict[str, str]:
    """What all disclosures may name."""
    return {"smallest_overlap": str(agreement.limits.smallest_overlap)}
