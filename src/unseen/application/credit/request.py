"""What a risk modeller asks for: label, keys, features and the scorecard's scale."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from itertools import pairwise
from typing import Annotated, Any, Final

from pydantic import Field, FiniteFloat, model_validator

from unseen.application.joint_request import JointRequest, ModelSide, Term
from unseen.application.request import Strict, read

MOST_EDGES: Final = 50


class Binning(StrEnum):
    """How numbers are cut into bins where no edges are given."""

    EQUAL_FREQUENCY = "equal-frequency"
    """At quantiles: about as many rows in each."""
    EQUAL_WIDTH = "equal-width"
    """Into spans of one width between the smallest and the largest value."""


class Tables(StrEnum):
    """Who sees what the joint computation counts in the bins of the partners' columns."""

    OWNER = "owner"
    """The label's holder sees good and bad by bin, merges and weighs; the column's owner is told the weights."""
    NOBODY = "nobody"
    """Counts and weights stay shared; the model takes the columns without anyone seeing what a bin is worth."""


class Label(Term):
    """The outcome: whose, which column, and which of its values mean a bad case."""

    bad: tuple[str | int | float | bool, ...] = Field(min_length=1)


class Side(ModelSide):
    """One party's part: data set, key by its rule or keys in order of preference, features with the description
    that others may read; `edges` gives rising edges between bins of some numeric features."""

    features: Mapping[str, str] = Field(default_factory=dict)
    edges: Mapping[str, Annotated[tuple[FiniteFloat, ...], Field(min_length=1, max_length=MOST_EDGES)]] = Field(
        default_factory=dict
    )

    @model_validator(mode="after")
    def _edges_fit(self) -> Side:
        if strangers := sorted(set(self.edges) - set(self.features)):
            raise ValueError(f"edges are given for {', '.join(strangers)}, no feature of this party")
        for name, edges in self.edges.items():
            if any(low >= high for low, high in pairwise(edges)):
                raise ValueError(f"the edges of {name} do not rise")
        return self


class Scale(Strict):
    """The scorecard's scale: `score` points at `odds` good to one bad, `double` points to double the odds."""

    score: float = Field(default=600.0, ge=-100_000, le=100_000)
    odds: float = Field(default=30.0, gt=0)
    double: float = Field(default=20.0, gt=0, le=1_000)


class CreditRequest(JointRequest):
    """The whole request, beside what all joint models ask. `held_out` is the share of common customers kept for
    evaluation; `bins` the most bins a numeric column gets and `binning` how they are cut; `smallest_bin` the least
    share of training rows in a bin, `smallest_cell` the least good and the least bad ones; `monotone` merges a
    numeric column's bins until their bad rates only rise or only fall; `penalty` is that of the regression;
    `keep_signs` takes the best model in which no column's coefficient turns against its weights of evidence, where
    collinear columns would flip one; `least_information` the information value under which a column is left out;
    `tables` who sees counts and weights of the partners' bins: where nobody does, small bins are pooled by their
    rows alone (`smallest_cell` is for the holder's own columns), and `monotone` has nothing to go by; `reasons`
    how many reason codes each party gives a score; `self_test` attacks the finished model with what each party has
    seen, and reports how far that goes; `parity` opens all columns to the label's holder, where the agreement lets
    them be looked up row by row, and holds the joint scorecard against the pooled one."""

    label: Label
    parties: Mapping[str, Side]
    held_out: Annotated[float, Field(gt=0, lt=1)] = 0.3
    bins: Annotated[int, Field(ge=2, le=50)] = 5
    binning: Binning = Binning.EQUAL_FREQUENCY
    smallest_bin: Annotated[float, Field(gt=0, lt=0.5)] = 0.05
    smallest_cell: Annotated[int, Field(ge=1)] = 5
    monotone: bool = False
    keep_signs: bool = False
    penalty: Annotated[float, Field(ge=0)] = 1.0
    least_information: Annotated[float, Field(ge=0)] = 0.005
    tables: Tables = Tables.OWNER
    reasons: Annotated[int, Field(ge=0, le=5)] = 2
    scale: Scale = Scale()
    self_test: bool = True
    parity: bool = False

    @model_validator(mode="after")
    def _extras_fit(self) -> CreditRequest:
        if not any(side.features for name, side in self.parties.items() if name != self.label.party):
            raise ValueError("no partner brings a feature; then the label's holder can train alone")
        if self.tables is Tables.NOBODY and self.monotone:
            raise ValueError("`monotone` merges bins by their bad rates, which with `tables: nobody` nobody sees")
        if self.parity and self.keep_signs:
            raise ValueError("a parity run is for models without prescribed signs; leave `keep_signs` out")
        return self


def read_request(body: Mapping[str, Any]) -> CreditRequest:
    """Raises MisuseError, naming each field that is wrong."""
    return read(CreditRequest, body)
