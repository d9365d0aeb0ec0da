"""What a modeller asks of boosted trees: label, keys, features, and the settings of the trees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from unseen.application.evaluation.equity import Fairness
from unseen.application.evaluation.monitor import Monitor
from unseen.application.joint_keys import KeyedSide, Unfit
from unseen.errors import MisuseError
from unseen.interaction.agreement import explained


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Label(_Strict):
    """The outcome: whose, which column, and which of its values mean 1; none for a number to be predicted."""

    party: str
    column: str
    positive: tuple[str | int | float | bool, ...] = ()


class Side(KeyedSide):
    """One party's part: data set, keys, feature columns.

    `directions` names columns along which scores may only rise (1) or only fall (-1).
    """

    features: tuple[str, ...] = ()
    directions: Mapping[str, Literal[-1, 1]] = Field(default_factory=dict)


class BoostingRequest(_Strict):
    """The whole request, settings as in XGBoost under their names in words.

    `bins` is the most bins a numeric column gets, missing values apart; `held_out` the share of common rows that
    train nothing and measure the model; `patience` trees without a better loss on them end the training, 0
    never; `seed` fixes who is held out and which rows and columns a tree sees. `hidden`
    keeps all scores hidden: the label's party gets measures alone, made on shares. `parity` opens the bins of all
    columns and all splits to the label's party, where the agreement lets them be looked up row by row, and holds
    the joint trees against pooled ones. `model` names an earlier job whose trees score these rows: then nothing is
    trained. `most_unfit` is the share of keys that may be empty, repeated or malformed, each; their rows are left
    out. `fairness` counts approvals by a protected group that its owner keeps (outcomes). `monitor` holds all rows
    of a later population, scored with `model`, against the rows of the fit, and against the label if it says so.
    `self_test` attacks a new model with what each party saw of it.
    """

    label: Label
    parties: Mapping[str, Side]
    trees: Annotated[int, Field(ge=1, le=2000)] = 100
    depth: Annotated[int, Field(ge=1, le=8)] = 4
    learning_rate: Annotated[float, Field(gt=0, le=1)] = 0.3
    penalty: Annotated[float, Field(gt=0, le=1e6)] = 1.0
    least_weight: Annotated[float, Field(ge=0)] = 1.0
    least_gain: Annotated[float, Field(ge=0)] = 0.0
    row_share: Annotated[float, Field(gt=0, le=1)] = 1.0
    column_share: Annotated[float, Field(gt=0, le=1)] = 1.0
    bins: Annotated[int, Field(ge=2, le=250)] = 32
    held_out: Annotated[float, Field(gt=0, lt=1)] = 0.3
    patience: Annotated[int, Field(ge=0)] = 0
    seed: str = ""
    hidden: bool = False
    parity: bool = False
    model: str = ""
    most_unfit: Unfit = 0.0
    fairness: Fairness | None = None
    monitor: Monitor | None = None
    self_test: bool = True

    @model_validator(mode="after")
    def _columns_fit(self) -> BoostingRequest:
        if self.label.party not in self.parties:
            raise ValueError("the label's party must be among the parties")
        if not any(side.features for side in self.parties.values()):
            raise ValueError("no party brings a feature")
        for name, side in self.parties.items():
            if set(side.key_columns) & set(side.features) or (
                name == self.label.party and self.label.column in side.features
            ):
                raise ValueError(f"a key or label of {name} cannot be a feature too")
            if len(set(side.features)) < len(side.features):
                raise ValueError(f"{name} names a feature twice")
            if strangers := sorted(set(side.directions) - set(side.features)):
                raise ValueError(f"{name} gives a direction to {', '.join(strangers)}, no feature of its own")
        if self.fairness and not self.classifies:
            raise ValueError("fairness is for outcomes: say in `positive` which labels mean 1")
        if self.fairness:
            owning = self.parties.get(self.fairness.party)
            taken = set() if owning is None else {*owning.key_columns, *owning.features, self.label.column}
            if owning is None or self.fairness.column in taken:
                raise ValueError("the protected group is a party's column of its own, not key, label or feature")
        if self.monitor and not self.model:
            raise ValueError(
                "`monitor` is for the model of an earlier job; a fit is measured on what it holds out"
            )
        if self.parity and (self.model or self.hidden or any(side.directions for side in self.parties.values())):
            raise ValueError("a parity run compares a fit whose scores are shown, without prescribed directions")
        return self

    @property
    def classifies(self) -> bool:
        """Whether the label is an outcome rather than a number."""
        return bool(self.label.positive)

    @property
    def compares_outcomes(self) -> bool:
        """Whether scores are held against the label."""
        return self.monitor is not Monitor.POPULATION

    @property
    def needs_label(self) -> bool:
        """Whether the label itself is read: to fit, to measure, or to judge."""
        return self.compares_outcomes or self.fairness is not None

    @property
    def tests(self) -> bool:
        """Whether a new model is attacked."""
        return self.self_test and not self.model

    @property
    def attacks_labels(self) -> tuple[str, ...]:
        """The partners that bring columns: how well these could tell labels is tested."""
        owners = [name for name, side in sorted(self.parties.items()) if side.features]
        return tuple(name for name in owners if self.tests and name != self.label.party)

    @property
    def attacks_features(self) -> tuple[str, ...]:
        """The partners whose columns scores may give away: how far the label's party could tell them is tested."""
        return () if self.hidden else self.attacks_labels


def read_request(body: Mapping[str, Any]) -> BoostingRequest:
    """Raises MisuseError, naming each field that is wrong."""
    try:
        return BoostingRequest.model_validate(body)
    except ValidationError as error:
        raise MisuseError(f"the request cannot be used: {explained(error)}") from error
