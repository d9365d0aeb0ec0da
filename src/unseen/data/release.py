"""The one door: the only code path by which a source's rows leave it.

A release reads exactly the granted columns, each for a use that the catalogue allows, inside the source's own
engine, and records what left.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
from blake3 import blake3

from unseen.data.catalogue import Catalogue, Use
from unseen.data.source import open_source
from unseen.encoding import Json
from unseen.errors import DataError


@dataclass(frozen=True)
class ReleaseRecord:
    """What was released: data set and its catalogue version, columns with uses, rows, and a fingerprint."""

    dataset: str
    version: int
    columns: Mapping[str, tuple[Use, ...]]
    rows: int
    fingerprint: str

    def as_json(self) -> Json:
        return {
            "dataset": self.dataset,
            "version": self.version,
            "columns": {name: [use.value for use in uses] for name, uses in self.columns.items()},
            "rows": self.rows,
            "fingerprint": self.fingerprint,
        }


@dataclass(frozen=True)
class Released:
    """Granted columns as Arrow, and the record of their release."""

    table: pa.Table
    record: ReleaseRecord


def release(catalogue: Catalogue, dataset: str, uses: Mapping[str, Sequence[Use]]) -> Released:
    """Read the granted columns of a data set.

    Raises RefusedError for a use that is not on offer, DataError for a column that was renamed or retyped since
    registration or an empty table, UnavailableError if the source is gone.
    """
    entry = catalogue.get(dataset)
    for name, given in uses.items():
        for use in given:
            entry.require(name, use)
    columns = {name: tuple(given) for name, given in uses.items()}
    with open_source(entry.source) as source:
        schema = source.schema()
        for name in columns:
            registered = entry.column(name).type
            if schema.get(name, registered) != registered:
                raise DataError(
                    f"column {name!r} of data set {dataset!r} was {registered} when registered and is "
                    f"{schema[name]} now; register the data set again"
                )
        table = source.read(list(columns))
    if table.num_rows == 0:
        raise DataError(f"data set {dataset!r} has no rows now")
    return Released(table, ReleaseRecord(dataset, entry.version, columns, table.num_rows, fingerprint(table)))


def fingerprint(table: pa.Table) -> str:
    """BLAKE3 over schema and values in order, the same however the rows lie in batches: 64 hexadecimal digits."""
    digest = blake3(str(table.schema.remove_metadata()).encode())
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema.remove_metadata()) as writer:
        writer.write_table(table.combine_chunks())
    digest.update(sink.getvalue())
    return digest.hexdigest()
