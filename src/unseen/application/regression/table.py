"""The table of coefficients: what its recipients get, as JSON and as a CSV file."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import numpy as np

from unseen.application.regression.fitting import Fitted
from unseen.computation.circle import Circle
from unseen.computation.learn.collinearity import Collinearity
from unseen.computation.learn.inference import Coefficient, coefficient
from unseen.computation.share.array import Shared, reveal_to
from unseen.computation.types import Real
from unseen.encoding import Json

FILE: Final = "coefficients.csv"
INTERCEPT: Final = "(intercept)"


@dataclass(frozen=True)
class Line:
    """One coefficient, and the party whose column it belongs to; none for the intercept."""

    party: str
    coefficient: Coefficient
    inflation: float | None

    def as_json(self) -> dict[str, Json]:
        shown = asdict(self.coefficient)
        return {"party": self.party, "column": shown.pop("name"), **shown, "inflation": self.inflation}


@dataclass(frozen=True)
class Table:
    """What a recipient gets: `lines`, the share of variance explained (linear), correlations if asked for."""

    lines: tuple[Line, ...]
    explained: float | None
    correlation: Real | None

    def as_json(self) -> dict[str, Json]:
        shown: dict[str, Json] = {"coefficients": [line.as_json() for line in self.lines]}
        if self.explained is not None:
            shown["r_squared"] = self.explained
        if self.correlation is not None:
            shown["correlation"] = [[float(value) for value in row] for row in self.correlation]
        return shown

    def write(self, folder: Path) -> None:
        rows = [line.as_json() for line in self.lines]
        with (folder / FILE).open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, fieldnames=list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)


def revealed(
    circle: Circle, fitted: Fitted, diagnosed: Collinearity | None, recipients: Sequence[str]
) -> Table | None:
    """Open the model to its recipients, one after the other; the table at a recipient, None elsewhere."""
    found = None
    for party in recipients:
        opened = _opened(fitted, diagnosed, party)
        if opened is not None:
            found = _table(circle, fitted, opened)
    return found


def _opened(fitted: Fitted, diagnosed: Collinearity | None, party: str) -> dict[str, Real] | None:
    model = fitted.model
    wanted: dict[str, Shared | None] = {
        "intercept": model.intercept,
        "weights": model.weights,
        "variances": model.variances,
        "explained": fitted.explained,
        "correlation": None if diagnosed is None else diagnosed.correlation,
        "inflation": None if diagnosed is None else diagnosed.inflation,
    }
    opened: dict[str, Real] = {}
    for name, shared in wanted.items():
        values = None if shared is None else reveal_to(shared, party, name)
        if values is not None:
            opened[name] = values
    return opened or None


def _table(circle: Circle, fitted: Fitted, opened: dict[str, Real]) -> Table:
    model = fitted.model
    unit = np.r_[1.0, 2.0**-model.exponents] * 2.0**model.label_exponent
    values = np.r_[opened["intercept"], opened["weights"]] * unit
    errors = np.sqrt(np.maximum(opened["variances"], 0.0)) * unit
    names = [("", INTERCEPT), *((circle.parties[owner], name) for owner, name in model.names)]
    inflation: list[float | None] = [None] * len(names)
    if "inflation" in opened:
        inflation[1:] = [float(value) for value in opened["inflation"]]
    lines = []
    for place, (party, name) in enumerate(names):
        held = place in model.kept
        value, error = float(values[place]) if held else 0.0, float(errors[place]) if held else 0.0
        lines.append(Line(party, coefficient(name, value, error, fitted.freedom), inflation[place]))
    explained = float(opened["explained"]) if "explained" in opened else None
    return Table(tuple(lines), explained, opened.get("correlation"))
