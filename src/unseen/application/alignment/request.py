"""What a person asks: whose data sets, by which key, how many rows at most, and what to take home."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Final

from pydantic import Field, model_validator

from unseen.application.declared import Rows
from unseen.application.joint_keys import Choices, KeyedSide
from unseen.application.request import Strict, read
from unseen.computation.intersect.align import Method
from unseen.computation.intersect.cardinality import MOST_EXACT
from unseen.computation.intersect.footprint import LEAST_MEMORY, MIB
from unseen.computation.intersect.join_kind import Kind
from unseen.computation.intersect.spool import MOST_BUCKETS
from unseen.data.join_keys import MOST_WARNED_SHARE
from unseen.data.key_rules import KeyForm, Rule, form_of

Share = Annotated[float, Field(ge=0, le=1)]
MOST_COUNTED: Final = 4_000_000


class Way(StrEnum):
    """Whether an alignment is done in one job or prepared by an earlier one; an agreement may bound it."""

    AT_ONCE = "at-once"
    PREPARATION = "preparation"
    PREPARED = "prepared"


class Side(Strict):
    """One party's part: data set, key column with the rule by which its keys are written, and how many rows it
    offers at most, which is held to in the run."""

    dataset: str
    key: str
    rule: str = Rule.KEY.value
    rows: Rows

    @property
    def form(self) -> KeyForm:
        """How the key column is written."""
        return form_of(self.rule)

    @property
    def choices(self) -> Choices:
        """Of each key in order of preference, the columns and how they are written."""
        return (((self.key, self.form),),)


class AlignedSide(KeyedSide):
    """`columns` are this party's own, which its own file of common customers gets beside the key."""

    rows: Rows
    columns: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _columns_fit(self) -> AlignedSide:
        if set(self.key_columns) & set(self.columns):
            raise ValueError("the key goes home anyway; leave it out of the columns")
        if len(set(self.columns)) < len(self.columns):
            raise ValueError("a column is named twice")
        return self


class AlignRequest(Strict):
    """`most_unfit` is the share of keys that may be empty, repeated or malformed, each; they are left out.

    `method` overrides the choice between elliptic curves and vector OLE. `kind` of join other than inner, `keys`
    or `most_repeats`, how often a key may occur at one side, make it a join; `left` names the party whose rows
    without a partner are wanted. `recipients` names who gets rows, of those whom the agreement lets; all of them
    otherwise. Where it is one, the other learns no more than sizes.

    `prepare` does beforehand what the larger side's list needs, for one run; `prepared` names the job that did.

    `memory` is how many MiB a party may take: lists that would take more are cut into buckets, which are aligned
    one after the other. `buckets` sets their number (a power of two; 1: all at once). `resumes` names the job of
    this request that broke off between two buckets.
    """

    parties: Mapping[str, AlignedSide]
    most_unfit: Share = MOST_WARNED_SHARE
    method: Method | None = None
    kind: Kind = Kind.INNER
    left: str = ""
    most_repeats: Annotated[int, Field(ge=1, le=65_535)] | None = None
    recipients: Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    prepare: bool = False
    prepared: Annotated[str, Field(pattern=r"^([0-9a-f]{32})?$")] = ""
    memory: Annotated[int, Field(ge=LEAST_MEMORY // MIB)] | None = None
    buckets: Annotated[int, Field(ge=1, le=MOST_BUCKETS)] | None = None
    resumes: Annotated[str, Field(pattern=r"^([0-9a-f]{32})?$")] = ""

    @property
    def may_be_cut(self) -> bool:
        """Whether this is what goes bucket by bucket: in one job, not by curves."""
        return self.way is Way.AT_ONCE and self.method is not Method.CURVES

    @property
    def joins(self) -> bool:
        """Whether more is asked than one unique key's common customers."""
        sides = self.parties.values()
        return self.kind is not Kind.INNER or self.most_repeats is not None or any(side.keys for side in sides)

    @property
    def joined_by(self) -> int:
        """By how many keys a join joins; 0 where it is none."""
        return len(next(iter(self.parties.values())).choices) if self.joins else 0

    @property
    def large(self) -> str:
        """The party that declares more rows: whose list is prepared."""
        return max(self.parties, key=lambda name: (self.parties[name].rows, name))

    @property
    def small(self) -> str:
        """The other party."""
        return min(name for name in self.parties if name != self.large)

    @property
    def way(self) -> Way:
        """How it goes: in one job, or prepared beforehand."""
        return Way.PREPARATION if self.prepare else Way.PREPARED if self.prepared else Way.AT_ONCE

    @model_validator(mode="after")
    def _way_fits(self) -> AlignRequest:
        if self.way is Way.AT_ONCE:
            return self
        if self.prepare and (self.prepared or self.recipients or any(s.columns for s in self.parties.values())):
            raise ValueError("a preparation gives nobody rows; leave `recipients`, `columns` and `prepared` out")
        if self.joins or self.method:
            raise ValueError("what is prepared is the alignment of one unique key, by its own method")
        return self

    @model_validator(mode="after")
    def _cut_fits(self) -> AlignRequest:
        if self.buckets is not None and self.buckets & (self.buckets - 1):
            raise ValueError("the number of buckets is a power of two")
        if not self.may_be_cut and (self.memory or self.resumes or (self.buckets or 1) > 1):
            raise ValueError(
                "what goes bucket by bucket is an alignment or a join in one job by vector OLE; leave `memory`,"
                " `buckets` and `resumes` out"
            )
        return self

    @model_validator(mode="after")
    def _kind_fits(self) -> AlignRequest:
        if self.joins and self.method:
            raise ValueError("a join chooses its method for each key itself; leave `method` out")
        if (self.kind is Kind.INNER) != (not self.left) or (self.left and self.left not in self.parties):
            raise ValueError("`left` names one of the parties in a left join or a difference, and only there")
        if self.joins and self.recipients is not None:
            raise ValueError("a join tells both sides which rows meet; leave `recipients` out")
        if self.recipients is not None and not set(self.recipients) <= set(self.parties):
            raise ValueError("`recipients` names parties of this request")
        return self


class OverlapRequest(Strict):
    """`exact_up_to` keys of both sides together are all counted; more, on a sample of about so many."""

    parties: Mapping[str, Side]
    most_unfit: Share = MOST_WARNED_SHARE
    exact_up_to: Annotated[int, Field(ge=1000, le=MOST_COUNTED)] = MOST_EXACT


def read_align(body: Mapping[str, Any]) -> AlignRequest:
    """Raises MisuseError, naming each field that is wrong."""
    return read(AlignRequest, body)


def read_overlap(body: Mapping[str, Any]) -> OverlapRequest:
    """Raises MisuseError, naming each field that is wrong."""
    return read(OverlapRequest, body)
