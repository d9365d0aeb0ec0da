"""What a modeller asks of a regression: family, label, keys, features, and which columns may stay."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from unseen.application.evaluation.equity import Fairness
from unseen.application.evaluation.monitor import Monitor
from unseen.application.joint_keys import KeyedSide, Unfit
from unseen.computation.learn.problem import Criterion
from unseen.computation.learn.selection import Direction
from unseen.errors import MisuseError
from unseen.interaction.agreement import explained


class Family(StrEnum):
    """The label's distribution; Poisson and gamma have a logarithmic link."""

    LINEAR = "linear"
    LOGISTIC = "logistic"
    POISSON = "poisson"
    GAMMA = "gamma"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Label(_Strict):
    """The outcome: whose, which column; `positive` says which values mean 1 in a logistic regression."""

    party: str
    column: str
    positive: tuple[str | int | float | bool, ...] = ()


class Term(_Strict):
    """A column of one party that is no feature: weights, offset or exposure of the rows."""

    party: str
    column: str


class Side(KeyedSide):
    """One party's part: data set, keys, numeric feature columns.

    `signs` names columns whose coefficient must not be negative (1) or not be positive (-1).
    """

    features: tuple[str, ...] = ()
    signs: Mapping[str, Literal[-1, 1]] = Field(default_factory=dict)


class Selecting(_Strict):
    """How columns are chosen; see `learn.selection`."""

    direction: Direction = Direction.STEPWISE
    criterion: Criterion = Criterion.P_VALUE
    enter: Annotated[float, Field(gt=0, lt=1)] = 0.05
    leave: Annotated[float, Field(gt=0, lt=1)] = 0.05

    @model_validator(mode="after")
    def _ordered(self) -> Selecting:
        if self.enter > self.leave:
            raise ValueError("to enter must not be easier than to stay: `enter` is at most `leave`")
        return self


class RegressionRequest(_Strict):
    """The whole request.

    `weights` are sample weights, by which the model is measured too where the label's party holds them. `offset`
    adds to the linear predictor, `exposure` does so by its logarithm.
    `penalty` is L2, on columns as they are. `recipients` get the table of coefficients (unless named, the label's
    party); `collinearity` adds correlations and variance inflation factors to it; `predictions` go to the label's
    party. `parity` opens all columns to the label's party, where the agreement lets them be looked up row by row,
    and holds the joint model against the pooled one. `held_out` is the share of common rows that fit nothing and
    measure the model, drawn by `seed` (the run's own unless given): from predictions where these go to the label's
    party, else on shares. `model` names an earlier job whose model predicts these rows: then nothing is fitted;
    `monitor` holds them against the rows of the fit, and against the label if it says so. `most_unfit` is the
    share of keys that may be empty, repeated or malformed, each; their rows are left out. `fairness` counts
    approvals by a protected group that its owner keeps (logistic). `self_test` attacks a model of which rows were
    held out with what its recipients see.
    """

    family: Family
    label: Label
    parties: Mapping[str, Side]
    weights: Term | None = None
    offset: Term | None = None
    exposure: Term | None = None
    penalty: Annotated[float, Field(ge=0, le=1e9)] = 0.0
    selection: Selecting | None = None
    recipients: tuple[str, ...] = ()
    collinearity: bool = False
    predictions: bool = False
    parity: bool = False
    held_out: Annotated[float, Field(ge=0, lt=1)] = 0.0
    seed: str = ""
    model: str = ""
    monitor: Monitor | None = None
    most_unfit: Unfit = 0.0
    fairness: Fairness | None = None
    self_test: bool = True

    @model_validator(mode="after")
    def _columns_fit(self) -> RegressionRequest:
        if self.label.party not in self.parties:
            raise ValueError("the label's party must be among the parties")
        if not any(side.features for side in self.parties.values()):
            raise ValueError("no party brings a feature")
        if (self.family is Family.LOGISTIC) != bool(self.label.positive):
            raise ValueError("a logistic regression, and no other, says in `positive` which labels mean 1")
        if self.offset and self.exposure:
            raise ValueError("an exposure is an offset too; give one of them")
        if self.family is Family.LINEAR and (self.offset or self.exposure):
            raise ValueError("a linear regression takes no offset; subtract it from the label at home")
        if strangers := sorted(set(self.recipients) - set(self.parties)):
            raise ValueError(f"{', '.join(strangers)} cannot receive the table: no party of the request")
        for name, side in self.parties.items():
            self._side_fits(name, side)
        for term in self.terms():
            if term.party not in self.parties:
                raise ValueError(f"{term.party}, whose {term.column!r} is named, is no party of the request")
        if self.model and not (self.predictions or self.monitor):
            raise ValueError("an earlier model is there to predict: ask for `predictions`, or `monitor` it")
        if self.model and self.held_out:
            raise ValueError(
                "with `model` nothing is fitted, and nothing held out: measure the model by `monitor`"
            )
        if self.monitor and not self.model:
            raise ValueError("`monitor` is for the model of an earlier job; hold out rows of a fit by `held_out`")
        if self.fairness:
            self._fairness_fits(self.fairness)
        if self.parity:
            self._parity_fits()
        return self

    def _parity_fits(self) -> None:
        if self.model:
            raise ValueError("a parity run compares a fit, and with `model` nothing is fitted")
        if self.penalty or any(side.signs for side in self.parties.values()):
            raise ValueError("a parity run is for models without penalty and prescribed signs; leave them out")
        if self.label.party not in self.receiving():
            raise ValueError("a parity run needs the label's party among the recipients of the coefficients")

    def _fairness_fits(self, asked: Fairness) -> None:
        if self.family is not Family.LOGISTIC or asked.party not in self.parties:
            raise ValueError("fairness is for a logistic regression, and its group's owner among the parties")
        side = self.parties[asked.party]
        others = [term.column for term in self.terms() if term.party == asked.party]
        label = [self.label.column] if asked.party == self.label.party else []
        if asked.column in (*side.key_columns, *side.features, *others, *label):
            raise ValueError("the protected group is a column of its own, not key, label, term or feature")

    @property
    def attacks_labels(self) -> tuple[str, ...]:
        """The partners that receive coefficients: how well these tell labels is tested."""
        return tuple(name for name in self.receiving() if self.tests and name != self.label.party)

    @property
    def attacks_features(self) -> tuple[str, ...]:
        """The partners whose columns predictions may give away: how far the label's party could tell them is
        tested."""
        owners = [
            name for name, side in sorted(self.parties.items()) if side.features and name != self.label.party
        ]
        return tuple(owners) if self.tests and self.predictions else ()

    @property
    def tests(self) -> bool:
        """Whether the fitted model is attacked."""
        return self.self_test and self.held_out > 0

    def _side_fits(self, name: str, side: Side) -> None:
        others = {term.column for term in self.terms() if term.party == name} | {*side.key_columns}
        if name == self.label.party:
            others.add(self.label.column)
        if taken := sorted(others & set(side.features)):
            raise ValueError(f"{taken[0]!r} of {name} is key, label or term, and cannot be a feature too")
        if len(set(side.features)) < len(side.features):
            raise ValueError(f"{name} names a feature twice")
        if strangers := sorted(set(side.signs) - set(side.features)):
            raise ValueError(f"{name} gives a sign to {', '.join(strangers)}, no feature of its own")

    @property
    def measures_weighed(self) -> bool:
        """Whether rows measure the model by their weights: where the label's party knows these."""
        return self.weights is not None and self.weights.party == self.label.party

    @property
    def measures(self) -> bool:
        """Whether rows measure the model or its population."""
        return bool(self.held_out or self.monitor)

    @property
    def compares_outcomes(self) -> bool:
        """Whether predictions are held against the label."""
        return bool(self.held_out) or self.monitor is Monitor.OUTCOMES

    def terms(self) -> list[Term]:
        """The columns that are neither key nor label nor feature."""
        return [term for term in (self.weights, self.offset, self.exposure) if term]

    def receiving(self) -> tuple[str, ...]:
        """Who gets the table of coefficients."""
        return tuple(sorted(set(self.recipients))) or (self.label.party,)


def read_request(body: Mapping[str, Any]) -> RegressionRequest:
    """Raises MisuseError, naming each field that is wrong."""
    try:
        return RegressionRequest.model_validate(body)
    except ValidationError as error:
        raise MisuseError(f"the request cannot be used: {explained(error)}") from error
