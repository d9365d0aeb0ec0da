"""An index beside a ledger: which entry records a step, where its line begins, and the tree's hashes.

Everything here follows from `entries.jsonl` and can be built again from it, so it is written without waiting
for the disk. It is believed only where the root that follows from it is the one in the signed head.
"""

from __future__ import annotations

import contextlib
import sqlite3
import weakref
from pathlib import Path
from typing import Final

_SCHEMA: Final = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = OFF;
CREATE TABLE IF NOT EXISTS steps (number INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, start INTEGER NOT NULL,
                                  stop INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS subtrees (place INTEGER PRIMARY KEY, hash BLOB NOT NULL);
"""
_LEVELS: Final = 64
"""More levels than any log has: the place of a subtree is its number times this, plus its level."""


class LedgerIndex:
    """The index of one ledger, open. Also a `merkle.Subtrees`. Its user sees to it that one thread is in it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection = self._open()
        self._finalizer = weakref.finalize(self, self._connection.close)

    def _open(self) -> sqlite3.Connection:
        try:
            return self._connect()
        except sqlite3.DatabaseError:
            self._forget_files()
            return self._connect()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
        try:
            connection.executescript(_SCHEMA)
        except sqlite3.DatabaseError:
            connection.close()
            raise
        return connection

    def _forget_files(self) -> None:
        for suffix in ("", "-wal", "-shm"):
            with contextlib.suppress(FileNotFoundError):
                self._path.with_name(self._path.name + suffix).unlink()

    def clear(self) -> None:
        """Forget everything, to be built again."""
        self._finalizer()
        self._forget_files()
        self._connection = self._connect()
        self._finalizer = weakref.finalize(self, self._connection.close)

    def close(self) -> None:
        self._finalizer()

    def extent(self) -> tuple[int, int]:
        """How many entries are indexed, and where in the file the last one stops."""
        row = self._connection.execute("SELECT number, stop FROM steps ORDER BY number DESC LIMIT 1").fetchone()
        return (int(row[0]) + 1, int(row[1])) if row else (0, 0)

    def begin(self) -> None:
        """Start a transaction; `commit` or `rollback` ends it."""
        self._connection.execute("BEGIN IMMEDIATE")

    def commit(self) -> None:
        self._connection.execute("COMMIT")

    def rollback(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def add(self, number: int, key: str, start: int, stop: int) -> None:
        """Note an entry: the step it records and its line's place, in bytes. Raises sqlite3.IntegrityError."""
        self._connection.execute("INSERT INTO steps VALUES (?, ?, ?, ?)", (number, key, start, stop))

    def find(self, key: str) -> int | None:
        """The number of the entry that records this step."""
        row = self._connection.execute("SELECT number FROM steps WHERE key = ?", (key,)).fetchone()
        return int(row[0]) if row else None

    def place(self, number: int) -> tuple[int, int]:
        """Where an entry's line starts and stops. Raises KeyError."""
        row = self._connection.execute("SELECT start, stop FROM steps WHERE number = ?", (number,)).fetchone()
        if row is None:
            raise KeyError(number)
        return int(row[0]), int(row[1])

    def get(self, level: int, number: int) -> bytes:
        """See `merkle.Subtrees`."""
        place = number * _LEVELS + level
        row = self._connection.execute("SELECT hash FROM subtrees WHERE place = ?", (place,)).fetchone()
        if row is None:
            raise KeyError(place)
        return bytes(row[0])

    def put(self, level: int, number: int, value: bytes) -> None:
        """See `merkle.Subtrees`."""
        self._connection.execute(
            "INSERT OR REPLACE INTO subtrees VALUES (?, ?)", (number * _LEVELS + level, value)
        )
