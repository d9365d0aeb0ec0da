"""The receipt of a run: what every party says was sent and received, under everyone's signature.

Every node builds the same statement from the same testimonies (see `testimony`), signs it, and the signatures
come together in one envelope, which every ledger takes in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from unseen.computation.profile import Carries
from unseen.encoding import Json
from unseen.errors import VerificationError
from unseen.interaction.envelope import Envelope, Signer, seal
from unseen.interaction.identity import Card
from unseen.interaction.plan import Plan
from unseen.interaction.testimony import Testimony

RECEIPT: Final = "application/vnd.unseen.receipt+json"


class Count(BaseModel):
    """How much of one kind of message."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    messages: int = Field(ge=0)
    bytes: int = Field(ge=0)


class Line(BaseModel):
    """One party's account of its channel to one peer; digests are BLAKE3 over all frames in that direction.

    `kinds` counts what it sent by kind of message, `heard` what it received (see `sent`).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    bytes: int
    messages: int
    sent: str
    received: str
    kinds: Mapping[str, Count] = {}
    heard: Mapping[str, Count] = {}


class Declared(BaseModel):
    """A line of the plan's message table (`computation.profile.Message`)."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    kind: str
    carries: Carries
    most_messages: int | None = None
    most_bytes: int | None = None


class Account(BaseModel):
    """What one party says of a run: the digest of its own result, its rounds, its lines to the others."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    party: str
    plan: str
    job: str
    result: str
    rounds: int
    lines: Mapping[str, Line]


class Statement(BaseModel):
    """What everyone signs: plan, agreement, digests of the grants, disclosures, everyone's account by name.

    `messages` is what the plan declares to be sent; None where a protocol of it declares nothing.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    plan: str
    job: str
    agreement: str
    application: str
    grants: Mapping[str, str]
    disclosures: Mapping[str, list[str]]
    messages: list[Declared] | None = None
    accounts: list[Account]

    @property
    def parties(self) -> list[str]:
        return [account.party for account in self.accounts]

    @property
    def bytes_sent(self) -> int:
        """Bytes that all parties sent, the dealer included."""
        return sum(line.bytes for account in self.accounts for line in account.lines.values())

    def as_json(self) -> Json:
        value: Json = self.model_dump(mode="json")
        return value


def statement(
    plan: Plan,
    grants: Mapping[str, str],
    testimonies: Sequence[Testimony],
    messages: Sequence[Declared] | None = None,
) -> Statement:
    """The statement that every party builds for itself; `grants` are digests by party.

    Raises VerificationError for testimonies of another form.
    """
    ordered = sorted(testimonies, key=lambda testimony: str(testimony["party"]))
    return read_statement(
        {
            "plan": plan.hash,
            "job": plan.job,
            "agreement": plan.agreement,
            "application": plan.application,
            "grants": dict(sorted(grants.items())),
            "disclosures": plan.disclosures(),
            "messages": None if messages is None else [line.model_dump(mode="json") for line in messages],
            "accounts": [dict(testimony) for testimony in ordered],
        }
    )


def read_statement(value: Json) -> Statement:
    """Read a receipt's payload. Raises VerificationError."""
    try:
        return Statement.model_validate(value)
    except ValidationError as error:
        raise VerificationError("a receipt that cannot be read") from error


def sign_receipt(value: Statement, signer: Signer) -> Envelope:
    """Put the statement under the first signature."""
    return seal(RECEIPT, value.as_json(), signer)


def require_receipt(envelope: Envelope, cards: Mapping[str, Card]) -> Statement:
    """The statement, if all of these institutions signed it. Raises VerificationError."""
    return read_statement(envelope.verify(RECEIPT, [card.key for card in cards.values()]))
