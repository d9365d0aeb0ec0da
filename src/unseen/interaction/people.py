"""The people of one institution: who they are, in which roles, and the keys by which they sign.

A person is enrolled, and dismissed, by a document under the institution's own key. The newest document about a
person holds. Separation of duties is checked here: no person may both ask and approve, and an administrator,
who enrols people, neither asks nor approves.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import Field, ValidationError, model_validator

from unseen.encoding import Json, from_base64, to_base64
from unseen.errors import MisuseError, RefusedError, VerificationError
from unseen.interaction.agreement import explained
from unseen.interaction.envelope import Envelope, Signer, fingerprint, seal
from unseen.interaction.terms import Name, Role, Strict

ENROLMENT: Final = "application/vnd.unseen.enrolment+json"
MAY_ASK: Final = frozenset({Role.ANALYST})
APART: Final = (
    frozenset({Role.ANALYST, Role.OFFICER}),
    frozenset({Role.ADMINISTRATOR, Role.OFFICER}),
    frozenset({Role.ADMINISTRATOR, Role.ANALYST}),
    frozenset({Role.AUDITOR, Role.ANALYST}),
    frozenset({Role.AUDITOR, Role.OFFICER}),
    frozenset({Role.AUDITOR, Role.STEWARD}),
    frozenset({Role.AUDITOR, Role.ADMINISTRATOR}),
)
"""Pairs of roles that one person must not hold together."""


class Enrolment(Strict):
    """A person's roles from a moment on; no roles: dismissed."""

    institution: Name
    person: Name
    key: Annotated[str, Field(max_length=64)]
    roles: tuple[Role, ...]
    time: Annotated[str, Field(max_length=40)]

    @model_validator(mode="after")
    def _duties_apart(self) -> Enrolment:
        for pair in APART:
            if pair <= set(self.roles):
                raise ValueError(f"{' and '.join(sorted(pair))} must be two people")
        return self


@dataclass(frozen=True)
class Person:
    """A person as enrolled now."""

    name: str
    roles: frozenset[Role]
    key: Ed25519PublicKey

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.key)


def enrol(
    institution: str, person: str, key: Ed25519PublicKey, roles: Iterable[Role], signer: Signer, now: datetime
) -> Envelope:
    """Sign a person's roles with the institution's key. Raises MisuseError; also for duties to be kept apart."""
    try:
        value = Enrolment(
            institution=institution,
            person=person,
            key=to_base64(key.public_bytes_raw()),
            roles=tuple(sorted(set(roles))),
            time=now.astimezone(UTC).isoformat(timespec="milliseconds"),
        )
    except ValidationError as error:
        raise MisuseError(f"this person cannot be enrolled: {explained(error)}") from error
    payload: Json = value.model_dump(mode="json")
    return seal(ENROLMENT, payload, signer)


def people(documents: Iterable[Envelope], institution: str, key: Ed25519PublicKey) -> dict[str, Person]:
    """The people enrolled now, by name, from all enrolments under the institution's `key`.

    Raises VerificationError for a document under another key: the database was tampered with.
    """
    newest: dict[str, Enrolment] = {}
    for document in documents:
        try:
            value = Enrolment.model_validate(document.verify(ENROLMENT, [key]))
        except ValidationError as error:
            raise VerificationError("an enrolment that cannot be read") from error
        if value.institution == institution and (
            value.person not in newest or value.time >= newest[value.person].time
        ):
            newest[value.person] = value
    return {name: _person(value) for name, value in newest.items() if value.roles}


def enrolled_key(value: Json) -> Ed25519PublicKey:
    """The person's key in an enrolment's payload. Raises VerificationError."""
    try:
        return Ed25519PublicKey.from_public_bytes(from_base64(Enrolment.model_validate(value).key))
    except (ValidationError, MisuseError, ValueError) as error:
        raise VerificationError("an enrolment that cannot be read") from error


def _person(value: Enrolment) -> Person:
    key = Ed25519PublicKey.from_public_bytes(from_base64(value.key))
    return Person(value.person, frozenset(value.roles), key)


def require_role(enrolled: Mapping[str, Person], name: str, *roles: Role) -> Person:
    """The person, if enrolled in one of the roles. Raises RefusedError under rule `role`."""
    person = enrolled.get(name)
    if person is None or not person.roles & set(roles):
        wanted = " or ".join(role.value for role in roles)
        raise RefusedError(
            "role",
            f"{name or 'nobody named'} is not enrolled here as {wanted}",
            "an administrator may enrol people",
        )
    return person
