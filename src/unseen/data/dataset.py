"""What an institution knows of one of its data sets: the values that the catalogue keeps, and their JSON.

A data set has an owner, a column that names the person, a retention and the jurisdictions of the persons in it.
Each column has what it holds (a category of the Fides taxonomy), how sensitive that is, on what evidence, what it
may be used for, and how it is protected before it leaves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any, Final

from unseen.encoding import Json
from unseen.errors import DataError, RefusedError

UNCLASSIFIED: Final = "unclassified"
"""The category of a column that nobody has looked at; such a column is never released."""


class Use(StrEnum):
    """What a column may be used for in a joint computation."""

    JOIN = "join"
    """As an identifier by which institutions find common customers."""
    FEATURE = "feature"
    """As an input of a model."""
    LABEL = "label"
    """As the outcome that a model learns."""
    FILTER = "filter"
    """To choose rows."""
    GROUP = "group"
    """To form groups."""
    AGGREGATE = "aggregate"
    """In sums, counts and means over groups large enough."""
    RETRIEVE = "retrieve"
    """To be looked up row by row."""


class Level(StrEnum):
    """How sensitive a column is, in the five steps of JR/T 0197-2020."""

    PUBLIC = "1"
    INTERNAL = "2"
    SENSITIVE = "3"
    HIGHLY_SENSITIVE = "4"
    SECRET = "5"


class FinancialClass(StrEnum):
    """The class of personal financial information in JR/T 0171-2020, or none of them."""

    NONE = ""
    C1 = "C1"
    """Held by the institution, of slight harm if it gets out (opening dates, branch)."""
    C2 = "C2"
    """Names the person or shows their finances (identity papers, telephone, income, balances)."""
    C3 = "C3"
    """Authenticates the person (card data with its secrets, passwords, biometrics)."""


@dataclass(frozen=True)
class Evidence:
    """Why a column has its category: a rule's name, how many sampled values it matched, of how many. No values."""

    rule: str
    matched: int = 0
    sampled: int = 0

    def as_json(self) -> Json:
        return {"rule": self.rule, "matched": self.matched, "sampled": self.sampled}


@dataclass(frozen=True)
class Classified:
    """What a column was found, or declared, to hold.

    `special` says that GDPR article 9 or 10 (health, religion, union, crime, …) covers it; `confidence` runs from
    0 (a default) to 1 (declared by a person, or every sampled value carries a valid check digit).
    """

    category: str
    level: Level
    financial: FinancialClass = FinancialClass.NONE
    special: bool = False
    confidence: float = 1.0
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True)
class Protection:
    """How a column is protected before it leaves: the protection's name and its parameters, never a key."""

    name: str
    parameters: Mapping[str, Json] = field(default_factory=dict)

    def as_json(self) -> Json:
        return {"name": self.name, "parameters": dict(self.parameters)}


@dataclass(frozen=True)
class Column:
    """One column: its type in the source, what it holds, how sensitive it is, and its allowed uses.

    `description` is what a partner may read, for example as a reason code; it never holds a value. `nulls` is the
    share of rows without a value, `distinct` an estimate of how many values differ; None where not measured.
    """

    name: str
    type: str
    category: str = UNCLASSIFIED
    level: Level = Level.SENSITIVE
    uses: tuple[Use, ...] = ()
    description: str = ""
    nulls: float | None = None
    distinct: int | None = None
    financial: FinancialClass = FinancialClass.NONE
    special: bool = False
    confidence: float = 0.0
    evidence: tuple[Evidence, ...] = ()
    protection: Protection | None = None

    @property
    def classified(self) -> bool:
        return self.category != UNCLASSIFIED

    def as_json(self) -> Json:
        return {
            "name": self.name,
            "type": self.type,
            "category": self.category,
            "level": self.level.value,
            "uses": [use.value for use in self.uses],
            "description": self.description,
            "nulls": self.nulls,
            "distinct": self.distinct,
            "financial": self.financial.value,
            "special": self.special,
            "confidence": self.confidence,
            "evidence": [one.as_json() for one in self.evidence],
            "protection": None if self.protection is None else self.protection.as_json(),
        }


@dataclass(frozen=True)
class Retention:
    """How long rows are kept: `days` after the date in `column` (an empty name: after registration)."""

    days: int
    column: str = ""

    def as_json(self) -> Json:
        return {"days": self.days, "column": self.column}


@dataclass(frozen=True)
class Dataset:
    """A data set on offer: where it lies, whose it is, which column names the person, and its columns.

    `jurisdictions` are those of the persons in it (`EU`, `US`, `JP`, `AU`, `CN`, …), as agreements name them.
    """

    name: str
    source: str
    subject: str
    columns: tuple[Column, ...]
    rows: int
    version: int
    registered: str
    owner: str = ""
    retention: Retention | None = None
    jurisdictions: tuple[str, ...] = ()

    def column(self, name: str) -> Column:
        """Raises DataError, naming the columns there are."""
        for column in self.columns:
            if column.name == name:
                return column
        known = ", ".join(column.name for column in self.columns)
        raise DataError(f"data set {self.name!r} has no column {name!r} (columns: {known})")

    def require(self, column: str, use: Use) -> Column:
        """The column, if its entry allows the use and it is classified.

        Raises RefusedError under rule `catalogue-use` or `catalogue-category`.
        """
        found = self.column(column)
        if use not in found.uses:
            raise RefusedError(
                "catalogue-use",
                f"column {column!r} of data set {self.name!r} is not on offer as {use.value}",
                f"a steward may allow it: unseen dataset allow {self.name} {column}={use.value}",
            )
        if not found.classified:
            raise RefusedError(
                "catalogue-category",
                f"nobody has looked at what column {column!r} of data set {self.name!r} holds",
                f"a steward classifies it first: unseen dataset classify {self.name}",
            )
        return found

    def as_json(self) -> Json:
        return {
            "name": self.name,
            "source": self.source,
            "subject": self.subject,
            "columns": [column.as_json() for column in self.columns],
            "rows": self.rows,
            "version": self.version,
            "registered": self.registered,
            "owner": self.owner,
            "retention": None if self.retention is None else self.retention.as_json(),
            "jurisdictions": list(self.jurisdictions),
        }


def dataset_from_json(value: Json) -> Dataset:
    """Inverse of `Dataset.as_json`; fields that an older entry lacks get their defaults. Raises DataError."""
    try:
        entry = _fields(Dataset, value)
        retention = entry.get("retention")
        return Dataset(
            **{
                **entry,
                "columns": tuple(column_from_json(column) for column in entry["columns"]),
                "retention": None if retention is None else Retention(**_fields(Retention, retention)),
                "jurisdictions": tuple(entry.get("jurisdictions", ())),
            }
        )
    except (KeyError, TypeError, ValueError) as error:
        raise DataError("a catalogue entry is damaged; restore the database from its backup") from error


def column_from_json(value: Json) -> Column:
    """Inverse of `Column.as_json`. Raises KeyError, TypeError or ValueError for anything else."""
    entry = _fields(Column, value)
    protection = entry.get("protection")
    return Column(
        **{
            **entry,
            "level": Level(entry.get("level", Level.SENSITIVE)),
            "uses": tuple(Use(use) for use in entry.get("uses", ())),
            "financial": FinancialClass(entry.get("financial", "")),
            "evidence": tuple(Evidence(**_fields(Evidence, one)) for one in entry.get("evidence", ())),
            "protection": None if protection is None else Protection(**_fields(Protection, protection)),
        }
    )


def _fields(kind: type[Any], value: Json) -> dict[str, Any]:
    """The members of a JSON object, if all of them are fields of the class."""
    if not isinstance(value, Mapping):
        raise TypeError(f"no {kind.__name__}")
    if unknown := set(value) - {each.name for each in fields(kind)}:
        raise ValueError(f"{kind.__name__} has no {', '.join(sorted(unknown))}")
    return dict(value)
