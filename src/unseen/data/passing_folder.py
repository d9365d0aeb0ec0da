"""Folders on the disk that are gone with the process that made them, also if it was killed.

    FOLDER/passing/lock           held while a folder is made, or those of dead processes are removed
    FOLDER/passing/<digits>/      one process's; it holds `lock` in it for as long as it lives

The system gives a dead process's locks back, so that whoever comes next knows what nobody uses any more.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

PASSING: Final = "passing"
_LOCK: Final = "lock"


class PassingFolder:
    """A fresh folder within `folder`, until `erase`. Raises OSError where the disk does not take it."""

    def __init__(self, folder: Path) -> None:
        within = folder / PASSING
        within.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _alone(within):
            self.path = within / secrets.token_hex(8)
            self.path.mkdir(mode=0o700)
            self._lock = _locked(self.path)

    def erase(self) -> None:
        """Remove it with all that is in it; may be called twice."""
        shutil.rmtree(self.path, ignore_errors=True)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def __repr__(self) -> str:
        return f"PassingFolder({self.path})"


def clear_passing(folder: Path) -> None:
    """Remove what processes that are gone have left in `folder`."""
    within = folder / PASSING
    if not within.is_dir():
        return
    with _alone(within):
        for left in within.iterdir():
            if left.is_dir() and (lock := _locked(left)) is not None:
                shutil.rmtree(left, ignore_errors=True)
                os.close(lock)


@contextmanager
def _alone(within: Path) -> Iterator[None]:
    with (within / _LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _locked(folder: Path) -> int | None:
    """A descriptor under which the folder is held; None if another process holds it, or has just erased it."""
    try:
        lock = os.open(folder / _LOCK, os.O_WRONLY | os.O_CREAT, 0o600)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    return lock
