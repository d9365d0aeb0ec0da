"""A finished network for the person who asked: measures on the terminal and on a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from unseen.application.evaluation import page


def present(
    console: Console,
    record: Mapping[str, Any],
    result: Mapping[str, Any],
    report: Path,
    ledgers: Sequence[Path] = (),
) -> None:
    """Print what this party received, and write its page where it received measures."""
    rows, layers = result["rows"], " → ".join(map(str, result["layers"]))
    which = f"on {rows['training']:,} of" if rows["training"] else "of an earlier job on"
    console.print(f"network {layers} {which} {rows['aligned']:,} common rows")
    page.show(console, result)
    if {"evaluation", "self_test"} & result.keys():
        page.write(console, report, record, result)
