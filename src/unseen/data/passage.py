"""What happens to rows between the source and whoever gets them: persons left out, columns protected.

A release goes through one passage. It adds the subject column to the reading where it is needed, and takes it out
again before anything leaves.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pyarrow as pa

from unseen.data.protect.protection import Protection
from unseen.data.reading import Reading

if TYPE_CHECKING:
    from unseen.data.subject.new_roster import NewRoster
    from unseen.data.subject.screen import Screen


@dataclass(frozen=True)
class Passage:
    """The screen that persons pass, the protection of each protected column, and the roster of who passes.

    It serves one stream; `close` it afterwards.
    """

    screen: Screen | None = None
    protections: Mapping[str, Protection] = field(default_factory=dict)
    new_roster: NewRoster | None = None

    def only(self, columns: Collection[str]) -> Passage:
        """The passage with the protections of these columns alone."""
        return replace(self, protections={name: p for name, p in self.protections.items() if name in columns})

    def asks(self, reading: Reading, subject: str) -> Reading:
        """The reading with the subject column, if the passage needs it."""
        needed = self.screen is not None or bool(self.protections)
        if not needed or subject in reading.columns:
            return reading
        return replace(reading, columns=(*reading.columns, subject), keys=reading.keys | {subject})

    def through(self, batches: pa.RecordBatchReader, leaving: Sequence[str], subject: str) -> pa.RecordBatchReader:
        """The stream as it leaves: the columns in `leaving`, in their order."""
        if self.screen is None and not self.protections:
            return batches
        schema = pa.schema([self._field(batches.schema.field(name)) for name in leaving])
        return pa.RecordBatchReader.from_batches(schema, self._stream(batches, schema, subject))

    @property
    def excluded(self) -> int:
        """How many rows were left out; stands when the stream has ended."""
        return self.screen.excluded if self.screen is not None else 0

    def roster(self) -> str:
        """The digest of the roster of those who passed; empty if none is kept. After the stream's end."""
        if self.screen is None or self.new_roster is None:
            return ""
        return self.new_roster.keep()

    def close(self) -> None:
        """Remove what a roster that was not kept has left on the disk."""
        if self.new_roster is not None:
            self.new_roster.erase()

    def _field(self, column: pa.Field) -> pa.Field:
        protection = self.protections.get(column.name)
        if protection is None:
            return column
        nobody = pa.array([], pa.string())
        return pa.field(column.name, protection.apply(pa.array([], column.type), nobody).type)

    def _stream(self, batches: pa.RecordBatchReader, schema: pa.Schema, subject: str) -> Iterator[pa.RecordBatch]:
        taken = self.new_roster.take if self.new_roster is not None else None
        passed = batches if self.screen is None else self.screen.through(batches, subject, taken)
        for batch in passed:
            columns = [self._protected(batch, name, subject) for name in schema.names]
            yield pa.RecordBatch.from_arrays(columns, schema=schema)

    def _protected(self, batch: pa.RecordBatch, name: str, subject: str) -> pa.Array:
        protection = self.protections.get(name)
        if protection is None:
            return batch.column(name)
        return protection.apply(batch.column(name), batch.column(subject))
