"""What every request of a joint model says: the label, each party's part, and whether groups fare alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import Field, model_validator

from unseen.application.evaluation.equity import Fairness
from unseen.application.evaluation.monitor import Monitor
from unseen.application.joint_keys import KeyedSide, Unfit
from unseen.application.request import Strict


class Term(Strict):
    """A column of one party that is no feature."""

    party: str
    column: str


class Label(Term):
    """The outcome: whose, which column; `positive` says which of its values mean 1, none of them where it is a
    number to be predicted."""

    positive: tuple[str | int | float | bool, ...] = ()


class ModelSide(KeyedSide):
    """One party's part: data set, keys, feature columns, each perhaps with its description."""

    features: tuple[str, ...] | Mapping[str, str] = ()


class JointRequest(Strict):
    """`seed` fixes who is held out, and what else is drawn, to repeat an earlier run (the run's own unless given);
    `most_unfit` is the share of keys that may be empty, repeated or malformed, each: their rows are left out;
    `fairness` counts approvals by a protected group that its owner keeps."""

    label: Term
    parties: Mapping[str, ModelSide]
    seed: str = ""
    most_unfit: Unfit = 0.0
    fairness: Fairness | None = None

    @model_validator(mode="after")
    def _columns_fit(self) -> Self:
        if self.label.party not in self.parties:
            raise ValueError("the label's party must be among the parties")
        if not any(side.features for side in self.parties.values()):
            raise ValueError("no party brings a feature")
        for name, side in self.parties.items():
            if taken := sorted(self._taken(name) & set(side.features)):
                raise ValueError(f"{taken[0]!r} of {name} is key, label or term, and cannot be a feature too")
            if len(set(side.features)) < len(side.features):
                raise ValueError(f"{name} names a feature twice")
        if self.fairness:
            self._group_fits(self.fairness)
        return self

    def _group_fits(self, asked: Fairness) -> None:
        if asked.party not in self.parties:
            raise ValueError("the party that holds the protected group must be among the parties")
        if asked.column in self._taken(asked.party) | set(self.parties[asked.party].features):
            raise ValueError("the protected group is a column of its own, not key, label or feature")

    def terms(self) -> tuple[Term, ...]:
        """The columns that are neither key nor label nor feature nor group."""
        return ()

    def partners(self) -> tuple[str, ...]:
        """The parties other than the label's, in order of name."""
        return tuple(sorted(name for name in self.parties if name != self.label.party))

    def contributing(self) -> tuple[str, ...]:
        """The partners that bring columns."""
        return tuple(name for name in self.partners() if self.parties[name].features)

    def _taken(self, party: str) -> set[str]:
        """A party's columns that are something else than a feature."""
        named = {term.column for term in (self.label, *self.terms()) if term.party == party}
        return named | set(self.parties[party].key_columns)


class ScoringRequest(JointRequest):
    """What requests of trees and networks say of rows and scores, beside what all joint models ask.

    `held_out` is the share of common rows that train nothing and measure the model; `hidden` keeps all scores
    hidden: the label's party gets measures alone, made on shares. `model` names an earlier job whose model scores
    these rows: then nothing is trained. `monitor` holds all rows of a later population, scored with `model`,
    against the rows of the fit, and against the label if it says so. `self_test` attacks a new model with what
    each party saw of it.
    """

    held_out: Annotated[float, Field(gt=0, lt=1)] = 0.3
    hidden: bool = False
    model: str = ""
    monitor: Monitor | None = None
    self_test: bool = True

    @model_validator(mode="after")
    def _monitor_fits(self) -> Self:
        if self.monitor and not self.model:
            raise ValueError(
                "`monitor` is for the model of an earlier job; a fit is measured on what it holds out"
            )
        return self

    @property
    def compares_outcomes(self) -> bool:
        """Whether scores are held against the label."""
        return self.monitor is not Monitor.POPULATION

    @property
    def needs_label(self) -> bool:
        """Whether the label itself is read: to fit, to measure, or to judge."""
        return self.compares_outcomes or self.fairness is not None

    @property
    def shows_model(self) -> bool:
        """Whether partners see a part of the model."""
        return False

    @property
    def tests(self) -> bool:
        """Whether a new model is attacked."""
        return self.self_test and not self.model

    @property
    def attacks_labels(self) -> tuple[str, ...]:
        """The partners that bring columns: how well these could tell labels is tested."""
        return self.contributing() if self.tests else ()

    @property
    def attacks_features(self) -> tuple[str, ...]:
        """The partners whose columns scores may give away: how far the label's party could tell them is tested."""
        return () if self.hidden else self.attacks_labels
