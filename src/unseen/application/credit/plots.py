"""The report's pictures, as SVG text to stand inside the page."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any, Final

import matplotlib as mpl
import numpy as np

mpl.use("svg")
from matplotlib.figure import Figure

JOINT: Final = "#0b6e4f"
ALONE: Final = "#b0b7c3"
BAD: Final = "#c8553d"
INK: Final = "#1f2933"
FAINT: Final = "#e4e7eb"

_STYLE: Final = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.edgecolor": "#9aa5b1",
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": FAINT,
    "grid.linewidth": 0.8,
    "text.color": INK,
    "xtick.color": "#52606d",
    "ytick.color": "#52606d",
    "legend.frameon": False,
    "svg.fonttype": "path",
    "svg.hashsalt": "unseen",
}


def roc(result: Mapping[str, Any]) -> str:
    """Share of bad cases caught against share of good cases lost, both models on the same held-out rows."""
    with mpl.rc_context(_STYLE):
        figure, axes = _figure(4.6, 3.9)
        for name, colour in (("alone", ALONE), ("joint", JOINT)):
            curve = result["curves"][name]
            label = f"{_title(name)}: AUC {result[name]['auc']:.3f}"
            axes.plot(curve["good"], curve["bad"], color=colour, linewidth=2.2, label=label)
        axes.plot([0, 1], [0, 1], color="#cbd2d9", linewidth=1, linestyle=(0, (4, 4)))
        axes.set(xlabel="good cases at or below the score", ylabel="bad cases at or below the score")
        axes.set(xlim=(0, 1), ylim=(0, 1.005), aspect="equal")
        axes.legend(loc="lower right")
        return _svg(figure)


def ks(result: Mapping[str, Any]) -> str:
    """Distance between the two classes' distributions along the ranking, both models."""
    with mpl.rc_context(_STYLE):
        figure, axes = _figure(4.6, 3.9)
        for name, colour in (("alone", ALONE), ("joint", JOINT)):
            bad, good = (np.asarray(result["curves"][name][kind]) for kind in ("bad", "good"))
            share = result["bad_share"] * bad + (1 - result["bad_share"]) * good
            gap = bad - good
            label = f"{_title(name)}: KS {result[name]['ks']:.3f}"
            axes.plot(share, gap, color=colour, linewidth=2.2, label=label)
            top = int(np.argmax(np.abs(gap)))
            axes.plot([share[top]] * 2, [0, gap[top]], color=colour, linewidth=1, linestyle=(0, (3, 3)))
        axes.set(xlabel="customers, lowest scores first", ylabel="bad share caught less good share lost")
        axes.set(xlim=(0, 1))
        axes.set_ylim(bottom=min(0.0, axes.get_ylim()[0]))
        axes.legend(loc="lower center")
        return _svg(figure)


def distribution(result: Mapping[str, Any]) -> str:
    """Points of the held-out customers by outcome, each class on its own scale of density."""
    with mpl.rc_context(_STYLE):
        figure, axes = _figure(9.6, 2.9)
        shape = result["distribution"]
        edges = np.asarray(shape["edges"])
        for kind, colour in (("good", JOINT), ("bad", BAD)):
            counts = np.asarray(shape[kind], dtype=float)
            density = counts / max(counts.sum(), 1)
            axes.stairs(density, edges, fill=True, color=colour, alpha=0.35)
            axes.stairs(density, edges, color=colour, linewidth=1.6, label=f"{kind} ({int(counts.sum()):,})")
        axes.set(xlabel="points", ylabel="share of its class")
        axes.legend(loc="upper left")
        return _svg(figure)


def importance(card: Sequence[Mapping[str, Any]], colours: Mapping[str, str]) -> str:
    """Each column's weight: how far its points spread over the training rows (standard deviation)."""
    spread = sorted(((_spread(column), column) for column in card), key=lambda pair: pair[0])
    with mpl.rc_context(_STYLE):
        figure, axes = _figure(9.6, 0.9 + 0.28 * len(spread))
        axes.barh(
            [column["description"] for _, column in spread],
            [value for value, _ in spread],
            color=[colours[column["party"]] for _, column in spread],
            height=0.66,
        )
        axes.set_xlabel("standard deviation of the points it gives")
        axes.grid(visible=False, axis="y")
        for party, colour in colours.items():
            axes.bar(0, 0, color=colour, label=party)
        axes.legend(loc="lower right")
        axes.set_ylim(-0.6, len(spread) - 0.4)
        return _svg(figure)


def points(column: Mapping[str, Any], colour: str, span: tuple[float, float]) -> str:
    """Points of one column's bins, all columns on one scale."""
    bins = column["bins"]
    with mpl.rc_context({**_STYLE, "font.size": 8}):
        figure, axes = _figure(4.6, 0.62 + 0.24 * len(bins))
        labels = [_short(entry["label"]) for entry in bins]
        values = [entry["points"] for entry in bins]
        places = np.arange(len(bins))
        axes.barh(places, values, color=colour, height=0.66)
        for place, value in zip(places, values, strict=True):
            axes.text(value + (span[1] - span[0]) * 0.015, place, str(value), va="center", fontsize=8)
        axes.set_yticks(places, labels)
        axes.set_xlim(min(span[0], 0), span[1] * 1.1)
        axes.invert_yaxis()
        axes.grid(visible=False, axis="y")
        axes.tick_params(axis="y", length=0)
        return _svg(figure)


def _spread(column: Mapping[str, Any]) -> float:
    rows = np.array([entry["rows"] for entry in column["bins"]], dtype=float)
    values = np.array([entry["points"] for entry in column["bins"]], dtype=float)
    mean = np.average(values, weights=rows)
    return float(np.sqrt(np.average((values - mean) ** 2, weights=rows)))


def _short(label: str) -> str:
    return label if len(label) <= 34 else label[:33] + "…"


def _title(name: str) -> str:
    return {"joint": "joint model", "alone": "own columns alone"}[name]


def _figure(width: float, height: float) -> tuple[Figure, Any]:
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.add_subplot()


def _svg(figure: Figure) -> str:
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    return text[text.index("<svg") :]
