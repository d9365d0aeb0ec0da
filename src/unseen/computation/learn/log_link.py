"""Poisson and gamma regression with the logarithmic link on columns of several parties: counts and amounts.

Newton's method as in `newton`, on the label over its mean, u = y / ȳ, so that linear predictors start near zero:

    Poisson    residual = u - exp(scores)           variance = exp(scores)
    gamma      residual = u·exp(-scores) - 1        variance = 1 (Fisher scoring: the Hessian is XᵀX, and stays)

An exposure enters by an offset, its logarithm. Training starts at the least squares fit of

    z = log m + (u - m) / m  with weights m (Poisson) or 1,   m = (u + 1) / 2

the first step of iteratively reweighted least squares as statistical packages begin it, and m weighs the first
Hessian. Objective: minus the log-likelihood, each row times its weight, with the dispersion left out,
+ penalty/2 · |weights|². Gamma's dispersion is Pearson's estimate.

Source: McCullagh and Nelder, Generalized Linear Models (1989), sections 2.5, 6.2 and 8.3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import numpy as np

from unseen.computation.circle import Circle
from unseen.computation.learn import solved
from unseen.computation.learn.choose import Choice, fit_chosen
from unseen.computation.learn.columns import UNIT_FRACTION, Block, Design, enter_columns, matrix_fraction
from unseen.computation.learn.fit import Fit
from unseen.computation.learn.newton import Beginning, Descent, Newton, Scale, Watch
from unseen.computation.learn.normal import (
    diagonal,
    first_normal_matrix,
    weighted_normal_matrix,
    with_ridge,
)
from unseen.computation.learn.rows import EnteredTerms, RowTerms, enter_terms
from unseen.computation.profile import Carries, Disclosure, Message, Profile, Role
from unseen.computation.share import arithmetic
from unseen.computation.share.array import Shared, concatenate, from_owner, reveal
from unseen.computation.share.boolean import reveal_bits, to_numbers
from unseen.computation.share.compare import negative
from unseen.computation.share.exponential import exponential
from unseen.computation.share.linear import inverse
from unseen.computation.share.private import PrivateMatrix, private_matrix
from unseen.computation.types import Real
from unseen.errors import DataError, RangeError

PROFILE: Final = Profile(
    id="learn/log-link",
    title="Poisson and gamma regression by Newton steps on shares",
    source="reweighted least squares (McCullagh & Nelder 1989) with a Hessian that is seldom refreshed",
    reveals=(
        Disclosure(Role.EACH, "the number of training rows and the label's mean"),
        Disclosure(Role.EACH, "the order of magnitude (a power of two) of each column's spread"),
        Disclosure(Role.EACH, "the sum of all columns' variances, rows weighted by their label plus its mean"),
        solved.DISCLOSURE,
        Disclosure(Role.EACH, "the number of training steps and the length of each (one number a step)"),
        Disclosure(
            Role.EACH, "whether all linear predictors stay in the exponential function's range (a bit a check)"
        ),
        Disclosure(Role.DEALER, "the numbers of rows, of columns and of training steps"),
    ),
    assumptions=("the source of correlated randomness colludes with no party",),
    messages=(
        Message("column-magnitudes", Carries.DISCLOSED),
        Message("label-mean", Carries.DISCLOSED, most_messages=1, most_bytes=24),
        Message("reveal/trace", Carries.DISCLOSED, most_messages=1, most_bytes=24),
        solved.messages(10),
        Message("reveal/step-#", Carries.DISCLOSED, most_messages=400, most_bytes=9_600),
        Message("reveal/range", Carries.DISCLOSED, most_messages=400, most_bytes=9_600),
    ),
    failure="none; refuses where predictions leave the range from 10^-7 to 2900 times the label's mean",
)

LOW: Final = -16.0
HIGH: Final = 8.0
"""Range of the linear predictor of the label over its mean; gamma's is mirrored."""
SAFE: Final = 7.9
LABEL_FRACTION: Final = 20


class LogLink(StrEnum):
    POISSON = "poisson"
    GAMMA = "gamma"


@dataclass(frozen=True)
class Settings:
    """As `logistic.Settings`; `family` is the label's distribution."""

    family: LogLink = LogLink.POISSON
    penalty: float = 0.0
    tolerance: float = 1e-4
    most_steps: int = 60
    sample: int = 16384
    errors: bool = True
    choice: Choice = field(default_factory=Choice)


def fit_log_link(
    circle: Circle,
    columns: Sequence[Block],
    label: Real | None,
    label_owner: int,
    settings: Settings | None = None,
    watch: Watch = lambda done, note: None,
    terms: RowTerms | None = None,
) -> Fit:
    """Fit to rows that are aligned over all parties; exp of `predict_scores` plus the offset is the mean.

    `columns` is the same at every party, values in its own block only; `label` (n,) of numbers from zero (for
    gamma above zero) at rank `label_owner`, None elsewhere; `terms` are sample weights and an offset, each at any
    one party. Weights count rows (Poisson) or divide variances (gamma). Who learns what: see PROFILE and
    `rows.WEIGHTS`. Raises DataError at the owner of a label or column that cannot be used; RangeError where
    predictions leave the range.
    """
    settings, rows = settings or Settings(), columns[0].rows
    relative, mean = _relative_label(circle, label, label_owner, rows, settings.family)
    entered = enter_terms(circle, terms or RowTerms(), rows)
    poisson = settings.family is LogLink.POISSON
    information = entered.total * mean if poisson else float(rows)
    penalty = settings.penalty / (entered.total * (mean if poisson else 1.0))
    design = enter_columns(circle, columns, penalty)
    if rows <= design.width:
        raise DataError(f"{rows} rows do not determine {design.width} coefficients; take fewer columns")
    scale = Scale(rows, 1.0, headroom=4)
    start = _Start(circle, design, entered, scale, relative, label_owner, poisson)
    family = (_Poisson if poisson else _Gamma)(circle, scale, relative, label_owner)
    descent = Descent(settings.tolerance, settings.most_steps, settings.sample)
    newton = Newton(circle, design, family, entered, scale, start.found(information), descent, watch)
    watch(0.05, "columns entered")
    active = fit_chosen(newton, settings.choice)
    fitted = newton.fit(active, settings.errors, shift=float(np.log(mean)))
    family.forget()
    return fitted


class _Start:
    """The least squares fit that training starts at."""

    def __init__(
        self,
        circle: Circle,
        design: Design,
        terms: EnteredTerms,
        scale: Scale,
        relative: Real | None,
        owner: int,
        weighted: bool,
    ) -> None:
        self.circle, self.design, self.terms, self.scale = circle, design, terms, scale
        self.owner, self.weighted = owner, weighted
        self.middle = None if relative is None else (relative.reshape(-1, 1) + 1.0) / 2.0
        self.working = None
        if relative is not None and self.middle is not None:
            self.working = np.log(self.middle) + relative.reshape(-1, 1) / self.middle - 1.0

    def found(self, information: float) -> Beginning:
        hessian, norm = self._hessian()
        raw = self.design.transposed_times(self._response())
        right = arithmetic.scaled(raw, 1.0 / self.scale.rows, UNIT_FRACTION)
        start = arithmetic.rescale(inverse(hessian, norm) @ right, UNIT_FRACTION)
        return Beginning(start, hessian, norm, information)

    def _hessian(self) -> tuple[Shared, float]:
        rows = self.scale.rows
        if not self.weighted:
            return first_normal_matrix(self.design, self.terms.weights, rows)
        weights = from_owner(self.circle, self.owner, self.middle, (rows, 1), _variance_fraction(rows))
        if self.terms.weights is not None:
            weights = self.terms.weights.times(weights)
        design = self.design
        found = weighted_normal_matrix(design.intercept, design.columns, weights[:, 0], 1.0 / rows)
        whole = with_ridge(found, design.ridge)
        return whole, float(reveal(diagonal(whole).sum(), "trace"))

    def _response(self) -> Shared:
        """m·(z - offset), times the sample weight: (rows, 1). The label's owner knows m and z."""
        shape, fraction, offset = (self.scale.rows, 1), self.scale.fraction, self.terms.offset
        values = self.working
        if values is not None and self.middle is not None and self.weighted:
            values = values * self.middle
        response = from_owner(self.circle, self.owner, values, shape, fraction)
        if offset is not None:
            offset = arithmetic.rescale(offset, fraction)
            if self.weighted:
                middle = private_matrix(self.circle, self.owner, self.middle, shape, LABEL_FRACTION)
                offset = arithmetic.rescale(middle.scale_rows(offset[:, 0]), fraction)
                middle.forget()
            response = response - offset
        return response if self.terms.weights is None else self.terms.weights.times(response)


class _Range:
    """Whether linear predictors stay where the exponential function is right."""

    def __init__(self, sign: int) -> None:
        self.sign = sign
        self.latest: Shared

    def in_range(self) -> bool:
        """Three rounds of comparisons, two a row; a bit is told to all."""
        near = arithmetic.rescale(self.latest, 20).times_integer(self.sign)
        outside = to_numbers(negative(concatenate([SAFE - near, near - (LOW + 0.1)]))).sum()
        return not reveal_bits(negative((-outside).reshape(1)), "range")[0]

    def widen(self) -> None:
        raise RangeError(
            "predictions leave the range from 10^-7 to 2900 times the label's mean; "
            "bound extreme values of the columns, or raise the penalty"
        )


class _Poisson(_Range):
    """Counts; see `newton.Family`."""

    bound = 4.0

    def __init__(self, circle: Circle, scale: Scale, relative: Real | None, owner: int) -> None:
        super().__init__(1)
        self.scale = scale
        values = None if relative is None else relative.reshape(-1, 1) * scale.factor
        self.label = from_owner(circle, owner, values, (scale.rows, 1), scale.fraction)

    def residual(self, scores: Shared, fine: bool) -> Shared:
        self.latest = scores
        means = exponential(scores, LOW, HIGH, self.scale.fraction)
        return self.label - means * self.scale.factor

    def variance(self, scores: Shared) -> Shared:
        return exponential(scores, LOW, HIGH, _variance_fraction(self.scale.rows))

    def dispersion(self, residual: Shared) -> None:
        return None

    def forget(self) -> None:
        return None


class _Gamma(_Range):
    """Positive amounts whose standard deviation is in proportion to their mean; see `newton.Family`."""

    bound = 1.0

    def __init__(self, circle: Circle, scale: Scale, relative: Real | None, owner: int) -> None:
        super().__init__(-1)
        self.scale = scale
        values = None if relative is None else relative.reshape(-1, 1) * scale.factor
        self.label: PrivateMatrix = private_matrix(circle, owner, values, (scale.rows, 1), LABEL_FRACTION)

    def residual(self, scores: Shared, fine: bool) -> Shared:
        self.latest = scores
        shrunk = exponential(-scores, LOW, HIGH, self.scale.fraction)
        return arithmetic.rescale(self.label.scale_rows(shrunk[:, 0]), self.scale.fraction) - self.scale.factor

    def variance(self, scores: Shared) -> None:
        return None

    def dispersion(self, residual: Shared) -> Shared:
        bits = (56 - int(self.scale.rows).bit_length()) // 2
        return arithmetic.rescale(arithmetic.square(arithmetic.rescale(residual, bits)), bits)

    def forget(self) -> None:
        self.label.forget()


def _variance_fraction(rows: int) -> int:
    """Bits of a row's variance: as many as leave room for a normal matrix whose rows weigh up to 16 on average."""
    return max(6, min(12, 57 - 2 * matrix_fraction(rows) - int(rows).bit_length()))


def _relative_label(
    circle: Circle, label: Real | None, owner: int, rows: int, family: LogLink
) -> tuple[Real | None, float]:
    """The label over its mean, and the mean, told to all. Raises DataError at the owner."""
    mean = None
    if circle.rank == owner:
        if label is None or label.shape != (rows,):
            raise DataError(f"the label must have one value for each of the {rows} aligned rows")
        if not np.isfinite(label).all():
            raise DataError("the label is missing or infinite in some rows; leave them out")
        if (label < 0).any() or not label.any():
            raise DataError(f"a {family.value} label is never negative, nor zero in every row")
        if family is LogLink.GAMMA and not (label > 0).all():
            raise DataError(
                "the label of a gamma regression must be above zero in every row; leave the others out"
            )
        mean = np.array([label.mean()])
    told = float(circle.tell_all("label-mean", owner, mean, np.empty(1))[0])
    return (None if label is None or circle.rank != owner else label / told), told
