"""What a modeller asks of a network: label, keys, numeric features, layers, and how it is trained."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from unseen.application.joint_request import ModelSide, ScoringRequest, Term
from unseen.application.request import read


class Label(Term):
    """The outcome: whose, which column, and which of its values mean 1."""

    positive: tuple[str | int | float | bool, ...] = Field(min_length=1)


class Side(ModelSide):
    """One party's part: data set, keys, numeric feature columns."""

    features: tuple[str, ...] = ()


class NetworkRequest(ScoringRequest):
    """The whole request, beside what all models that score ask.

    `layers` are the numbers of rectified units of the hidden layers; rows go in batches of `batch` (no more than
    there are), `epochs` times over, by steps of `learning_rate` with `momentum`; `penalty` is L2 on weights.
    `seed` fixes who is held out, the first weights and the batches.
    """

    label: Label
    parties: Mapping[str, Side]
    layers: Annotated[tuple[Annotated[int, Field(ge=1, le=1024)], ...], Field(min_length=1, max_length=4)] = (16,)
    epochs: Annotated[int, Field(ge=1, le=1000)] = 10
    batch: Annotated[int, Field(ge=1)] = 128
    learning_rate: Annotated[float, Field(gt=0, le=1)] = 0.05
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.9
    penalty: Annotated[float, Field(ge=0)] = 0.0


def read_request(body: Mapping[str, Any]) -> NetworkRequest:
    """Raises MisuseError, naming each field that is wrong."""
    return read(NetworkRequest, body)
