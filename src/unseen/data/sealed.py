"""Files and folders under seal: what a node leaves on disk, and how it is read again.

A file `result.json` lies as `result.json.sealed`, bound to where it belongs (`context`), so that one file cannot
be put in the place of another.
"""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Protocol

from unseen.errors import MisuseError, VerificationError

SUFFIX: Final = ".sealed"
MEMORY: Final = Path("/dev/shm")
_NONCE: Final = 12
LEAST_MEMORY: Final = 256 << 20
"""Where memory has less room than this, files lie in the system's folder for temporary ones."""


class Seal(Protocol):
    """Authenticated encryption; `context` is bound to the text but not stored."""

    def seal(self, data: bytes, context: bytes) -> bytes: ...

    def open(self, sealed: bytes, context: bytes) -> bytes:
        """Raises VerificationError for what was not sealed so."""
        ...


class SealedFolder:
    """The sealed files of one folder. `context` names the folder, the same at writing and reading."""

    def __init__(self, folder: Path, seal: Seal, context: str) -> None:
        self._folder = folder
        self._seal = seal
        self._context = context

    def write(self, name: str, data: bytes) -> None:
        path = self._folder / (name + SUFFIX)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(path, self._seal.seal(data, self._bound(name)))

    def read(self, name: str) -> bytes:
        """Raises MisuseError naming the files there are, VerificationError for one that was altered."""
        try:
            sealed = (self._folder / (name + SUFFIX)).read_bytes()
        except FileNotFoundError:
            raise MisuseError(
                f"there is no {name} here (there is: {', '.join(self.names()) or 'nothing'})"
            ) from None
        return self._seal.open(sealed, self._bound(name))

    def remove(self, name: str) -> None:
        """Erase one file, for good even if the machine stops now. Raises MisuseError if it is not there."""
        path = self._folder / (name + SUFFIX)
        try:
            path.unlink()
        except FileNotFoundError:
            raise MisuseError(f"there is no {name} here any more") from None
        fsync_folder(path.parent)

    def __contains__(self, name: str) -> bool:
        return (self._folder / (name + SUFFIX)).is_file()

    def names(self) -> list[str]:
        """The files there are, those in folders as `folder/file`."""
        found = self._folder.rglob(f"*{SUFFIX}")
        return sorted(path.relative_to(self._folder).as_posix().removesuffix(SUFFIX) for path in found)

    def take(self, source: Path) -> None:
        """Seal every file of a folder, and of folders in it, into this one."""
        for path in sorted(source.rglob("*")):
            if path.is_file():
                self.write(path.relative_to(source).as_posix(), path.read_bytes())

    def _bound(self, name: str) -> bytes:
        return f"unseen/file/{self._context}/{name}".encode()


def write_whole(path: Path, data: bytes) -> None:
    """Write a file of mode 0600 that is there whole or not at all."""
    partial = path.with_name(f"{path.name}.{secrets.token_hex(4)}.partial")  # two may write the same at once
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def fsync_folder(folder: Path) -> None:
    """See to it that names given or removed in a folder stay so even if the machine stops now."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def in_memory() -> Iterator[Path]:
    """A folder that lies in memory where the system has such, and is gone afterwards."""
    roomy = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free >= LEAST_MEMORY
    folder = Path(tempfile.mkdtemp(prefix="unseen-", dir=MEMORY if roomy else None))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Passing:
    """A seal whose key is in this process alone and gone with it: for what no other process is to read."""

    def __init__(self) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        self._cipher = AESGCM(AESGCM.generate_key(256))

    def seal(self, data: bytes, context: bytes) -> bytes:
        nonce = os.urandom(_NONCE)
        return nonce + self._cipher.encrypt(nonce, data, context)

    def open(self, sealed: bytes, context: bytes) -> bytes:
        """Raises VerificationError for what was not sealed so."""
        from cryptography.exceptions import InvalidTag

        try:
            return self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], context)
        except (InvalidTag, ValueError) as error:
            raise VerificationError("something that this process sealed does not open: it was altered") from error

    def __repr__(self) -> str:
        return "Passing(key hidden)"
