"""What we and SecretFlow's engine both compute, and on which inputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np

from unseen.cli.bench.registry import Size, workload
from unseen.cli.bench.slow_link import SLOW, Link
from unseen.cli.bench.workloads.alignment import as_text

ENGINE: Final = "SEMI2K"
"""The peer's protocol for computing on shares, over Z_2^64."""
ALIGNMENTS: Final = frozenset({"align-csv", "align-prepared"})


@dataclass(frozen=True)
class Contest:
    """One of our workloads, and the peer's ways to do the same; in each turn ours runs once and each way once.

    `given`: the sizes, where they are not the workload's own. `inputs`: which of our inputs the peer's program
    takes. `turns`: the most turns, where one takes long. `limit`: seconds that one turn of one of the two may
    take, starting and warming up included. `link`: how far apart processes are, where not on one machine.
    """

    work: str
    ways: tuple[str, ...] = (ENGINE,)
    given: Size = field(default_factory=dict)
    inputs: tuple[str, ...] = ("left", "right")
    parties: int = 2
    turns: int = 100
    limit: float = 180.0
    link: Link | None = None
    note: str = ""

    def size(self, small: bool = False) -> Size:
        """The sizes to take; the workload's small ones for tests."""
        known = workload(self.work)
        return known.small if small else known.sized(self.given)

    def named(self, way: str) -> str:
        """What the table calls one of the ways."""
        name = self.work if way == ENGINE else f"{self.work} ({way})"
        return f"{name}, {self.link}" if self.link else name


_FILES: Final = "both from CSV to CSV"

CONTESTS: Final = (
    Contest("product"),
    Contest("comparison"),
    Contest("logistic-function", inputs=("left",)),
    Contest("matrix-product"),
    Contest("division"),
    Contest("exponential", inputs=("left",)),
    Contest("sort", inputs=()),
    Contest(
        "logistic-regression",
        note="ours: to the optimum, with standard errors; theirs: one epoch of SSRegression's gradient descent",
    ),
    Contest("align-csv", ("RR22", "RR22-low"), {"keys": 1 << 20}, note=_FILES),
    Contest("align-csv", ("RR22", "RR22-low"), {"keys": 1 << 20}, turns=3, link=SLOW, note=_FILES),
    Contest("align-csv", ("RR22", "RR22-low"), {"keys": 1 << 22}, turns=2, note=_FILES),
    Contest("align-csv", ("RR22",), {"keys": 1 << 24}, turns=1, limit=600.0, note=_FILES),
    Contest("align-csv", ("ECDH",), {"keys": 1 << 17}, note=_FILES),
    Contest("align-csv", ("KKRT-3",), {"keys": 1 << 20}, parties=3, turns=2, limit=90.0, note=_FILES),
    Contest(
        "align-prepared", ("UB",), {"keys": 1 << 12, "other": 1 << 20}, turns=2, note="theirs from CSV to CSV"
    ),
    Contest(
        "align-prepared",
        ("UB",),
        {"keys": 1 << 12, "other": 1 << 24},
        turns=1,
        limit=1200.0,
        note="theirs from CSV to CSV",
    ),
)


def write_inputs(folder: Path, contest: Contest, size: Size) -> None:
    """What the peer computes on: our own workload's inputs, as .npy in the order of its arguments, or as CSV."""
    program = workload(contest.work).load()
    if contest.work in ALIGNMENTS:
        for rank in range(contest.parties):
            given = program.prepare(rank, contest.parties, size)
            text = given if isinstance(given, bytes) else as_text(given.names)
            (folder / f"keys{rank}.csv").write_bytes(text)
        return
    given = program.prepare(1, 2, size)
    if contest.work == "logistic-regression":
        columns = np.column_stack([np.ones(len(given.label)), given.columns])
        arrays = [np.zeros(columns.shape[1]), columns, given.label]
    else:
        arrays = [getattr(given, name) for name in contest.inputs] or [given]
    for place, array in enumerate(arrays):
        np.save(folder / f"in{place}.npy", array)


def lost(contest: Contest, size: Size, turn: Mapping[str, object]) -> int:
    """How many common identifiers a turn of an alignment did not find (made up, where negative)."""
    truth = size["keys"] // 2 if "other" in size else size["keys"] - size["keys"] // 2
    return truth - int(str(turn["common"]))
