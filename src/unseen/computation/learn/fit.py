"""A fitted linear predictor: coefficients on shares, and how they are applied to rows.

Linear, logistic, Poisson and gamma regression all end in one: eta = intercept + columns · weights (+ offset).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from unseen.computation.circle import Circle
from unseen.computation.learn.coded import BinnedBlock
from unseen.computation.learn.columns import UNIT_FRACTION, Block, enter_block
from unseen.computation.learn.problem import Active
from unseen.computation.share import arithmetic
from unseen.computation.share.array import Shared, reveal_to, summed
from unseen.computation.types import Real

LAST_BITS: Final = 1.5
"""Units of the last place that two equal numbers are apart at most, each truncated once: one."""


@dataclass(frozen=True, eq=False)
class Fit:
    """A fitted model: `intercept` () and `weights` (k,), shared, in the order of `names` (rank, column).

    Weight j belongs to column j divided by 2^exponents[j]; everything is in units of 2^label_exponent of the
    label (0 but for linear regression); the exponents are public. `variances` (k + 1,) are those of the intercept
    and the weights. `steps` are the public lengths of the training steps; `kept` the places in the model among
    intercept and weights, the others being zero.
    """

    intercept: Shared
    weights: Shared
    variances: Shared | None
    steps: tuple[float, ...]
    names: tuple[tuple[int, str], ...]
    exponents: Real
    label_exponent: int = 0
    kept: Active = ()


def predict_scores(circle: Circle, columns: Sequence[Block | BinnedBlock], fit: Fit) -> Shared:
    """Linear predictors (n,) of aligned rows, shared: intercept + columns times weights, in units of
    2^label_exponent. Two rounds.

    Not truncated, up to 48 fractional bits (|predictor| below 2^12): rows that are alike in all columns have one
    value to the last bit, and count as equal wherever they are ranked on shares.
    """
    rows, start, parts = columns[0].rows, 0, []
    for block in columns:
        end = start + len(block.names)
        matrix = enter_block(circle, block, fit.exponents[start:end])
        parts.append(matrix @ fit.weights[start:end].reshape(-1, 1))
        matrix.forget()
        start = end
    total = summed(parts)[:, 0]
    return total + Shared(circle, np.repeat(fit.intercept.words, rows), fit.intercept.fraction)


def reveal_predictors(scores: Shared, party: str, tag: str) -> Real | None:
    """Tell one party linear predictors (n,), truncated to 28 fractional bits: the values there, None elsewhere.

    Rows that are alike in all columns have one score, which is what ranks are made of: what truncation alone may
    have parted is made equal again.
    """
    opened = reveal_to(arithmetic.rescale(scores, UNIT_FRACTION), party, tag)
    return None if opened is None else settled(opened, LAST_BITS * 2.0**-UNIT_FRACTION)


def settled(values: Real, apart: float) -> Real:
    """Values (n,), of which each that is no further than `apart` from the next lower one becomes the same."""
    order = np.argsort(values, kind="stable")
    ranked = values[order]
    starts = np.flatnonzero(np.r_[True, np.diff(ranked) > apart][: len(values)])
    found = np.empty_like(values)
    found[order] = np.repeat(ranked[starts], np.diff(np.r_[starts, len(values)]))
    return found
