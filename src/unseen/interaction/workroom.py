"""A running job's own room in its home: what earlier jobs left, what this one puts down before it ends, spools.

HOME/jobs/<job>/
  <result>.sealed       results, sealed one by one as they are put down
  kept/                 what a later job may go on from (sealed as results are; see `retention`)
  passing/              what does not fit into memory, under a key that only this process has
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Final

from unseen.data.sealed import Passing, SealedFolder
from unseen.data.sealed_spool import SealedSpool
from unseen.errors import MisuseError
from unseen.interaction.home import RESULTS, Home

KEPT: Final = "kept"
PASSING: Final = "passing"


class Workroom:
    """The room of one job at one home."""

    def __init__(self, home: Home, job: str) -> None:
        self._home, self._job = home, job
        self._passing: list[SealedSpool] = []

    def earlier(self, job: str, name: str) -> bytes:
        """This institution's own result of an earlier job. Raises MisuseError for a name that no job has."""
        return self._results(job).read(name)

    def erase(self, job: str, name: str) -> None:
        """Remove such a result, so that no later job uses it again."""
        self._results(job).remove(name)

    def put(self, name: str, data: bytes) -> None:
        """Seal a result now, where all of them together would not fit into memory."""
        self._results(self._job).write(name, data)

    def passing(self) -> SealedSpool:
        """A spool for what this process alone reads again; erased by `close`, and unreadable after it."""
        spool = SealedSpool(self._home.job_folder(self._job) / PASSING, Passing(), f"jobs/{self._job}/{PASSING}")
        self._passing.append(spool)
        return spool

    def kept(self, job: str = "") -> SealedSpool:
        """A spool that outlives its job, this one or an earlier one: what a later job goes on from."""
        named = job or self._job
        folder = self._folder(named) / KEPT
        return SealedSpool(folder, self._home.keyring.seal(RESULTS), f"jobs/{named}/{KEPT}", lasting=True)

    def clear_after(self, job: str) -> None:
        """Erase what a killed process of an earlier job left on the disk, which nobody can read any more."""
        shutil.rmtree(self._folder(job) / PASSING, ignore_errors=True)

    def goes_on(self) -> bool:
        """Whether this job has left what a later one goes on from."""
        return any((self._folder(self._job) / KEPT).glob("*.spool"))

    def close(self) -> None:
        """Erase what was only passing."""
        for spool in self._passing:
            spool.erase()

    def _results(self, job: str) -> SealedFolder:
        self._folder(job)
        return self._home.results(job)

    def _folder(self, job: str) -> Path:
        if not re.fullmatch(r"[0-9a-f]{32}", job):
            raise MisuseError("a job's name has 32 hexadecimal digits; `unseen jobs` shows them")
        return self._home.job_folder(job)


def free_memory() -> int | None:
    """Octets that this process may still take: what the machine has, or its control group; None if unknown."""
    found = []
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        found += [int(line.split()[1]) << 10 for line in lines if line.startswith("MemAvailable:")]
        group = Path("/sys/fs/cgroup")
        most, taken = (
            (group / name).read_text(encoding="ascii").strip() for name in ("memory.max", "memory.current")
        )
        if most != "max":
            found.append(max(0, int(most) - int(taken)))
    except (OSError, ValueError, IndexError):
        pass
    return min(found, default=None)
