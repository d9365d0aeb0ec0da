"""Whether what a run takes is free at this machine: said from declared sizes before anything is read."""

from __future__ import annotations

from unseen.computation.intersect.footprint import MIB
from unseen.errors import UnavailableError
from unseen.interaction.application import Run


def require_free(run: Run, wanted: int, mend: str) -> None:
    """Raises UnavailableError where so many octets are not free; nothing where nobody knows how many are."""
    if run.memory is not None and wanted > run.memory:
        raise UnavailableError(
            f"this takes about {wanted // MIB:,} MiB of memory at {run.party}, and {run.memory // MIB:,} are free;"
            f" {mend}"
        )
