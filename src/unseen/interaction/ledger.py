"""The ledger: everything of consequence that a node did, in order, signed, and never rewritten.

`entries.jsonl` has one line an entry: `{"digest": leaf hash, "entry": {index, time, kind, key, body}}`.
`head.json` is a signed tree head over the RFC 9162 tree of all entries. A line that was altered shows by its
own digest, so that it can be named; a line and its digest altered together show by the root; both altered and
the head signed again show by the heads that partners hold. `index.db` follows from the entries (ledger_index).

House rules
- An entry is on disk (fsync) before the head, and the head before the call returns.
- `key` makes an append idempotent: after a crash the same step can be recorded again, and is not doubled.
- A torn last line, which only a crash can leave beyond the signed head, is cut off at the next opening.
  Anything that the head covers and the file lacks is not mended: the ledger refuses to go on.
- An append that cannot be made whole (full disk) leaves nothing behind.
- Several processes may append: each takes the file's lock, and reads first what the others wrote.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from threading import RLock
from typing import BinaryIO, Final

from unseen.encoding import Json, canonical, parse_json
from unseen.errors import MisuseError, VerificationError
from unseen.interaction.envelope import Envelope, Signer, authenticated_bytes, parse, seal
from unseen.interaction.ledger_index import LedgerIndex
from unseen.interaction.merkle import Tree, leaf_hash

HEAD: Final = "application/vnd.unseen.tree-head+json"
ENTRY_LIMIT: Final = 4 << 20
_PREFIX: Final = b'{"digest":"'
_MIDDLE: Final = b'","entry":'


class Kind(StrEnum):
    """What an entry records."""

    ADMINISTRATION = "administration"
    INTRODUCTION = "introduction"
    AGREEMENT = "agreement"
    """An agreement, or a step of its life: proposal, signature, suspension, termination, exit."""
    APPROVAL = "approval"
    GRANT = "grant"
    REFUSAL = "refusal"
    RELEASE = "release"
    RUN = "run"
    RESULT = "result"
    FAILURE = "failure"
    RECEIPT = "receipt"
    BUDGET = "budget"
    INCIDENT = "incident"
    """What was sent is not what was declared, or a partner contradicts itself."""
    SUBJECT_REQUEST = "subject-request"
    KEY_EVENT = "key-event"
    PARTNER_HEAD = "partner-head"
    """A partner's signed tree head: from here on it cannot rewrite its ledger unnoticed."""


@dataclass(frozen=True)
class Entry:
    """One entry. `key` names the step that it records, once only; `body` holds no data of persons."""

    index: int
    time: str
    kind: Kind
    key: str
    body: Mapping[str, Json]

    def as_json(self) -> Json:
        return {
            "index": self.index,
            "time": self.time,
            "kind": self.kind.value,
            "key": self.key,
            "body": dict(self.body),
        }


def _now() -> datetime:
    return datetime.now(UTC)


class Ledger:
    """A ledger in `folder`, open for reading and appending. Made if it is not there.

    Raises VerificationError if the file is not what its own signed head says.
    """

    def __init__(
        self, folder: Path, institution: str, signer: Signer, clock: Callable[[], datetime] = _now
    ) -> None:
        self.folder = folder
        self._entries = folder / "entries.jsonl"
        self._head = folder / "head.json"
        self._institution = institution
        self._signer = signer
        self._clock = clock
        self._lock = RLock()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._entries.touch(mode=0o600)
        with self._alone() as file:
            self._index = LedgerIndex(folder / "index.db")
            self._open(file)

    # --- writing ---------------------------------------------------------------------------------------

    def append(self, kind: Kind, key: str, body: Mapping[str, Json]) -> int:
        """Record a step; returns its entry's number. The same key twice is recorded once.

        Raises OSError when the disk is full or gone: then nothing was recorded.
        """
        with self._alone() as file:
            self._read_others(file)
            if (found := self._index.find(key)) is not None:
                return found
            entry = Entry(self._tree.size, self._stamp(), kind, key, body)
            self._write(file, entry)
            return entry.index

    def _write(self, file: BinaryIO, entry: Entry) -> None:
        line, leaf = entry_line(entry)
        start = file.seek(0, os.SEEK_END)
        self._index.begin()
        try:
            self._note(entry.key, leaf, start, start + len(line))
            if file.write(line) < len(line):
                raise OSError("the disk is full: the ledger could not take an entry")
            os.fsync(file.fileno())
            self._write_head()
        except BaseException:
            file.truncate(start)
            self._index.rollback()
            self._tree.size = entry.index
            raise
        try:
            self._index.commit()
        except sqlite3.Error:  # nothing is lost: the next append reads the entry from the file
            self._index.rollback()

    def _note(self, key: str, leaf: bytes, start: int, stop: int) -> None:
        try:
            self._index.add(self._tree.size, key, start, stop)
        except sqlite3.IntegrityError:
            raise VerificationError(f"entry {self._tree.size} of the ledger repeats an earlier step") from None
        self._tree.append(leaf)

    def _write_head(self) -> None:
        value: Json = {
            "institution": self._institution,
            "size": self._tree.size,
            "root": self._tree.root().hex(),
            "time": self._stamp(),
        }
        partial = self._head.with_suffix(".partial")
        with partial.open("wb") as file:
            file.write(canonical(seal(HEAD, value, self._signer).as_json()))
            file.flush()
            os.fsync(file.fileno())
        partial.replace(self._head)

    def _stamp(self) -> str:
        return self._clock().isoformat(timespec="milliseconds")

    # --- reading ---------------------------------------------------------------------------------------

    def entries(self) -> Iterator[Entry]:
        """All entries in order. Raises VerificationError naming the first that was altered."""
        for entry, _ in read_entries(self._entries):
            yield entry

    def entry(self, number: int) -> Entry:
        """One entry. Raises KeyError, and VerificationError if it was altered."""
        return read_line(self.line(number).encode(), number)[0]

    def line(self, number: int) -> str:
        """One entry's line as it stands in the file. Raises KeyError."""
        with self._lock, self._entries.open("rb") as file:
            start, stop = self._index.place(number)
            file.seek(start)
            return file.read(stop - start).decode(errors="replace")

    def leaf(self, number: int) -> bytes:
        """One entry's leaf hash. Raises KeyError."""
        return read_line(self.line(number).encode(), number)[1]

    def find(self, key: str) -> Entry | None:
        """The entry that records this step."""
        with self._lock:
            number = self._index.find(key)
        return None if number is None else self.entry(number)

    def head(self) -> Envelope:
        """The newest signed tree head."""
        with self._lock:
            return parse(self._head.read_bytes())

    def inclusion(self, number: int) -> list[bytes]:
        """The proof that an entry is under the present root (see `merkle.verify_inclusion`)."""
        with self._up_to_date():
            return self._tree.inclusion(number)

    def consistency(self, old: int, size: int | None = None) -> list[bytes]:
        """The proof that the first `old` entries are as they were (see `merkle.verify_consistency`)."""
        with self._up_to_date():
            return self._tree.consistency(old, size)

    def root(self, size: int | None = None) -> bytes:
        """The root now, or as it was at an earlier size."""
        with self._up_to_date():
            return self._tree.root(size)

    def __len__(self) -> int:
        return self._tree.size

    def close(self) -> None:
        """Close the index; the ledger's files are always whole."""
        with self._lock:
            self._index.close()

    # --- opening ---------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _up_to_date(self) -> Iterator[None]:
        """With what other processes have appended meanwhile."""
        with self._alone() as file:
            self._read_others(file)
            yield

    @contextlib.contextmanager
    def _alone(self) -> Iterator[BinaryIO]:
        with self._lock, self._entries.open("rb+", buffering=0) as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield file

    def _read_others(self, file: BinaryIO) -> None:
        self._tree.size, stop = self._index.extent()
        if file.seek(0, os.SEEK_END) != stop:
            self._open(file)

    def _open(self, file: BinaryIO) -> None:
        """Bring the index up to the file, cut a torn line, and hold the whole against the signed head."""
        try:
            self._catch_up(file)
        except (sqlite3.DatabaseError, KeyError):
            self._index.rollback()
            self._index.clear()
            self._catch_up(file)

    def _catch_up(self, file: BinaryIO) -> None:
        number, stop = self._index.extent()
        end = file.seek(0, os.SEEK_END)
        if stop > end:
            raise KeyError("the index reaches beyond the file")
        self._tree = Tree(self._index, number)
        file.seek(stop)
        self._index.begin()
        try:
            with open(os.dup(file.fileno()), "rb") as lines:
                for line in lines:
                    if not line.endswith(b"\n"):
                        break
                    entry, leaf = read_line(line, self._tree.size)
                    self._note(entry.key, leaf, stop, stop + len(line))
                    stop += len(line)
            signed = self._check_head(number)
        except BaseException:
            self._index.rollback()
            raise
        self._index.commit()
        if stop < end:
            file.truncate(stop)
            os.fsync(file.fileno())
        if signed < self._tree.size or not self._tree.size:
            self._write_head()

    def _check_head(self, indexed: int) -> int:
        """The size that our own head signs for. Raises VerificationError if the file is not what it says.

        Raises KeyError where only the index can be wrong: it is then built again.
        """
        if not self._head.exists():
            if self._tree.size > 1:  # a crash while the first entry was written may leave one
                raise VerificationError("the ledger's head.json is gone; restore the ledger from its backup")
            return 0
        head = parse(self._head.read_bytes())
        value = head.read()
        signature = self._signer.sign(authenticated_bytes(HEAD, head.payload))  # RFC 8032: always the same
        if head.signatures.get(self._signer.fingerprint) != signature or not isinstance(value, dict):
            raise VerificationError("the ledger's head.json is not under this institution's signature")
        size = int(value["size"])
        beyond = self._tree.size - size  # a crash between line and head leaves one, never more
        if 0 <= beyond <= 1 and self._tree.root(size).hex() == value["root"]:
            return size
        if indexed:
            raise KeyError("index and head differ")
        raise VerificationError(
            f"the ledger has {self._tree.size} whole entries and its signed head covers {size} others: it was cut,"
            " added to or rewritten. Restore it from its backup; unseen verify names what is wrong"
        )


def entry_line(entry: Entry) -> tuple[bytes, bytes]:
    """An entry as a line of the file, and its leaf hash. Raises MisuseError for one that is too large."""
    data = canonical(entry.as_json())
    if len(data) > ENTRY_LIMIT:
        raise MisuseError(f"a ledger entry of {len(data)} bytes is too large; record a digest instead")
    leaf = leaf_hash(data)
    return _PREFIX + leaf.hex().encode() + _MIDDLE + data + b"}\n", leaf


def read_entries(path: Path) -> Iterator[tuple[Entry, bytes]]:
    """Entries of a ledger file with their leaf hashes, each line checked by itself.

    Raises VerificationError naming the first entry whose line was altered.
    """
    with path.open("rb") as file:
        for number, line in enumerate(file):
            yield read_line(line, number)


def read_line(line: bytes, number: int) -> tuple[Entry, bytes]:
    """One line of a ledger file as its entry `number` and its leaf hash. Raises VerificationError."""
    head = len(_PREFIX) + 64
    given, data = line[len(_PREFIX) : head], line[head + len(_MIDDLE) : -2]
    leaf = leaf_hash(data)
    whole = line.startswith(_PREFIX) and line[head : head + len(_MIDDLE)] == _MIDDLE and line.endswith(b"}\n")
    if not whole or len(line) > ENTRY_LIMIT + 1024 or given != leaf.hex().encode():
        raise VerificationError(f"entry {number} of the ledger was altered")
    try:
        fields = parse_json(data)
        if not isinstance(fields, dict) or fields["index"] != number or not isinstance(fields["body"], dict):
            raise VerificationError(f"entry {number} of the ledger is out of its place")
        return Entry(number, str(fields["time"]), Kind(fields["kind"]), str(fields["key"]), fields["body"]), leaf
    except (MisuseError, KeyError, ValueError) as error:
        raise VerificationError(f"entry {number} of the ledger has another form than an entry") from error
