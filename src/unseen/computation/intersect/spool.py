"""A party's keys cut into buckets by hash, for lists that do not fit into memory.

Each key becomes a record of three words: 16 octets of its hash under a seed that both parties know, and its row
number. The hash's last bits name the bucket, so that a common key falls into the same one at both parties. Two
different keys have one record with probability below 2^-74 for all pairs of 2^27 keys a side. What else a row
holds (its luggage: columns that go home with the result) goes into the same bucket. Where records lie
meanwhile is for whoever gives the `Spool` to say; they name persons to whoever has a list to compare with and the
seed, and belong under a seal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from math import ceil, sqrt
from typing import Final, Protocol

import numpy as np
from blake3 import blake3

from unseen.computation.intersect.keys import Keys, hashed, subkey
from unseen.computation.kernels.matching import matches, repeats
from unseen.computation.prg import Expander
from unseen.computation.types import Index, Words, octets
from unseen.errors import AbortedError, DataError

RECORD: Final = 3
"""Words of a record: two of the hash, then the row number."""
RECORD_BYTES: Final = 8 * RECORD
MOST_BUCKETS: Final = 1 << 12
ROOM: Final = 8
SLACK: Final = 22
"""Deviations above the mean that a bucket has room for, and keys beyond these: one holds more with probability
below 2^-46 (Bernstein's bound: t²/2 is at least (mean + t/3)·46·ln 2 for t = 8·√mean + 22)."""
NO_ROW: Final = np.uint64(2**64 - 1)
"""The row number of a record that is no key's."""
BEAT_KEYS: Final = 1 << 20
"""Keys after which `filled` says that it is still at work."""
PIECE: Final = 1 << 20
"""Keys of a batch, about: fewer make more and smaller chunks, more take more memory."""

Beat = Callable[[], None]


class Luggage(Protocol):
    """What goes with the keys of a batch."""

    def packed(self, places: Index) -> bytes:
        """What belongs to the keys at these places of the batch, in this order."""


@dataclass(frozen=True, eq=False)
class Batch:
    """Some keys, their row numbers, and what goes with them."""

    keys: Keys
    rows: Index
    luggage: Luggage | None = None

    def __len__(self) -> int:
        return len(self.keys)


class Spool(Protocol):
    """Named runs of chunks that lie outside memory. Raises VerificationError for what was altered there."""

    def write(self, name: str, chunk: bytes) -> None:
        """Append a chunk; it is there whole or not at all, also if the machine stops now."""

    def read(self, name: str) -> Iterator[bytes]:
        """All chunks of that name in the order they were written; none of a name that is not there."""

    def keep(self, name: str, chunks: int) -> None:
        """Leave no more than the first so many chunks of that name."""

    def forget(self, name: str) -> None:
        """Erase what bears that name, if anything does."""


@dataclass(frozen=True, eq=False)
class Held:
    """What a spool holds of one party's list: `rows` keys, of which the first of each kind count.

    `repeated` is how many were left out because an earlier row has the same key; `digest` is of all that count,
    in whatever order they come.
    """

    spool: Spool
    seed: bytes = field(repr=False)
    buckets: int
    rows: int
    repeated: int
    counts: Index
    digest: bytes

    @property
    def keys(self) -> int:
        """How many keys there are to align."""
        return int(self.counts.sum())

    @property
    def fits(self) -> bool:
        """Whether no bucket holds more than there is room for."""
        return int(self.counts.max()) <= room(self.keys, self.buckets)

    def records(self, bucket: int) -> Words:
        """(n, 3): the records of a bucket."""
        found = _joined(self.spool.read(_name(bucket)))
        if len(found) != self.counts[bucket]:
            raise AbortedError("a bucket of the spool is not as it was written; run the step again")
        return found

    def padded(self, bucket: int) -> Words:
        """(room, 3): the records of a bucket, and among the rest of its room random ones without a row."""
        return padded(self.records(bucket), room(self.keys, self.buckets))

    def rows_of(self, bucket: int, hashes: Words) -> Index:
        """The row numbers of keys of a bucket, by their hashes (n, 2). Raises AbortedError for one not there."""
        own = self.records(bucket)
        places = matches(hashes, np.ascontiguousarray(own[:, :2]))
        if (places < 0).any():
            raise AbortedError("the list is not the one of which the common customers were found; run it afresh")
        rows: Index = own[places, 2].view(np.int64)
        return rows

    def luggage(self, bucket: int) -> Iterator[bytes]:
        """What went with the rows of a bucket, batch by batch, repeated keys' included."""
        return self.spool.read(_luggage(bucket))

    def forget(self, bucket: int) -> None:
        """Erase a bucket that is done."""
        self.spool.forget(_name(bucket))
        self.spool.forget(_luggage(bucket))


def room(keys: int, buckets: int) -> int:
    """Records of each padded bucket of a party that offers so many keys."""
    mean = keys / buckets
    return keys if buckets == 1 else min(keys, ceil(mean + ROOM * sqrt(mean)) + SLACK)


def padded(records: Words, size: int) -> Words:
    """(size, 3): these records, and random ones without a row after them."""
    whole = Expander.fresh().words((size, RECORD))
    whole[len(records) :, 2] = NO_ROW
    whole[: len(records)] = records
    return whole


def batches(keys: Keys, rows: int = PIECE) -> Iterator[Batch]:
    """A whole list in batches of so many rows."""
    for start in range(0, len(keys), rows):
        offsets = keys.offsets[start : start + rows + 1]
        yield Batch(Keys(keys.data, offsets), np.arange(start, start + len(offsets) - 1, dtype=np.int64))


def filled(source: Iterable[Batch], seed: bytes, buckets: int, spool: Spool, beat: Beat = lambda: None) -> Held:
    """Cut a list into buckets. Its keys are read once, a batch at a time; `beat` is called after each `BEAT_KEYS`
    of them and after each bucket is looked through for repeated ones.

    Raises DataError for an empty list or an empty key.
    """
    rows, heard, secret = 0, 0, subkey(seed, "spool")
    for batch in source:
        _scatter(batch, secret, buckets, spool)
        rows += len(batch.keys)
        while heard + BEAT_KEYS <= rows:
            heard += BEAT_KEYS
            beat()
    if not rows:
        raise DataError("there are no keys to align on")
    return _looked_through(spool, seed, buckets, beat)


def _scatter(batch: Batch, secret: bytes, buckets: int, spool: Spool) -> None:
    """Write each key's record, and what goes with it, into its bucket."""
    if (np.diff(batch.keys.offsets) == 0).any():
        raise DataError("some keys are empty; remove these rows at the source")
    records = np.empty((len(batch.keys), RECORD), dtype=np.uint64)
    records[:, :2] = hashed(batch.keys, secret)[:, :2]
    records[:, 2] = batch.rows
    for bucket, some in parted(records, buckets):
        spool.write(_name(bucket), bytes(octets(records[some])))
        if batch.luggage is not None:
            spool.write(_luggage(bucket), batch.luggage.packed(some))


def parted(records: Words, buckets: int) -> Iterator[tuple[int, Index]]:
    """Of each bucket that any of these records falls into, their places in their order."""
    # The last bits of the second word: the first word's first ones order tables of a bucket's records.
    places = (records[:, 1] & np.uint64(buckets - 1)).astype(np.int64)
    order, ends = np.argsort(places, kind="stable"), np.cumsum(np.bincount(places, minlength=buckets))
    for bucket, some in enumerate(np.split(order, ends[:-1])):
        if len(some):
            yield bucket, some


def _looked_through(spool: Spool, seed: bytes, buckets: int, beat: Beat) -> Held:
    """Count each bucket, and leave out of it what an earlier row has."""
    counts, digest, rows = np.zeros(buckets, dtype=np.int64), blake3(), 0
    for bucket in range(buckets):
        read, some = _once_each(spool.read(_name(bucket)))
        rows += read
        if len(some) < read:
            spool.forget(_name(bucket))
            spool.write(_name(bucket), bytes(octets(some)))
        counts[bucket] = len(some)
        # Sums of hashes under a joint seed: as good as a digest of the sorted ones, whatever order rows came in.
        digest.update(np.array([*some[:, :2].sum(axis=0), len(some)], dtype=np.uint64).tobytes())
        beat()
    return Held(spool, seed, buckets, rows, rows - int(counts.sum()), counts, digest.digest())


def _once_each(chunks: Iterable[bytes]) -> tuple[int, Words]:
    """How many records there are, and those that are the first of their key: a key that stands in very many rows
    takes no memory but for a piece of them."""
    read, whole, waiting, held = 0, _joined([]), [], 0
    for chunk in chunks:
        waiting.append(chunk)
        held += len(chunk) // RECORD_BYTES
        if held >= max(PIECE, len(whole)):
            read += held
            whole, waiting, held = _merged(whole, waiting), [], 0
    return read + held, _merged(whole, waiting)


def _merged(first: Words, chunks: list[bytes]) -> Words:
    whole = np.concatenate([first, _joined(chunks)]) if len(first) else _joined(chunks)
    return _first(whole) if repeats(whole) else whole


def _first(records: Words) -> Words:
    """Of each key the row that comes first, in their order."""
    order = np.lexsort((records[:, 2], records[:, 1], records[:, 0]))
    same = (records[order[1:], :2] == records[order[:-1], :2]).all(axis=1)
    first: Words = records[np.sort(order[np.concatenate([[True], ~same])])]
    return first


def _joined(chunks: Iterable[bytes]) -> Words:
    """(n, 3): a copy that may be changed."""
    parts = [np.frombuffer(chunk, dtype=np.uint64).reshape(-1, RECORD) for chunk in chunks]
    return np.concatenate(parts) if parts else np.empty((0, RECORD), dtype=np.uint64)


def _name(bucket: int) -> str:
    return f"{bucket:05d}"


def _luggage(bucket: int) -> str:
    return f"{bucket:05d}-luggage"
