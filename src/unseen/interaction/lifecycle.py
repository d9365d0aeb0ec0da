"""The life of an agreement after its signing, as signed documents, and the phase that follows from them.

    proposed ──a counter-proposal──► countered ──all sign one of the two──► the other superseded
    proposed ──all signed──► effective ◄──resume── suspended        effective ──last day──► expired
                                 │ └────suspend──────►│
                                 ├──a signed amendment──► superseded
                                 └──terminate, exit (also from suspended)──► terminated

House rules
- Any party may suspend or terminate alone, at once; nobody needs to agree to stop.
- A suspension is lifted by the party that made it, and by no other; two suspensions need two.
- Termination is final. An exit is a termination by which a party also withdraws from the partnership: it names
  the keys that are no longer to be trusted and the jobs whose models and results must no longer be used.
- Every notice carries its number among its party's notices about that agreement, so that an old one that is
  replayed changes nothing, and the order in which notices arrive does not matter.
- A counter-proposal is another text that names the proposal it answers. Neither binds until all have signed it;
  who signs the answer and not the proposal has chosen.
- The phase is a function of documents and date: two parties with the same documents see the same phase.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Annotated, Final

from pydantic import Field, ValidationError

from unseen.encoding import Json
from unseen.errors import MisuseError, RefusedError, VerificationError
from unseen.interaction.agreement import Agreement, explained, missing_signatures, read_agreement
from unseen.interaction.envelope import Envelope, Signer, seal
from unseen.interaction.identity import Card
from unseen.interaction.terms import Name, Strict

NOTICE: Final = "application/vnd.unseen.agreement-notice+json"
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
JobName = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]


class Step(StrEnum):
    """What a notice does."""

    SUSPEND = "suspend"
    RESUME = "resume"
    TERMINATE = "terminate"
    EXIT = "exit"

    @property
    def stops(self) -> bool:
        return self is not Step.RESUME


class Notice(Strict):
    """One party's step in an agreement's life. `number` counts its notices about this agreement from 1."""

    agreement: Digest
    party: Name
    number: int = Field(ge=1, le=1_000_000)
    step: Step
    reason: Annotated[str, Field(max_length=2000)] = ""
    time: Annotated[str, Field(max_length=40)]
    revoked_keys: tuple[Digest, ...] = ()
    """By an exit: fingerprints that must no longer be trusted."""
    withdrawn_jobs: tuple[JobName, ...] = ()
    """By an exit: jobs whose models and results must no longer be used."""


class Phase(StrEnum):
    """Where an agreement stands on a day."""

    PROPOSED = "proposed"
    COUNTERED = "countered"
    """Not signed by all, and a party offers another text instead."""
    WAITING = "waiting"
    """Signed by all, its first day not yet come."""
    EFFECTIVE = "effective"
    SUSPENDED = "suspended"
    SUPERSEDED = "superseded"
    TERMINATED = "terminated"
    EXPIRED = "expired"


@dataclass(frozen=True)
class Standing:
    """An agreement's phase with the reason in words."""

    phase: Phase
    why: str

    def require_effective(self, title: str) -> None:
        """Raises RefusedError under rule `agreement-phase` unless runs are allowed."""
        if self.phase is not Phase.EFFECTIVE:
            raise RefusedError(
                "agreement-phase", f"the agreement {title!r} is {self.phase.value}: {self.why}", _MEND[self.phase]
            )


_MEND: Final[Mapping[Phase, str]] = {
    Phase.PROPOSED: "each party signs with: unseen agree sign",
    Phase.COUNTERED: "compare the two with unseen agree diff; each party signs the one it agrees to",
    Phase.WAITING: "wait for its first day",
    Phase.EFFECTIVE: "",
    Phase.SUSPENDED: "the party that suspended it may lift that: unseen agree resume",
    Phase.SUPERSEDED: "ask under the newer version",
    Phase.TERMINATED: "propose a new agreement",
    Phase.EXPIRED: "propose a new version with later dates",
}


def notice(
    agreement: Agreement,
    step: Step,
    signer: Signer,
    party: str,
    earlier: Sequence[Notice],
    now: datetime,
    reason: str = "",
    revoked_keys: Iterable[str] = (),
    withdrawn_jobs: Iterable[str] = (),
) -> Envelope:
    """Sign a step of `party`, which has given the `earlier` notices about this agreement.

    Raises MisuseError for a step that makes no sense now: resuming what it has not suspended, or anything
    after a termination.
    """
    if party not in agreement.parties:
        raise MisuseError(f"{party} is no party of the agreement {agreement.agreement!r}")
    own = sorted((n for n in earlier if n.party == party and n.agreement == agreement.id), key=lambda n: n.number)
    last = own[-1].step if own else Step.RESUME
    if last in (Step.TERMINATE, Step.EXIT):
        raise MisuseError("this party has terminated the agreement already; that is final")
    if step is last or (step is Step.RESUME and last is not Step.SUSPEND):
        raise MisuseError(f"this party has nothing to {step.value} here")
    revoked, withdrawn = tuple(sorted(revoked_keys)), tuple(sorted(withdrawn_jobs))
    if (revoked or withdrawn) and step is not Step.EXIT:
        raise MisuseError("only an exit revokes keys and withdraws results")
    try:
        value = Notice(
            agreement=agreement.id,
            party=party,
            number=own[-1].number + 1 if own else 1,
            step=step,
            reason=reason,
            time=now.astimezone(UTC).isoformat(timespec="seconds"),
            revoked_keys=revoked,
            withdrawn_jobs=withdrawn,
        )
    except ValidationError as error:
        raise MisuseError(f"the notice cannot be given: {explained(error)}") from error
    return seal(NOTICE, as_json(value), signer)


def as_json(value: Notice) -> Json:
    result: Json = value.model_dump(mode="json")
    return result


def read_notice(envelope: Envelope, agreement: Agreement, cards: Mapping[str, Card]) -> Notice:
    """The notice in an envelope, signed by the party that it names. Raises VerificationError."""
    try:
        value = Notice.model_validate(envelope.read())
    except (ValidationError, MisuseError) as error:
        raise VerificationError("this is no notice about an agreement") from error
    party = agreement.parties.get(value.party)
    card = cards.get(value.party)
    if value.agreement != agreement.id or party is None:
        raise VerificationError(
            f"{value.party}'s notice is about another agreement, or it is no party of this one"
        )
    if card is None or card.fingerprint != party.key:
        raise VerificationError(f"the agreement's key of {value.party!r} is not the introduced one")
    envelope.verify(NOTICE, [card.key])
    return value


def standing(
    envelope: Envelope,
    notices: Iterable[Notice],
    successors: Iterable[Envelope],
    cards: Mapping[str, Card],
    day: date,
) -> Standing:
    """The phase of an agreement on a day, from its document, the notices and the versions that amend it.

    Raises VerificationError for a false signature.
    """
    terms = read_agreement(envelope)
    known = [(successor, read_agreement(successor)) for successor in successors]
    for successor, other in known:
        if other.answers == terms.id and _keeps_parties(other, terms) and not missing_signatures(successor, cards):
            return Standing(Phase.SUPERSEDED, f"all have signed the counter-proposal {other.id[:12]} instead")
    if missing := missing_signatures(envelope, cards):
        for successor, other in known:
            if other.answers == terms.id and (by := signers(successor, cards)):
                return Standing(Phase.COUNTERED, f"{' and '.join(by)} offers {other.id[:12]} instead")
        return Standing(Phase.PROPOSED, f"not signed by {', '.join(missing)}")
    last: dict[str, Notice] = {}
    for given in notices:
        if given.agreement == terms.id and (given.party not in last or given.number > last[given.party].number):
            last[given.party] = given
    for given in last.values():
        if given.step in (Step.TERMINATE, Step.EXIT):
            return Standing(Phase.TERMINATED, _said(given))
    for successor, newer in known:
        if newer.amends != terms.id or newer.version != terms.version + 1 or not _keeps_parties(newer, terms):
            continue
        if not missing_signatures(successor, cards) and newer.valid.first <= day:
            return Standing(Phase.SUPERSEDED, f"version {newer.version} ({newer.id[:12]}) has replaced it")
    if day > terms.valid.until:
        return Standing(Phase.EXPIRED, f"its last day was {terms.valid.until}")
    if suspended := [given for given in last.values() if given.step is Step.SUSPEND]:
        return Standing(Phase.SUSPENDED, "; ".join(_said(given) for given in suspended))
    if day < terms.valid.first:
        return Standing(Phase.WAITING, f"its first day is {terms.valid.first}")
    return Standing(Phase.EFFECTIVE, f"signed by all, until {terms.valid.until}")


def require_amendment(newer: Agreement, older: Agreement) -> None:
    """Check that `newer` may replace `older`: it names it, counts on, and has the same parties and keys.

    Raises MisuseError. A change of parties is a new agreement, signed anew, not a version.
    """
    if newer.amends != older.id or newer.version != older.version + 1:
        raise MisuseError(f"an amendment of this agreement has version {older.version + 1} and amends: {older.id}")
    if not _keeps_parties(newer, older):
        raise MisuseError("an amendment keeps the parties; for others, propose a new agreement")


def require_answer(other: Agreement, proposal: Agreement) -> None:
    """Check that `other` may be offered instead of `proposal`. Raises MisuseError."""
    if other.answers != proposal.id or other.id == proposal.id:
        raise MisuseError(f"a counter-proposal to this one answers: {proposal.id}")
    if not _keeps_parties(other, proposal):
        raise MisuseError("a counter-proposal keeps the parties; with others, propose a new agreement")
    if (other.version, other.amends) != (proposal.version, proposal.amends):
        raise MisuseError("a counter-proposal has the version of the proposal that it answers")


def signers(envelope: Envelope, cards: Mapping[str, Card]) -> list[str]:
    """The parties whose signature an agreement bears."""
    terms, missing = read_agreement(envelope), missing_signatures(envelope, cards)
    return [name for name in terms.parties if name not in missing]


def _keeps_parties(newer: Agreement, older: Agreement) -> bool:
    return {n: p.key for n, p in newer.parties.items()} == {n: p.key for n, p in older.parties.items()}


def differences(older: Agreement, newer: Agreement) -> list[str]:
    """What changes between two texts, field by field, in words a person can read."""
    return list(_differences("", older.as_json(), newer.as_json()))


def _differences(path: str, old: Json, new: Json) -> Iterable[str]:
    if old == new:
        return
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for name in sorted({*old, *new}):
            inner = f"{path}.{name}" if path else name
            if name not in old:
                yield f"added   {inner}: {_shown(new[name])}"
            elif name not in new:
                yield f"removed {inner}: {_shown(old[name])}"
            else:
                yield from _differences(inner, old[name], new[name])
    else:
        yield f"changed {path}: {_shown(old)} → {_shown(new)}"


def _shown(value: Json) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name}: {_shown(inner)}" for name, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_shown(inner) for inner in value) + "]"
    return "nothing" if value is None else str(value)


def _said(given: Notice) -> str:
    words = {Step.SUSPEND: "suspended by", Step.TERMINATE: "terminated by", Step.EXIT: "left by"}[given.step]
    return f"{words} {given.party}" + (f" ({given.reason})" if given.reason else "")
