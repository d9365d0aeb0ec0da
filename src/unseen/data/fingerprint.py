"""A fingerprint of released rows: what a record, a ledger and an audit hold of them in their place.

BLAKE3 over the schema and, block by block, over every column's validity and values in order. Blocks have a fixed
number of rows, whatever batches an engine gives, and slots without a value are hashed as zero, so the same rows
always have the same fingerprint.
"""

from __future__ import annotations

import io
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
from blake3 import blake3

BLOCK_ROWS: Final = 1 << 16
_WIDEST: Final = 32
"""Bytes of the widest value of fixed width (decimal256)."""


class Fingerprint:
    """Takes batches of one schema in order; `hexdigest` gives 64 hexadecimal digits."""

    def __init__(self, schema: pa.Schema) -> None:
        self.rows = 0
        self._schema = schema.remove_metadata()
        self._digest = blake3(str(self._schema).encode())
        self._waiting: list[pa.RecordBatch] = []
        self._held = 0

    def update(self, batch: pa.RecordBatch) -> None:
        self.rows += batch.num_rows
        while batch.num_rows:
            piece = batch.slice(0, BLOCK_ROWS - self._held)
            batch = batch.slice(piece.num_rows)
            self._waiting.append(piece)
            self._held += piece.num_rows
            if self._held == BLOCK_ROWS:
                self._flush()

    def hexdigest(self) -> str:
        """After the last batch."""
        if self._held:
            self._flush()
        return str(self._digest.hexdigest())

    def _flush(self) -> None:
        block = pa.Table.from_batches(self._waiting).combine_chunks()
        self._waiting, self._held = [], 0
        columns = [part for column in block.columns for part in _canonical(column.combine_chunks())]
        batch = pa.RecordBatch.from_arrays(columns, [str(place) for place in range(len(columns))])
        with pa.ipc.new_stream(pa.PythonFile(_Sink(self._digest), mode="w"), batch.schema) as writer:
            writer.write_batch(batch)


def fingerprint(table: pa.Table) -> str:
    """The fingerprint of a whole table."""
    made = Fingerprint(table.schema)
    for batch in table.to_batches():
        made.update(batch)
    return made.hexdigest()


def _canonical(column: pa.Array) -> list[pa.Array]:
    """Validity and values, the values of empty slots being zero."""
    column = column.chunk(0) if isinstance(column, pa.ChunkedArray) else column
    valid = pc.cast(pc.is_valid(column), pa.uint8())
    if column.null_count and not pa.types.is_nested(column.type):
        column = pc.fill_null(column, _zero(column.type))
    if pa.types.is_boolean(column.type):
        column = pc.cast(column, pa.uint8())
    return [valid, column]


def _zero(kind: pa.DataType) -> pa.Scalar:
    if pa.types.is_null(kind):
        return pa.scalar(None, kind)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return pa.scalar("", kind)
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return pa.scalar(b"", kind)
    return pa.Array.from_buffers(kind, 1, [None, pa.py_buffer(bytes(_WIDEST))])[0]


class _Sink(io.RawIOBase):
    """A file that hashes what is written to it."""

    def __init__(self, digest: blake3) -> None:
        super().__init__()
        self._digest = digest

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        view = memoryview(data)  # type: ignore[arg-type]
        self._digest.update(view)
        return view.nbytes
