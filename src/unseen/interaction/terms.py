"""The clauses of an agreement, each a small model: parties, dates, bounds, limits, approvals, retention.

Unknown fields are errors everywhere: a limit that is misspelt must not become no limit.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator

from unseen.computation.profile import Adversary
from unseen.errors import RefusedError

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
Text = Annotated[str, Field(min_length=1, max_length=2000)]
Short = Annotated[str, Field(min_length=1, max_length=200)]
Path = Annotated[str, Field(pattern=r"^[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)*$", max_length=200)]
Identifier = Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")]

ANY_NUMBER: Final = (int, float)


class Strict(BaseModel):
    """A clause: immutable, and an error where it has a field that nobody knows."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Part(StrEnum):
    """In which role a party takes part (GDPR art. 4(7), 4(8), 26)."""

    CONTROLLER = "controller"
    JOINT_CONTROLLER = "joint-controller"
    PROCESSOR = "processor"
    DEALER = "dealer"
    """Deals correlated randomness, holds no data, and colludes with nobody."""


class Jurisdiction(StrEnum):
    """Whose law protects the persons in the data, or governs a party."""

    EU = "EU"
    US = "US"
    JP = "JP"
    AU = "AU"
    CN = "CN"


class Party(Strict):
    """A party: its role, the fingerprint of its signing key (filled in from its card when proposed), its seat."""

    role: Part
    key: Identifier = ""
    jurisdiction: Jurisdiction | None = None
    contact: Annotated[str, Field(max_length=200)] = ""


class Validity(Strict):
    """First and last day on which the agreement holds (UTC)."""

    first: date = Field(alias="from")
    until: date


class Bound(Strict):
    """What a parameter of a computation may be: a number from `least` to `most`, or one of `among`."""

    least: float | None = None
    most: float | None = None
    among: tuple[JsonValue, ...] = ()

    def require(self, name: str, value: JsonValue) -> None:
        """Raises RefusedError under rule `parameter`."""
        if self.among and value not in self.among:
            raise RefusedError("parameter", f"{name} is not one of the agreed values", f"choose from {self.among}")
        if self.least is None and self.most is None:
            return
        if isinstance(value, bool) or not isinstance(value, ANY_NUMBER):
            raise RefusedError("parameter", f"{name} is no number, and the agreement bounds it")
        if (self.least is not None and value < self.least) or (self.most is not None and value > self.most):
            raise RefusedError(
                "parameter",
                f"{name} is outside the agreed range",
                f"choose a value from {self.least} to {self.most}",
            )


class PrivacyBudget(Strict):
    """How much noised output may tell of one person, in all runs of a period together (epsilon, delta)."""

    epsilon: float = Field(gt=0, le=100)
    delta: float = Field(default=0.0, ge=0, lt=1e-3)
    days: int = Field(default=365, ge=1, le=3660)


class Limits(Strict):
    """Bounds on what any job may do. `smallest_overlap` and `smallest_group` count persons.

    `runs` counts from the agreement's beginning, `runs_per_day` within any 24 hours (None: no such bound).
    `round_to` is the unit to which counts that leave a run are rounded. `most_identifiers` is how many a party may
    declare and offer to an alignment at most (None: as many as its own catalogue counts rows).
    """

    smallest_overlap: int = Field(default=100, ge=1)
    smallest_group: int = Field(default=20, ge=1)
    round_to: int = Field(default=1, ge=1)
    runs: int = Field(default=100, ge=1)
    runs_per_day: int | None = Field(default=None, ge=1)
    most_identifiers: int | None = Field(default=None, ge=1)
    privacy: PrivacyBudget | None = None


class Role(StrEnum):
    """What a person may do at an institution."""

    STEWARD = "steward"
    ANALYST = "analyst"
    OFFICER = "officer"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"


class ApprovalScope(StrEnum):
    """What one approval covers."""

    JOB = "job"
    """One job, by its plan's hash."""
    CLASS = "class"
    """All plans that differ in job and seed only, up to a quota."""


class Approvals(Strict):
    """How many people, in which role, must approve at each party before it grants. None needed where absent."""

    scope: ApprovalScope = ApprovalScope.JOB
    count: int = Field(default=1, ge=1, le=9)
    role: Role = Role.OFFICER


class Retention(Strict):
    """For how many days results may be kept, and intermediate shares (which are otherwise gone with the run)."""

    results: int = Field(default=365, ge=0, le=36600)
    shares: int = Field(default=0, ge=0, le=365)


class Security(Strict):
    """`adversary` is the weakest behaviour of a party that the protocols must stand; `dealer` allows one."""

    adversary: Adversary = Adversary.SEMI_HONEST
    dealer: bool = True


Evidence = Mapping[Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{1,63}$")], Text]
"""What a party has on file, by the kind that law packs ask for: a reference and a date, never the document."""


class SubjectClauses(Strict):
    """The persons in the data: whose law protects them, and what kinds of data about them are used."""

    jurisdictions: tuple[Jurisdiction, ...] = ()
    categories: tuple[Short, ...] = ()
    sensitive: bool = False
    """Whether any category is a special or sensitive one under the law that applies."""
    children: bool = False
    level: int = Field(default=3, ge=1, le=5)
    """The highest level of any column, in the five steps of JR/T 0197-2020."""

    @model_validator(mode="after")
    def _each_once(self) -> SubjectClauses:
        if len(set(self.jurisdictions)) < len(self.jurisdictions):
            raise ValueError("a jurisdiction is named twice")
        return self
