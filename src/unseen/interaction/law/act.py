"""The acts of a plan, as the law sees them: who uses, discloses, transfers, or decides on whose data.

Acts follow from plan and agreement alone, so that every node judges the same ones:
- each computing party *uses* its columns;
- each output that reaches another party than the sources' owner is *disclosed* to it by that owner;
- an output, and the shares while computing, that reach a party outside the jurisdiction of the persons are
  *transferred* (counts and aggregates over groups are not: they are nobody's personal data, see gdpr-25 and
  its like);
- a recipient of figures for each person, for credit or fraud, *decides* on them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from unseen.errors import RefusedError
from unseen.interaction.agreement import Agreement
from unseen.interaction.law.vocabulary import Field, basis_of, field_of
from unseen.interaction.plan import Flow, Plan, Shape
from unseen.interaction.terms import Jurisdiction

SHARE: Final = "share"
_FIGURES: Final = frozenset({Shape.PERSON, Shape.VALUE})
_STATISTICS: Final = frozenset({Shape.COUNT, Shape.AGGREGATE})


class Doing(StrEnum):
    """The kinds of act, by the names of the Cedar schema's actions."""

    USE = "use"
    DISCLOSE = "disclose"
    TRANSFER = "transfer"
    DECIDE = "decide"


@dataclass(frozen=True)
class Act:
    """One act of one party, with all that a pack's rules may ask about."""

    doing: Doing
    party: str
    jurisdiction: str
    part: str
    purpose: str
    basis: str
    evidence: frozenset[str] = frozenset()
    categories: frozenset[str] = frozenset()
    sensitive: bool = False
    children: bool = False
    level: int = 3
    shape: str = Shape.VALUE.value
    noised: bool = False
    recipient: str = ""
    recipient_jurisdiction: str = ""
    retention_days: int = 365
    smallest_group: int = 20

    @property
    def field(self) -> Field:
        return field_of(self.purpose)

    @property
    def words(self) -> str:
        """The act in plain words."""
        what = {
            Doing.USE: "uses its columns",
            Doing.DISCLOSE: f"discloses figures ({self.shape}) to {self.recipient}",
            Doing.TRANSFER: f"transfers a {self.shape} to {self.recipient} in {self.recipient_jurisdiction}",
            Doing.DECIDE: "decides on figures for each person",
        }[self.doing]
        return f"{self.party} {what} for {self.purpose}"


def applicable(terms: Agreement) -> tuple[Jurisdiction, ...]:
    """The jurisdictions whose packs apply: those of the persons and of the parties that compute."""
    seats = {terms.parties[name].jurisdiction for name in terms.computing}
    named = {*terms.subjects.jurisdictions, *(seat for seat in seats if seat is not None)}
    return tuple(j for j in Jurisdiction if j in named)


def acts(plan: Plan, terms: Agreement, law: Jurisdiction) -> list[Act]:
    """The acts of a plan under one law. Raises RefusedError where the agreement names no seat of a party."""
    for name in plan.parties:
        if terms.parties[name].jurisdiction is None:
            raise RefusedError(
                "law-facts", f"the agreement does not say where {name} is seated", "name its jurisdiction"
            )
    return list(dict.fromkeys(_acts(plan, terms, law)))


def acts_without_law(plan: Plan, terms: Agreement) -> list[Act]:
    """The acts of a plan where the agreement names no law: what reaches another party counts as going abroad."""
    return list(dict.fromkeys(_acts(plan, terms, Jurisdiction.EU)))


def _acts(plan: Plan, terms: Agreement, law: Jurisdiction) -> Iterator[Act]:
    owners = sorted({use.party for use in plan.uses})
    for owner in owners:
        yield _act(Doing.USE, owner, terms, law)
        for peer in plan.parties:
            if peer != owner and _seat(terms, peer) != law:
                yield _to(_act(Doing.TRANSFER, owner, terms, law, shape=SHARE), peer, terms)
    for flow in plan.flows:
        for recipient in _recipients(plan, flow):
            for owner in sorted({source.party for source in flow.sources} - {recipient}):
                yield from _given(flow, owner, recipient, terms, law)
            if flow.shape in _FIGURES and field_of(terms.purpose) in (Field.CREDIT, Field.FRAUD):
                yield _act(Doing.DECIDE, recipient, terms, law, shape=flow.shape.value)


def _given(flow: Flow, owner: str, recipient: str, terms: Agreement, law: Jurisdiction) -> Iterator[Act]:
    noised = flow.epsilon is not None
    disclosed = _act(Doing.DISCLOSE, owner, terms, law, shape=flow.shape.value, noised=noised)
    yield _to(disclosed, recipient, terms)
    if flow.shape not in _STATISTICS and _seat(terms, recipient) != law:
        yield _to(replace(disclosed, doing=Doing.TRANSFER), recipient, terms)


def _recipients(plan: Plan, flow: Flow) -> list[str]:
    return sorted(party for party, outputs in plan.outputs.items() if flow.output in outputs)


def _act(
    doing: Doing,
    party: str,
    terms: Agreement,
    law: Jurisdiction,
    shape: str = Shape.VALUE.value,
    noised: bool = False,
) -> Act:
    evidence: Mapping[str, str] = terms.evidence.get(party, {})
    return Act(
        doing=doing,
        party=party,
        jurisdiction=_seat(terms, party),
        part=terms.parties[party].role.value,
        purpose=terms.purpose,
        basis=basis_of(terms.basis(party, law)),
        evidence=frozenset(evidence),
        categories=frozenset(terms.subjects.categories),
        sensitive=terms.subjects.sensitive,
        children=terms.subjects.children,
        level=terms.subjects.level,
        shape=shape,
        noised=noised,
        retention_days=terms.retention.results,
        smallest_group=terms.limits.smallest_group,
    )


def _to(act: Act, recipient: str, terms: Agreement) -> Act:
    return replace(act, recipient=recipient, recipient_jurisdiction=_seat(terms, recipient))


def _seat(terms: Agreement, party: str) -> str:
    seat = terms.parties[party].jurisdiction
    return seat.value if seat is not None else ""
