"""What a modeller asks of boosted trees: label, keys, features, and the settings of the trees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from unseen.application.joint_request import Label, ModelSide, ScoringRequest
from unseen.application.request import read


class Side(ModelSide):
    """One party's part: data set, keys, feature columns.

    `directions` names columns along which scores may only rise (1) or only fall (-1).
    """

    features: tuple[str, ...] = ()
    directions: Mapping[str, Literal[-1, 1]] = Field(default_factory=dict)


class BoostingRequest(ScoringRequest):
    """The whole request, beside what all models that score ask; settings as in XGBoost under their names in words.

    `bins` is the most bins a numeric column gets, missing values apart; `patience` trees without a better loss on
    the rows held out end the training, 0 never; `seed` fixes who is held out and which rows and columns a tree
    sees. `parity` opens the bins of all columns and all splits to the label's party, where the agreement lets them
    be looked up row by row, and holds the joint trees against pooled ones. `fairness` is for outcomes.
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
    patience: Annotated[int, Field(ge=0)] = 0
    parity: bool = False

    @model_validator(mode="after")
    def _extras_fit(self) -> BoostingRequest:
        for name, side in self.parties.items():
            if strangers := sorted(set(side.directions) - set(side.features)):
                raise ValueError(f"{name} gives a direction to {', '.join(strangers)}, no feature of its own")
        if self.fairness and not self.classifies:
            raise ValueError("fairness is for outcomes: say in `positive` which labels mean 1")
        if self.parity and (self.model or self.hidden or any(side.directions for side in self.parties.values())):
            raise ValueError("a parity run compares a fit whose scores are shown, without prescribed directions")
        return self

    @property
    def classifies(self) -> bool:
        """Whether the label is an outcome rather than a number."""
        return bool(self.label.positive)

    @property
    def shows_model(self) -> bool:
        """Each party sees the splits on its own columns."""
        return True


def read_request(body: Mapping[str, Any]) -> BoostingRequest:
    """Raises MisuseError, naming each field that is wrong."""
    return read(BoostingRequest, body)
