"""Logistic regression on columns of several parties, to the optimum, with nothing shown on the way.

Each party keeps its columns in the clear at home; coefficients, scores and gradients are shared. Newton's
method with a Hessian that stays fixed for several steps: no learning rate to guess, and since the gradient is
exact, the only fixed point is the optimum. (Böhning & Lindsay, Ann. Inst. Statist. Math. 40, 1988, have the
idea of a fixed matrix; ours is the true one at the intercept-only model, later refreshed on a sample of rows.)

On columns scaled so that the first Hessian has a unit diagonal, one step is

    scores   = X w                                       private matrices by shared coefficients
    residual = y - 1 / (1 + exp(-scores))                one round, by a sine series
    w       += P (Xᵀ residual / (n·base) - D w)          P ≈ inverse Hessian, base = p(1-p), p = mean of y

Objective: sum of log-losses + penalty/2 · |weights|², intercept unpenalised.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from unseen.computation.circle import Circle
from unseen.computation.learn.columns import (
    UNIT_FRACTION,
    Block,
    Design,
    enter_columns,
    matrix_fraction,
)
from unseen.computation.learn.fit import Fit
from unseen.computation.learn.normal import normal_matrix, weighted_normal_matrix, with_ridge
from unseen.computation.profile import Carries, Disclosure, Message, Profile, Role
from unseen.computation.share import arithmetic, functions
from unseen.computation.share.array import Shared, concatenate, from_owner, reveal, shared_zeros, summed
from unseen.computation.share.linear import inverse
from unseen.computation.types import Real
from unseen.errors import DataError, RangeError

PROFILE: Final = Profile(
    id="learn/logistic",
    title="Logistic regression by Newton steps on shares",
    source="Newton with a fixed Hessian (Böhning & Lindsay 1988); private matrices masked once (SecureML 2017)",
    reveals=(
        Disclosure(Role.EACH, "the number of training rows and the share of bad outcomes among them"),
        Disclosure(Role.EACH, "the order of magnitude (a power of two) of each column's spread"),
        Disclosure(Role.EACH, "the number of training steps and the length of each (one number a step)"),
        Disclosure(
            Role.EACH, "whether the scores stay within the range of the logistic function (one number a check)"
        ),
        Disclosure(Role.DEALER, "the numbers of rows, of columns and of training steps"),
    ),
    assumptions=("the source of correlated randomness colludes with no party",),
    messages=(
        Message("column-magnitudes", Carries.DISCLOSED),
        Message("positives", Carries.DISCLOSED, most_messages=1, most_bytes=24),
        Message("reveal/step-#", Carries.DISCLOSED, most_messages=400, most_bytes=9_600),
        Message("reveal/range", Carries.DISCLOSED, most_messages=400, most_bytes=9_600),
    ),
    failure="none; refuses where scores leave the range of ±56 that the logistic function covers",
)

GAP_OF_ONE_ROW: Final = 0.25
"""One row whose score wraps differs by about 1 between two series; so much is taken for none."""
GAP_OF_ROUNDING: Final = 1e-6
"""What rounding and the series' own errors add to the sum of squared differences, a row."""


@dataclass(frozen=True)
class Settings:
    """How to fit. `penalty` as in the objective. Training ends when a step is shorter than `tolerance` (in
    standard deviations' units) and fails after `most_steps`. `errors` asks for standard errors too."""

    penalty: float = 1.0
    tolerance: float = 1e-4
    most_steps: int = 40
    sample: int = 16384
    errors: bool = True


Watch = Callable[[float, str], None]


def fit_logistic(
    circle: Circle,
    columns: Sequence[Block],
    label: Real | None,
    label_owner: int,
    settings: Settings | None = None,
    watch: Watch = lambda done, note: None,
) -> Fit:
    """Fit to rows that are aligned over all parties.

    `columns` is the same at every party, values in its own block only; `label` (n,) of 0 and 1 at rank
    `label_owner`, None elsewhere. Who learns what: see PROFILE. Raises DataError at the owner of a label of one
    class or of a constant or non-finite column, at all if there is no optimum; RangeError beyond ±56.
    """
    settings = settings or Settings()
    rows = columns[0].rows
    positive = _share_of_positives(circle, label, label_owner, rows)
    base = positive * (1.0 - positive)
    design = enter_columns(circle, columns, label_owner, settings.penalty / (rows * base))
    training = _Training(circle, design, rows, base, label, label_owner)
    watch(0.05, "columns entered")
    first = inverse(training.gram(), norm=float(design.width))
    w, steps = _descend(training, first, np.log(positive / (1.0 - positive)), settings, watch)
    variances = None
    if settings.errors:
        watch(0.85, "standard errors")
        covariance = training.inverse_hessian(w, first)
        variances = design.variances(covariance, 1.0 / (rows * base))
    intercept, weights = design.unscale(w[:, 0])
    design.forget()
    watch(1.0, f"{len(steps)} steps")
    return Fit(intercept, weights, variances, tuple(steps), design.names, design.exponents)


def _descend(
    training: _Training, first: Shared, start: float, settings: Settings, watch: Watch
) -> tuple[Shared, list[float]]:
    """Newton steps from the intercept-only model until one is short enough and all scores are in range."""
    w = training.start(start)
    preconditioner = training.preconditioner(first)
    steps: list[float] = []
    refreshed = 0
    while len(steps) < settings.most_steps:
        fine = bool(steps) and steps[-1] < 0.03
        exact, short = training.step(w, preconditioner, fine)
        w = w + exact
        steps.append(_length(short, f"step-{len(steps)}"))
        watch(min(0.8, 0.1 + 0.1 * len(steps)), f"step {len(steps)}, length {steps[-1]:.1e}")
        done = fine and steps[-1] < settings.tolerance
        slow = len(steps) - refreshed >= 2 and steps[-1] > max(0.15 * steps[-2], 20 * settings.tolerance)
        if (done or slow) and not training.in_range():
            training.widen()
        elif done:
            return w, steps
        if slow:
            preconditioner = training.preconditioner(training.inverse_hessian(w, first, settings.sample))
            refreshed = len(steps)
    raise DataError(
        "training found no optimum: the columns may separate the classes completely; "
        "raise the penalty, or leave out columns that give the label away"
    )


class _Training:
    """The quantities of one fit, all on shares and on the scaled columns, divided by n·base."""

    def __init__(
        self, circle: Circle, design: Design, rows: int, base: float, label: Real | None, label_owner: int
    ) -> None:
        self.circle, self.design, self.rows, self.base = circle, design, rows, base
        # n·base = 2^shift / factor: the shift is a change of fraction, the factor goes into the residual.
        self.shift = int(np.floor(np.log2(rows * base)))
        self.factor = 2.0**self.shift / (rows * base)
        values = None if label is None else label.reshape(-1, 1) * self.factor
        # As many bits as leave room for the sum over all rows of column times residual.
        self.fraction = min(30, 61 - matrix_fraction(rows) - int(rows).bit_length())
        self.y = from_owner(circle, label_owner, values, (rows, 1), self.fraction)
        self.latest: tuple[Shared, Shared]  # scores and chances of the latest step
        self.width = 0  # which of the logistic series is wide enough for the scores, as far as seen

    def start(self, intercept: float) -> Shared:
        first = np.zeros((self.design.width, 1))
        first[0] = intercept
        return shared_zeros(self.circle, first.shape, UNIT_FRACTION) + first

    def scores(self, w: Shared) -> Shared:
        """X w, not truncated: (n, 1). One round."""
        parts, start = [], 0
        for block in self.design.blocks:
            parts.append(block @ w[start : start + block.shape[1]])
            start += block.shape[1]
        return summed(parts)

    def step(self, w: Shared, preconditioner: Shared, fine: bool) -> tuple[Shared, Shared]:
        """One Newton step (k, 1), exact and again with few fractional bits for its length. Six rounds."""
        series = (functions.FINE if fine else functions.ROUGH)[self.width]
        scores = self.scores(w)
        chances = functions.logistic(scores, series, self.factor, self.fraction)
        self.latest = scores, chances
        residual = self.y - chances
        raw = concatenate([block.transposed_times(residual) for block in self.design.blocks])
        gradient = Shared(self.circle, raw.words, raw.fraction + self.shift)
        gradient = arithmetic.rescale(gradient, UNIT_FRACTION)
        move = arithmetic.matrix_product(preconditioner, concatenate([gradient, w]))
        to_unit = move.fraction - UNIT_FRACTION
        exact, short = arithmetic.truncate_together([move, move], [to_unit, move.fraction - 20])
        return exact, short

    def preconditioner(self, p: Shared) -> Shared:
        """[P, -P·D] for P the inverse Hessian and D the ridge: applied to gradient and w in one product."""
        pd = arithmetic.rescale(arithmetic.product(p, self.design.ridge.T), p.fraction)
        return concatenate([p, -pd], axis=1)

    def inverse_hessian(self, w: Shared, first: Shared, sample: int | None = None) -> Shared:
        """The inverse of `hessian`, from that of the first one.

        No weight p(1-p) is above 1/4, so the Hessian is at most 1/(4·base) times the first, and 4·base times
        the first inverse is a start from which a few steps do.
        """
        start = arithmetic.scaled(first, min(1.0, 4.0 * self.base), first.fraction)
        return inverse(self.hessian(w, sample), start=start, steps=REFINING_STEPS)

    def gram(self) -> Shared:
        """XᵀX/n + D, the Hessian over base at the intercept-only model. No opening but for rescaling."""
        return with_ridge(normal_matrix(self.design.blocks, 1.0 / self.rows), self.design.ridge)

    def hessian(self, w: Shared, sample: int | None = None) -> Shared:
        """XᵀWX/(n·base) + D with W = p(1-p) at w, from all rows or an even sample of them."""
        count = self.rows if sample is None else min(sample, self.rows)
        p = functions.logistic(self.scores(w)[:count], functions.FINE[self.width])
        weights = arithmetic.rescale(p.scaled_up(p.fraction) - arithmetic.square(p), WEIGHT_FRACTION)
        weighted = weighted_normal_matrix(self.design.blocks, weights[:, 0], 1.0 / (count * self.base))
        return with_ridge(weighted, self.design.ridge)

    def in_range(self) -> bool:
        """Two series of different periods agree just where both are right: a score out of range shows as a gap.

        Checks the scores of the latest step. Reveals the sum of squared differences, to all.
        """
        scores, near = self.latest
        far = functions.logistic(scores, functions.ROUGH[self.width + 1], self.factor, self.fraction)
        gap = float(reveal(arithmetic.square(arithmetic.rescale(near - far, 20)).sum(), "range"))
        return gap < GAP_OF_ONE_ROW + GAP_OF_ROUNDING * self.rows

    def widen(self) -> None:
        """Take the next wider series from here on. Raises RangeError after the last."""
        self.width += 1
        if self.width + 1 == len(functions.FINE):
            raise RangeError(
                "scores leave the range of ±56 that the logistic function covers; raise the penalty, "
                "or bound extreme values (binning does)"
            )


REFINING_STEPS: Final = 12
"""Schulz steps from the first inverse to a later one: directions down to 1/1000 of the largest weight."""

WEIGHT_FRACTION: Final = 12
"""Fractional bits of the rows' weights p(1-p): their rounding is unbiased and averages out over rows."""


def _length(step: Shared, tag: str) -> float:
    """The Euclidean length of a step, told to all."""
    return float(np.sqrt(max(0.0, float(reveal(arithmetic.square(step).sum(), tag)))))


def _share_of_positives(circle: Circle, label: Real | None, owner: int, rows: int) -> float:
    """The label's mean, told to all. Raises DataError at the owner."""
    mean = None
    if circle.rank == owner:
        if label is None or label.shape != (rows,):
            raise DataError(f"the label must have one value for each of the {rows} aligned rows")
        if not np.isin(label, (0.0, 1.0)).all():
            raise DataError("the label must be 0 or 1 in every row")
        if label.min() == label.max():
            raise DataError("the label has one class only; a model needs good and bad outcomes")
        mean = np.array([label.mean()])
    return float(circle.tell_all("positives", owner, mean, np.empty(1))[0])
