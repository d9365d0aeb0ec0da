"""What a protocol costs and what it tells whom, as data.

A profile stands at the head of every protocol's file. Plans, policy, documentation and tests read it, so that
none of them can say anything else than the code's own declaration.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from unseen.encoding import Json


class Adversary(StrEnum):
    """What a corrupted party is assumed to do."""

    SEMI_HONEST = "semi-honest"
    """Follows the protocol, and studies everything it sees."""
    COVERT = "covert"
    """Deviates only where it would not be caught."""


class Role(StrEnum):
    """To whom a disclosure goes, before the plan binds roles to institutions."""

    EACH = "each"
    """Every computing party."""
    OWNER = "owner"
    """The party whose input it is: of the column, the label, the permutation."""
    RECIPIENT = "recipient"
    """Whom the agreement names as the receiver of the result."""
    DEALER = "dealer"
    """The party that deals correlated randomness and holds no data."""


@dataclass(frozen=True)
class Disclosure:
    """One fact that one role learns, in words that a lawyer reads. `{name}` is filled from the plan's step."""

    to: Role
    what: str


class Carries(StrEnum):
    """What a message tells whoever receives it."""

    NOTHING = "nothing"
    """Uniform words: masked values, shares, seeds, corrections."""
    BLINDED = "blinded"
    """Identifiers under a key that the receiver does not hold."""
    DISCLOSED = "disclosed"
    """A fact that the profile's `reveals` names."""


@dataclass(frozen=True)
class Message:
    """A line of a protocol's message table: a kind of message, and what it carries.

    `kind` is a message's tag with every number in it written as `#`; a `*` at its end stands for any ending.
    `most_messages` and `most_bytes` bound what one party sends another of it in a run; None: as the sizes say.
    """

    kind: str
    carries: Carries = Carries.NOTHING
    most_messages: int | None = None
    most_bytes: int | None = None

    def covers(self, kind: str) -> bool:
        """Whether a message of this kind falls under this line."""
        return kind.startswith(self.kind[:-1]) if self.kind.endswith("*") else kind == self.kind

    def as_json(self) -> Json:
        return {
            "kind": self.kind,
            "carries": self.carries.value,
            "most_messages": self.most_messages,
            "most_bytes": self.most_bytes,
        }


@dataclass(frozen=True)
class Profile:
    """The declaration of one protocol.

    `messages` is the protocol's own message table, without those of the building blocks (`messages.BLOCKS`);
    None where none is declared: then what was sent in a run cannot be held against it.
    `rounds` and `bytes_sent` take the step's sizes and give the number of message exchanges and of bytes that
    all computing parties send to each other; None where they depend on the data only through declared sizes
    that the protocol itself cannot know beforehand. `expected`: they depend on a random order of rows, and what
    stands here is their mean, roughly.
    """

    id: str
    title: str
    source: str
    adversary: Adversary = Adversary.SEMI_HONEST
    reveals: tuple[Disclosure, ...] = ()
    assumptions: tuple[str, ...] = ()
    failure: str = "none"
    messages: tuple[Message, ...] | None = None
    rounds: Callable[..., int] | None = field(default=None, compare=False)
    bytes_sent: Callable[..., int] | None = field(default=None, compare=False)
    expected: bool = False

    def disclosures(self, roles: Mapping[Role, tuple[str, ...]], facts: Mapping[str, str]) -> dict[str, list[str]]:
        """Bind the profile to a plan's step: for each institution, the sentences of what it learns.

        `roles` says which institutions stand in each role, `facts` fills the placeholders.
        Raises KeyError where the step leaves a placeholder open: that is a bug in the application.
        """
        bound: dict[str, list[str]] = {}
        for disclosure in self.reveals:
            for party in roles.get(disclosure.to, ()):
                bound.setdefault(party, []).append(disclosure.what.format(**facts))
        return bound
