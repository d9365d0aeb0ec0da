"""What a risk modeller asks for: label, keys, features and the scorecard's scale."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from itertools import pairwise
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError, model_validator

from unseen.application.joint_keys import KeyedSide, Unfit
from unseen.errors import MisuseError
from unseen.interaction.agreement import explained

MOST_EDGES: Final = 50


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


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


class Label(_Strict):
    """The outcome: whose, which column, and which of its values mean a bad case."""

    party: str
    column: str
    bad: tuple[str | int | float | bool, ...] = Field(min_length=1)


class Side(KeyedSide):
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


class Scale(_Strict):
    """The scorecard's scale: `score` points at `odds` good to one bad, `double` points to double the odds."""

    score: float = Field(default=600.0, ge=-100_000, le=100_000)
    odds: float = Field(default=30.0, gt=0)
    double: float = Field(default=20.0, gt=0, le=1_000)


class Fairness(_Strict):
    """Whether decisions treat groups alike: whose column says who belongs to which, and who is approved: those
    whose chance of a bad outcome is at most `most_bad`."""

    party: str
    column: str
    most_bad: float = Field(default=0.2, gt=0, lt=1)


class CreditRequest(_Strict):
    """The whole request. `held_out` is the share of common customers kept for evaluation; `bins` the most bins a
    numeric column gets and `binning` how they are cut; `smallest_bin` the least share of training rows in a bin,
    `smallest_cell` the least good and the least bad ones; `monotone` merges a numeric column's bins until their
    bad rates only rise or only fall; `penalty` is that of the regression; `keep_signs` takes the best model in
    which no column's coefficient turns against its weights of evidence, where collinear columns would flip one;
    `least_information` the information value under which a column is left out; `tables` who sees counts and
    weights of the partners' bins: where nobody does, small bins are pooled by their rows alone (`smallest_cell`
    is for the holder's own columns), and `monotone` has nothing to go by; `reasons` how many reason codes each
    party gives a score; `seed` fixes who is held out, to repeat an earlier run's split; `most_unfit` is the
    share of keys that may be empty, repeated or malformed, each: such rows are left out; `fairness` counts
    approvals by a protected group that its owner keeps; `self_test` attacks the finished model with what each
    party has seen, and reports how far that goes; `parity` opens all columns to the label's holder, where the
    agreement lets them be looked up row by row, and holds the joint scorecard against the pooled one."""

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
    seed: str = ""
    most_unfit: Unfit = 0.0
    fairness: Fairness | None = None
    self_test: bool = True
    parity: bool = False

    @model_validator(mode="after")
    def _label_is_ours(self) -> CreditRequest:
        if self.label.party not in self.parties:
            raise ValueError("the label's party must be among the parties")
        if self.label.column in self.parties[self.label.party].features:
            raise ValueError("the label cannot be a feature too")
        if not any(side.features for name, side in self.parties.items() if name != self.label.party):
            raise ValueError("no partner brings a feature; then the label's holder can train alone")
        for name, side in self.parties.items():
            if set(side.key_columns) & set(side.features):
                raise ValueError(f"the key of {name} cannot be a feature too")
        if self.tables is Tables.NOBODY and self.monotone:
            raise ValueError("`monotone` merges bins by their bad rates, which with `tables: nobody` nobody sees")
        if self.parity and self.keep_signs:
            raise ValueError("a parity run is for models without prescribed signs; leave `keep_signs` out")
        if self.fairness:
            self._fairness_fits(self.fairness)
        return self

    def _fairness_fits(self, asked: Fairness) -> None:
        if asked.party not in self.parties:
            raise ValueError("the party that holds the protected group must be among the parties")
        side = self.parties[asked.party]
        label = self.label.column if asked.party == self.label.party else None
        if asked.column in (*side.key_columns, label, *side.features):
            raise ValueError("the protected group is a column of its own, not key, label or feature")

    def partners(self) -> tuple[str, ...]:
        """The parties other than the label's holder, in order of name."""
        return tuple(sorted(name for name in self.parties if name != self.label.party))


def read_request(body: Mapping[str, Any]) -> CreditRequest:
    """Raises MisuseError, naming each field that is wrong."""
    try:
        return CreditRequest.model_validate(body)
    except ValidationError as error:
        raise MisuseError(f"the request cannot be used: {explained(error)}") from error
