"""Sealed chunks in files that are written piece by piece: what a run keeps outside memory, or may go on from.

    FOLDER/<name>.spool    chunks one after another: 8 octets of length (little endian), then as much sealed text

Each chunk is bound to folder, name and number, so that none can stand in another's place. A chunk that a crash
cut off is not there for whoever reads, and is overwritten by whoever goes on.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from unseen.data.sealed import Seal
from unseen.errors import UnavailableError, VerificationError

SUFFIX: Final = ".spool"
MOST_CHUNK: Final = 1 << 31
_LENGTH: Final = 8


class SealedSpool:
    """Chunks by name in one folder, made when the first is written. `context` names the folder, as in
    `SealedFolder`. `lasting`: a chunk is on the disk, also if the machine stops, when `write` returns."""

    def __init__(self, folder: Path, seal: Seal, context: str, *, lasting: bool = False) -> None:
        self._folder, self._seal, self._context, self._lasting = folder, seal, context, lasting
        self._ends: dict[str, tuple[int, int]] = {}

    def write(self, name: str, chunk: bytes) -> None:
        """Append a chunk. Raises UnavailableError where the disk does not take it."""
        try:
            number, end = self._ends.get(name) or self._counted(name)
            sealed = self._seal.seal(chunk, self._bound(name, number))
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(self._path(name), os.O_RDWR | os.O_CREAT, 0o600)
            with os.fdopen(descriptor, "r+b") as file:
                file.truncate(end)
                file.seek(end)
                file.write(len(sealed).to_bytes(_LENGTH, "little"))
                file.write(sealed)
                file.flush()
                if self._lasting:
                    os.fsync(file.fileno())
        except OSError as error:
            raise UnavailableError(
                f"cannot write to {self._folder}: {error.strerror}; make room on its disk and run again"
            ) from error
        self._ends[name] = (number + 1, end + _LENGTH + len(sealed))

    def read(self, name: str) -> Iterator[bytes]:
        """All whole chunks of that name. Raises VerificationError for one that was altered."""
        try:
            file = self._path(name).open("rb")
        except FileNotFoundError:
            return
        with file:
            number = 0
            while (length := _length(file)) is not None:
                sealed = file.read(length)
                if len(sealed) < length:
                    return
                yield self._seal.open(sealed, self._bound(name, number))
                number += 1

    def keep(self, name: str, chunks: int) -> None:
        """Leave no more than the first so many chunks of that name."""
        number, end = self._counted(name, chunks)
        if number:
            os.truncate(self._path(name), end)
            self._ends[name] = (number, end)
        else:
            self.forget(name)

    def erase(self) -> None:
        """Remove the folder with all that is in it."""
        self._ends.clear()
        shutil.rmtree(self._folder, ignore_errors=True)

    def forget(self, name: str) -> None:
        """Erase what bears that name."""
        self._ends.pop(name, None)
        self._path(name).unlink(missing_ok=True)

    def _counted(self, name: str, most: int | None = None) -> tuple[int, int]:
        """How many whole chunks there are, `most` of them counted, and where the last one ends."""
        number, end = 0, 0
        try:
            file = self._path(name).open("rb")
        except FileNotFoundError:
            return 0, 0
        with file:
            size = os.fstat(file.fileno()).st_size
            while number != most and (length := _length(file)) is not None and file.tell() + length <= size:
                file.seek(length, os.SEEK_CUR)
                number, end = number + 1, file.tell()
        return number, end

    def _path(self, name: str) -> Path:
        return self._folder / (name + SUFFIX)

    def _bound(self, name: str, number: int) -> bytes:
        return f"unseen/spool/{self._context}/{name}/{number}".encode()

    def __repr__(self) -> str:
        return f"SealedSpool({self._folder})"


def _length(file: BinaryIO) -> int | None:
    """The next chunk's length; None at the end, also where the end is in the middle of a length."""
    octets = file.read(_LENGTH)
    if len(octets) < _LENGTH:
        return None
    length = int.from_bytes(octets, "little")
    if length > MOST_CHUNK:
        raise VerificationError("a spool's chunk is longer than any that is written; it was altered")
    return length
