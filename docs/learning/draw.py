"""Draw the pictures of docs/learning.md from opened results: `python docs/learning/draw.py scorecard regression`.

The folders are those that `unseen job open` wrote; the pictures go beside this file, or into a third folder.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("svg")
import numpy as np
import pyarrow.parquet as pq
from matplotlib.figure import Figure

from unseen.application.credit import plots

LENDER, BUREAU, BAD, INK = "#0b6e4f", "#3b6fb6", "#c8553d", "#1f2933"
COLOURS = {"lender": LENDER, "bureau": BUREAU}


def read(folder: Path) -> dict[str, Any]:
    return dict(json.loads((folder / "result.json").read_text(encoding="utf-8")))


def figure(width: float, height: float) -> tuple[Figure, Any]:
    made = Figure(figsize=(width, height), layout="constrained")
    axes = made.subplots()
    axes.spines[["top", "right"]].set_visible(False)
    return made, axes


def bins(card: list[dict[str, Any]]) -> Figure:
    """The bins of each party's most informative column: how many rows, and the weight of evidence."""
    made = Figure(figsize=(9, 3.2), layout="constrained")
    for axes, party in zip(made.subplots(1, 2), ("lender", "bureau"), strict=True):
        column = max((c for c in card if c["party"] == party), key=lambda c: c["information_value"])
        labels = [f"{entry['label']}\n{entry['rows']:,} rows" for entry in column["bins"]]
        weights = [entry["weight_of_evidence"] for entry in column["bins"]]
        axes.bar(labels, weights, color=COLOURS[party], width=0.7)
        axes.axhline(0, color=INK, linewidth=0.8)
        title = f"{column['description']} ({party}): information value {column['information_value']:.2f}"
        axes.set_title(title, fontsize=8)
        axes.set_ylabel("weight of evidence")
        axes.tick_params(axis="x", labelsize=7)
        axes.spines[["top", "right"]].set_visible(False)
    return made


def coefficients(lines: list[dict[str, Any]]) -> Figure:
    """Coefficients of the kept columns in units of their standard error, with 95% intervals."""
    kept = [line for line in lines if line["p"] is not None and line["party"]]
    made, axes = figure(9, 0.9 + 0.4 * len(kept))
    for place, line in enumerate(kept):
        scale, colour = line["error"], COLOURS[line["party"]]
        axes.plot([line["low"] / scale, line["high"] / scale], [place, place], color=colour, linewidth=2)
        axes.plot(line["statistic"], place, "o", color=colour)
    axes.axvline(0, color=INK, linewidth=0.8)
    axes.set_yticks(range(len(kept)), [f"{line['column']} ({line['party']})" for line in kept])
    axes.set_xlabel("coefficient, in standard errors, with 95% interval")
    return made


def reasons(folder: Path) -> Figure:
    """Points of the held-out customers, and what lowered one of the lowest scores."""
    table = pq.read_table(folder / "scores.parquet").to_pandas()
    held = table[table["held_out"]].sort_values("points")
    one = held.iloc[len(held) // 50]
    made, axes = figure(9, 3.2)
    axes.hist(
        held["points"], bins=np.arange(held["points"].min(), held["points"].max() + 5, 5), color=LENDER, alpha=0.5
    )
    axes.axvline(one["points"], color=BAD, linewidth=2)
    text = "\n".join([f"{one['points']} points, because of", *(f"· {reason}" for reason in one["reasons"])])
    axes.text(0.99, 0.97, text, color=BAD, ha="right", va="top", fontsize=8, transform=axes.transAxes)
    axes.margins(x=0.12)
    axes.set(xlabel="points", ylabel="held-out customers")
    return made


def draw(scorecard: Path, regression: Path, to: Path) -> None:
    """Write bins.svg, roc.svg, coefficients.svg and reasons.svg."""
    card = read(scorecard)
    (to / "roc.svg").write_text(plots.roc(card), encoding="utf-8")
    made = {
        "bins": bins(card["scorecard"]),
        "coefficients": coefficients(read(regression)["coefficients"]),
        "reasons": reasons(scorecard),
    }
    with mpl.rc_context({"svg.hashsalt": "unseen", "font.size": 9}):
        for name, picture in made.items():
            picture.savefig(to / f"{name}.svg", metadata={"Date": None})


if __name__ == "__main__":
    here = Path(__file__).parent
    draw(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]) if len(sys.argv) > 3 else here)
