"""Attacks on a model that need what no one party has: measured on shares, their success told to one.

Membership as in `attacks`, by losses that nobody sees: who was fitted to is public, a row's loss is not. Labels by
likeness: an attacker that knows the labels of some persons ranks others by its own columns. Each known person
votes with its label, less the mean of the known ones, times how alike the attacker finds the two; the label's
party brings the labels, so that the attacker is tried and learns none. Likeness is whatever the attacker makes of
what it holds and has seen; see `likeness`.

Source: Yeom, Giacomelli, Fredrikson, Jha, CSF 2018; label inference with few known labels by Fu et al., USENIX
Security 2022, here with votes in place of a model. Setting: semi-honest, any number of parties, all but one
colluding, correlated randomness from the source. Who learns what: see the profiles. Failure: none. Cost: two
sorts of the tested rows; for labels also one masked matrix, 8 bytes a pair of a known and a tested person.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from unseen.computation.circle import Circle
from unseen.computation.learn.attacks import Membership
from unseen.computation.learn.hidden_quality import area, both_orders, distance, hidden_auc
from unseen.computation.profile import Carries, Disclosure, Message, Profile, Role
from unseen.computation.share.array import Shared, concatenate, from_owner, reveal_to
from unseen.computation.share.private import private_matrix
from unseen.computation.types import Real
from unseen.errors import DataError, MisuseError

MEMBERSHIP: Final = Profile(
    id="learn/hidden-membership",
    title="Who was fitted to, by losses that nobody sees",
    source="Yeom, Giacomelli, Fredrikson, Jha, CSF 2018, on sorted shares",
    reveals=(
        Disclosure(
            Role.RECIPIENT,
            "how well losses tell persons that the model was fitted to from others (AUC, advantage of the best "
            "threshold)",
        ),
        Disclosure(Role.DEALER, "the number of tested rows"),
    ),
    messages=(Message("reveal/membership", Carries.DISCLOSED, most_messages=1, most_bytes=64),),
)
MEANS: Final = Profile(
    id="learn/hidden-membership-means",
    title="The unit of losses of counts and amounts",
    source="told by the label's party",
    reveals=(Disclosure(Role.EACH, "the mean of the labels on which losses are compared"),),
    messages=(Message("errors/mean", Carries.DISCLOSED, most_messages=2, most_bytes=48),),
)
LABELS: Final = Profile(
    id="learn/label-attack",
    title="How well a party that knows some labels could tell others",
    source="Fu et al., USENIX Security 2022, with votes by likeness; Mann & Whitney 1947 on sorted shares",
    reveals=(
        Disclosure(
            Role.RECIPIENT,
            "how well {owner}, were the labels of some persons known there, could rank those of others by own "
            "columns, with what the model showed and without (AUC)",
        ),
        Disclosure(Role.DEALER, "the numbers of tested rows"),
    ),
    messages=(Message("reveal/auc", Carries.DISCLOSED),),
)
LIKENESS_FRACTION: Final = 24
VOTE_FRACTION: Final = 20
MOST_KNOWN: Final = 1 << 16


def hidden_membership(losses: Shared, trained: int, recipient: str) -> Membership | None:
    """Attack by threshold on shared losses (n,), of which the first `trained` are of persons fitted to; the result
    at `recipient`, None elsewhere."""
    circle, rows = losses.circle, losses.size
    if not 0 < trained < rows:
        raise DataError("membership is judged on persons trained on and others")
    known = np.arange(rows) < trained
    outcome = from_owner(circle, 0, known.astype(float) if circle.rank == 0 else None, (rows,), 0)
    places, (first, score) = both_orders(losses, outcome, [losses])
    told = reveal_to(concatenate([places, distance(score, first, trained)]), recipient, "membership")
    if told is None:
        return None
    others = rows - trained
    return Membership(area(float(told[0]), trained, others), float(told[1]) / (trained * others))


def label_attack(
    circle: Circle, attacker: int, alike: Real | None, label: Real | None, holder: int, sizes: tuple[int, int]
) -> float | None:
    """The chance that a tested person with label 1 gets more votes than one with label 0; at rank `holder`.

    `sizes` are the numbers of known and tested persons. `alike` (tested, known), within ±1, at rank `attacker`;
    `label` (known + tested,) of 0 and 1, the known first, at the holder. None elsewhere, and where all tested
    labels are alike.
    """
    known, tested = sizes
    if not 0 < known <= MOST_KNOWN or not tested:
        raise MisuseError("label inference is tried on known and tested persons")
    matrix = private_matrix(circle, attacker, alike, (tested, known), LIKENESS_FRACTION)
    own = None if label is None else (label[:known] - label[:known].mean()).reshape(-1, 1)
    votes = (matrix @ from_owner(circle, holder, own, (known, 1), VOTE_FRACTION)).reshape(-1)
    matrix.forget()
    return hidden_auc(-votes, None if label is None else label[known:], holder)
