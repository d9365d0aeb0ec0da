"""A party's rows of a join cut into buckets, once for each key: for tables that do not fit into memory.

For each key that a row has, its record (`spool`: 16 octets of the key's hash under a seed that both parties know,
another for each key in turn, and the row's number) lies in the bucket that the hash names, so that all rows with
one value lie in one bucket, at both parties in the same. What else the row holds lies beside each of its records;
that of a row without any key lies apart. In memory is one octet a row, which says by which key it was matched, and
of a bucket its distinct values and a piece of its records: a value that stands in very many rows takes no more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from blake3 import blake3
from numpy.typing import NDArray

from unseen.computation.intersect.keys import Keys, hashed, hashed_rows, subkey
from unseen.computation.intersect.spool import (
    BEAT_KEYS,
    PIECE,
    RECORD,
    Beat,
    Luggage,
    Spool,
    padded,
    parted,
    room,
)
from unseen.computation.kernels import alike
from unseen.computation.kernels.matching import matches
from unseen.computation.types import Index, Words, octets
from unseen.errors import AbortedError, DataError

KEYLESS: Final = "keyless-luggage"
_FREE: Final = 0


@dataclass(frozen=True, eq=False)
class RowBatch:
    """Some rows: of each choice a key a row, empty where it has none; their numbers, one after the other from 0 on
    over all batches; and what goes with them."""

    keys: Sequence[Keys]
    rows: Index
    luggage: Luggage | None = None

    def __len__(self) -> int:
        return len(self.rows)


@dataclass(frozen=True, eq=False)
class HeldRows:
    """What a spool holds of one party's table.

    `digest` is of all rows by their keys, in whatever order they come. `matched_by` (rows,) is 0 for a row that
    has no partner yet, else one more than the number of the choice that found it one.
    """

    spool: Spool
    seed: bytes = field(repr=False)
    buckets: int
    choices: int
    rows: int
    digest: bytes
    matched_by: NDArray[np.uint8] = field(repr=False)

    def left_over(self, number: int, beat: Beat = lambda: None) -> LeftOver:
        """The distinct values of this choice in rows without a partner; `beat` is called after each bucket."""
        counts, most = np.zeros(self.buckets, dtype=np.int64), 0
        for bucket in range(self.buckets):
            values = self._values(number, bucket)
            counts[bucket] = len(values)
            most = max(most, int(values[:, 2].max(initial=0)))
            beat()
        return LeftOver(self, number, counts, most)

    def mark(self, number: int, bucket: int, hashes: Words) -> Index:
        """Note that rows with these values, (n, 2), have partners; how many rows each value has.

        Raises AbortedError for a value that no free row has.
        """
        times = np.zeros(len(hashes), dtype=np.int64)
        for records, rows in self._free(number, bucket):
            places = matches(np.ascontiguousarray(records[:, :2]), hashes)
            known = places >= 0
            self.matched_by[rows[known]] = number + 1
            times += np.bincount(places[known], minlength=len(hashes))
        if not times.all():
            raise AbortedError("the table is not the one of which common keys were found; run it afresh")
        return times

    def members(self, number: int, bucket: int, hashes: Words) -> tuple[Index, Index]:
        """The rows that have partners by these values: those of value i are rows[starts[i]:starts[i + 1]]."""
        groups, found = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.int64)]
        for records in self._records(number, bucket):
            rows = records[:, 2].view(np.int64)
            mine = self.matched_by[rows] == number + 1
            places = matches(np.ascontiguousarray(records[mine, :2]), hashes)
            groups.append(places[places >= 0])
            found.append(rows[mine][places >= 0])
        rows = np.concatenate(found)
        starts, members = alike.listed(np.concatenate(groups), len(hashes))
        return starts, rows[members]

    def luggage(self, number: int, bucket: int) -> Iterator[bytes]:
        """What went with the rows of a bucket, batch by batch."""
        return self.spool.read(_luggage(number, bucket))

    def keyless_luggage(self) -> Iterator[bytes]:
        """What went with the rows that have none of the keys."""
        return self.spool.read(KEYLESS)

    @property
    def free(self) -> int:
        """How many rows have no partner."""
        return int(np.count_nonzero(self.matched_by == _FREE))

    def _records(self, number: int, bucket: int) -> Iterator[Words]:
        for chunk in self.spool.read(_name(number, bucket)):
            yield np.frombuffer(chunk, dtype=np.uint64).reshape(-1, RECORD)

    def _free(self, number: int, bucket: int) -> Iterator[tuple[Words, Index]]:
        for records in self._records(number, bucket):
            rows = records[:, 2].view(np.int64)
            free = self.matched_by[rows] == _FREE
            yield records[free], rows[free]

    def _values(self, number: int, bucket: int) -> Words:
        """(n, 3): the distinct values of free rows by their hashes, and how many rows each has."""
        whole, waiting, held = np.empty((0, RECORD), dtype=np.uint64), [], 0
        for records, _ in self._free(number, bucket):
            waiting.append(records)
            records[:, 2] = 1
            held += len(records)
            if held >= max(PIECE, len(whole)):
                whole, waiting, held = _counted([whole, *waiting]), [], 0
        return _counted([whole, *waiting]) if waiting else whole


@dataclass(frozen=True, eq=False)
class LeftOver:
    """The distinct values by one key of the rows that no earlier one has matched, in buckets.

    `most` is how often the commonest of them occurs.
    """

    held: HeldRows
    number: int
    counts: Index
    most: int

    @property
    def keys(self) -> int:
        """How many values there are to align."""
        return int(self.counts.sum())

    @property
    def buckets(self) -> int:
        return self.held.buckets

    @property
    def fits(self) -> bool:
        """Whether no bucket holds more than there is room for."""
        return int(self.counts.max()) <= room(self.keys, self.buckets)

    @property
    def seed(self) -> bytes:
        return self.held.seed

    @property
    def digest(self) -> bytes:
        return self.held.digest

    def records(self, bucket: int) -> Words:
        """(n, 3): the values of a bucket by their hashes, and how many rows each has."""
        found = self.held._values(self.number, bucket)
        if len(found) != self.counts[bucket]:
            raise AbortedError("a bucket of the spool is not as it was written; run the step again")
        return found

    def padded(self, bucket: int) -> Words:
        """(room, 3): those, and random records without a row up to the bucket's room."""
        return padded(self.records(bucket), room(self.keys, self.buckets))


def filled_rows(
    source: Iterable[RowBatch], seed: bytes, choices: int, buckets: int, spool: Spool, beat: Beat = lambda: None
) -> HeldRows:
    """Cut a table into buckets by each of its keys. It is read once, a batch at a time; `beat` is called after
    each `BEAT_KEYS` rows. Raises DataError for a table without rows."""
    secrets = [subkey(seed, f"rows/{number}") for number in range(choices)]
    rows, heard, total = 0, 0, np.zeros(2, dtype=np.uint64)
    for batch in source:
        whole = _scatter(batch, secrets, buckets, spool)
        # A sum of hashes under a joint seed: as good as a digest of the sorted ones, whatever order rows came in.
        total += hashed_rows(whole, subkey(seed, "rows"))[:, :2].sum(axis=0)
        rows += len(batch)
        while heard + BEAT_KEYS <= rows:
            heard += BEAT_KEYS
            beat()
    if not rows:
        raise DataError("there are no rows to join")
    digest = blake3(np.array([*total, rows], dtype=np.uint64).tobytes()).digest()
    return HeldRows(spool, seed, buckets, choices, rows, digest, np.zeros(rows, dtype=np.uint8))


def _scatter(batch: RowBatch, secrets: Sequence[bytes], buckets: int, spool: Spool) -> Words:
    """Write each row's records, and what goes with it, into its buckets; (n, 2·choices) all hashes of each row."""
    whole = np.zeros((len(batch), 2 * len(secrets)), dtype=np.uint64)
    keyless = np.ones(len(batch), dtype=bool)
    for number, (keys, secret) in enumerate(zip(batch.keys, secrets, strict=True)):
        there = np.flatnonzero(np.diff(keys.offsets) > 0)
        records = np.empty((len(there), RECORD), dtype=np.uint64)
        some = keys if len(there) == len(keys) else keys.chosen(there)
        records[:, :2] = hashed(some, secret)[:, :2]
        records[:, 2] = batch.rows[there]
        whole[there, 2 * number : 2 * number + 2] = records[:, :2]
        keyless[there] = False
        for bucket, places in parted(records, buckets):
            spool.write(_name(number, bucket), bytes(octets(records[places])))
            if batch.luggage is not None:
                spool.write(_luggage(number, bucket), batch.luggage.packed(there[places]))
    if batch.luggage is not None and keyless.any():
        spool.write(KEYLESS, batch.luggage.packed(np.flatnonzero(keyless)))
    return whole


def _counted(parts: Sequence[Words]) -> Words:
    """(n, 3): the distinct values, and the sums of their third words."""
    whole = np.concatenate(parts)
    groups, count = alike.numbered(whole)
    firsts = np.empty(count, dtype=np.int64)
    firsts[groups[::-1]] = np.arange(len(whole) - 1, -1, -1)
    found: Words = whole[firsts]
    found[:, 2] = np.bincount(groups, weights=whole[:, 2], minlength=count).astype(np.uint64)
    return found


def _name(number: int, bucket: int) -> str:
    return f"{number}-{bucket:05d}"


def _luggage(number: int, bucket: int) -> str:
    return f"{number}-{bucket:05d}-luggage"
