"""What a person asks: whose data sets, by which key, how many rows at most, and what to take home."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from unseen.application.declared import Rows
from unseen.computation.intersect.align import Method
from unseen.computation.intersect.cardinality import MOST_EXACT
from unseen.data.join_keys import MOST_WARNED_SHARE
from unseen.errors import MisuseError
from unseen.interaction.agreement import explained

Share = Annotated[float, Field(ge=0, le=1)]
MOST_COUNTED: Final = 4_000_000


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Side(_Strict):
    """One party's part: data set, key column, and how many rows it offers at most, which is held to in the run."""

    dataset: str
    key: str
    rows: Rows


class AlignedSide(Side):
    """`columns` are this party's own, which its own file of common customers gets beside the key."""

    columns: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _columns_fit(self) -> AlignedSide:
        if self.key in self.columns:
            raise ValueError("the key goes home anyway; leave it out of the columns")
        if len(set(self.columns)) < len(self.columns):
            raise ValueError("a column is named twice")
        return self


class AlignRequest(_Strict):
    """`most_unfit` is the share of keys that may be empty, repeated or malformed, each; they are left out.

    `method` overrides the choice between elliptic curves and vector OLE.
    """

    parties: Mapping[str, AlignedSide]
    most_unfit: Share = MOST_WARNED_SHARE
    method: Method | None = None


class OverlapRequest(_Strict):
    """`exact_up_to` keys of both sides together are all counted; more, on a sample of about so many."""

    parties: Mapping[str, Side]
    most_unfit: Share = MOST_WARNED_SHARE
    exact_up_to: Annotated[int, Field(ge=1000, le=MOST_COUNTED)] = MOST_EXACT


def read_align(body: Mapping[str, Any]) -> AlignRequest:
    """Raises MisuseError, naming each field that is wrong."""
    try:
        return AlignRequest.model_validate(body)
    except ValidationError as error:
        raise MisuseError(f"the request cannot be used: {explained(error)}") from error


def read_overlap(body: Mapping[str, Any]) -> OverlapRequest:
    """Raises MisuseError, naming each field that is wrong."""
    try:
        return OverlapRequest.model_validate(body)
    except ValidationError as error:
        raise MisuseError(f"the request cannot be used: {explained(error)}") from error
