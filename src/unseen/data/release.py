"""The one door: the only code path by which a source's rows leave it.

A release reads exactly the granted columns of the rows that its conditions name, each column for a use that the
catalogue allows, inside the source's own engine, and records what left: the catalogue's version, columns and
uses, conditions, rows, and a fingerprint of all values.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

import pyarrow as pa

from unseen.data.catalogue import Catalogue
from unseen.data.dataset import Dataset, Use
from unseen.data.fingerprint import Fingerprint
from unseen.data.passage import Passage
from unseen.data.reading import Condition, Reading
from unseen.data.source import Source, open_source
from unseen.encoding import Json
from unseen.errors import DataError, MisuseError

UNHINDERED: Final = Passage()
"""Nobody is left out and nothing protected: for data sets without persons, and for looking at one's own."""


@dataclass(frozen=True)
class ReleaseRecord:
    """What was released: data set and its catalogue version, columns with uses, conditions, rows, fingerprint.

    `excluded` counts the rows that were left out because the person objected, did not consent or is erased;
    `roster` names the roster of those who were in it, `protected` the protection of each protected column.
    """

    dataset: str
    version: int
    columns: Mapping[str, tuple[Use, ...]]
    rows: int
    fingerprint: str
    conditions: tuple[Condition, ...] = ()
    excluded: int = 0
    roster: str = ""
    protected: Mapping[str, str] = field(default_factory=dict)

    def as_json(self) -> Json:
        return {
            "dataset": self.dataset,
            "version": self.version,
            "columns": {name: [use.value for use in uses] for name, uses in self.columns.items()},
            "rows": self.rows,
            "fingerprint": self.fingerprint,
            "conditions": [condition.as_json() for condition in self.conditions],
            "excluded": self.excluded,
            "roster": self.roster,
            "protected": dict(self.protected),
        }


@dataclass(frozen=True)
class Released:
    """Granted columns as Arrow, and the record of their release."""

    table: pa.Table
    record: ReleaseRecord


class Release:
    """Granted columns as record batches, to be taken once; `record` stands when the last has been taken."""

    def __init__(
        self,
        entry: Dataset,
        granted: Granted,
        query: str,
        batches: pa.RecordBatchReader,
        passage: Passage = UNHINDERED,
    ) -> None:
        self.query = query
        """What the source's engine is asked, in its own words."""
        self._entry, self._granted, self._batches, self._passage = entry, granted, batches, passage
        self._record: ReleaseRecord | None = None

    @property
    def schema(self) -> pa.Schema:
        return self._batches.schema

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        """Raises DataError where the data set has no rows, or its engine stumbles on the way."""
        mark = Fingerprint(self.schema)
        for batch in self._batches:
            mark.update(batch)
            yield batch
        if mark.rows == 0:
            raise DataError(
                f"data set {self._entry.name!r} has no rows now that the release's conditions name"
                " and whose persons may be in it"
            )
        self._record = ReleaseRecord(
            self._entry.name,
            self._entry.version,
            self._granted.columns,
            mark.rows,
            mark.hexdigest(),
            self._granted.conditions,
            self._passage.excluded,
            self._passage.roster(),
            {name: chosen.name for name, chosen in self._passage.protections.items()},
        )

    @property
    def record(self) -> ReleaseRecord:
        if self._record is None:
            raise MisuseError("a release has its record when all its batches have been taken")
        return self._record


@dataclass(frozen=True)
class Granted:
    """What a plan grants of one data set: columns with their uses, and conditions on rows."""

    columns: Mapping[str, tuple[Use, ...]]
    conditions: tuple[Condition, ...] = ()


@contextmanager
def released_batches(
    catalogue: Catalogue,
    dataset: str,
    uses: Mapping[str, Sequence[Use]],
    conditions: Sequence[Condition] = (),
    passage: Passage = UNHINDERED,
) -> Iterator[Release]:
    """The granted columns of a data set, batch by batch, while the source is open.

    Raises RefusedError for a use that is not on offer, DataError for a column that was renamed or retyped since
    registration, UnavailableError if the source is gone.
    """
    entry = catalogue.get(dataset)
    granted = Granted({name: tuple(given) for name, given in uses.items()}, tuple(conditions))
    require_granted(entry, granted)
    with open_source(entry.source) as source:
        _require_unchanged(entry, granted, source)
        wanted = reading(granted)
        passage = passage.only({name for name in wanted.columns if name not in wanted.keys})
        asked = passage.asks(wanted, entry.subject)
        leaving = passage.through(source.batches(asked), wanted.columns, entry.subject)
        try:
            yield Release(entry, granted, source.query(asked), leaving, passage)
        finally:
            passage.close()


def release(
    catalogue: Catalogue,
    dataset: str,
    uses: Mapping[str, Sequence[Use]],
    conditions: Sequence[Condition] = (),
    passage: Passage = UNHINDERED,
) -> Released:
    """Read the granted columns of a data set as one table. Errors as `released_batches`; DataError if empty."""
    with released_batches(catalogue, dataset, uses, conditions, passage) as opened:
        table = pa.Table.from_batches(list(opened), opened.schema)
    return Released(table, opened.record)


def require_granted(entry: Dataset, granted: Granted) -> None:
    """Raises RefusedError unless the catalogue allows every use; a condition is a use as filter."""
    for name, given in granted.columns.items():
        for use in given:
            entry.require(name, use)
    for condition in granted.conditions:
        entry.require(condition.column, Use.FILTER)


def reading(granted: Granted) -> Reading:
    """What is asked of the engine: keys in their normal form, and decimals that a model takes as floats.

    A column that only filters, or is only granted as a filter, does not leave the source.
    """
    leaving = {name: uses for name, uses in granted.columns.items() if uses != (Use.FILTER,)}
    return Reading(
        tuple(leaving),
        frozenset(name for name, uses in leaving.items() if set(uses) <= {Use.JOIN, Use.FILTER}),
        frozenset(name for name, uses in leaving.items() if Use.FEATURE in uses),
        granted.conditions,
    )


def warm_up(path: str) -> None:
    """Open and read a file once, so that the next release finds the engine loaded."""
    with open_source(path) as source:
        source.read(Reading(tuple(source.schema())))


def _require_unchanged(entry: Dataset, granted: Granted, source: Source) -> None:
    schema = source.schema()
    for name in dict.fromkeys((*granted.columns, *(condition.column for condition in granted.conditions))):
        registered = entry.column(name).type.removeprefix("!")
        if schema.get(name, registered) != registered:
            raise DataError(
                f"column {name!r} of data set {entry.name!r} was {registered} when registered and is "
                f"{schema[name]} now; register the data set again"
            )
