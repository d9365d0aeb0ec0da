"""A model's report: one self-contained page of its table, its measures on other rows, and what each learned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from unseen.application.evaluation import picture
from unseen.application.evaluation.figures import written

NAMES: Final = {
    "auc": "AUC",
    "gini": "Gini",
    "ks": "KS",
    "log_loss": "log-loss",
    "brier": "Brier score",
    "rmse": "root mean squared error",
    "mae": "mean absolute error",
    "deviance": "mean deviance",
    "explained": "share of deviance explained",
}
MOVED: Final = 0.25
"""A stability index beyond this is taken for another population."""


@dataclass(frozen=True)
class Listing:
    """A table of texts for the terminal and the page; columns from `numbers` on are numbers."""

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    numbers: int = 1

    def shown(self) -> Table:
        table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
        for place, name in enumerate(self.head):
            table.add_column(
                name, justify="right" if place >= self.numbers else "left", no_wrap=place < self.numbers
            )
        for row in self.rows:
            table.add_row(*(Text(cell) for cell in row))
        return table

    def html(self) -> str:
        head = "".join(f"<th>{escape(name)}</th>" for name in self.head)
        body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in self.rows)
        return f"<h2>{escape(self.title)}</h2><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def listings(result: Mapping[str, Any]) -> list[Listing]:
    """What a party's result says of measures, in tables."""
    found = []
    if evaluation := result.get("evaluation"):
        found.append(_figures(evaluation))
        if evaluation.get("bands"):
            found.append(_bands(evaluation["bands"]))
    if judged := result.get("fairness"):
        found.append(_fairness(judged))
    if attacked := result.get("self_test"):
        found += _attacked(attacked)
    if moved := result.get("own_stability"):
        rows = [[name, f"{value:.4f}"] for name, value in sorted(moved.items(), key=lambda pair: -pair[1])]
        found.append(Listing("Stability of the own columns", ("column", "index"), rows))
    return found


def show(console: Console, result: Mapping[str, Any]) -> None:
    """Print the measures."""
    for listing in listings(result):
        console.print(Text(f"\n{listing.title}", style="bold underline"))
        console.print(listing.shown())


def write(
    console: Console,
    path: Path,
    record: Mapping[str, Any],
    result: Mapping[str, Any],
    before: Sequence[Listing] = (),
) -> None:
    """Write the page and say where it is; `before` are the model's own tables."""
    path.write_text(page(record, result, before), encoding="utf-8")
    console.print(f"Report: {path.resolve().as_uri()}")


def page(record: Mapping[str, Any], result: Mapping[str, Any], before: Sequence[Listing] = ()) -> str:
    """One HTML file; every word from outside is escaped."""
    evaluation = result.get("evaluation", {})
    drawn = ""
    if picture.has_bands(evaluation):
        bands = evaluation["bands"]
        drawn = (
            f"<div class='pair'><figure>{picture.calibration(bands)}<figcaption>Calibration by bands of "
            f"predictions</figcaption></figure><figure>{picture.gains(bands)}<figcaption>Gains</figcaption></figure></div>"
        )
    learned = "".join(
        f"<li><b>{escape(party)}</b>: {escape(sentence)}</li>"
        for party, sentences in record["plan"]["disclosures"].items()
        for sentence in sentences or ["nothing"]
    )
    tables = "".join(listing.html() for listing in (*before, *listings(result)))
    return _PAGE.format(
        title=escape(record["title"]),
        tables=tables,
        drawn=drawn,
        learned=learned,
        plan=escape(record["plan_hash"]),
        agreement=escape(record["agreement"]),
    )


def _figures(evaluation: Mapping[str, Any]) -> Listing:
    rows = [[NAMES.get(name, name), written(value)] for name, value in _in_order(evaluation.get("figures", {}))]
    if "stability" in evaluation:
        word = "another population" if evaluation["stability"] > MOVED else "the same population"
        rows.append(["population stability index", f"{evaluation['stability']:.4f} ({word})"])
    how = "predictions that were revealed" if evaluation["scores"] == "revealed" else "predictions that nobody saw"
    how += ", by the rows' weights" if evaluation.get("weighted") else ""
    return Listing(f"Measured on {evaluation['rows']:,} other rows, from {how}", ("measure", "value"), rows)


def _fairness(judged: Mapping[str, Any]) -> Listing:
    title = (
        f"Approvals by {judged['column']} of {judged['party']}: disparate impact "
        f"{judged['disparate_impact']:.2f}, equal opportunity {judged['equal_opportunity']:.1%}"
    )
    rows = [
        [group["name"], f"{group['persons']:,}", f"{group['approved']:,}", f"{group['approval_rate']:.1%}"]
        for group in judged["groups"]
    ]
    return Listing(title, ("group", "persons", "approved", "rate"), rows)


def _attacked(found: Mapping[str, Any]) -> list[Listing]:
    """Ranks by attackers, 0.5 is a toss, and shares of columns that others could tell. An attacker is shown beside
    itself without what the model showed it."""
    rows, listings = [], []
    for name, value in sorted(found.items()):
        if name.startswith("features_by_"):
            listings.append(_told_of_columns(name.removeprefix("features_by_"), value))
            continue
        figures = value if isinstance(value, Mapping) else {"auc": value}
        who = "who was trained on, from losses" if name == "membership" else name.replace("_", " ")
        if "known" in figures:
            who += f", were {figures['known']:,} known there"
        without = f"{figures['without']:.3f}" if "without" in figures else ""
        rows.append([who, f"{figures['auc']:.3f}", without])
    head = ("attack", "AUC (0.5 is a toss)", "without the model")
    return [*([Listing("The model under attack", head, rows)] if rows else []), *listings]


def _told_of_columns(attacker: str, columns: Sequence[Mapping[str, Any]]) -> Listing:
    rows = [[one["column"], f"{one['attack']:.1%}", f"{one['blind']:.1%}"] for one in columns]
    head = ("column", "with the scores", "without")
    return Listing(f"Share of the own columns' variance that {attacker} could tell", head, rows)


def _in_order(figures: Mapping[str, float]) -> list[tuple[str, float]]:
    """Canonical JSON keeps them by name."""
    return [(name, figures[name]) for name in NAMES if name in figures]


def _bands(bands: Sequence[Mapping[str, Any]]) -> Listing:
    rows = [
        [
            f"{number}",
            f"{band['rows']:,}",
            written(band["came"] / picture.size(band)),
            written(band["expected"] / picture.size(band)),
            f"{band['lift']:.2f}",
            f"{band['gain']:.1%}",
        ]
        for number, band in enumerate(bands, 1)
    ]
    head = ("band", "rows", "mean that came", "mean expected", "lift", "gain so far")
    return Listing("Bands of predictions, highest first", head, rows)


_PAGE: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<style>
body {{ font: 15px/1.5 system-ui, sans-serif; color: #1f2933; max-width: 54rem;
  margin: 2.5rem auto; padding: 0 1rem }}
h1 {{ font-size: 1.5rem; border-bottom: 2px solid #0b6e4f; padding-bottom: .4rem }}
h2 {{ font-size: 1.05rem; color: #0b6e4f; margin: 1.4rem 0 .3rem }}
.pair {{ display: flex; gap: 2rem; flex-wrap: wrap; margin-top: 1rem }} figure {{ margin: 0; flex: 1 1 18rem }}
svg {{ width: 100%; height: auto }} svg text {{ font-size: 11px; fill: #52606d }}
figcaption {{ color: #52606d; font-size: 13px }}
table {{ border-collapse: collapse; font-size: 14px }}
th, td {{ text-align: left; padding: .2rem 1.2rem .2rem 0; border-bottom: 1px solid #e4e7eb }}
th {{ font-weight: 550; color: #52606d }} ul {{ margin: 0; padding-left: 1.1rem }}
.hash {{ font: 12px monospace; overflow-wrap: anywhere }}
</style></head><body><h1>{title}</h1>
{tables}{drawn}<h2>What each party learned</h2><ul>{learned}</ul>
<p class="hash">plan {plan}<br>agreement {agreement}</p>
</body></html>
"""
