"""Linear regression on columns of several parties by the normal equations, with nothing shown on the way.

On standardised columns X (an intercept among them) and label y, with weights W of mean one,

    [G  b]   [Xᵀ]
    [bᵀ s] = [yᵀ] W [X y] / n          private matrices, masked once: no round without weights
    (G + D) c = b                      a small system on shares; D = penalty / (n · squared scale)
    rss      = s - 2 cᵀb + cᵀGc        the mean squared residual
    V        = rss · n / (n - k) · (G + D)⁻¹ / n

Objective: ½ Σ w (y - ŷ)² + penalty/2 · |weights|², intercept unpenalised: scikit-learn's `Ridge` with alpha =
penalty; without penalty ordinary or weighted least squares.

Source: Draper and Smith, Applied Regression Analysis (1998), chapters 5 and 9.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from unseen.computation.circle import Circle
from unseen.computation.learn import solved
from unseen.computation.learn.choose import Choice, fit_chosen
from unseen.computation.learn.columns import UNIT_FRACTION, Block, Design, enter_columns, matrix_fraction
from unseen.computation.learn.fit import Fit
from unseen.computation.learn.inference import quantile
from unseen.computation.learn.normal import diagonal, normal_matrix, weighted_normal_matrix, with_ridge
from unseen.computation.learn.problem import Active, Criterion, part, placed
from unseen.computation.learn.rows import RowValues, SampleWeights, enter_weights
from unseen.computation.learn.solved import require_solved
from unseen.computation.profile import Carries, Disclosure, Message, Profile, Role
from unseen.computation.share import arithmetic
from unseen.computation.share.array import Shared, from_owner, reveal
from unseen.computation.share.linear import inverse
from unseen.computation.share.private import PrivateMatrix, private_matrix
from unseen.computation.share.quotient import quotient
from unseen.computation.types import Real
from unseen.errors import DataError

PROFILE: Final = Profile(
    id="learn/linear",
    title="Linear regression by the normal equations on shares",
    source="normal equations (Draper & Smith 1998); private matrices masked once (SecureML 2017)",
    reveals=(
        Disclosure(Role.EACH, "the number of training rows"),
        Disclosure(Role.EACH, "the order of magnitude (a power of two) of each column's and the label's spread"),
        solved.DISCLOSURE,
        Disclosure(Role.DEALER, "the numbers of rows and of columns"),
    ),
    assumptions=("the source of correlated randomness colludes with no party",),
    messages=(
        Message("column-magnitudes", Carries.DISCLOSED),
        Message("label-magnitude", Carries.DISCLOSED, most_messages=1, most_bytes=24),
        solved.messages(1),
    ),
    failure="none; refuses where columns are collinear and there is no penalty",
)

UNSOLVED: Final = 1e-2
"""The largest sum of squares of matrix times inverse less one that counts as solved; rounding leaves 1e-6, a
direction that the columns do not determine 1."""
INVERSE_FRACTION: Final = 24
"""Fractional bits of the inverse: its entries, as large as variance inflation factors, stay below 2^13."""
LEAST_VARIANCE: Final = 2.0**-16
"""The label's weighted variance is at least so much of its plain one, for R² to be found."""


@dataclass(frozen=True)
class Settings:
    """`penalty` as in the objective. `errors` asks for standard errors too; `choice` constrains signs and
    selects columns (see `signs.PROFILE`, `selection.PROFILE`)."""

    penalty: float = 0.0
    errors: bool = True
    choice: Choice = field(default_factory=Choice)


@dataclass(frozen=True, eq=False)
class LinearFit:
    """`model` holds coefficients and their variances, in units of 2^label_exponent of the label; `r_squared` () is
    the share of the label's (weighted) variance that the model explains. All shared."""

    model: Fit
    r_squared: Shared


@dataclass(frozen=True, eq=False)
class _Label:
    """The standardised label (n, 1); its `mean` () and `spread` () in units of 2^exponent, known to its owner."""

    values: PrivateMatrix
    mean: Shared
    spread: Shared
    exponent: int


def fit_linear(
    circle: Circle,
    columns: Sequence[Block],
    label: Real | None,
    label_owner: int,
    settings: Settings | None = None,
    weights: RowValues | None = None,
) -> LinearFit:
    """Fit to rows that are aligned over all parties; who learns what: see PROFILE and `rows.WEIGHTS`.

    `columns` is the same at every party, values in its own block only; `label` (n,) at rank `label_owner`, None
    elsewhere; `weights` at any one party. Raises DataError at the owner of a constant or non-finite column or
    label; at all where columns are collinear or there are not more rows than coefficients.
    """
    settings, rows = settings or Settings(), columns[0].rows
    entered = None if weights is None else enter_weights(circle, weights, rows)
    total = float(rows) if entered is None else entered.total
    design = enter_columns(circle, columns, settings.penalty / total)
    if rows <= design.width:
        raise DataError(
            f"{rows} rows do not determine {design.width} coefficients; take fewer columns or more rows"
        )
    y = _enter_label(circle, label, label_owner, rows)
    problem = _begin(design, y, entered, rows)
    active = fit_chosen(problem, settings.choice)
    fitted = _finish(problem, y, active, settings)
    design.forget()
    return fitted


def _enter_label(circle: Circle, label: Real | None, owner: int, rows: int) -> _Label:
    values = mean = spread = magnitude = None
    if circle.rank == owner:
        if label is None or label.shape != (rows,):
            raise DataError(f"the label must have one value for each of the {rows} aligned rows")
        if not np.isfinite(label).all():
            raise DataError("the label is missing or infinite in some rows; leave these rows out")
        if label.min() == label.max():
            raise DataError("the label has the same value in every row; there is nothing to explain")
        middle, deviation = label.mean(), label.std()
        values = ((label - middle) / deviation).reshape(-1, 1)
        magnitude = np.round(np.log2([deviation])).astype(np.int16)
        mean, spread = np.array([middle, deviation]).reshape(2, 1) * 2.0 ** -magnitude.astype(np.float64)
    told = circle.tell_all("label-magnitude", owner, magnitude, np.empty(1, dtype=np.int16))
    return _Label(
        private_matrix(circle, owner, values, (rows, 1), matrix_fraction(rows)),
        from_owner(circle, owner, mean, (1,), UNIT_FRACTION)[0],
        from_owner(circle, owner, spread, (1,), UNIT_FRACTION)[0],
        int(told[0]),
    )


class _Normal:
    """The normal equations of all columns, to be solved on any of them; see `problem.Problem`."""

    def __init__(self, design: Design, whole: Shared, right: Shared, norm: float, rows: int) -> None:
        self.design, self.whole, self.right, self.norm, self.rows = design, whole, right, norm, rows
        self.found: Shared  # of the latest fit, as is the inverse
        self.inverted: Shared
        self.square: Shared  # the label's, and what is left of it on the latest columns
        self.residual: Shared

    @property
    def everything(self) -> Active:
        return tuple(range(self.design.width))

    def optimum(self, active: Active) -> Shared:
        """Tells all how well the inverse inverts. Raises DataError where it does not."""
        whole, right = part(self.whole, active), self.right[list(active)]
        inverted = inverse(whole, self.norm, fraction=INVERSE_FRACTION)
        require_solved(whole, inverted, UNSOLVED)
        found = inverted @ right
        found = found + inverted @ (right - whole @ found)
        # s - 2cᵀb + cᵀGc, with Gc = (G + D)c - Dc.
        fitted = whole @ found - found * self.design.ridge[list(active)]
        self.residual = self.square - (found * (right.times_integer(2) - fitted)).sum()
        self.found, self.inverted = _placed_column(found, active, self.design.width), inverted
        return self.found

    def gradient(self) -> Shared:
        return self.right - self.whole @ self.found

    def hessian(self) -> Shared:
        return self.whole

    def inverse(self, active: Active, hessian: Shared) -> Shared:
        return self.inverted

    def threshold(self, criterion: Criterion, level: float, active: Active, entering: bool) -> Shared:
        """By the t-test or AIC of the model with the column, both exact where there is no penalty.

        A column's share q of the rest without it counts where n log(1 - q) < -2, or (n - k) q / (1 - q) > t².
        """
        if criterion is Criterion.AIC:
            share = -np.expm1(-2.0 / self.rows)
        else:
            freedom = self.rows - len(active) - int(entering)
            square = quantile(level / 2.0, freedom) ** 2 if freedom > 0 else np.inf
            share = square / (freedom + square) if freedom > 0 else 1.0
        # For a column that is in, the rest without it is residual / (1 - q).
        return arithmetic.rescale(self.residual * (share if entering else share / (1.0 - share)), 30)


def _begin(design: Design, label: _Label, weights: SampleWeights | None, rows: int) -> _Normal:
    """[X y]ᵀ W [X y] / n, cut into its parts."""
    blocks = (*design.columns, label.values)
    if weights is None:
        moments = normal_matrix(blocks, 1.0 / rows, design.intercept)
    else:
        moments = weighted_normal_matrix(design.intercept, blocks, weights.coarse, 1.0 / rows)
        weights.forget()
    whole = with_ridge(moments[:-1, :-1], design.ridge)
    norm = float(design.width) if weights is None else float(reveal(diagonal(whole).sum(), "trace"))
    problem = _Normal(design, whole, moments[:-1, -1:], norm, rows)
    problem.square = moments[-1, -1]
    return problem


def _finish(problem: _Normal, label: _Label, active: Active, settings: Settings) -> LinearFit:
    """The model of the latest fit, on the columns' and the label's own scales."""
    design, rows = problem.design, problem.rows
    scaled = arithmetic.rescale(arithmetic.product(problem.found, label.spread), UNIT_FRACTION)
    intercept, slopes = design.unscale(scaled[:, 0])
    variances = None
    if settings.errors:
        noise = problem.residual * (rows / (rows - len(active))) * label.spread * label.spread
        variances = design.noisy_variances(placed(problem.inverted, active, design.width), noise, rows)
    model = Fit(
        intercept + label.mean,
        slopes,
        variances,
        (),
        design.names,
        design.exponents,
        label.exponent,
        active,
    )
    return LinearFit(model, 1.0 - _over_total(problem.residual, problem.square, problem.right))


def _over_total(residual: Shared, square: Shared, right: Shared) -> Shared:
    """The residual over the label's variance about its weighted mean, which is the intercept's moment."""
    total = square - arithmetic.rescale(arithmetic.square(right[0, 0]), UNIT_FRACTION)
    # A sixteenth of both, so that the denominator is below one.
    parts = [Shared(part.circle, part.words, part.fraction + 4) for part in (residual, total)]
    upper, lower = (arithmetic.rescale(part, 31).reshape(1) for part in parts)
    return quotient(upper, lower, LEAST_VARIANCE, UNIT_FRACTION)[0]


def _placed_column(values: Shared, active: Active, width: int) -> Shared:
    words = np.zeros((width, 1), dtype=np.uint64)
    words[list(active)] = values.words
    return Shared(values.circle, words, values.fraction)
