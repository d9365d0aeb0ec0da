"""A plan: exactly what a job will do, and what each institution will learn by it.

A plan is derived, never sent: every node derives it from the same request and agreement and compares the
digest. Grants, sessions, ledger entries and the receipt all name that digest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from unseen.computation.profile import Message, Profile, Role
from unseen.data.catalogue import Use
from unseen.encoding import Json, canonical, digest

PLAN_TAG = "unseen/plan/v1"


@dataclass(frozen=True)
class ColumnUse:
    """One column of one institution's data set, put to one use."""

    party: str
    dataset: str
    column: str
    use: Use

    def as_json(self) -> Json:
        return {"party": self.party, "dataset": self.dataset, "column": self.column, "use": self.use.value}


@dataclass(frozen=True)
class Step:
    """One protocol in the plan: its profile, the institutions in each role, the facts its disclosures name."""

    name: str
    profile: Profile
    roles: Mapping[Role, tuple[str, ...]]
    facts: Mapping[str, str]

    def as_json(self) -> Json:
        return {
            "name": self.name,
            "protocol": self.profile.id,
            "adversary": self.profile.adversary.value,
            "roles": {role.value: list(parties) for role, parties in self.roles.items()},
            "facts": dict(self.facts),
        }


class Shape(StrEnum):
    """How much of a person an output can show, from least to most. The order is that of the lattice in `flow`."""

    COUNT = "count"
    """How many persons there are, in groups large enough."""
    AGGREGATE = "aggregate"
    """Sums, means and the like over groups large enough."""
    MODEL = "model"
    """Parameters learned from all rows together."""
    PERSON = "person"
    """One figure for each person, made of several columns."""
    VALUE = "value"
    """A column's own values, row by row."""


@dataclass(frozen=True)
class Flow:
    """What an output is made of: its shape, the column uses that flow into it, and the noise that protects it.

    `population` says which rows it speaks of, as the request's filters do; empty: all rows. `epsilon` and
    `delta` are the noise's cost for one person; None: no noise.
    """

    output: str
    shape: Shape
    sources: tuple[ColumnUse, ...]
    population: Mapping[str, Json] = field(default_factory=dict)
    epsilon: float | None = None
    delta: float = 0.0

    def as_json(self) -> Json:
        return {
            "output": self.output,
            "shape": self.shape.value,
            "sources": [use.as_json() for use in self.sources],
            "population": dict(self.population),
            "epsilon": self.epsilon,
            "delta": self.delta,
        }


@dataclass(frozen=True)
class Plan:
    """What will be computed, from what, for whom, and what each party learns.

    `parties` are the computing institutions in rank order; `dealer` stands apart and holds no data.
    `outputs` maps each recipient to the names of the results that it receives, `flows` say what each is made of.
    `seed` is public: it fixes row order, samples and folds, so that a validator can repeat the run.
    """

    job: str
    agreement: str
    application: str
    application_version: str
    purpose: str
    parties: tuple[str, ...]
    dealer: str | None
    uses: tuple[ColumnUse, ...]
    steps: tuple[Step, ...]
    outputs: Mapping[str, tuple[str, ...]]
    parameters: Mapping[str, Json]
    seed: str
    flows: tuple[Flow, ...] = ()

    def disclosures(self) -> dict[str, list[str]]:
        """For every institution, dealer included: the list of what it learns, computed from the profiles."""
        everyone = [*self.parties] + ([self.dealer] if self.dealer else [])
        learned: dict[str, list[str]] = {party: [] for party in everyone}
        for step in self.steps:
            for party, sentences in step.profile.disclosures(step.roles, step.facts).items():
                known = learned.setdefault(party, [])  # a stranger's stands out here, and is refused
                known += [sentence for sentence in sentences if sentence not in known]
        return learned

    def messages(self) -> tuple[Message, ...] | None:
        """All lines of its protocols' message tables; None where a protocol declares none."""
        lines: dict[Message, None] = {}
        for step in self.steps:
            if step.profile.messages is None:
                return None
            lines |= dict.fromkeys(step.profile.messages)
        return tuple(lines)

    def as_json(self) -> Json:
        messages = self.messages()
        return {
            "job": self.job,
            "agreement": self.agreement,
            "application": self.application,
            "application_version": self.application_version,
            "purpose": self.purpose,
            "parties": list(self.parties),
            "dealer": self.dealer,
            "uses": [use.as_json() for use in self.uses],
            "steps": [step.as_json() for step in self.steps],
            "disclosures": self.disclosures(),
            "messages": None if messages is None else [line.as_json() for line in messages],
            "outputs": {party: list(names) for party, names in self.outputs.items()},
            "parameters": dict(self.parameters),
            "seed": self.seed,
            "flows": [flow.as_json() for flow in self.flows],
        }

    @property
    def hash(self) -> str:
        """The digest that every party must derive for itself: 64 hexadecimal digits."""
        return digest(PLAN_TAG, self.as_json())

    def canonical(self) -> bytes:
        return canonical(self.as_json())
