"""A model attacked with what its recipients see, before anybody uses it.

Membership (Yeom, Giacomelli, Fredrikson, Jha, CSF 2018): does a row's loss say that it was fitted to? The label's
party measures that on its own predictions. Labels: a partner that receives coefficients ranks rows by its own
columns with their weights; how well that works is measured on shares, and told to the label's party alone.
"""

from __future__ import annotations

from typing import Final

from unseen.computation.learn.attacks import log_loss, membership
from unseen.computation.learn.hidden_quality import hidden_auc
from unseen.computation.learn.measures import Predicted, deviances
from unseen.computation.profile import Carries, Disclosure, Message, Profile, Role
from unseen.computation.share.array import from_owner
from unseen.computation.types import Real
from unseen.encoding import Json
from unseen.interaction.application import Run

LABELS: Final = Profile(
    id="models/label-inference",
    title="How well a partner could tell labels",
    source="Mann & Whitney 1947 on sorted shares",
    reveals=(
        Disclosure(Role.EACH, "how many of the tested labels are 1"),
        Disclosure(Role.RECIPIENT, "how well a partner's own columns, weighed by the model, rank labels (AUC)"),
        Disclosure(Role.DEALER, "the number of tested rows"),
    ),
    messages=(Message("quality/bad", Carries.DISCLOSED), Message("reveal/auc", Carries.DISCLOSED)),
)
MOST_ROWS: Final = 1000
"""Rows on which label inference is tried: enough for a standard error of the AUC of about 0.02."""


def members(predicted: Predicted, predictor: Real, label: Real, training: int) -> dict[str, Json]:
    """How well losses tell the first `training` rows, which the model was fitted to, from the others."""
    if predicted is Predicted.OUTCOME:
        losses = log_loss(-predictor, label)
    else:
        losses = deviances(predicted, predictor, label)
    found = membership(losses[:training], losses[training:])
    return {"membership": {"auc": found.auc, "advantage": found.advantage}}


def labels(
    run: Run, partner: str, scores: Real | None, label: Real | None, holder: int, rows: int
) -> float | None:
    """AUC of a partner's own `scores` (rows,), higher for 1, against the label, to rank `holder`."""
    count = min(rows, MOST_ROWS)
    own = None if scores is None else -scores[:count]
    shared = from_owner(run.circle, run.circle.rank_of(partner), own, (count,))
    return hidden_auc(shared, None if label is None else label[:count], holder, run.circle.parties[holder])
