"""What a modeller asks of a regression: family, label, keys, features, and which columns may stay."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from unseen.application.evaluation.monitor import Monitor
from unseen.application.joint_request import JointRequest, Label, ModelSide, Term
from unseen.application.request import Strict, read
from unseen.computation.learn.problem import Criterion
from unseen.computation.learn.selection import Direction


class Family(StrEnum):
    """The label's distribution; Poisson and gamma have a logarithmic link."""

    LINEAR = "linear"
    LOGISTIC = "logistic"
    POISSON = "poisson"
    GAMMA = "gamma"


class Side(ModelSide):
    """One party's part: data set, keys, numeric feature columns.

    `signs` names columns whose coefficient must not be negative (1) or not be positive (-1).
    """

    features: tuple[str, ...] = ()
    signs: Mapping[str, Literal[-1, 1]] = Field(default_factory=dict)


class Selecting(Strict):
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


class RegressionRequest(JointRequest):
    """The whole request, beside what all joint models ask.

    `weights` are sample weights, by which the model is measured too where the label's party holds them. `offset`
    adds to the linear predictor, `exposure` does so by its logarithm.
    `penalty` is L2, on columns as they are. `recipients` get the table of coefficients (unless named, the label's
    party); `collinearity` adds correlations and variance inflation factors to it; `predictions` go to the label's
    party. `parity` opens all columns to the label's party, where the agreement lets them be looked up row by row,
    and holds the joint model against the pooled one. `held_out` is the share of common rows that fit nothing and
    measure the model, drawn by `seed`: from predictions where these go to the label's party, else on shares.
    `model` names an earlier job whose model predicts these rows: then nothing is fitted; `monitor` holds them
    against the rows of the fit, and against the label if it says so. `fairness` is for a logistic regression.
    `self_test` attacks a model of which rows were held out with what its recipients see.
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
    model: str = ""
    monitor: Monitor | None = None
    self_test: bool = True

    @model_validator(mode="after")
    def _extras_fit(self) -> RegressionRequest:
        if (self.family is Family.LOGISTIC) != bool(self.label.positive):
            raise ValueError("a logistic regression, and no other, says in `positive` which labels mean 1")
        if self.offset and self.exposure:
            raise ValueError("an exposure is an offset too; give one of them")
        if self.family is Family.LINEAR and (self.offset or self.exposure):
            raise ValueError("a linear regression takes no offset; subtract it from the label at home")
        if strangers := sorted(set(self.recipients) - set(self.parties)):
            raise ValueError(f"{', '.join(strangers)} cannot receive the table: no party of the request")
        for name, side in self.parties.items():
            if unknown := sorted(set(side.signs) - set(side.features)):
                raise ValueError(f"{name} gives a sign to {', '.join(unknown)}, no feature of its own")
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
        if self.fairness and self.family is not Family.LOGISTIC:
            raise ValueError("fairness is for a logistic regression")
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

    @property
    def attacks_labels(self) -> tuple[str, ...]:
        """The partners that receive coefficients: how well these tell labels is tested."""
        return tuple(name for name in self.receiving() if self.tests and name != self.label.party)

    @property
    def attacks_features(self) -> tuple[str, ...]:
        """The partners whose columns predictions may give away: how far the label's party could tell them is
        tested."""
        return self.contributing() if self.tests and self.predictions else ()

    @property
    def tests(self) -> bool:
        """Whether the fitted model is attacked."""
        return self.self_test and self.held_out > 0

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

    def terms(self) -> tuple[Term, ...]:
        """The columns that are neither key nor label nor feature nor group."""
        return tuple(term for term in (self.weights, self.offset, self.exposure) if term)

    def receiving(self) -> tuple[str, ...]:
        """Who gets the table of coefficients."""
        return tuple(sorted(set(self.recipients))) or (self.label.party,)


def read_request(body: Mapping[str, Any]) -> RegressionRequest:
    """Raises MisuseError, naming each field that is wrong."""
    return read(RegressionRequest, body)
