"""Side by side with SecretFlow's engine: `python -m unseen.cli.bench.peers`, which `make bench-peers` runs.

Both take the same inputs and take turns on the same machine. Ours: each party and the dealer a process, TLS, the
dealer's work counted. Theirs (`peers/spu_workloads.py`): two processes, loopback without TLS, SEMI2K over Z_2^64,
party 0 making the randomness, as is its default. Nothing is asserted; what fails stands in the table.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

import numpy as np

from unseen.cli.bench.harness import measure
from unseen.cli.bench.registry import Size, workload
from unseen.cli.bench.tables import machine, write_between
from unseen.errors import MisuseError

SCRIPT: Final = Path("peers/spu_workloads.py")
PATIENCE: Final = 900.0
FIGURES: Final = frozenset({"work", "parties", "size", "seconds", "seconds_min", "seconds_max", "bytes", "rounds"})


@dataclass(frozen=True)
class Match:
    """One workload at both: the peer's way by name, how often its program runs in a row, what differs."""

    work: str
    way: str = "SEMI2K"
    inputs: tuple[str, ...] = ("left", "right")
    passes: int = 1
    note: str = ""


MATCHES: Final = (
    Match("product"),
    Match("comparison"),
    Match("logistic-function", inputs=("left",)),
    Match("matrix-product"),
    Match("division"),
    Match("exponential", inputs=("left",)),
    Match("sort", inputs=()),
    Match("logistic-regression", passes=5, note="theirs: 5 epochs in mini-batches of 1024, no standard errors"),
    Match("align", "RR22", note="theirs: CSV in and out"),
    Match("align", "ECDH", note="theirs: CSV in and out, Curve25519"),
)


def write_inputs(folder: Path, match: Match, size: Size) -> None:
    """What the peer computes on: our own workload's inputs, as .npy in the order of its arguments, or as CSV."""
    program = workload(match.work).load()
    if match.work == "align":
        for rank in range(2):
            lines = ["id", *program.prepare(rank, 2, size).to_pylist()]
            (folder / f"keys{rank}.csv").write_text("\n".join(lines) + "\n", encoding="ascii")
        return
    given = program.prepare(1, 2, size)
    if match.work == "logistic-regression":
        columns = np.column_stack([np.ones(len(given.label)), given.columns])
        arrays = [np.zeros(columns.shape[1]), columns, given.label]
    else:
        arrays = [getattr(given, name) for name in match.inputs] or [given]
    for place, array in enumerate(arrays):
        np.save(folder / f"in{place}.npy", array)


def theirs(python: Path, folder: Path, match: Match) -> dict[str, Any]:
    """One turn of the peer; `failed` in place of figures if it fails or takes more than PATIENCE."""
    task = {"work": match.work, "protocol": match.way, "repeat": 1, "passes": match.passes, "patience": PATIENCE}
    (folder / "task.json").write_text(json.dumps(task), encoding="utf-8")
    process = subprocess.Popen(
        [str(python), str(SCRIPT), str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        output, errors = process.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return {"failed": f"no result within {PATIENCE:.0f} s"}
    lines = [line for line in output.splitlines() if line.startswith("{")]
    if process.returncode or not lines:
        return {"failed": (errors.strip().splitlines() or ["it ended without a word"])[-1][:200]}
    found: dict[str, Any] = json.loads(lines[-1])
    return {**found, "seconds": found["seconds"][0]}


def turns(python: Path, match: Match, size: Size, repeat: int) -> dict[str, Any]:
    """Ours and theirs one after the other, `repeat` times. Raises MisuseError without the peer's environment."""
    if not python.exists() or not SCRIPT.exists():
        raise MisuseError(f"there is no {python} or no {SCRIPT}; run `make bench-peers` in the source's folder")
    mine, other = [], []
    with tempfile.TemporaryDirectory(prefix="unseen-peers-") as name:
        write_inputs(Path(name), match, size)
        for _ in range(repeat):
            mine.append(measure(workload(match.work), size, repeat=1))
            other.append(theirs(python, Path(name), match))
    return {"match": match, "size": dict(size), "ours": mine, "theirs": other}


def markdown(reports: Sequence[Mapping[str, Any]]) -> str:
    """One table of all matches, under a line about the machine."""
    lines = [
        f"Measured on: {machine()}. Medians; ours and theirs took turns on the same inputs.",
        "",
        "| work | size | turns | ours, s | SPU 0.9.5, s | SPU ÷ ours | ours, MiB | SPU, MiB | ours | SPU |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    lines += ["| " + " | ".join(_cells(report)) + " |" for report in reports]
    return "\n".join(lines)


def _cells(report: Mapping[str, Any]) -> list[str]:
    match, mine = report["match"], report["ours"]
    right = [turn for turn in report["theirs"] if "failed" not in turn]
    wrong = [turn["failed"] for turn in report["theirs"] if "failed" in turn]
    seconds = median(turn["seconds"] for turn in mine)
    other = median(turn["seconds"] for turn in right) if right else None
    said = [*wrong[:1], *([_quality(right[-1])] if right else []), *([match.note] if match.note else [])]
    return [
        match.work if match.way == "SEMI2K" else f"{match.work} ({match.way})",
        ", ".join(f"{value:,} {name}" for name, value in report["size"].items()),
        str(len(mine)),
        f"{seconds:.3g}",
        f"{other:.3g}" if other else "–",
        f"{other / seconds:.1f}" if other else "–",
        f"{max(turn['peak_rss_mb'] for turn in mine):.0f}",
        f"{max(turn['peak_rss_mb'] for turn in right):.0f}" if right else "–",
        _quality(mine[-1]),
        "; ".join(said).replace("|", "/"),
    ]


def _quality(report: Mapping[str, Any]) -> str:
    more = {name: value for name, value in report.items() if name not in FIGURES | {"peak_rss_mb"}}
    return ", ".join(f"{name} {value:.3g}" for name, value in more.items())


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", type=Path, default=Path(".peers/venv/bin/python"), help="the peer's")
    parser.add_argument("--work", action="append", help="only this workload; may be repeated")
    parser.add_argument("--turns", type=int, default=3, help="how often each")
    parser.add_argument("--small", action="store_true", help="the sizes of the tests")
    parser.add_argument("--write", type=Path, help="rewrite the table between peers:begin and peers:end")
    asked = parser.parse_args()
    reports = []
    for match in MATCHES:
        if asked.work and match.work not in asked.work:
            continue
        print(f"{match.work} {match.way} …", file=sys.stderr, flush=True)
        known = workload(match.work)
        reports.append(turns(asked.python, match, known.small if asked.small else known.size, asked.turns))
        if asked.write:
            write_between(asked.write, "peers", markdown(reports))
    print(markdown(reports))


if __name__ == "__main__":
    main()
