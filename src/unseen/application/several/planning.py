"""The plans of align-all and known-at: pure functions of request and agreement, the same bytes at every party."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from unseen.computation.intersect import known_at, multiparty
from unseen.computation.intersect.align import MOST_KEYS
from unseen.computation.profile import Role
from unseen.data.catalogue import Use
from unseen.data.contract import NORMALISATION
from unseen.data.join_keys import MOST_WARNED_SHARE
from unseen.encoding import Json
from unseen.errors import MisuseError
from unseen.interaction.agreement import Agreement, explained
from unseen.interaction.application import Request
from unseen.interaction.declared import DECLARED
from unseen.interaction.plan import ColumnUse, Flow, Plan, Shape, Step

NUMBER: Final = "known"
"""The output of known-at: how many customers so many institutions know."""


Asked = TypeVar("Asked", bound=BaseModel)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Offer(_Strict):
    """One party's part: data set, key column, and how many rows it offers at most, which is held to in the run."""

    dataset: str
    key: str
    rows: Annotated[int, Field(ge=1, le=MOST_KEYS)]


class AlignAllRequest(_Strict):
    """`most_unfit` is the share of keys that may be empty, repeated or malformed, each; they are left out."""

    parties: Mapping[str, Offer]
    most_unfit: Annotated[float, Field(ge=0, le=1)] = MOST_WARNED_SHARE


class KnownAtRequest(AlignAllRequest):
    """`least` is at how many of the institutions a customer must be known to be counted."""

    least: Annotated[int, Field(ge=1)]


def rows_of(party: str) -> str:
    """The output that an agreement's `recipients` names: a party's own rows of the common customers."""
    return f"{party}-rows"


def plan_align_all(request: Request, agreement: Agreement) -> Plan:
    """Derive the plan. Raises MisuseError for a request that does not fit the agreement's parties."""
    asked = _read(AlignAllRequest, request.body)
    keys = _keys(asked, agreement, fewest=3)
    receiving = [name for name in keys if name in agreement.recipients.get(rows_of(name), ())]
    return _plan(
        request,
        agreement,
        asked,
        Step("align", multiparty.PROFILE, _roles(agreement), _facts(agreement)),
        dealer=None,
        uses=tuple(keys.values()),
        outputs={name: (rows_of(name),) for name in receiving},
        flows=tuple(Flow(rows_of(name), Shape.VALUE, (keys[name],)) for name in receiving),
    )


def plan_known_at(request: Request, agreement: Agreement) -> Plan:
    """Derive the plan. Raises MisuseError for a request that does not fit parties or recipients."""
    asked = _read(KnownAtRequest, request.body)
    keys = _keys(asked, agreement, fewest=2)
    if asked.least > len(keys):
        raise MisuseError(f"no customer is known at {asked.least} of {len(keys)} institutions; ask for fewer")
    if missing := [name for name in keys if name not in agreement.recipients.get(NUMBER, ())]:
        raise MisuseError(
            f"every computing party learns the number, and the agreement does not name {', '.join(missing)}"
            f" among the recipients of {NUMBER}"
        )
    if agreement.dealer is None:
        raise MisuseError("the agreement names no dealer; this count needs one")
    facts = {**_facts(agreement), "least": str(asked.least), "institutions": ", ".join(keys)}
    return _plan(
        request,
        agreement,
        asked,
        Step("count", known_at.PROFILE, _roles(agreement), facts),
        dealer=agreement.dealer,
        uses=tuple(keys.values()),
        outputs=dict.fromkeys(keys, (NUMBER,)),
        flows=(Flow(NUMBER, Shape.COUNT, tuple(keys.values())),),
    )


def _plan(request: Request, agreement: Agreement, asked: AlignAllRequest, step: Step, **parts: Any) -> Plan:
    parameters: dict[str, Json] = {
        "request": asked.model_dump(mode="json"),
        "key_normalisation": NORMALISATION,
        "smallest_overlap": agreement.limits.smallest_overlap,
        "smallest_group": max(2, agreement.limits.smallest_group),
        "round_to": agreement.limits.round_to,
        DECLARED: {name: side.rows for name, side in asked.parties.items()},
    }
    return Plan(
        job=request.job,
        agreement=agreement.id,
        application=request.application,
        application_version="1",
        purpose=agreement.purpose,
        parties=agreement.computing,
        steps=(step,),
        parameters=parameters,
        seed=request.seed,
        **parts,
    )


def _read(kind: type[Asked], body: Mapping[str, Any]) -> Asked:
    try:
        return kind.model_validate(body)
    except ValidationError as error:
        raise MisuseError(f"the request cannot be used: {explained(error)}") from error


def _keys(asked: AlignAllRequest, agreement: Agreement, fewest: int) -> dict[str, ColumnUse]:
    if set(asked.parties) != set(agreement.computing):
        raise MisuseError(f"the request must name just the parties {', '.join(agreement.computing)}")
    if len(asked.parties) < fewest:
        raise MisuseError("this alignment is for three parties or more; two have their own, `align`")
    return {
        name: ColumnUse(name, side.dataset, side.key, Use.JOIN) for name, side in sorted(asked.parties.items())
    }


def _roles(agreement: Agreement) -> dict[Role, tuple[str, ...]]:
    return {Role.EACH: agreement.computing, Role.DEALER: (agreement.dealer,) if agreement.dealer else ()}


def _facts(agreement: Agreement) -> dict[str, str]:
    return {"smallest_overlap": str(agreement.limits.smallest_overlap)}
