"""A regression held against rows that it was not fitted to, and the rows of its fit kept for later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from unseen.application.evaluation import measuring
from unseen.application.evaluation.characteristics import kept_numbers, number_shifts
from unseen.application.evaluation.measuring import Reference, Scored
from unseen.application.regression.columns import Rows
from unseen.application.regression.request import Family, RegressionRequest
from unseen.computation.learn.columns import Block
from unseen.computation.learn.fit import Fit, predict_scores
from unseen.computation.learn.measures import Predicted
from unseen.computation.learn.rows import RowTerms
from unseen.computation.share.array import Shared, from_owner
from unseen.computation.types import Real
from unseen.encoding import Json
from unseen.interaction.application import Run

PREDICTED: Final = {
    Family.LINEAR: Predicted.NUMBER,
    Family.LOGISTIC: Predicted.OUTCOME,
    Family.POISSON: Predicted.COUNT,
    Family.GAMMA: Predicted.AMOUNT,
}


def predictors(run: Run, parts: Sequence[Block], terms: RowTerms, model: Fit) -> Shared:
    """The linear predictor (rows,) of every row, offset included, in units of 2^label_exponent."""
    found = predict_scores(run.circle, parts, model)
    if terms.offset is None:
        return found
    return found + from_owner(run.circle, terms.offset.owner, terms.offset.values, found.shape, found.fraction)


def kept(
    run: Run, asked: RegressionRequest, rows: Rows, parts: Sequence[Block], scores: Shared
) -> tuple[Reference, dict[str, Json]]:
    """The rows of the fit, to compare later ones with: bands of their scores, bins of the own columns."""
    reference = measuring.reference(scores[: rows.training], asked.label.party, smallest_group(run))
    own = [kept_numbers(block.names, block.values[: rows.training]) for block in parts if block.values is not None]
    return reference, own[0] if own else {}


def evaluated(
    run: Run,
    asked: RegressionRequest,
    parts: Sequence[Block],
    model: Fit,
    scores: Shared,
    opened: Real | None,
    label: Real | None,
    before: tuple[Reference | None, Mapping[str, Any]],
) -> dict[str, Json]:
    """What measuring the last rows, as many as there are scores, tells this party: `evaluation` at the label's
    party, `own_stability` of its own columns at each."""
    count, unit = scores.size, 2.0**model.label_exponent
    scored = Scored(
        PREDICTED[asked.family],
        scores,
        run.circle.rank_of(asked.label.party),
        None if opened is None else opened[-count:] * unit,
        None if label is None else label[-count:],
        unit,
    )
    reference, columns = before
    found = measuring.evaluated(
        scored, asked.compares_outcomes, not asked.predictions, reference, smallest_group(run)
    )
    told: dict[str, Json] = {} if found is None else {"evaluation": found}
    for block in parts:
        if block.values is not None and columns:
            told["own_stability"] = number_shifts(columns, block.names, block.values[-count:])
    return told


def smallest_group(run: Run) -> int:
    """The least number of rows that a band may hold, as agreed."""
    return max(1, int(cast("int", run.plan.parameters["smallest_group"])))
