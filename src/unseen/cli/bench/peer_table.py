"""The table of our figures beside a peer's: rows of this run take the place of older ones, the others stay."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from statistics import median
from typing import Any, Final

from unseen.cli.bench.peer_contests import ALIGNMENTS, CONTESTS, Contest, lost
from unseen.cli.bench.registry import Size
from unseen.cli.bench.tables import machine_alone

HEAD: Final = (
    "work",
    "size",
    "turns",
    "ours, s",
    "SPU 0.9.5, s",
    "SPU ÷ ours",
    "ours, MB",
    "SPU, MB",
    "ours, MiB of memory",
    "SPU, MiB of memory",
    "ours",
    "SPU",
    "when",
)
FIGURES: Final = frozenset(
    {"work", "parties", "size", "seconds", "seconds_min", "seconds_max", "bytes", "rounds", "peak_rss_mb"}
)


def rows(contest: Contest, size: Size, turns: Sequence[Mapping[str, Any]]) -> list[tuple[str, ...]]:
    """A row for each of the peer's ways. A turn maps `ours` and each way to figures, or to why there are none."""
    return [_row(contest, way, size, turns) for way in contest.ways]


def merged(page: str, fresh: Sequence[tuple[str, ...]]) -> str:
    """The page's table with these rows in it, in the contests' order; what is no contest any more is gone."""
    known: dict[tuple[str, str], tuple[str, ...]] = {}
    for line in page.splitlines():
        cells = tuple(cell.strip() for cell in line.strip().strip("|").split("|"))
        if len(cells) == len(HEAD):
            known[cells[0], cells[1]] = cells
    known |= {(row[0], row[1]): row for row in fresh}
    wanted = [(contest.named(way), sized(contest.size())) for contest in CONTESTS for way in contest.ways]
    lines = [
        f"{machine_alone()}. Medians of turns, ours and theirs alternating on the same inputs; `when` is the day "
        "and what the machine did besides (its load average) as the turns began.",
        "",
        _line(HEAD),
        _line(("---",) * len(HEAD)),
        *(_line(known[key]) for key in wanted if key in known),
    ]
    return "\n".join(lines)


def sized(size: Size) -> str:
    """Sizes in words."""
    return ", ".join(f"{value:,} {name}" for name, value in size.items())


def now() -> str:
    """The day, and how busy this machine is."""
    return f"{datetime.now(UTC).date()}, load {os.getloadavg()[0]:.1f}"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _row(contest: Contest, way: str, size: Size, turns: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    mine, other = ([turn[name] for turn in turns] for name in ("ours", way))
    seconds, peers = _seconds(mine), _seconds(other)
    return (
        contest.named(way),
        sized(size),
        str(len(turns)),
        _short(seconds),
        _short(peers),
        f"{peers / seconds:.1f}" if peers and seconds else "–",
        *(
            _most(those, name, unit)
            for name, unit in (("bytes", 1e6), ("peak_rss_mb", 1))
            for those in (mine, other)
        ),
        _quality(contest, size, mine),
        "; ".join(part for part in (_quality(contest, size, other), contest.note) if part),
        str(turns[0]["when"]),
    )


def _right(those: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [one for one in those if "failed" not in one]


def _seconds(those: Sequence[Mapping[str, Any]]) -> float | None:
    right = _right(those)
    return median(one["seconds"] for one in right) if right else None


def _short(value: float | None) -> str:
    return "–" if value is None else f"{value:.3g}"


def _most(those: Sequence[Mapping[str, Any]], name: str, unit: float) -> str:
    found = [one[name] / unit for one in _right(those)]
    return f"{max(found):.0f}" if found and max(found) >= 10 else f"{max(found):.2g}" if found else "–"


def _quality(contest: Contest, size: Size, those: Sequence[Mapping[str, Any]]) -> str:
    """What failed and how often, then the quality of the last turn that did not."""
    wrong, right = [one["failed"] for one in those if "failed" in one], _right(those)
    said = [f"failed in {len(wrong)} of {len(those)}: {wrong[-1]}"] if wrong else []
    if right and contest.work in ALIGNMENTS:
        missing = [lost(contest, size, one) for one in right]
        said.append(
            "all found" if not any(missing) else f"lost {' and '.join(map(str, missing))} of the common ones"
        )
        if "preparation_seconds" in right[-1]:
            said.append(f"prepared in {median(one['preparation_seconds'] for one in right):.3g} s")
    elif right:
        more = {name: value for name, value in right[-1].items() if name not in FIGURES}
        said.append(", ".join(f"{name.replace('_', ' ')} {value:.3g}" for name, value in more.items()))
    return "; ".join(said).replace("|", "/")
