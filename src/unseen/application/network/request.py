"""What a modeller asks of a network: label, keys, numeric features, layers, and how it is trained."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from unseen.application.evaluation.equity import Fairness
from unseen.application.evaluation.monitor import Monitor
from unseen.application.joint_keys import KeyedSide, Unfit
from unseen.errors import MisuseError
from unseen.interaction.agreement import explained


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Label(_Strict):
    """The outcome: whose, which column, and which of its values mean 1."""

    party: str
    column: str
    positive: tuple[str | int | float | bool, ...] = Field(min_length=1)


class Side(KeyedSide):
    """One party's part: data set, keys, numeric feature columns."""

    features: tuple[str, ...] = ()


class NetworkRequest(_Strict):
    """The whole request.

    `layers` are the numbers of rectified units of the hidden layers; rows go in batches of `batch` (no more than
    there are), `epochs` times over, by steps of `learning_rate` with `momentum`; `penalty` is L2 on weights.
    `held_out` is the share of common rows that train nothing and measure the network; `seed` fixes who they are,
    the first weights and the batches. `hidden` keeps all scores hidden: the label's party gets measures alone,
    made on shares. `model` names an earlier job whose network scores these rows: then nothing is trained.
    `most_unfit` is the share of keys that may be empty, repeated or malformed, each; their rows are left out.
    `fairness` counts approvals by a protected group that its owner keeps. `monitor` holds all rows of a later
    population, scored with `model`, against the rows of the fit, and against the label if it says so. `self_test`
    attacks a new network with what each party saw of it.
    """

    label: Label
    parties: Mapping[str, Side]
    layers: Annotated[tuple[Annotated[int, Field(ge=1, le=1024)], ...], Field(min_length=1, max_length=4)] = (16,)
    epochs: Annotated[int, Field(ge=1, le=1000)] = 10
    batch: Annotated[int, Field(ge=1)] = 128
    learning_rate: Annotated[float, Field(gt=0, le=1)] = 0.05
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.9
    penalty: Annotated[float, Field(ge=0)] = 0.0
    held_out: Annotated[float, Field(gt=0, lt=1)] = 0.3
    seed: str = ""
    hidden: bool = False
    model: str = ""
    most_unfit: Unfit = 0.0
    fairness: Fairness | None = None
    monitor: Monitor | None = None
    self_test: bool = True

    @model_validator(mode="after")
    def _columns_fit(self) -> NetworkRequest:
        if self.label.party not in self.parties:
            raise ValueError("the label's party must be among the parties")
        if not any(side.features for side in self.parties.values()):
            raise ValueError("no party brings a feature")
        for name, side in self.parties.items():
            taken = {*side.key_columns, *([self.label.column] if name == self.label.party else [])}
            if taken & set(side.features):
                raise ValueError(f"a key or label of {name} cannot be a feature too")
            if len(set(side.features)) < len(side.features):
                raise ValueError(f"{name} names a feature twice")
        if self.fairness:
            owning = self.parties.get(self.fairness.party)
            taken = set() if owning is None else {*owning.key_columns, *owning.features, self.label.column}
            if owning is None or self.fairness.column in taken:
                raise ValueError("the protected group is a party's column of its own, not key, label or feature")
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
    def tests(self) -> bool:
        """Whether a new network is attacked."""
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


def read_request(body: Mapping[str, Any]) -> NetworkRequest:
    """Raises MisuseError, naming each field that is wrong."""
    try:
        return NetworkRequest.model_validate(body)
    except ValidationError as error:
        raise MisuseError(f"the request cannot be used: {explained(error)}") from error
