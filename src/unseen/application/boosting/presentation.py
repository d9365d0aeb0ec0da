"""Finished trees for the person who asked: own splits and measures on the terminal and on a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from unseen.application.evaluation import page
from unseen.application.evaluation.page import Listing


def present(
    console: Console,
    record: Mapping[str, Any],
    result: Mapping[str, Any],
    report: Path,
    ledgers: Sequence[Path] = (),
) -> None:
    """Print what this party received, and write its page where it received measures."""
    rows = result["rows"]
    which = f"on {rows['training']:,} of" if rows["training"] else "of an earlier job on"
    console.print(f"{result['trees']} trees {which} {rows['aligned']:,} common rows")
    splits = [[name, str(count)] for name, count in sorted(result["own_splits"].items(), key=lambda one: -one[1])]
    own = Listing("Splits on the own columns", ("column", "splits"), splits)
    console.print(own.shown())
    if "parity" in result:
        console.print(parity(result["parity"]))
    page.show(console, result)
    if {"evaluation", "self_test"} & result.keys():
        page.write(console, report, record, result, [own])


def parity(found: Mapping[str, Any]) -> str:
    """How far the joint trees lie from those on pooled data."""
    area = f", AUC {found['auc']:.1e}" if "auc" in found else ""
    return (
        f"parity with pooled data on {found['rows']:,} rows: {found['splits']:.1%} of the splits are the same, "
        f"scores apart by {found['scores']:.1e} at most and {found['mean_score']:.1e} in the mean{area}"
    )
