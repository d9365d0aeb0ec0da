"""What a modeller asks of a network: label, keys, numeric features, layers, and how it is trained."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from unseen.application.joint_request import JointRequest, ModelSide, Term
from unseen.application.request import read


class Label(Term):
    """The outcome: whose, which column, and which of its values mean 1."""

    positive: tuple[str | int | float | bool, ...] = Field(min_length=1)


class Side(ModelSide):
    """One party's part: data set, keys, numeric feature columns."""

    features: tuple[str, ...] = ()


class NetworkRequest(JointRequest):
    """The whole request, beside what all joint models ask.

    `layers` are the numbers of rectified units of the hidden layers; rows go in batches of `batch` (no more than
    there are), `epochs` times over, by steps of `learning_rate` with `momentum`; `penalty` is L2 on weights.
    `held_out` is the share of common rows that train nothing and measure the network; `seed` fixes who they are,
    the first weights and the batches. `hidden` keeps all scores hidden: the label's party gets measures alone,
    made on shares. `model` names an earlier job whose network scores these rows: then nothing is trained.
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
    hidden: bool = False
    model: str = ""


def read_request(body: Mapping[str, Any]) -> NetworkRequest:
    """Raises MisuseError, naming each field that is wrong."""
    return read(NetworkRequest, body)
