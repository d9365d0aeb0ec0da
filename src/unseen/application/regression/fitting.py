"""The fit itself: the request's family, settings and columns handed to the protocol for it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from unseen.application.regression import columns
from unseen.application.regression.request import Family, RegressionRequest
from unseen.computation.learn import linear, log_link, logistic
from unseen.computation.learn.choose import Choice
from unseen.computation.learn.columns import Block
from unseen.computation.learn.fit import Fit
from unseen.computation.learn.rows import RowTerms
from unseen.computation.learn.selection import Selection
from unseen.computation.share.array import Shared
from unseen.computation.types import Real
from unseen.errors import MisuseError
from unseen.interaction.application import Run


@dataclass(frozen=True, eq=False)
class Fitted:
    """A model on shares, the share of variance it explains (linear only), and the degrees of freedom of its tests,
    infinite where they are by the normal distribution."""

    model: Fit
    explained: Shared | None
    freedom: float


def fitted(
    run: Run, asked: RegressionRequest, parts: Sequence[Block], terms: RowTerms, label: Real | None
) -> Fitted:
    """Fit; everyone takes part. `label` at its party."""
    holder = run.circle.rank_of(asked.label.party)
    chosen = Choice(columns.signs(run, asked), _selection(asked))

    def watch(done: float, note: str) -> None:
        run.progress("fit", done, note)

    if asked.family is Family.LINEAR:
        settings = linear.Settings(asked.penalty, choice=chosen)
        found = linear.fit_linear(run.circle, parts, label, holder, settings, terms.weights)
        run.progress("fit", 1.0)
        return Fitted(found.model, found.r_squared, float(parts[0].rows - len(found.model.kept)))
    if asked.family is Family.LOGISTIC:
        model = logistic.fit_logistic(
            run.circle,
            parts,
            label,
            holder,
            logistic.Settings(penalty=asked.penalty, choice=chosen),
            watch,
            terms,
        )
        return Fitted(model, None, math.inf)
    family = log_link.LogLink(asked.family.value)
    log_settings = log_link.Settings(family, asked.penalty, choice=chosen)
    model = log_link.fit_log_link(run.circle, parts, label, holder, log_settings, watch, terms)
    return Fitted(model, None, math.inf)


def _selection(asked: RegressionRequest) -> Selection | None:
    wanted = asked.selection
    return None if wanted is None else Selection(wanted.direction, wanted.criterion, wanted.enter, wanted.leave)


def holds(parts: Sequence[Block], model: Fit) -> None:
    """Raises MisuseError unless a model is of just these columns."""
    names = tuple((block.owner, name) for block in parts for name in block.names)
    if names != model.names:
        raise MisuseError("the model was made of other columns; ask for just the columns that it was made of")
