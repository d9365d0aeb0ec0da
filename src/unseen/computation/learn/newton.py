"""Quasi-Newton steps for generalised linear models on shares.

Each party keeps its columns in the clear at home; coefficients, linear predictors and gradients are shared. No
learning rate to guess, and since the gradient is exact, the only fixed point is the optimum. On scaled columns
one step is

    scores   = X w + offset                  private matrices by shared coefficients
    residual = label - mean(scores)          the family's own: a round or a few
    w       += B (Xᵀ W residual / (n·base) - D w)

with W the sample weights over their mean. B begins as the inverse of Xᵀ W V X / (n·base) + D, where V is the
family's variance of a row in the first model (McCullagh and Nelder, Generalized Linear Models, 1989, section 2.5)
and base its mean, and learns from the steps (`secants`); should many not do, it is made anew from a sample of
rows. Some columns may be left out of a fit (`active`): their rows and columns of B are zero.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias

import numpy as np

from unseen.computation.circle import Circle
from unseen.computation.learn.columns import UNIT_FRACTION, Design, matrix_fraction
from unseen.computation.learn.fit import Fit
from unseen.computation.learn.inference import quantile
from unseen.computation.learn.normal import weighted_normal_matrix, with_ridge
from unseen.computation.learn.problem import Active, Criterion, only, part, placed
from unseen.computation.learn.rows import EnteredTerms
from unseen.computation.learn.secants import GRADIENT_FRACTION, Secants, unit
from unseen.computation.learn.solved import require_solved
from unseen.computation.share import arithmetic
from unseen.computation.share.array import Shared, reveal, shared_zeros
from unseen.computation.share.linear import inverse
from unseen.computation.share.masked_matrix import masked_matrix
from unseen.computation.share.together import together
from unseen.errors import DataError

Watch: TypeAlias = Callable[[float, str], None]
REFINING_STEPS: Final = 12
"""Schulz steps from the first inverse to a later one: directions down to 1/1000 of the largest weight."""
WEIGHT_FRACTION: Final = 12
"""Fractional bits of the rows' variances: their rounding is unbiased and averages out over rows."""
LENGTH_FRACTION: Final = 18
"""Fractional bits of a step whose length is told, in units of the step before: it may be 2^13 times as long."""
WILD: Final = 4.0
"""A first step of more than twice this length is cut, and a later one of more than twice the longest before."""
UNSOLVED: Final = 0.25
"""The largest sum of squares of the first Hessian times its inverse less one: steps need no exact inverse, but a
direction that the columns do not determine leaves one, and an optimum that lies anywhere along it."""
LONG: Final = 12
"""After so many steps without an end the Hessian is taken anew."""
FINE_FROM: Final = 0.03
"""Below this length of a step, the family's mean is computed to its last digit."""


@dataclass(frozen=True)
class Descent:
    """Training ends when a step is shorter than `tolerance` (in standard deviations' units; for more than ten
    columns in proportion to the root of their number), and fails after `most_steps`; a Hessian is refreshed from
    `sample` rows."""

    tolerance: float = 1e-4
    most_steps: int = 40
    sample: int = 16384


@dataclass(frozen=True)
class Scale:
    """What the sums over rows are divided by: rows·base = 2^shift / factor.

    The shift is a change of fraction, the factor goes into the residual, which has `fraction` bits: as many as
    leave room for the sum over all rows of column times residual.
    """

    rows: int
    base: float
    headroom: int = 0

    @property
    def shift(self) -> int:
        return int(np.floor(np.log2(self.rows * self.base)))

    @property
    def factor(self) -> float:
        return float(2.0**self.shift / (self.rows * self.base))

    @property
    def fraction(self) -> int:
        return min(30, 61 - self.headroom - matrix_fraction(self.rows) - int(self.rows).bit_length())


class Family(Protocol):
    """A distribution with its link: what Newton's steps need of it. `scores` are (rows, 1), not truncated."""

    bound: float
    """The largest variance of a row over that of the first model."""

    def residual(self, scores: Shared, fine: bool) -> Shared:
        """(rows, 1): the log-likelihood's derivative by the score, times the scale's factor, at its fraction."""

    def variance(self, scores: Shared) -> Shared | None:
        """(rows, 1), of few bits: minus the second derivative, expected; None where it is one in every row."""

    def dispersion(self, residual: Shared) -> Shared | None:
        """(rows, 1): residuals' squares over variances, times the factor squared; None where they mean one."""

    def in_range(self) -> bool:
        """Whether the scores of the latest residual were where it is right; told to all."""

    def widen(self) -> None:
        """Take a wider range from here on. Raises RangeError where there is none."""


@dataclass(frozen=True, eq=False)
class Beginning:
    """Where training starts: coefficients `start` (width, 1), the Hessian there over n·base with eigenvalues up to
    `norm`. `information` is what the Hessian was divided by, in full: the coefficients' covariance is the
    inverse over it. All but the shared values are public."""

    start: Shared
    hessian: Shared
    norm: float
    information: float


class Newton:
    """One family on one design: fits on any of its columns, from where the last fit ended."""

    def __init__(
        self,
        circle: Circle,
        design: Design,
        family: Family,
        terms: EnteredTerms,
        scale: Scale,
        begin: Beginning,
        descent: Descent,
        watch: Watch = lambda done, note: None,
    ) -> None:
        self.circle, self.design, self.family, self.terms, self.scale = circle, design, family, terms, scale
        self.begin, self.w, self.descent, self.watch = begin, begin.start, descent, watch
        self.steps: list[float] = []
        self._inverted: dict[Active, Shared] = {}  # the first Hessian's inverse on the latest columns

    @property
    def everything(self) -> Active:
        return tuple(range(self.design.width))

    def optimum(self, active: Active) -> Shared:
        """Coefficients (width, 1) of the best model of these columns, zero elsewhere."""
        self.w, begun = only(self.w, active), len(self.steps)
        inverted, refreshed = self._first_inverse(active), begun
        secants = self._secants(inverted, active)
        enough = self.descent.tolerance * max(1.0, np.sqrt(len(active) / 10.0))
        while len(self.steps) - begun < self.descent.most_steps:
            before = self.steps[-1] if len(self.steps) > begun else np.inf
            most = 2.0 * max(self.steps[begun:], default=WILD)
            now = self._step(secants, self._gradient(fine=before < FINE_FROM), min(before, most), most)
            done = before < FINE_FROM and (now < enough or at_rounding(self.steps[begun:], enough))
            long = len(self.steps) - refreshed == LONG
            wrong = (done or long or now >= min(before, most)) and not self.family.in_range()
            if wrong:
                self.family.widen()
            elif done:
                secants.forget()
                return self.w
            if long:
                inverted = self.inverse(active, self.hessian(self.descent.sample))
            if wrong or long:  # what was learned from gradients out of range, or long ago, goes
                secants.forget()
                secants, refreshed = self._secants(inverted, active), len(self.steps)
        raise DataError(
            "training found no optimum: the columns may give the label away completely, or be nearly collinear; "
            "raise the penalty, or leave out columns"
        )

    def gradient(self) -> Shared:
        """(width, 1) where the latest fit ended, over n·base, the penalty's part included."""
        return arithmetic.rescale(self._gradient(fine=True), UNIT_FRACTION)

    def hessian(self, sample: int | None = None) -> Shared:
        """Xᵀ W V X / (n·base) + D where the latest fit ended, from all rows or an even sample of them."""
        rows = self.scale.rows
        count = rows if sample is None else min(sample, rows)
        weights = self.family.variance(self._scores()[:count])
        if weights is None:
            return self.begin.hessian
        if self.terms.weights is not None:
            weights = self.terms.weights.first_rows(count).times(weights)
        factor = 1.0 / (count * self.scale.base)
        found = weighted_normal_matrix(self.design.intercept, self.design.columns, weights[:, 0], factor)
        return with_ridge(found, self.design.ridge)

    def inverse(self, active: Active, hessian: Shared) -> Shared:
        """The inverse of `hessian` on these columns, (a, a), from that of the first one.

        No row's variance is above `bound` times the first one, so neither is the Hessian: the first inverse over
        `bound` is a start from which a few steps do.
        """
        first = self._first_inverse(active)
        start = arithmetic.scaled(first, min(1.0, 1.0 / self.family.bound), first.fraction)
        return inverse(part(hessian, active), start=start, steps=REFINING_STEPS)

    def covariance(self, active: Active) -> Shared:
        """(width, width): `inverse` in its places, zero where a column is left out."""
        return placed(self.inverse(active, self.hessian()), active, self.design.width)

    def threshold(self, criterion: Criterion, level: float, active: Active, entering: bool) -> Shared:
        """By chi-square with one degree of freedom, or by AIC, which asks for 2, in twice the log-likelihood."""
        asked = 2.0 if criterion is Criterion.AIC else quantile(level / 2.0) ** 2
        level, noise = asked / self.begin.information, self.noise(active)
        return shared_zeros(self.circle, (), 30) + level if noise is None else noise.scaled_up(2) * level

    def noise(self, active: Active) -> Shared | None:
        """(), UNIT_FRACTION bits: Pearson's estimate of the dispersion at the latest fit; None where it is one."""
        rows = self.scale.rows
        spread = self.family.dispersion(self.family.residual(self._scores(), fine=True))
        if spread is None:
            return None
        if self.terms.weights is not None:
            spread = self.terms.weights.times(spread)
        return arithmetic.scaled(spread.sum(), self.scale.factor**-2 / (rows - len(active)), UNIT_FRACTION)

    def fit(self, active: Active, errors: bool, shift: float = 0.0) -> Fit:
        """The model of the latest fit on the columns' own scale, intercept moved by `shift`; ends the training."""
        design, variances = self.design, None
        if errors:
            self.watch(0.85, "standard errors")
            covariance, noise = self.covariance(active), self.noise(active)
            if noise is None:
                variances = design.variances(covariance, 1.0 / self.begin.information)
            else:
                variances = design.noisy_variances(covariance, noise, self.begin.information)
        intercept, weights = design.unscale(self.w[:, 0])
        intercept = intercept + shift
        if self.terms.centre is not None:
            intercept = intercept - self.terms.centre
        design.forget()
        self.terms.forget()
        self.watch(1.0, f"{len(self.steps)} steps")
        return Fit(intercept, weights, variances, tuple(self.steps), design.names, design.exponents, kept=active)

    def _first_inverse(self, active: Active) -> Shared:
        """Tells all how well it inverts. Raises DataError where it does not."""
        if active not in self._inverted:
            hessian = part(self.begin.hessian, active)
            inverted = inverse(hessian, norm=self.begin.norm)
            require_solved(hessian, inverted, UNSOLVED)
            self._inverted = {active: inverted}
        return self._inverted[active]

    def _scores(self) -> Shared:
        """X w + offset, not truncated: (n, 1). One round."""
        scores = self.design.times(self.w)
        return scores if self.terms.offset is None else scores + self.terms.offset

    def _gradient(self, fine: bool) -> Shared:
        """(width, 1) at the present coefficients, over n·base, the penalty's part included."""
        residual = self.family.residual(self._scores(), fine)
        if self.terms.weights is not None:
            residual = self.terms.weights.times(residual)
        raw = self.design.transposed_times(residual)
        uphill = Shared(self.circle, raw.words, raw.fraction + self.scale.shift)
        pull = arithmetic.product(self.w, self.design.ridge)
        both: list[Shared] = together(*(arithmetic.rescale.steps(p, GRADIENT_FRACTION) for p in (uphill, pull)))
        return both[0] - both[1]

    def _secants(self, inverted: Shared, active: Active) -> Secants:
        return Secants(masked_matrix(placed(inverted, active, self.design.width)))

    def _step(self, secants: Secants, gradient: Shared, before: float, most: float) -> float:
        """Take a step, cut to the length `most`; its Euclidean length, told to all."""
        short = arithmetic.rescale(secants.step(gradient, before), LENGTH_FRACTION)
        square = float(reveal(arithmetic.square(short).sum(), f"step-{len(self.steps)}"))
        whole = float(np.sqrt(max(0.0, square))) * 2.0 ** -unit(before)
        length = min(whole, most)
        self.w = self.w + secants.take(length / whole if whole else 1.0)
        self.steps.append(length)
        self.watch(min(0.8, 0.1 + 0.1 * len(self.steps)), f"step {len(self.steps)}, length {length:.1e}")
        return length


def at_rounding(steps: Sequence[float], enough: float) -> bool:
    """Whether steps no longer shrink because they are all rounding, which weighs more where the Hessian is flat:
    four in a row within ten times of `enough`, the last more than half the first."""
    return len(steps) >= 4 and max(steps[-4:]) < 10 * enough and steps[-1] > steps[-4] / 2
