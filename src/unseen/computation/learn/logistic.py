"""Logistic regression on columns of several parties, to the optimum, with nothing shown on the way.

Quasi-Newton steps as in `newton`, with

    residual = y - 1 / (1 + exp(-scores))                one round, by a sine series
    variance = p (1 - p), base = p̄ (1 - p̄) at the mean p̄ of y

on columns scaled so that the first Hessian, that of the intercept-only model, has a unit diagonal.

Objective: sum of log-losses, each times its row's weight, + penalty/2 · |weights|², intercept unpenalised.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from unseen.computation.circle import Circle
from unseen.computation.learn import solved
from unseen.computation.learn.choose import Choice, fit_chosen
from unseen.computation.learn.coded import BinnedBlock
from unseen.computation.learn.columns import UNIT_FRACTION, Block, enter_columns
from unseen.computation.learn.fit import Fit
from unseen.computation.learn.newton import WEIGHT_FRACTION, Beginning, Descent, Newton, Scale, Watch
from unseen.computation.learn.normal import first_normal_matrix
from unseen.computation.learn.rows import RowTerms, enter_terms
from unseen.computation.profile import Carries, Disclosure, Message, Profile, Role
from unseen.computation.share import arithmetic, functions
from unseen.computation.share.array import Shared, from_owner, reveal, shared_zeros
from unseen.computation.types import Real
from unseen.errors import DataError, RangeError

PROFILE: Final = Profile(
    id="learn/logistic",
    title="Logistic regression by quasi-Newton steps on shares",
    source="BFGS from the first Hessian (Nocedal & Wright 2006); private matrices masked once (SecureML 2017)",
    reveals=(
        Disclosure(Role.EACH, "the number of training rows and the share of bad outcomes among them"),
        Disclosure(Role.EACH, "the order of magnitude (a power of two) of each column's spread"),
        solved.DISCLOSURE,
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
        solved.messages(10),
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
    standard deviations' units) and fails after `most_steps`. `errors` asks for standard errors too;
    `choice` constrains signs and selects columns (see `signs.PROFILE`, `selection.PROFILE`)."""

    penalty: float = 1.0
    tolerance: float = 1e-4
    most_steps: int = 40
    sample: int = 16384
    errors: bool = True
    choice: Choice = field(default_factory=Choice)


def fit_logistic(
    circle: Circle,
    columns: Sequence[Block | BinnedBlock],
    label: Real | None,
    label_owner: int,
    settings: Settings | None = None,
    watch: Watch = lambda done, note: None,
    terms: RowTerms | None = None,
) -> Fit:
    """Fit to rows that are aligned over all parties.

    `columns` is the same at every party, values (or places of bins) in its own block only; `label` (n,) of 0 and
    1 at rank `label_owner`, None elsewhere; `terms` are sample weights and an offset, each at any one party. Who
    learns what: see PROFILE, and `rows.WEIGHTS`. Raises DataError at the owner of a label of one class or of a
    constant or non-finite column, at all if there is no optimum; RangeError beyond ±56.
    """
    settings, rows = settings or Settings(), columns[0].rows
    positive = _share_of_positives(circle, label, label_owner, rows)
    entered = enter_terms(circle, terms or RowTerms(), rows)
    scale = Scale(rows, positive * (1.0 - positive), headroom=0 if entered.weights is None else 2)
    information = entered.total * scale.base
    design = enter_columns(circle, columns, settings.penalty / information)
    hessian, norm = first_normal_matrix(design, entered.weights, rows)
    newton = Newton(
        circle,
        design,
        _Logistic(circle, scale, label, label_owner),
        entered,
        scale,
        Beginning(_intercept_alone(circle, design.width, positive), hessian, norm, information),
        Descent(settings.tolerance, settings.most_steps, settings.sample),
        watch,
    )
    watch(0.05, "columns entered")
    active = fit_chosen(newton, settings.choice)
    return newton.fit(active, settings.errors)


def _intercept_alone(circle: Circle, width: int, positive: float) -> Shared:
    start = np.zeros((width, 1))
    start[0] = np.log(positive / (1.0 - positive))
    return shared_zeros(circle, start.shape, UNIT_FRACTION) + start


class _Logistic:
    """The binomial family with the logit link; see `newton.Family`."""

    def __init__(self, circle: Circle, scale: Scale, label: Real | None, label_owner: int) -> None:
        self.scale, self.bound = scale, 0.25 / scale.base
        values = None if label is None else label.reshape(-1, 1) * scale.factor
        self.y = from_owner(circle, label_owner, values, (scale.rows, 1), scale.fraction)
        self.latest: tuple[Shared, Shared]  # scores and chances of the latest step
        self.width = 0  # which of the logistic series is wide enough for the scores, as far as seen

    def residual(self, scores: Shared, fine: bool) -> Shared:
        series = (functions.FINE if fine else functions.ROUGH)[self.width]
        chances = functions.logistic(scores, series, self.scale.factor, self.scale.fraction)
        self.latest = scores, chances
        return self.y - chances

    def variance(self, scores: Shared) -> Shared:
        p = functions.logistic(scores, functions.FINE[self.width])
        return arithmetic.rescale(p.scaled_up(p.fraction) - arithmetic.square(p), WEIGHT_FRACTION)

    def dispersion(self, residual: Shared) -> None:
        return None

    def in_range(self) -> bool:
        """Two series of different periods agree just where both are right: a score out of range shows as a gap.

        Checks the scores of the latest step. Reveals the sum of squared differences, to all.
        """
        scores, near = self.latest
        far = functions.logistic(scores, functions.ROUGH[self.width + 1], self.scale.factor, self.scale.fraction)
        gap = float(reveal(arithmetic.square(arithmetic.rescale(near - far, 20)).sum(), "range"))
        return gap < GAP_OF_ONE_ROW + GAP_OF_ROUNDING * self.scale.rows

    def widen(self) -> None:
        """Take the next wider series from here on. Raises RangeError after the last."""
        self.width += 1
        if self.width + 1 == len(functions.FINE):
            raise RangeError(
                "scores leave the range of ±56 that the logistic function covers; raise the penalty, "
                "or bound extreme values (binning does)"
            )


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
