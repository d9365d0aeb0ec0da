"""A parity run: the joint regression held against the same one on pooled data, which the parties agree to open.

For data that may be seen: synthetic, expired, or a sample with everyone's leave. The other parties send their
columns of the common rows in the clear to the label's party; it fits the same model by iteratively reweighted
least squares (Nelder and Wedderburn, JRSS A 135, 1972) in double precision and says how far the two lie apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from unseen.application.regression.request import Family, RegressionRequest
from unseen.application.regression.table import Table
from unseen.computation.learn.columns import Block
from unseen.computation.learn.evaluate import quality
from unseen.computation.learn.rows import RowTerms, RowValues
from unseen.computation.profile import Carries, Disclosure, Message, Profile, Role
from unseen.computation.types import Real
from unseen.encoding import Json
from unseen.errors import MisuseError
from unseen.interaction.application import Run

PROFILE: Final = Profile(
    id="regression/parity",
    title="Parity with a model of pooled data",
    source="sent in the clear",
    reveals=(
        Disclosure(
            Role.OWNER, "every value of the others' columns in the common rows: a parity run, on data to be opened"
        ),
    ),
    messages=(Message("parity/columns", Carries.DISCLOSED),),
)
_MOST_STEPS: Final = 100
_ENOUGH: Final = 1e-12


def distance(
    run: Run,
    asked: RegressionRequest,
    parts: Sequence[Block],
    terms: RowTerms,
    label: Real | None,
    table: Table | None,
) -> dict[str, Json] | None:
    """How far the joint model lies from the pooled one, at the label's party; None elsewhere.

    Coefficients in units of their standard errors, and as they are; linear predictors; for a logistic model the
    area under the curve. Only columns that stayed in the model count.
    """
    holder = run.circle.rank_of(asked.label.party)
    columns = [_opened(run, holder, block.owner, block.values, block.rows, len(block.names)) for block in parts]
    weights, offset = (_term(run, holder, term, parts[0].rows) for term in (terms.weights, terms.offset))
    if label is None:
        return None
    if table is None:
        raise MisuseError("a parity run needs the label's party among the recipients of the coefficients")
    lines = [line.coefficient for line in table.lines]
    kept = np.array([line.error is not None for line in lines])
    design = np.column_stack([np.ones(len(label)), *(column for column in columns if column is not None)])[:, kept]
    joint = np.array([line.value for line in lines])[kept]
    errors = np.array([line.error or 1.0 for line in lines])[kept]
    base = np.zeros(len(label)) if offset is None else offset
    pooled = pooled_fit(asked.family, design, label, np.ones(len(label)) if weights is None else weights, base)
    told: dict[str, Json] = {
        "rows": len(label),
        "coefficients": float(np.abs(joint - pooled).max()),
        "standard_errors": float((np.abs(joint - pooled) / errors).max()),
        "predictors": float(np.abs(design @ (joint - pooled)).max()),
    }
    if asked.family is Family.LOGISTIC:
        areas = [quality(-(design @ found + base), label).auc for found in (joint, pooled)]
        told["auc"] = float(abs(areas[0] - areas[1]))
    return told


def pooled_fit(family: Family, design: Real, label: Real, weights: Real, offset: Real) -> Real:
    """Coefficients (k,) of the model without a penalty, on (n, k) columns. Raises MisuseError if there is none."""
    if family is Family.LINEAR:
        root = np.sqrt(weights)
        return np.asarray(np.linalg.lstsq(design * root[:, None], (label - offset) * root, rcond=None)[0])
    found = np.zeros(design.shape[1])
    mean = float(np.average(label, weights=weights))
    found[0] = np.log(mean / (1.0 - mean)) if family is Family.LOGISTIC else np.log(mean / np.exp(offset).mean())
    for _ in range(_MOST_STEPS):
        predictor = design @ found + offset
        slope, curvature = _derivatives(family, predictor, label)
        information = design.T @ (design * (weights * curvature)[:, None])
        step = np.linalg.solve(information, design.T @ (weights * slope))
        found = found + step
        if np.abs(step).max() < _ENOUGH * (1.0 + np.abs(found).max()):
            return found
    raise MisuseError("the pooled regression found no optimum: the data may give the label away")


def _derivatives(family: Family, predictor: Real, label: Real) -> tuple[Real, Real]:
    """Of each row's log-likelihood by the predictor: the first derivative, and minus the expected second."""
    if family is Family.LOGISTIC:
        chance = 1.0 / (1.0 + np.exp(-predictor))
        return label - chance, chance * (1.0 - chance)
    mean = np.exp(predictor)
    if family is Family.POISSON:
        return label - mean, mean
    return label / mean - 1.0, np.ones_like(mean)


def _opened(run: Run, holder: int, owner: int, values: Real | None, rows: int, width: int) -> Real | None:
    """An owner's (rows, width) columns at the holder; None elsewhere."""
    circle = run.circle
    if owner == holder:
        return values
    if circle.rank == owner:
        if values is None:
            raise MisuseError("the owner of columns must bring them")
        circle.channel(holder).send("parity/columns", np.ascontiguousarray(values, dtype=np.float64))
    if circle.rank != holder:
        return None
    return circle.channel(owner).receive("parity/columns", np.float64, (rows, width))


def _term(run: Run, holder: int, term: RowValues | None, rows: int) -> Real | None:
    if term is None:
        return None
    values = None if term.values is None else term.values.reshape(-1, 1)
    opened = _opened(run, holder, term.owner, values, rows, 1)
    return None if opened is None else opened[:, 0]
