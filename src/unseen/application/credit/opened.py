"""A party's own columns sent in the clear to the label's holder, for a parity run on data that may be seen.

Numbers go as numbers, missing ones as NaN; texts as numbers of levels, missing ones as -1, beside the list of
levels.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import pyarrow as pa

from unseen.application.credit.sides import together
from unseen.computation.channel import Channel
from unseen.computation.types import Index
from unseen.data.number_column import as_numbers, is_number
from unseen.encoding import canonical, parse_json
from unseen.errors import DataError, MisuseError, ProtocolError

LEVELS_LIMIT: Final = 1 << 24
"""Most bytes of all levels of a party's text columns."""


def tell(channel: Channel, table: pa.Table, names: Sequence[str]) -> None:
    """Send columns. Raises DataError where text columns have too many different values."""
    numeric = [is_number(table[name].type) for name in names]
    channel.send("parity/kinds", np.array(numeric, dtype=np.uint8))
    numbers = [as_numbers(table[name]) for name, flag in zip(names, numeric, strict=True) if flag]
    texts = [_levels(table[name]) for name, flag in zip(names, numeric, strict=True) if not flag]
    channel.send("parity/columns", together(numbers, table.num_rows, np.float64))
    levels = canonical([found for found, _ in texts])
    if len(levels) > LEVELS_LIMIT:
        raise DataError("the text columns have too many different values for a parity run; leave free text out")
    channel.send_bytes("parity/levels", levels)
    places = together([column for _, column in texts], table.num_rows, np.int64).astype(np.int32)
    channel.send("parity/places", places)


def hear(channel: Channel, names: Sequence[str], rows: int) -> pa.Table:
    """The columns as the other party has them. Raises ProtocolError for levels that cannot be."""
    numeric = channel.receive("parity/kinds", np.uint8, len(names)).astype(bool)
    numbers = channel.receive("parity/columns", np.float64, (rows, int(numeric.sum())))
    try:
        levels = parse_json(channel.receive_bytes("parity/levels", LEVELS_LIMIT))
    except MisuseError as error:
        raise ProtocolError(channel.peer, "sent levels that cannot be read") from error
    places = channel.receive("parity/places", np.int32, (rows, int((~numeric).sum())))
    if not isinstance(levels, list) or len(levels) != places.shape[1]:
        raise ProtocolError(channel.peer, "sent levels of another number of columns")
    text = iter(_texts(channel.peer, found, places[:, j]) for j, found in enumerate(levels))
    number = iter(pa.array(column, from_pandas=True) for column in numbers.T)
    return pa.table(
        {name: next(number) if flag else next(text) for name, flag in zip(names, numeric, strict=True)}
    )


def _texts(peer: str, levels: object, places: Index) -> pa.Array:
    if not isinstance(levels, list) or not all(isinstance(level, str) for level in levels):
        raise ProtocolError(peer, "sent levels that are no texts")
    if (places < -1).any() or (places >= len(levels)).any():
        raise ProtocolError(peer, "sent texts that are none of their levels")
    return pa.array([*map(str, levels), None], pa.string()).take(
        pa.array(np.where(places < 0, len(levels), places))
    )


def _levels(column: pa.ChunkedArray) -> tuple[list[str], Index]:
    coded = column.cast(pa.string()).combine_chunks().dictionary_encode()
    places = coded.indices.to_numpy(zero_copy_only=False)
    return coded.dictionary.to_pylist(), np.where(np.isnan(places), -1, places).astype(np.int64)
