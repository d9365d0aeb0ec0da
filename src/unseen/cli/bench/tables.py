"""Measured figures as tables of the documentation, between markers that a program can find again."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from unseen.errors import MisuseError

_KNOWN: Final = frozenset(
    {"work", "parties", "size", "seconds", "seconds_min", "seconds_max", "bytes", "rounds", "peak_rss_mb"}
)


def machine() -> str:
    """This machine in a line: processor, cores, memory, Python, date."""
    return f"{machine_alone()}, {datetime.now(UTC).date()}"


def machine_alone() -> str:
    """The same without the date."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    return f"{_processor()}, {cores} cores, {memory:.0f} GiB, Python {platform.python_version()}"


def markdown(reports: Sequence[Mapping[str, Any]]) -> str:
    """One table of all reports, under a line about the machine."""
    lines = [
        f"Measured on: {machine()}. All processes on this machine, TLS 1.3 over loopback; median of the runs.",
        "",
        "| work | parties | size | seconds | from – to | bytes | rounds | largest process | more |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for report in reports:
        size = ", ".join(f"{value:,} {name}" for name, value in report["size"].items())
        more = ", ".join(f"{name} {_short(report[name])}" for name in report if name not in _KNOWN)
        cells = (
            report["work"],
            report["parties"],
            size,
            f"{report['seconds']:.3g}",
            f"{report['seconds_min']:.3g} – {report['seconds_max']:.3g}",
            f"{report['bytes']:,}",
            report["rounds"],
            f"{report['peak_rss_mb']:.0f} MiB",
            more,
        )
        lines.append("| " + " | ".join(str(cell) for cell in cells) + " |")
    return "\n".join(lines)


def write_between(path: Path, name: str, text: str) -> None:
    """Replace what stands between `<!-- NAME:begin -->` and `<!-- NAME:end -->` in a file. Raises MisuseError."""
    begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
    before, _, after = _cut(path, name)
    path.write_text(f"{before}{begin}\n{text}\n{end}{after}", encoding="utf-8")


def read_between(path: Path, name: str) -> str:
    """What stands between the two lines. Raises MisuseError."""
    return _cut(path, name)[1].strip()


def _cut(path: Path, name: str) -> tuple[str, str, str]:
    """A page before, between and after the two lines."""
    begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
    page = path.read_text(encoding="utf-8") if path.exists() else f"# Benchmarks\n\n{begin}\n{end}\n"
    before, found, rest = page.partition(begin)
    between, found_end, after = rest.partition(end)
    if not found or not found_end:
        raise MisuseError(f"{path} has no lines {begin} and {end}; add them where the tables belong")
    return before, between, after


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
