"""The ledger: everything of consequence that a node did, in order, signed, and never rewritten.

`entries.jsonl` has one line an entry: `{"entry": {index, time, kind, key, body}, "digest": leaf hash}`.
`head.json` is a signed tree head over the RFC 9162 tree of all entries. A line that was altered shows by its
own digest, so that it can be named; a line and its digest altered together show by the root.

House rules
- An entry is on disk (fsync) before the head, and the head before the call returns.
- `key` makes an append idempotent: after a crash the same step can be recorded again, and is not doubled.
- A torn last line, which only a crash can leave beyond the signed head, is cut off at the next opening.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from threading import Lock
from typing import Final

from unseen.encoding import Json, canonical, parse_json
from unseen.errors import MisuseError, VerificationError
from unseen.interaction.envelope import Envelope, Signer, parse, seal
from unseen.interaction.merkle import Frontier, leaf_hash

HEAD: Final = "application/vnd.unseen.tree-head+json"
ENTRY_LIMIT: Final = 4 << 20


class Kind(StrEnum):
    """What an entry records."""

    ADMINISTRATION = "administration"
    INTRODUCTION = "introduction"
    AGREEMENT = "agreement"
    GRANT = "grant"
    REFUSAL = "refusal"
    RELEASE = "release"
    RUN = "run"
    RESULT = "result"
    FAILURE = "failure"
    RECEIPT = "receipt"


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
    """An open ledger in `folder`. One process appends; any may read."""

    def __init__(
        self, folder: Path, institution: str, signer: Signer, clock: Callable[[], datetime] = _now
    ) -> None:
        self._entries = folder / "entries.jsonl"
        self._head = folder / "head.json"
        self._institution = institution
        self._signer = signer
        self._clock = clock
        self._lock = Lock()
        self._frontier = Frontier()
        self._keys: dict[str, int] = {}
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._load()

    def append(self, kind: Kind, key: str, body: Mapping[str, Json]) -> int:
        """Record a step; returns its entry's number. The same key twice is recorded once.

        Raises OSError when the disk is full or gone: then nothing was recorded.
        """
        with self._lock:
            if key in self._keys:
                return self._keys[key]
            entry = Entry(self._frontier.size, self._stamp(), kind, key, body)
            data = canonical(entry.as_json())
            if len(data) > ENTRY_LIMIT:
                raise MisuseError(f"a ledger entry of {len(data)} bytes is too large; record a digest instead")
            leaf = leaf_hash(data)
            self._write_line(b'{"digest":"' + leaf.hex().encode() + b'","entry":' + data + b"}\n")
            self._frontier.append(leaf)
            self._keys[key] = entry.index
            self._write_head()
            return entry.index

    def entries(self) -> Iterator[Entry]:
        """All entries in order. Raises VerificationError naming the first that was altered."""
        for entry, _ in read_entries(self._entries):
            yield entry

    def head(self) -> Envelope:
        """The newest signed tree head."""
        with self._lock:
            return parse(self._head.read_bytes())

    def __len__(self) -> int:
        return self._frontier.size

    def _stamp(self) -> str:
        return self._clock().isoformat(timespec="milliseconds")

    def _load(self) -> None:
        if not self._entries.exists():
            self._entries.touch(mode=0o600)
            self._write_head()
            return
        self._cut_torn_line()
        for entry, leaf in read_entries(self._entries):
            self._frontier.append(leaf)
            self._keys[entry.key] = entry.index
        self._write_head()

    def _cut_torn_line(self) -> None:
        with self._entries.open("rb+") as file:
            data = file.read()
            whole = data.rfind(b"\n") + 1
            if whole < len(data):
                file.truncate(whole)
                os.fsync(file.fileno())

    def _write_line(self, line: bytes) -> None:
        descriptor = os.open(self._entries, os.O_WRONLY | os.O_APPEND)
        before = os.fstat(descriptor).st_size
        try:
            written = os.write(descriptor, line)
            if written < len(line):
                raise OSError("the disk is full")
            os.fsync(descriptor)
        except OSError:
            os.ftruncate(descriptor, before)
            raise
        finally:
            os.close(descriptor)

    def _write_head(self) -> None:
        head: Json = {
            "institution": self._institution,
            "size": self._frontier.size,
            "root": self._frontier.root().hex(),
            "time": self._stamp(),
        }
        partial = self._head.with_suffix(".partial")
        with partial.open("wb") as file:
            file.write(canonical(seal(HEAD, head, self._signer).as_json()))
            file.flush()
            os.fsync(file.fileno())
        partial.replace(self._head)


def read_entries(path: Path) -> Iterator[tuple[Entry, bytes]]:
    """Entries of a ledger file with their leaf hashes, each line checked by itself.

    Raises VerificationError naming the first entry whose line was altered.
    """
    with path.open("rb") as file:
        for number, line in enumerate(file):
            yield _read_line(line, number)


def _read_line(line: bytes, number: int) -> tuple[Entry, bytes]:
    bad = f"entry {number} of the ledger was altered"
    try:
        value = parse_json(line, ENTRY_LIMIT + 1024)
        if not isinstance(value, dict) or set(value) != {"digest", "entry"} or not line.endswith(b"\n"):
            raise VerificationError(bad)
        data = canonical(value["entry"])
        leaf = leaf_hash(data)
        again = b'{"digest":"' + leaf.hex().encode() + b'","entry":' + data + b"}\n"
        fields = value["entry"]
        if line != again or not isinstance(fields, dict) or fields["index"] != number:
            raise VerificationError(bad)
        return Entry(number, str(fields["time"]), Kind(fields["kind"]), str(fields["key"]), fields["body"]), leaf
    except (MisuseError, KeyError, ValueError, TypeError, json.JSONDecodeError) as error:
        raise VerificationError(bad) from error
