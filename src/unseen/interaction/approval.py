"""Four eyes: approvals of plans as documents signed by people, and the check that there are enough of them.

An approval is over an exact plan (by its hash), or over a class of plans: those that differ in job name and
public seed only. It carries the purpose, a quota and a last moment. Who asked cannot approve; one person counts
once, whatever the number of documents; a person dismissed since no longer counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

from pydantic import Field, ValidationError

from unseen.encoding import Json, digest
from unseen.errors import MisuseError, RefusedError, VerificationError
from unseen.interaction.agreement import Agreement
from unseen.interaction.envelope import Envelope, Signer, seal
from unseen.interaction.people import Person
from unseen.interaction.plan import Plan
from unseen.interaction.terms import ApprovalScope, Name, Strict

APPROVAL: Final = "application/vnd.unseen.approval+json"
CLASS_TAG: Final = "unseen/plan-class/v1"
LONGEST_DAYS: Final = 366


class Approval(Strict):
    """One person's approval. `plan` is a plan's hash, or a class's, by `scope`."""

    scope: ApprovalScope
    plan: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    agreement: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    purpose: Annotated[str, Field(max_length=2000)]
    institution: Name
    person: Name
    quota: int = Field(ge=1, le=100_000)
    time: datetime
    expires: datetime


def plan_class(plan: Plan) -> str:
    """Names all plans that differ from this one in job name and public seed only."""
    value = plan.as_json()
    if not isinstance(value, Mapping):
        raise MisuseError("a plan is an object")
    return digest(CLASS_TAG, {name: inner for name, inner in value.items() if name not in ("job", "seed")})


def subject_of(plan: Plan, scope: ApprovalScope) -> str:
    """What an approval of that scope names."""
    return plan.hash if scope is ApprovalScope.JOB else plan_class(plan)


def approve(
    plan: Plan,
    scope: ApprovalScope,
    institution: str,
    person: str,
    signer: Signer,
    now: datetime,
    days: int = 7,
    quota: int = 1,
) -> Envelope:
    """Sign an approval with a person's key. One job has a quota of one. Raises MisuseError."""
    if scope is ApprovalScope.JOB and quota != 1:
        raise MisuseError("an approval of one job has a quota of one; approve the class for more")
    if not 1 <= days <= LONGEST_DAYS:
        raise MisuseError(f"an approval holds from 1 to {LONGEST_DAYS} days")
    moment = now.astimezone(UTC)
    value: Json = {
        "scope": scope.value,
        "plan": subject_of(plan, scope),
        "agreement": plan.agreement,
        "purpose": plan.purpose,
        "institution": institution,
        "person": person,
        "quota": quota,
        "time": moment.isoformat(timespec="seconds"),
        "expires": (moment + timedelta(days=days)).isoformat(timespec="seconds"),
    }
    return seal(APPROVAL, value, signer)


def read_approval(envelope: Envelope, enrolled: Mapping[str, Person]) -> Approval:
    """The approval, signed by the person it names, who is enrolled here now. Raises VerificationError."""
    try:
        value = Approval.model_validate(envelope.read())
    except (ValidationError, MisuseError) as error:
        raise VerificationError("this is no approval of a plan") from error
    if value.person not in enrolled:
        raise VerificationError(f"{value.person} is not enrolled here")
    envelope.verify(APPROVAL, [enrolled[value.person].key])
    return value


def require_approvals(
    plan: Plan,
    terms: Agreement,
    institution: str,
    documents: Iterable[Envelope],
    enrolled: Mapping[str, Person],
    asker: str,
    used: Callable[[str], int],
    now: datetime,
) -> dict[str, int]:
    """Check that enough people approved; the approvals that count, by digest, each with its quota.

    `asker` is the person who asked ("" where another institution did); `used` says how many runs an approval,
    by its digest, has been counted for. Raises RefusedError under rule `four-eyes`. None needed, none counted,
    where the agreement asks for none.
    """
    demanded = terms.approvals
    if demanded is None:
        return {}
    counted: dict[str, tuple[str, int]] = {}
    reasons: list[str] = []
    for document in documents:
        try:
            value = read_approval(document, enrolled)
            _hold(value, plan, demanded.scope, institution, now)
            if demanded.role not in enrolled[value.person].roles:
                raise VerificationError(f"{value.person} is no {demanded.role.value}")
            if value.person == asker:
                raise VerificationError(f"{value.person} asked for it, and cannot approve it too")
            if used(document.digest) >= value.quota:
                raise VerificationError(f"{value.person}'s approval is used up")
            counted.setdefault(value.person, (document.digest, value.quota))
        except VerificationError as error:
            reasons.append(str(error))
    if len(counted) < demanded.count:
        raise RefusedError(
            "four-eyes",
            f"{demanded.count} {demanded.role.value}(s) of {institution} must approve this plan and"
            f" {len(counted)} did" + (f" ({'; '.join(sorted(set(reasons)))})" if reasons else ""),
            f"a {demanded.role.value} who did not ask for it signs with: unseen approve",
        )
    return dict(counted[person] for person in sorted(counted))


def _hold(value: Approval, plan: Plan, scope: ApprovalScope, institution: str, now: datetime) -> None:
    """Raises VerificationError unless the approval is of this plan, here, now."""
    if scope is ApprovalScope.JOB and value.scope is not ApprovalScope.JOB:
        raise VerificationError("the agreement asks for an approval of each job")
    if value.plan != subject_of(plan, value.scope) or value.agreement != plan.agreement:
        raise VerificationError(f"{value.person}'s approval is of another plan")
    if value.purpose != plan.purpose or value.institution != institution:
        raise VerificationError(f"{value.person}'s approval is for another purpose or institution")
    if not value.time <= now + timedelta(minutes=5):
        raise VerificationError(f"{value.person}'s approval is dated in the future")
    if now > value.expires or value.expires - value.time > timedelta(days=LONGEST_DAYS):
        raise VerificationError(f"{value.person}'s approval has expired")
