"""Commands about the people of an institution and their approvals."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cyclopts import Parameter

from unseen.cli.options import AsJson, HomeFolder, emit, open_home, table
from unseen.cli.requests import RequestFile, Under, derived, is_prepared, read_request
from unseen.errors import MisuseError
from unseen.interaction.agreements import Agreements
from unseen.interaction.approval import approve, subject_of
from unseen.interaction.asker import ask
from unseen.interaction.documents import Documents
from unseen.interaction.envelope import Envelope
from unseen.interaction.gate import Gate
from unseen.interaction.identity import SigningKey
from unseen.interaction.ledger import Kind
from unseen.interaction.people import enrol as sign_enrolment
from unseen.interaction.people import require_role
from unseen.interaction.plan import Plan
from unseen.interaction.terms import ApprovalScope, Role

PersonName = Annotated[str, Parameter(name="PERSON", help="The person's name: small letters, digits, hyphens.")]
KeyFile = Annotated[Path, Parameter(name="--key", help="The person's own key file; made by enrol, kept by them.")]


def enrol(
    person: PersonName,
    /,
    *,
    roles: Annotated[tuple[Role, ...], Parameter(name="--role", help="May be given more than once.")] = (),
    key: KeyFile,
    home: HomeFolder = None,
    as_json: AsJson = False,
) -> None:
    """Enrol a person in roles; without --role, dismiss them."""
    ours = open_home(home)
    own = _key(key) if key.exists() else _new_key(key)
    document = sign_enrolment(ours.name, person, own.public, roles, ours.signing_key, datetime.now(UTC))
    with ours.store() as store:
        Documents(store.engine).keep(f"person/{person}", document)
    ours.ledger.append(Kind.ADMINISTRATION, f"enrolment/{document.digest}", {"enrolment": document.as_json()})
    held = ", ".join(sorted(roles)) or "no role: dismissed"
    value = {"person": person, "roles": sorted(roles), "fingerprint": own.fingerprint}
    emit(
        as_json, value, lambda console: console.print(f"{person}: {held} ({own.fingerprint[:16]}…)", markup=False)
    )


def list_all(*, home: HomeFolder = None, as_json: AsJson = False) -> None:
    """List the people enrolled here, with their roles."""
    ours = open_home(home)
    with ours.store() as store:
        found = Gate(ours, store).enrolled()
    rows = [[name, ", ".join(sorted(p.roles)), p.fingerprint[:16]] for name, p in sorted(found.items())]
    value = {name: sorted(person.roles) for name, person in found.items()}
    emit(as_json, {"people": value}, lambda console: console.print(table(("person", "roles", "key"), rows)))


def approve_plan(
    app: str,
    request: RequestFile,
    /,
    *,
    agreement: Under,
    person: Annotated[str, Parameter(name="--as", help="Who approves.")],
    key: KeyFile,
    days: Annotated[int, Parameter(help="For how many days the approval holds.")] = 7,
    quota: Annotated[int, Parameter(help="For how many runs.")] = 1,
    home: HomeFolder = None,
    as_json: AsJson = False,
) -> None:
    """Approve with a person's own key: a prepared request's exact plan, or all plans like a request's."""
    ours = open_home(home)
    asked, plan, terms = derived(app, request, agreement, home)
    scope = ApprovalScope.JOB if is_prepared(read_request(request)) else ApprovalScope.CLASS
    if terms.approvals and terms.approvals.scope is ApprovalScope.JOB and scope is ApprovalScope.CLASS:
        raise MisuseError("the agreement asks for an approval of each job; prepare it first: unseen plan prepare")
    with ours.store() as store:
        gate = Gate(ours, store)
        demanded = terms.approvals.role if terms.approvals else Role.OFFICER
        enrolled = require_role(gate.enrolled(), person, demanded)
        own = _key(key)
        if own.fingerprint != enrolled.fingerprint:
            raise MisuseError(f"{key} is not the key that {person} is enrolled with")
        document = approve(plan, scope, ours.name, person, own, datetime.now(UTC), days=days, quota=quota)
        gate.documents.keep(Agreements(ours, store).find(agreement).id, document)
    ours.ledger.append(Kind.APPROVAL, f"approval/{document.digest}", {"approval": document.as_json()})
    named = subject_of(plan, scope)
    what = f"job {asked.job[:12]}" if scope is ApprovalScope.JOB else f"{quota} run(s) like this"
    words = f"{person} approves {what} for {days} days ({named[:12]}…)"
    value = {"approval": document.digest, "scope": scope.value, "plan": named, "person": person, "quota": quota}
    emit(as_json, value, lambda console: console.print(words, markup=False))


def signed_asking(plan: Plan, institution: str, person: str, key: Path | None) -> Envelope | None:
    """Who asks for a plan, signed with that person's key; None where nobody is named. Raises MisuseError."""
    if not person and key is None:
        return None
    if not person or key is None:
        raise MisuseError("name who asks with --as and their key file with --key, both or neither")
    return ask(plan, institution, person, _key(key), datetime.now(UTC))


def _key(path: Path) -> SigningKey:
    try:
        if path.stat().st_mode & 0o077:
            raise MisuseError(f"{path} may be read by others; run chmod 600 on it")
        key = serialization.load_pem_private_key(path.read_bytes(), None)
    except (OSError, ValueError) as error:
        raise MisuseError(f"{path} is no key file that can be read") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise MisuseError(f"{path} is not an Ed25519 key")
    return SigningKey(key)


def _new_key(path: Path) -> SigningKey:
    key = Ed25519PrivateKey.generate()
    encoded = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise MisuseError(f"cannot write {path}: {error.strerror}") from error
    with os.fdopen(descriptor, "wb") as file:
        file.write(encoded)
    return SigningKey(key)
