"""A model measured by its label's party: from scores that were revealed to it anyway, or on shares.

The same measures come out either way; the scores stay hidden wherever the request does not ask for predictions.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from unseen.application.evaluation.reference import Reference
from unseen.computation.learn import hidden_stability
from unseen.computation.learn.hidden_measures import PROFILES, WEIGHTED, hidden_measures
from unseen.computation.learn.hidden_stability import counts_between
from unseen.computation.learn.measures import MOST_BANDS, Measured, Predicted, measured, shift
from unseen.computation.learn.rows import RowValues
from unseen.computation.profile import Profile
from unseen.computation.share import arithmetic
from unseen.computation.share.array import Shared
from unseen.computation.types import Real
from unseen.encoding import Json

OUTPUT: Final = "evaluation"
"""What the label's party receives, by the name that an agreement's `recipients` use."""
FACTS: Final = {"bands": f"up to {MOST_BANDS}"}
"""What the profiles' sentences leave open."""


@dataclass(frozen=True, eq=False)
class Scored:
    """Rows with linear predictors (n,), shared; `opened` at the label's party where they go there anyway, and
    `label` there where outcomes are known. Predicted numbers are in `unit` of the label. `weights` where rows
    carry any that the label's party knows."""

    predicted: Predicted
    predictor: Shared
    holder: int
    opened: Real | None = None
    label: Real | None = None
    unit: float = 1.0
    weights: RowValues | None = None

    def rows_from(self, first: int) -> Scored:
        """The rows from one on."""
        opened, label = (None if values is None else values[first:] for values in (self.opened, self.label))
        weights = self.weights
        if weights is not None:
            weights = replace(weights, values=None if weights.values is None else weights.values[first:])
        return replace(self, predictor=self.predictor[first:], opened=opened, label=label, weights=weights)


def profiles(
    predicted: Predicted, outcomes: bool, hidden: bool, stable: bool, weighted: bool = False
) -> list[Profile]:
    """What measuring tells whom: against outcomes, on shares or not, whether the population is compared, and
    whether rows are weighed."""
    found = [(WEIGHTED if weighted else PROFILES)[predicted]] if outcomes and hidden else []
    return [*found, hidden_stability.PROFILE] if stable else found


def evaluated(
    scored: Scored, outcomes: bool, hidden: bool, before: Reference | None, smallest: int
) -> dict[str, Json] | None:
    """Measure rows; everyone takes part. The result at the label's party, None elsewhere.

    `outcomes` asks for measures against the label, `before` for stability.
    """
    found: Measured | None = None
    circle, party = scored.predictor.circle, scored.predictor.circle.parties[scored.holder]
    if outcomes and hidden:
        found = hidden_measures(
            scored.predicted,
            scored.predictor,
            scored.label,
            scored.holder,
            scored.unit,
            smallest,
            scored.weights,
        )
    elif outcomes and scored.opened is not None and scored.label is not None:
        found = measured(
            scored.predicted,
            scored.opened,
            scored.label,
            smallest,
            None if scored.weights is None else scored.weights.values,
        )
    after = None
    if before is not None:
        after = counts_between(before.edges, arithmetic.rescale(scored.predictor, before.edges.fraction), party)
    if circle.rank != scored.holder:
        return None
    told: dict[str, Json] = {"rows": scored.predictor.size, "scores": "hidden" if hidden else "revealed"}
    if found is not None:
        told |= as_json(found) | ({"weighted": True} if scored.weights is not None else {})
    if before is not None and after is not None:
        told["stability"] = shift(before.counts, after.tolist())
    return told


def as_json(found: Measured) -> dict[str, Json]:
    """Figures, and bands with the highest predictions first."""
    bands: list[Json] = [
        {
            "rows": band.rows,
            "came": band.came,
            "expected": band.expected,
            "lift": lift,
            "gain": gain,
            **({} if band.weight is None else {"weight": band.weight}),
        }
        for band, (lift, gain) in zip(reversed(found.bands), found.gains, strict=True)
    ]
    return {"predicted": found.predicted.value, "figures": dict(found.figures), "bands": bands}
