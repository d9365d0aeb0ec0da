"""What institutions agree on, as a document that a lawyer reads and a node enforces.

Written in YAML, signed as canonical JSON by every party named in it. Its id is the digest of that JSON: one
changed character makes another agreement, which nobody has signed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any, Final

import yaml
from pydantic import Field, ValidationError, field_validator, model_validator

from unseen.data.catalogue import Use
from unseen.encoding import Json, digest, parse_json
from unseen.errors import MisuseError, RefusedError, VerificationError
from unseen.interaction.envelope import Envelope, Signer, seal
from unseen.interaction.identity import Card
from unseen.interaction.law.vocabulary import categories, purposes, unknown
from unseen.interaction.terms import (
    Approvals,
    Bound,
    Evidence,
    Identifier,
    Jurisdiction,
    Limits,
    Name,
    Part,
    Party,
    Path,
    Retention,
    Security,
    Strict,
    SubjectClauses,
    Text,
    Validity,
)

KIND: Final = "application/vnd.unseen.agreement+json"


class Agreement(Strict):
    """The agreement's terms. `columns` says party → data set → column → uses; `recipients` output → parties.

    `computations` maps each allowed application to bounds on its plan's parameters (by dotted path); a list of
    names means no bounds. `evidence` and `localisation` are by party. `amends` is the id of the version that
    this one replaces when it becomes effective; `answers` the id of the proposal that this text is offered
    instead of (a counter-proposal). `disclosures` lists by party all that it may learn, in the protocols' own
    sentences (a `*` stands for any words); without it, a party may learn what the protocols of an agreed
    computation disclose to it.
    """

    agreement: Text
    version: int = Field(default=1, ge=1)
    amends: Identifier = ""
    answers: Identifier = ""
    parties: Mapping[Name, Party]
    purpose: Text
    legal_basis: Mapping[Name, Text | Mapping[Jurisdiction, Text]] = Field(default_factory=dict)
    subjects: SubjectClauses = SubjectClauses()
    evidence: Mapping[Name, Evidence] = Field(default_factory=dict)
    valid: Validity
    columns: Mapping[Name, Mapping[str, Mapping[str, tuple[Use, ...]]]]
    computations: Mapping[Name, Mapping[Path, Bound]]
    recipients: Mapping[str, tuple[Name, ...]]
    disclosures: Mapping[Name, tuple[Text, ...]] | None = None
    limits: Limits = Limits()
    approvals: Approvals | None = None
    security: Security = Security()
    retention: Retention = Retention()
    localisation: Mapping[Name, tuple[Jurisdiction, ...]] = Field(default_factory=dict)

    @field_validator("computations", mode="before")
    @classmethod
    def _names_alone(cls, value: Any) -> Any:
        if isinstance(value, list | tuple):
            return {str(name): {} for name in value}
        return {name: bounds or {} for name, bounds in value.items()} if isinstance(value, Mapping) else value

    @field_validator("purpose")
    @classmethod
    def _purpose_is_known(cls, value: str) -> str:
        if wrong := unknown(value, purposes()):
            raise ValueError(wrong)
        return value

    @field_validator("subjects")
    @classmethod
    def _categories_are_known(cls, value: SubjectClauses) -> SubjectClauses:
        if wrong := [words for term in value.categories if (words := unknown(term, categories()))]:
            raise ValueError("; ".join(wrong))
        return value

    @model_validator(mode="after")
    def _names_are_parties(self) -> Agreement:
        known = set(self.parties)
        named = {
            *self.columns,
            *self.legal_basis,
            *self.evidence,
            *self.localisation,
            *(self.disclosures or {}),
            *(party for parties in self.recipients.values() for party in parties),
        }
        if strangers := sorted(named - known):
            raise ValueError(f"{', '.join(strangers)} is no party of this agreement")
        if sum(party.role is Part.DEALER for party in self.parties.values()) > 1:
            raise ValueError("there can be one dealer only")
        if self.dealer in self.columns:
            raise ValueError("the dealer must bring no data")
        if len(self.computing) < 2:
            raise ValueError("at least two parties besides the dealer must take part")
        if self.valid.first > self.valid.until:
            raise ValueError("it ends before it begins")
        if bool(self.amends) != (self.version > 1):
            raise ValueError("a version above 1 names the version that it amends, and only such a version does")
        if self.dealer and not self.security.dealer:
            raise ValueError("it names a dealer, and its security setting allows none")
        return self

    @property
    def dealer(self) -> str | None:
        return next((name for name, party in self.parties.items() if party.role is Part.DEALER), None)

    @property
    def computing(self) -> tuple[str, ...]:
        """The computing parties in rank order: by name, so that all agree without a word."""
        return tuple(sorted(name for name, party in self.parties.items() if party.role is not Part.DEALER))

    @property
    def id(self) -> str:
        return digest(KIND, self.as_json())

    def uses(self, party: str, dataset: str, column: str) -> tuple[Use, ...]:
        return self.columns.get(party, {}).get(dataset, {}).get(column, ())

    def basis(self, party: str, jurisdiction: Jurisdiction) -> str:
        """The legal basis that `party` names for persons under `jurisdiction`; empty if it names none."""
        named = self.legal_basis.get(party, "")
        return named if isinstance(named, str) else named.get(jurisdiction, "")

    def may_learn(self, party: str, sentence: str) -> bool:
        """Whether a party may learn what a protocol's sentence says."""
        if self.disclosures is None:
            return True
        return any(_says(pattern, sentence) for pattern in self.disclosures.get(party, ()))

    def as_json(self) -> Json:
        value: Json = parse_json(self.model_dump_json(by_alias=True).encode())
        return value

    def with_keys(self, cards: Mapping[str, Card]) -> Agreement:
        """The same terms with every party's key filled in. Raises MisuseError for a party not introduced."""
        parties = {}
        for name, party in self.parties.items():
            if name not in cards:
                raise MisuseError(f"{name!r} is not introduced here; run unseen introduce with its card first")
            if party.key and party.key != cards[name].fingerprint:
                raise MisuseError(f"the agreement names another key for {name!r} than the introduced one")
            parties[name] = party.model_copy(update={"key": cards[name].fingerprint})
        return self.model_copy(update={"parties": parties})

    def require_valid_on(self, day: date) -> None:
        """Raises RefusedError under rule `agreement-dates`."""
        if not self.valid.first <= day <= self.valid.until:
            raise RefusedError(
                "agreement-dates",
                f"the agreement {self.agreement!r} holds from {self.valid.first} until {self.valid.until}",
                "propose a new version with later dates",
            )


def _says(pattern: str, sentence: str) -> bool:
    """Whether a sentence is the pattern's, in which a `*` stands for any words."""
    return re.fullmatch(".*".join(re.escape(part) for part in pattern.split("*")), sentence) is not None


def from_yaml(text: str) -> Agreement:
    """Read an agreement as a person writes it. Raises MisuseError, naming each field that is wrong."""
    try:
        return from_json(yaml.safe_load(text))
    except yaml.YAMLError as error:
        raise MisuseError(f"the agreement is no YAML: {error}") from error


def from_json(value: Any) -> Agreement:
    """Read terms from parsed JSON or YAML. Raises MisuseError."""
    try:
        return Agreement.model_validate(value)
    except ValidationError as error:
        raise MisuseError(f"the agreement cannot be used: {explained(error)}") from error


def explained(error: ValidationError) -> str:
    """A validation error in a line: each field with what is wrong, without the values."""
    return "; ".join(
        f"{'.'.join(str(part) for part in entry['loc']) or 'as a whole'}: {entry['msg']}"
        for entry in error.errors(include_input=False, include_url=False)
    )


def propose(agreement: Agreement, signer: Signer) -> Envelope:
    """Put the terms under the first signature."""
    return seal(KIND, agreement.as_json(), signer)


def read_agreement(envelope: Envelope) -> Agreement:
    """The terms in an envelope, whoever signed. Raises MisuseError."""
    if envelope.kind != KIND:
        raise MisuseError("this is no agreement")
    return from_json(envelope.read())


def missing_signatures(envelope: Envelope, cards: Mapping[str, Card]) -> tuple[str, ...]:
    """The parties whose valid signature is not there yet. Raises VerificationError for a false signature."""
    agreement, missing = read_agreement(envelope), []
    for name, party in agreement.parties.items():
        card = cards.get(name)
        if card is None or card.fingerprint != party.key:
            raise VerificationError(f"the agreement's key of {name!r} is not the introduced one")
        if party.key in envelope.signatures:
            envelope.verify(KIND, [card.key])
        else:
            missing.append(name)
    return tuple(missing)
