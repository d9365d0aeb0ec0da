"""Logistic regression on columns of two or more parties, to the optimum, standard errors included."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from unseen.cli.bench.registry import Program, Size
from unseen.computation.circle import Circle
from unseen.computation.learn.columns import Block
from unseen.computation.learn.evaluate import quality
from unseen.computation.learn.logistic import fit_logistic
from unseen.computation.share.array import reveal
from unseen.computation.types import Real
from unseen.encoding import Json


@dataclass(frozen=True)
class Table:
    """The pooled columns (rows, width), which a party cuts its own from, the label, and the pooled model."""

    columns: Real
    label: Real
    cuts: list[int]
    pooled: Real | None


def _prepare(rank: int, parties: int, size: Size) -> Table:
    """The same table at every party, from a fixed seed: made-up data, so nothing is given away.

    Columns are normal and share three common factors; a fifth of the labels is bad.
    """
    rows, width = size["rows"], size["columns"]
    draw = np.random.default_rng(4)  # made-up inputs, the same at all: no mask, no share
    factors = draw.normal(size=(rows, 3)) @ draw.normal(size=(3, width))
    columns = 0.4 * factors + draw.normal(size=(rows, width))
    weights = draw.normal(size=width) * (1.2 / np.sqrt(width))
    label = (draw.random(rows) < 1.0 / (1.0 + np.exp(-(columns @ weights - 1.6)))).astype(np.float64)
    cuts = np.linspace(0, width, parties + 1).astype(int).tolist()
    return Table(columns, label, cuts, _pooled(columns, label) if rank == 0 else None)


def _pooled(columns: Real, label: Real) -> Real:
    """scikit-learn's model on the pooled columns, same penalty."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=1.0, tol=1e-8, max_iter=1000).fit(columns, label)
    return np.asarray(np.r_[model.intercept_, model.coef_[0]], dtype=np.float64)


def _run(circle: Circle, table: Table) -> Mapping[str, Json]:
    rows = len(table.label)
    blocks = []
    for rank in range(circle.size):
        start, end = table.cuts[rank], table.cuts[rank + 1]
        own = table.columns[:, start:end] if rank == circle.rank else None
        blocks.append(Block(rank, tuple(f"x{j}" for j in range(start, end)), rows, own))
    model = fit_logistic(circle, blocks, table.label if circle.rank == 0 else None, 0)
    weights = reveal(model.weights, "weights") * 2.0**-model.exponents
    intercept = float(reveal(model.intercept, "intercept"))
    if table.pooled is None:
        return {}
    ours, theirs = table.columns @ weights, table.columns @ table.pooled[1:]
    return {
        "auc": quality(-ours, table.label).auc,
        "auc_pooled": quality(-theirs, table.label).auc,
        "coefficient_error": float(np.abs(np.r_[intercept, weights] - table.pooled).max()),
        "steps": len(model.steps),
    }


LOGISTIC_REGRESSION = Program(_prepare, _run)
