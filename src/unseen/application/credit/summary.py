"""A finished scorecard as text for the terminal and as the report's context."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from unseen.application.credit.report import Context, in_order


def comparison(result: Mapping[str, Any]) -> Table:
    """Own columns alone against the joint model, on the same held-out rows."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("held-out customers", "AUC", "KS", "Gini"):
        table.add_column(column, justify="left" if column.startswith("held") else "right")
    for name, title in (("alone", "own columns alone"), ("joint", "joint model")):
        figures = result[name]
        style = "bold green" if name == "joint" else ""
        table.add_row(title, *(f"{figures[key]:.3f}" for key in ("auc", "ks", "gini")), style=style)
    return table


def scorecard(result: Mapping[str, Any]) -> Table:
    """The points table: one line a bin, or one a column whose bins nobody sees."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column, justify in (("column", "left"), ("held by", "left"), ("bin", "left"), ("points", "right")):
        table.add_column(column, justify=justify)  # type: ignore[arg-type]
    for column in result["scorecard"]:
        if not column["bins"]:
            table.add_row(Text(column["description"]), Text(column["party"]), Text("unseen"), "unseen")
        for number, entry in enumerate(column["bins"]):
            first = number == 0
            table.add_row(
                Text(column["description"] if first else ""),
                Text(column["party"] if first else ""),
                Text(entry["label"]),
                str(entry["points"]),
            )
    return table


def steps(result: Mapping[str, Any]) -> Table:
    """Seconds and bytes of each step."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("step")
    table.add_column("seconds", justify="right")
    table.add_column("MB between the parties", justify="right")
    for name, step in in_order(result["steps"]):
        table.add_row(name, f"{step['seconds']:.2f}", f"{step['bytes'] / 1e6:.2f}")
    return table


def groups(fairness: Mapping[str, Any]) -> Table:
    """Approvals by protected group."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column, justify in (("group", "left"), ("persons", "right"), ("approved", "right"), ("rate", "right")):
        table.add_column(column, justify=justify)  # type: ignore[arg-type]
    for entry in fairness["groups"]:
        rate = f"{entry['approval_rate']:.1%}"
        table.add_row(Text(entry["name"]), f"{entry['persons']:,}", f"{entry['approved']:,}", rate)
    return table


def learned(context: Context) -> Group:
    """What each party learned: the plan's disclosures."""
    lines = []
    for party, sentences in context.disclosures.items():
        lines.append(Text(party, style="bold"))
        lines += [Text(f"  · {sentence}") for sentence in sentences]
    return Group(*lines)


def parity(found: Mapping[str, Any]) -> str:
    """How far the joint scorecard lies from the one of pooled data."""
    apart = f"; {found['columns_apart']} columns are in one alone" if found["columns_apart"] else ""
    return (
        f"weights of evidence apart by {found['weights_of_evidence']:.1e}, coefficients by "
        f"{found['coefficients']:.1e}, points of a bin by {found['points']:.0f}, log-odds by "
        f"{found['log_odds']:.1e}, AUC by {found['auc']:.1e} on {found['rows']:,} customers{apart}"
    )


def show(console: Console, result: Mapping[str, Any], context: Context) -> None:
    """Print all of it."""
    parts: list[tuple[str, Table | Group]] = [
        ("Both models on the same held-out customers", comparison(result)),
        ("Scorecard", scorecard(result)),
        ("What each party learned", learned(context)),
        ("Cost", steps(result)),
    ]
    if judged := result.get("fairness"):
        impact = f"disparate impact {judged['disparate_impact']:.2f}"
        title = f"Approvals by {judged['column']} of {judged['party']}: {impact}"
        parts.insert(2, (title, groups(judged)))
    for title, part in parts:
        console.print(Text(f"\n{title}", style="bold underline"))
        console.print(part)
    if found := result.get("parity"):
        console.print(f"parity with pooled data: {parity(found)}")
    console.print(f"whole job, with the dealer: {context.seconds:.1f} s, {context.bytes_sent / 1e6:.1f} MB sent")
