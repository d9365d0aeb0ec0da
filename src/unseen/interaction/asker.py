"""Who asks, as a document signed by a person: the first pair of eyes of four.

Where an agreement demands approvals, the asking institution names the person who asks, over the exact plan;
that person must be an analyst there, and never counts among those who approve.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Final

from pydantic import Field, ValidationError

from unseen.encoding import Json
from unseen.errors import MisuseError, RefusedError, VerificationError
from unseen.interaction.envelope import Envelope, Signer, seal
from unseen.interaction.people import MAY_ASK, Person, require_role
from unseen.interaction.plan import Plan
from unseen.interaction.terms import Name, Strict

ASKING: Final = "application/vnd.unseen.asking+json"


class PersonAsks(Strict):
    """One person's request for one plan."""

    plan: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    agreement: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    purpose: Annotated[str, Field(max_length=2000)]
    institution: Name
    person: Name
    time: datetime


def ask(plan: Plan, institution: str, person: str, signer: Signer, now: datetime) -> Envelope:
    """Sign that this person of this institution asks for this plan."""
    value: Json = {
        "plan": plan.hash,
        "agreement": plan.agreement,
        "purpose": plan.purpose,
        "institution": institution,
        "person": person,
        "time": now.astimezone(UTC).isoformat(timespec="seconds"),
    }
    return seal(ASKING, value, signer)


def read_asking(envelope: Envelope, plan: Plan, institution: str, enrolled: Mapping[str, Person]) -> str:
    """Who asks for this plan at `institution`. Raises RefusedError under rules `asking` and `role`."""
    try:
        value = PersonAsks.model_validate(envelope.read())
    except (ValidationError, MisuseError) as error:
        raise RefusedError("asking", "the document that says who asks cannot be read") from error
    person = require_role(enrolled, value.person, *MAY_ASK)
    try:
        envelope.verify(ASKING, [person.key])
    except VerificationError as error:
        raise RefusedError("asking", f"{value.person} did not sign this request: {error}") from error
    if (value.plan, value.agreement, value.purpose) != (plan.hash, plan.agreement, plan.purpose):
        raise RefusedError("asking", f"{value.person} asked for another plan than this one")
    if value.institution != institution:
        raise RefusedError("asking", f"{value.person} asked at another institution")
    return value.person
