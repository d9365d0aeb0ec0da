"""A finished regression for the person who asked: coefficients and measures on the terminal and on a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from unseen.application.evaluation import page
from unseen.application.evaluation.figures import trimmed
from unseen.application.evaluation.page import Listing


def present(
    console: Console,
    record: Mapping[str, Any],
    result: Mapping[str, Any],
    report: Path,
    ledgers: Sequence[Path] = (),
) -> None:
    """Print what this party received, and write its page; a party that is no recipient of the table reads how the
    fit went."""
    taken = f", {result['steps']} steps" if result.get("steps") else ""
    console.print(f"{result['family']} regression on {result['rows']:,} rows{taken}")
    if "kept" in result:
        console.print(f"kept: {', '.join(result['kept']) or 'no column'}", markup=False)
    if "coefficients" in result:
        console.print(coefficients(result["coefficients"]).shown())
    if "r_squared" in result:
        console.print(f"R² {result['r_squared']:.4f}")
    if "parity" in result:
        console.print(parity(result["parity"]))
    page.show(console, result)
    if {"coefficients", "evaluation", "self_test"} & result.keys():
        own = [coefficients(result["coefficients"])] if "coefficients" in result else []
        page.write(console, report, record, result, own)


def parity(found: Mapping[str, Any]) -> str:
    """How far the joint model lies from the one on pooled data."""
    area = f", AUC {found['auc']:.1e}" if "auc" in found else ""
    return (
        f"parity with pooled data on {found['rows']:,} rows: coefficients apart by {found['coefficients']:.1e} "
        f"({found['standard_errors']:.1e} standard errors), linear predictors by {found['predictors']:.1e}{area}"
    )


def coefficients(lines: list[Mapping[str, Any]]) -> Listing:
    """A line a coefficient; no figures beside a column that is not in the model."""
    inflated = any(line["inflation"] is not None for line in lines)
    head = ["column", "held by", "value", "error", "z / t", "p", "2.5%", "97.5%", *(["VIF"] if inflated else [])]
    rows = []
    for line in lines:
        cells = ["out"] + [""] * 5
        if line["p"] is not None:
            cells = [
                trimmed(line["value"], 3),
                trimmed(line["error"], 3),
                f"{line['statistic']:.2f}",
                f"{line['p']:.3f}" if line["p"] >= 0.001 else "<0.001",
                trimmed(line["low"], 3),
                trimmed(line["high"], 3),
            ]
        if inflated:
            cells.append("" if line["inflation"] is None else f"{line['inflation']:.2f}")
        rows.append([line["column"], line["party"], *cells])
    return Listing("Coefficients", head, rows, numbers=2)
