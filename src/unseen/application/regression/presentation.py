"""A finished regression on the terminal of the person who asked: the table of coefficients."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text


def present(console: Console, result: Mapping[str, Any]) -> None:
    """Print what this party received; a party that is no recipient of the table reads how the fit went."""
    taken = f", {result['steps']} steps" if result.get("steps") else ""
    console.print(f"{result['family']} regression on {result['rows']:,} rows{taken}")
    if "kept" in result:
        console.print(f"kept: {', '.join(result['kept']) or 'no column'}", markup=False)
    if "coefficients" in result:
        console.print(coefficients(result["coefficients"]))
    if "r_squared" in result:
        console.print(f"R² {result['r_squared']:.4f}")
    if "parity" in result:
        console.print(parity(result["parity"]))


def parity(found: Mapping[str, Any]) -> str:
    """How far the joint model lies from the one on pooled data."""
    area = f", AUC {found['auc']:.1e}" if "auc" in found else ""
    return (
        f"parity with pooled data on {found['rows']:,} rows: coefficients apart by {found['coefficients']:.1e} "
        f"({found['standard_errors']:.1e} standard errors), linear predictors by {found['predictors']:.1e}{area}"
    )


def coefficients(lines: list[Mapping[str, Any]]) -> Table:
    """A line a coefficient; no figures beside a column that is not in the model."""
    inflated = any(line["inflation"] is not None for line in lines)
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    for title in ("column", "held by"):
        table.add_column(title, no_wrap=True)
    for title in ["value", "error", "z / t", "p", "2.5%", "97.5%", *(["VIF"] if inflated else [])]:
        table.add_column(title, justify="right")
    for line in lines:
        cells = ["out"] + [""] * 5
        if line["p"] is not None:
            cells = [
                _number(line["value"]),
                _number(line["error"]),
                f"{line['statistic']:.2f}",
                f"{line['p']:.3f}" if line["p"] >= 0.001 else "<0.001",
                _number(line["low"]),
                _number(line["high"]),
            ]
        if inflated:
            cells.append("" if line["inflation"] is None else f"{line['inflation']:.2f}")
        table.add_row(Text(line["column"]), Text(line["party"]), *cells)
    return table


def _number(value: float) -> str:
    return f"{value:.3g}"
